"""Read a section of params.yaml (YAML 1.2) into its strict model, and only a section that the stage declares."""

import os
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML

from plumbline.pipeline.expanded_stages import expanded_stages, value_at
from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.refused import Refused

Section = TypeVar("Section", bound=BaseModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """Parse YAML as DVC does: 1.2, so that 1e-05 is a number and `no` is a word."""
    return deepcopy(_parsed(path.read_text(encoding="utf-8")))


@cache
def _parsed(text: str) -> dict[str, Any]:
    """The content of a text, parsed once: a stage asks for dvc.yaml up to six times, and each parse takes 30 ms."""
    return YAML(typ="safe", pure=True).load(text)


def load_params(section: str, model: type[Section]) -> Section:
    """Return a section, or a part of one such as `arms.base`, as its model. Refused names every missing, unknown or mistyped key.

    Under DVC (which sets DVC_STAGE) a section that dvc.yaml does not declare for the stage is refused:
    DVC would not notice a change of it.
    """
    stage = os.environ.get("DVC_STAGE")
    if stage is not None:
        declared = expanded_stages(read_yaml(Path("dvc.yaml")), read_yaml(Path("params.yaml")))[stage].get("params", [])
        if section not in declared:
            raise Refused(f"dvc.yaml: stage {stage} reads params section {section!r} but declares only {declared}. Add it there.")
    return section_of(read_yaml(Path("params.yaml")), section, model)


def section_of(params: Mapping[str, Any], section: str, model: type[Section]) -> Section:
    """A section of parameters, or a part of one, as its model. Refused names every missing, unknown or mistyped key."""
    try:
        return model.model_validate(value_at(params, section))
    except ValidationError as error:
        raise Refused(f"params.yaml: {problems_of(error, model, place=section)}.") from None
