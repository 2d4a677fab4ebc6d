"""Refuse to write a file that the command reads. Touches the files that are named, read-only."""

from collections.abc import Iterable
from pathlib import Path

from plumbline.pipeline.refused import Refused


def refuse_overwriting(inputs: Iterable[Path], outputs: Iterable[Path | None]) -> None:
    """Refused if an output is an input, by name, symbolic link or hard link, or if two outputs are the same file."""
    read = list(inputs)
    seen: dict[Path, Path] = {}
    for output in [one for one in outputs if one is not None]:
        for given in read:
            if output.resolve() == given.resolve() or (output.exists() and given.exists() and output.samefile(given)):
                raise Refused(f"{output} is an input ({given}), and writing would replace it. Give another path for the output.")
        if (other := seen.setdefault(output.resolve(), output)) is not output:
            raise Refused(f"{output} and {other} are the same file. Give each output its own path.")
