"""Refuse to write where something would be lost: what the command reads, what the run holds, a folder of someone else. Reads what is named."""

import json
from collections.abc import Iterable
from pathlib import Path

from plumbline.commands.named_inputs import named
from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused

OWN_FILES = ("params.yaml", "dvc.yaml", "dvc.lock")
OUR_COMMAND = "python -m stages."
NAMING = ("deps", "outs", "metrics", "plots")
"""Parts of a stage that name files."""


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


def refuse_files_of_the_run(root: Path, outputs: Iterable[Path | None]) -> None:
    """Refused if an output is a file or folder of our pipeline in `root`, or lies in such a folder. Passes where it is not, as in a project of someone else."""
    asked_for = [one for one in outputs if one is not None]
    if not asked_for or not (root / "dvc.yaml").is_file() or not (root / "params.yaml").is_file():
        return
    held = {(root / path).resolve(): path for path in sorted(files_of_the_run(root))}
    for output in asked_for:
        asked = output.resolve()
        found = next((path for there, path in held.items() if asked == there or there in asked.parents), None)
        if found is not None:
            place = "is a file or folder" if asked == (root / found).resolve() else f"lies in {found}, a folder"
            raise Refused(f"{output} {place} of the pipeline, which writing would change. Give another path, such as logs/{output.name}.")


def files_of_the_run(root: Path) -> set[str]:
    """The files and folders that our dvc.yaml names, and itself; empty if its stages are not ours."""
    pipeline = read_yaml(root / "dvc.yaml")
    stages = pipeline.get("stages") if isinstance(pipeline, dict) else None
    if not isinstance(stages, dict) or not any(OUR_COMMAND in str(stage) for stage in stages.values()):
        return set()
    expanded = expanded_stages(pipeline, read_yaml(root / "params.yaml")).values()
    return {entry for stage in expanded for kind in NAMING for entry in named(stage.get(kind, []))}.union(OWN_FILES)


def refuse_folder_of_others(folder: Path, *, record: str) -> None:
    """Refused if something is in the folder that was not written with its record, a JSON file with the names of `files`."""
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise Refused(f"{folder} is a file, and a folder is written. Give a folder that does not exist yet.")
    there = {path.name for path in folder.iterdir()}
    try:
        ours = {record, *json.loads((folder / record).read_text(encoding="utf-8"))["files"]} if record in there else set()
    except (ValueError, KeyError, TypeError):
        ours = set()
    if others := sorted(there - ours):
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise Refused(f"{folder} holds {others[0]}{more}, and writing would remove what is there. Give a folder that does not exist yet.")
