"""How a command ends if it cannot do what was asked: a plain sentence on stderr and the documented exit code. Touches stderr and the folder."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from pydantic import BaseModel, ValidationError

from plumbline.pipeline.problems import problems_of


@contextmanager
def refusing(exit_code: int, *errors: type[Exception], heading: str | None = None) -> Iterator[None]:
    """Run the block; end the command with the exit code if one of the errors occurs. Its text follows the command's name, or the heading."""
    try:
        yield
    except errors as error:
        begin = f"{heading}\n" if heading else f"{click.get_current_context().command_path.removeprefix('plumbline ')}: "
        sys.stderr.write(f"{begin}{sentence(error)}\n")
        raise SystemExit(exit_code) from None


def sentence(error: Exception) -> str:
    """What an error says to a person."""
    if isinstance(error, ValidationError):
        return problems_of(error, BaseModel)
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def repository() -> Path:
    """The folder of the clone, where a command runs. If the folder has no .dvc, exit with 2."""
    root = Path.cwd()
    if not (root / ".dvc").is_dir():
        name = click.get_current_context().command_path.removeprefix("plumbline ")
        sys.stderr.write(
            f"{name}: {root} is not the folder of a clone (it has no .dvc). Change to the folder of your clone and run it again.\n"
        )
        raise SystemExit(2)
    return root
