"""The rows of a file of ours, read when they are needed. Memory holds only the place where each begins, 8 bytes a row."""

import os
import weakref
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar, overload

from pydantic import ValidationError

from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.record import Record

Row = TypeVar("Row", bound=Record)


class RowsOnDisk(Sequence[Row], Generic[Row]):
    """A sequence of records that stays on disk. If a line is not a record, reading it raises ValueError with its number.

    The file stays open, so replacing it meanwhile changes nothing here.
    """

    def __init__(self, path: Path, kind: type[Row]) -> None:
        """Find where the lines begin."""
        self._path, self._kind = path, kind
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        self._begins = array("q", [0])
        with open(self._descriptor, "rb", closefd=False) as lines:
            for line in lines:
                self._begins.append(self._begins[-1] + len(line))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._begins) - 1

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        """Read one row, or some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        begin = self._begins[number]
        line = os.pread(self._descriptor, self._begins[number + 1] - begin, begin)
        try:
            return self._kind.model_validate_json(line)
        except ValidationError as error:
            raise ValueError(f"{self._path}, line {number + 1}: not a {self._kind.__name__}: {problems_of(error, self._kind)}.") from error

    def __iter__(self) -> Iterator[Row]:
        """Read all rows, in order."""
        return (self[number] for number in range(len(self)))
