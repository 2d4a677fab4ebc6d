"""Read a section of params.yaml (YAML 1.2) into its strict model, and only a section that the stage declares."""

import os
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML

from plumbline.pipeline.record import Params
from plumbline.pipeline.refused import Refused

Section = TypeVar("Section", bound=Params)


def read_yaml(path: Path) -> dict[str, Any]:
    """Parse YAML as DVC does: 1.2, so that 1e-05 is a number and `no` is a word."""
    return deepcopy(_parsed(path.read_text(encoding="utf-8")))


@cache
def _parsed(text: str) -> dict[str, Any]:
    """The content of a text, parsed once: a stage asks for dvc.yaml up to six times, at 30 ms of the parser each."""
    return YAML(typ="safe", pure=True).load(text)


def load_params(section: str, model: type[Section]) -> Section:
    """Return the section as its model. ValueError names every missing, unknown or mistyped key.

    Under DVC (which sets DVC_STAGE) a section that dvc.yaml does not declare for the stage is refused:
    DVC would not notice a change of it.
    """
    stage = os.environ.get("DVC_STAGE")
    if stage is not None:
        declared = read_yaml(Path("dvc.yaml"))["stages"][stage].get("params", [])
        if section not in declared:
            raise Refused(f"dvc.yaml: stage {stage} reads params section {section!r} but declares only {declared}; add it there.")
    content = read_yaml(Path("params.yaml"))
    if section not in content:
        raise Refused(f"params.yaml: no section {section!r}; there are {sorted(content)}.")
    try:
        return model.model_validate(content[section])
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join([section, *map(str, problem['loc'])])}: {problem['msg']} (found {problem['input']!r})" for problem in error.errors()
        )
        raise Refused(f"params.yaml: {problems}. Known keys: {sorted(model.model_fields)}.") from None
