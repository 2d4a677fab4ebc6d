"""Refuse a section of params.yaml that no stage reads: its values change nothing. Reads params.yaml and dvc.yaml."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from plumbline.pipeline.expanded_stages import REFERENCE
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused


def known_sections(pipeline: Mapping[str, Any]) -> list[str]:
    """The sections that a dvc.yaml names: those that stages declare, and those that it fills in as `${section.key}`."""
    names: set[str] = set()
    for stage in pipeline["stages"].values():
        found = {reference.split(".")[0] for reference in REFERENCE.findall(str(stage))}
        # A stage that is made once per entry of a dict is below `do`, where `key` and `item` are that entry.
        names |= found - {"key", "item"} if "foreach" in stage else found
        # A mapping under params names another file, and what is filled in was found above.
        declared = stage.get("do", stage).get("params", [])
        names |= {name.split(".")[0] for name in declared if isinstance(name, str) and not name.startswith("${")}
    return sorted(names)


def unknown_sections(params: Mapping[str, Any], pipeline: Mapping[str, Any]) -> str | None:
    """What is wrong with the sections of a params.yaml next to its dvc.yaml, and what to do; None if a stage reads each of them."""
    known = known_sections(pipeline)
    told: list[str] = []
    for name in params:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            told.append(f"{name!r} (did you mean {near[0]!r}?)" if near else repr(name))
    if not told:
        return None
    sections = "section" if len(told) == 1 else "sections"
    return (
        f"params.yaml: no stage reads {sections} {', '.join(told)}, so the values there change nothing. "
        f"Rename or remove {'it' if len(told) == 1 else 'them'}; the sections are {', '.join(known)}."
    )


def refuse_unknown_sections(params: Path = Path("params.yaml")) -> None:
    """Stop a stage if params.yaml has a section that no stage reads. A folder without dvc.yaml has no stages to check."""
    pipeline = Path("dvc.yaml")
    if pipeline.is_file() and (problem := unknown_sections(read_yaml(params), read_yaml(pipeline))) is not None:
        raise Refused(problem)
