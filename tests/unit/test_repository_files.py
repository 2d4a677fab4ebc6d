"""The files that a repository is known by say what is true: changelog, forms, hooks and workflow."""

import re
import tomllib
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT

FORMS = sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
PYTHONS = ["3.11", "3.12", "3.13"]


def read(path: str) -> Any:
    return YAML(typ="safe", pure=True).load((ROOT / path).read_text(encoding="utf-8"))


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    versions = re.findall(r"^## (\d+\.\d+\.\d+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert versions[0] == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert versions == sorted(versions, key=lambda text: [int(part) for part in text.split(".")], reverse=True)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_for_what_a_fix_needs(name: str) -> None:
    form = read(f".github/ISSUE_TEMPLATE/{name}")
    assert form["name"] and form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
    assert sum(bool(field.get("validations", {}).get("required")) for field in fields) >= 3


def test_there_is_a_form_for_each_promise() -> None:
    assert FORMS == ["lost_row.yml", "not_reproduced.yml", "wrong_grade.yml"]


def test_the_gate_waits_for_the_quick_job_which_runs_every_python() -> None:
    jobs = read(".github/workflows/ci.yml")["jobs"]
    quick = jobs["quick"]
    assert jobs["gate"]["needs"] == "quick" and quick["strategy"]["matrix"]["python"] == PYTHONS
    assert quick["steps"][-1]["run"] == "make test"
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    assert [one.rsplit(" ", 1)[-1] for one in known if one.startswith("Programming Language :: Python :: 3.")] == PYTHONS


def test_hooks_run_what_is_installed_here() -> None:
    for hook in (hook for repository in read(".pre-commit-config.yaml")["repos"] for hook in repository["hooks"]):
        assert hook["language"] == "system" and (ROOT / hook["entry"].split()[0]).exists(), hook["id"]
