"""Write several output files as one: under temporary names, which become the final ones only when all files are complete."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from plumbline.pipeline.files import sync_folder


@contextmanager
def replacing_all(paths: Sequence[Path]) -> Iterator[Sequence[IO[bytes]]]:
    """Open each path for writing bytes; all appear at their names after the block ends without an error, or none does.

    If the process is killed, each name holds either its old file or its new one, never a part.
    """
    partials = [path.with_name(path.name + ".partial") for path in paths]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            streams = [stack.enter_context(partial.open("wb", buffering=1 << 20)) for partial in partials]
            yield streams
            for stream in streams:
                stream.flush()
                os.fsync(stream.fileno())
        for partial, path in zip(partials, paths, strict=True):
            partial.replace(path)
        for folder in {path.parent for path in paths}:
            sync_folder(folder)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def refuse_overwriting(source: Path, outputs: Sequence[Path]) -> None:
    """ValueError if an output is the source itself, by name, symbolic link or hard link, or two outputs are one file."""
    for output in outputs:
        if output.resolve() == source.resolve() or (output.exists() and source.exists() and output.samefile(source)):
            raise ValueError(f"{output} is the source {source} itself: raw data is never written to. Give another output path.")
    if len({output.resolve() for output in outputs}) < len(outputs):
        raise ValueError(f"outputs {[str(output) for output in outputs]} name one file twice. Give each output its own path.")
