"""params.yaml as a run with overrides would have it. Reads params.yaml."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dvc.exceptions import InvalidArgumentError
from dvc.utils.hydra import apply_overrides

from plumbline.pipeline.params import read_yaml


class OverrideRefused(ValueError):
    """An override cannot be used; the text says which one and why."""


class NotPlanned(ValueError):
    """The run cannot be planned; the text says what is missing and what to do."""


def planned_params(root: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """params.yaml with overrides in DVC's own syntax; the file itself stays as it is. OverrideRefused if DVC cannot use one."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "params.yaml"
        shutil.copyfile(root / "params.yaml", copy)
        if overrides:
            try:
                apply_overrides(copy, list(overrides))
            except InvalidArgumentError as error:
                cause = str(error.__cause__ or error).splitlines()[0].rstrip(".")
                raise OverrideRefused(
                    f"an override (-S, or SET of make) cannot be used. {cause}. Write KEY=VALUE with a key of params.yaml."
                ) from error
        return read_yaml(copy)
