"""First pass over a source: clean every chunk in this process, in several or on Ray, and spool the rows to keep to disk."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from plumbline.cleaning.chunk_cleaning import CleanedChunk, clean_chunk
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.ray_workers import map_on_ray, ray_address
from plumbline.cleaning.source_format import SourceFormat
from plumbline.cleaning.source_lines import Chunk, read_chunks
from plumbline.cleaning.workers import map_in_order, num_workers
from plumbline.pipeline.heartbeat import Progress

PARALLEL_FROM_BYTES = 8 << 20
"""For a smaller file, starting a second process takes longer than it saves."""


class Spooled(NamedTuple):
    """Result of the first pass: the rows to keep on disk, and in memory only what comparing and counting them needs."""

    spool: IO[bytes]
    """The rows to keep as lines of JSON."""
    chunks: list[CleanedChunk]
    """Without their rows."""
    question_keys: bytes
    row_keys: bytes
    lines: NDArray[np.int64]
    """Line number in the source of each spooled row."""


def clean_all(source: Path, policy: Policy, spool: IO[bytes]) -> Spooled:
    """Clean every chunk, in several processes if the file is large, and spool the rows to keep."""
    work = partial(clean_source_chunk, file=source.as_posix(), policy=policy)
    question_keys, row_keys = bytearray(), bytearray()
    chunks: list[CleanedChunk] = []
    lines: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    results = cleaned_chunks(work, source, policy.source)
    with closing(results), Progress("clean", unit="row") as progress:
        for num_lines, cleaned in results:
            spool.write(cleaned.kept)
            question_keys += cleaned.question_keys
            row_keys += cleaned.row_keys
            lines.append(np.array(cleaned.kept_lines, dtype=np.int64))
            chunks.append(cleaned.without_rows())
            progress.update(num_lines)
    return Spooled(spool, chunks, bytes(question_keys), bytes(row_keys), np.concatenate(lines))


def cleaned_chunks(
    work: Callable[[Chunk], CleanedChunk], source: Path, source_format: SourceFormat
) -> Generator[tuple[int, CleanedChunk], None, None]:
    """Number of lines and cleaned rows of each chunk in order: by our own processes, or on Ray if PLUMBLINE_RAY_ADDRESS is set."""
    address = ray_address()
    if address:
        yield from map_on_ray(work, source, source_format, address)
        return
    workers = num_workers() if source.stat().st_size >= PARALLEL_FROM_BYTES else 1
    for chunk, cleaned in map_in_order(work, read_chunks(source, source_format), workers):
        yield len(chunk.lines), cleaned


def clean_source_chunk(chunk: Chunk, *, file: str, policy: Policy) -> CleanedChunk:
    """Clean one chunk in one process. It stands here because Ray sends other machines only the folder `plumbline`."""
    return clean_chunk(chunk.lines, chunk.first_line, file, policy)


def row_texts(spool: IO[bytes]) -> Iterator[str]:
    """Question and answer of each spooled row, as compared for near-duplicates."""
    spool.seek(0)
    for line in spool:
        row = orjson.loads(line)
        before = "".join(f"{one['user']}\n{one['assistant']}\n" for one in row.get("earlier", ()))
        yield f"{before}{row['instruction']}\n{row['input']}\n{row['output']}"
