"""Clear what removed arms left behind: their files of answers, and their entries in dvc.lock. Touches data/answers and dvc.lock."""

from pathlib import Path

import click
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from plumbline.commands.refusing import refusing, repository
from plumbline.pipeline.expanded_stages import value_at
from plumbline.pipeline.files import replacing
from plumbline.pipeline.params import read_yaml
from plumbline.rows.arms import Arms

LOCK = "dvc.lock"
STAGE = "answer@"


def clear_arms(root: Path) -> list[str]:
    """Remove them, and return what to tell, a line each."""
    arms = Arms.model_validate(value_at(read_yaml(root / "params.yaml"), "arms")).names
    told: list[str] = []
    for path in sorted((root / "data/answers").glob("*.jsonl")):
        if path.stem not in arms:
            path.unlink()
            told.append(f"{path.relative_to(root)} removed: {path.stem} is not an arm of params.yaml")
    lock = root / LOCK
    if lock.is_file():
        yaml = YAML()
        yaml.width = 4096
        try:
            content = yaml.load(lock.read_text(encoding="utf-8"))
        except YAMLError as error:
            raise ValueError(
                f"{LOCK} is not YAML ({' '.join(str(error).split())[:120]}). Restore it from git, then run this again."
            ) from None
        gone = [name for name in (content or {}).get("stages", {}) if name.startswith(STAGE) and name.removeprefix(STAGE) not in arms]
        for name in gone:
            del content["stages"][name]
            told.append(f"{LOCK}: {name} removed")
        if gone:
            with replacing(lock) as stream:
                yaml.dump(content, stream)
    return told


@click.command()
def command() -> None:
    """Clear what removed arms left behind.

    Removes the files in data/answers that belong to no arm of params.yaml, and the entries of such arms in dvc.lock. DVC leaves both. It would hash
    the file of a removed arm into dvc.lock, but no clone would have that file, so `grade`, `judge` and `report` refuse it. The answers stay in DVC's
    cache.

    Exit 2 if params.yaml or dvc.lock cannot be read.
    """
    root = repository()
    with refusing(2, ValueError, OSError):
        told = clear_arms(root)
    click.echo("\n".join(told) if told else "nothing to clear: each file and each entry belongs to an arm of params.yaml")
