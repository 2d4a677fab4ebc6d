"""A profile is a list of overrides of params.yaml, and of nothing that is not there."""

from pathlib import Path
from typing import Any

import pytest

from stages.io.params import read_yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path for path in (ROOT / "profiles").iterdir() if path.is_file())


def overrides(profile: Path) -> list[str]:
    return [line for line in profile.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_every_key_of_a_profile_is_a_key_of_params(profile: Path) -> None:
    for line in overrides(profile):
        key, _, value = line.partition("=")
        node: Any = read_yaml(ROOT / "params.yaml")
        for part in key.split("."):
            assert isinstance(node, dict) and part in node, f"{profile.name}: {key} is no key of params.yaml"
            node = node[part]
        assert value, f"{profile.name}: {key} has no value"
        assert not isinstance(node, dict), f"{profile.name}: {key} is a whole section"
