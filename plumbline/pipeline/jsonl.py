"""Tables as JSON lines, one record per line, read strictly and written whole."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from plumbline.pipeline.files import replacing
from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.record import Record

Row = TypeVar("Row", bound=Record)


def read_jsonl(path: Path, kind: type[Row]) -> Iterator[Row]:
    """Yield the records of a file that a stage of ours wrote; a line that is not such a record is an error with its number."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                raise ValueError(f"{path}, line {number}: not a {kind.__name__}: {problems_of(error, kind)}.") from error


def write_jsonl(path: Path, records: Iterable[Record]) -> int:
    """Write records in the order given and return how many; the file appears only when all are written."""
    count = 0
    with replacing(path) as stream:
        for record in records:
            stream.write(record.model_dump_json() + "\n")
            count += 1
    return count
