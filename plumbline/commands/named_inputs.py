"""Look for the files that params.yaml names before a run: DVC would name the path, but not the parameter. Reads the folder."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from plumbline.pipeline.expanded_stages import REFERENCE, expanded_stages, value_at
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused

NO_COLON = "could not find expected ':'"
YAML_FILES = ("params.yaml", "dvc.yaml", "dvc.lock")


def check_named_inputs(root: Path) -> None:
    """Refused if params.yaml cannot be read, or names a file that is missing and that no stage makes."""
    params, pipeline = read_checked(root / "params.yaml"), read_checked(root / "dvc.yaml")
    outputs = [Path(entry) for stage in expanded_stages(pipeline, params).values() for entry in named(stage.get("outs", []))]
    for parameter, value in file_parameters(pipeline, params):
        path = Path(value)
        if (root / path).exists() or (root / f"{value}.dvc").exists() or any(path == out or out in path.parents for out in outputs):
            continue
        folder = (root / path).parent
        there = sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []
        near = [str(path.parent / name) for name in get_close_matches(path.name, there, n=1)]
        remedy = (
            f"Did you mean {near[0]}?" if near else "Give the path of a file or folder that exists, relative to the folder of dvc.yaml."
        )
        raise Refused(f"{parameter} in params.yaml is {value}, but there is no such file. {remedy}")


def file_parameters(pipeline: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and value of each parameter that alone is a dependency of a stage, such as `clean.source`."""
    for stage in pipeline["stages"].values():
        each = REFERENCE.fullmatch(str(stage.get("foreach", "")))
        section = each[1] if each else ""
        for entry in named((stage["do"] if section else stage).get("deps", [])):
            reference = REFERENCE.fullmatch(entry)
            if not reference:
                continue
            if section and reference[1].startswith("item."):
                key = reference[1].removeprefix("item.")
                yield from ((f"{section}.{name}.{key}", str(value_at(item, key))) for name, item in value_at(params, section).items())
            else:
                yield reference[1], str(value_at(params, reference[1]))


def named(entries: list[Any]) -> list[str]:
    """Paths of a list of deps or outs; an out with options is a dict of one key."""
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def refuse_unreadable(root: Path, names: Iterable[str] = YAML_FILES) -> None:
    """Refused if a YAML file of the clone cannot be read; a missing one passes."""
    for name in names:
        if (root / name).is_file():
            read_checked(root / name)


def read_checked(path: Path) -> dict[str, Any]:
    """Read a YAML file. Refused with the line if it is not YAML, not UTF-8, or has a key twice; and if it holds no keys."""
    try:
        found: object = read_yaml(path)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Refused(f"{path.name}, line {line}: this is not UTF-8 ({error.reason}). Save the file as UTF-8.") from None
    except ReaderError as error:
        line = path.read_text(encoding="utf-8").count("\n", 0, error.position) + 1
        character = f"U+{error.character:04X}" if isinstance(error.character, int) else repr(error.character)
        raise Refused(f"{path.name}, line {line}: YAML cannot hold the character {character}. Remove it.") from None
    except MarkedYAMLError as error:
        # Without its colon, a key is noticed only on the next line: the context is the line that lacks it.
        mark = error.context_mark if error.problem == NO_COLON and error.context_mark else error.problem_mark
        line = f", line {mark.line + 1}" if mark else ""
        if isinstance(error, DuplicateKeyError):
            told = str(error.problem).split('"')
            raise Refused(f"{path.name}{line}: the key {told[1]} is in its section twice. Keep one of them.") from None
        raise Refused(
            f"{path.name}{line}: this is not YAML ({error.problem}). Look at the line; `git diff {path.name}` shows what you changed."
        ) from None
    if not isinstance(found, dict):
        raise Refused(
            f"{path.name} is empty, or is not a list of `key: value`. `git restore {path.name}` brings back the one of the commit."
        )
    return found
