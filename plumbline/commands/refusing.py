"""How a command ends if it cannot do what was asked: a plain sentence on stderr and the documented exit code. Touches stderr and the folder."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from pydantic import BaseModel, ValidationError
from ruamel.yaml.error import YAMLError

from plumbline.commands.named_inputs import refuse_unreadable
from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.refused import Refused


@contextmanager
def refusing(exit_code: int, *errors: type[Exception], heading: str | None = None) -> Iterator[None]:
    """Run the block; end the command with the exit code if one of the errors occurs, or if a file of the clone is not YAML.

    The text of the error follows the command's name, or the heading.
    """
    try:
        yield
    except (*errors, YAMLError) as error:
        begin = f"{heading}\n" if heading else f"{click.get_current_context().command_path.removeprefix('plumbline ')}: "
        sys.stderr.write(f"{begin}{sentence(error)}\n")
        raise SystemExit(exit_code) from None


def sentence(error: Exception) -> str:
    """What an error says to a person."""
    if isinstance(error, YAMLError | UnicodeDecodeError):  # the parser knows the line, but not the file
        try:
            refuse_unreadable(Path.cwd())
        except Refused as refused:
            return str(refused)
    if isinstance(error, ValidationError):
        return problems_of(error, BaseModel)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):  # it names the file only if it could not be opened
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}the disk is full, or your quota is used up. Free some space and run it again."
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def repository() -> Path:
    """The folder of the clone, where a command runs. If the folder has no .dvc, or its params.yaml or dvc.yaml cannot be read, exit with 2."""
    root = Path.cwd()
    if not (root / ".dvc").is_dir():
        name = click.get_current_context().command_path.removeprefix("plumbline ")
        sys.stderr.write(
            f"{name}: {root} is not the folder of a clone (it has no .dvc). Change to the folder of your clone and run it again.\n"
        )
        raise SystemExit(2)
    with refusing(2, Refused):
        refuse_unreadable(root, ("params.yaml", "dvc.yaml"))
    return root
