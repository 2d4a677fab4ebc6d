"""Copy outputs out of a DVC run as soon as their stage is done: a temporary folder is gone if a later stage fails. Touches DVC's class Stage and files."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plumbline.pipeline.files import replacing

if TYPE_CHECKING:
    from dvc.stage import Stage

OPTION = "--copy-early"
"""In front of DVC's own words: PATH=COPY, several times."""


def as_words(copies: Mapping[str, Path]) -> list[str]:
    """Copies as words of a command line."""
    return [word for path, copy in copies.items() for word in (OPTION, f"{path}={copy}")]


def taken_from(words: list[str]) -> tuple[dict[str, Path], list[str]]:
    """The copies that words begin with, and the other words."""
    copies: dict[str, Path] = {}
    while words[:1] == [OPTION]:
        path, _, copy = words[1].partition("=")
        copies[path] = Path(copy)
        words = words[2:]
    return copies, words


def copy_early(copies: Mapping[str, Path]) -> None:
    """From here on, each stage that ends well in this process copies its outputs: path in the project -> copy.

    Whether the stage ran, was restored or had nothing to do is the same. A copy that fails is a warning: the run goes on.
    """
    from dvc.stage import Stage

    reproduce = Stage.reproduce

    def reproduced(stage: "Stage", *args: Any, **options: Any) -> "Stage | None":
        done = reproduce(stage, *args, **options)
        root = Path(stage.repo.root_dir)
        for path, copy in copies.items():
            if any(Path(out.fs_path) == root / path for out in stage.outs):
                try:
                    copy_whole(root / path, copy)
                except OSError as error:
                    logging.getLogger("dvc").warning("%s could not be copied to %s: %s", path, copy, error.strerror or error)
        return done

    setattr(Stage, "reproduce", reproduced)  # noqa: B010 - for the type checker: DVC's own method is wrapped in decorators


def copy_whole(source: Path, copy: Path) -> None:
    """Copy a text file; the copy appears under its name when it is complete."""
    with source.open(encoding="utf-8", newline="") as content, replacing(copy) as stream:
        shutil.copyfileobj(content, stream)
