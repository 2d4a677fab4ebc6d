"""What the code imports is pinned by name: a package that comes along with another today may not tomorrow."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from plumbline.commands.main import EXTRAS

ROOT = Path(__file__).resolve().parents[2]
OURS = {"bench", "launch", "plumbline", "stages", "tests"}
FILES = ("requirements.txt", "requirements-model.txt")
IN_THEIR_OWN_ENVIRONMENT = {"ray": "requirements-ray.txt", "inspect_ai": "requirements-inspect.txt"}
"""Imported in that environment only: the pipeline does not have the further packages of these files."""
NOT_OURS = {"bench": {"lm_eval", "math_verify"}, "plumbline": {"dvclive"}}
"""Imported if someone has installed them: bench/grader_peers.py grades with the first two, plumbline/training/trackers.py shows a training in the third."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(*names: str) -> dict[str, str]:
    """Package -> version of requirements files."""
    lines = [line.split(";")[0].split("#")[0].strip() for name in names for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines) if version}


def imported(folder: str) -> set[str]:
    """Top-level names of the packages that a folder's code imports, inside functions too."""
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - OURS


@pytest.mark.parametrize("folder", ["plumbline", "stages", "bench"])
def test_every_package_that_is_imported_is_listed(folder: str) -> None:
    homes, names = packages_distributions(), imported(folder)
    listed = set(pins(*FILES)) | {normal(name) for name, file in IN_THEIR_OWN_ENVIRONMENT.items() if normal(name) in pins(file)}
    # A stage imports our own code alone.
    assert {"pydantic", "dvc", "torch"} & names or folder == "stages", "imports are found"
    lacking = [
        name for name in sorted(names - NOT_OURS.get(folder, set())) if not {normal(home) for home in homes.get(name, [name])} & listed
    ]
    assert not lacking, f"{folder} imports {lacking}: list them in requirements.txt with the pins of constraints.txt"


def test_a_pin_stands_for_one_version() -> None:
    constraints, listed = pins("constraints.txt"), pins("requirements.txt", "requirements-model.txt")
    assert {name: version for name, version in listed.items() if constraints.get(name, version) != version} == {}
    assert set(pins("requirements.txt")) <= set(constraints)


PACKAGE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRA_FILES = {"dev": "requirements-dev.txt"}


def asked(*texts: str) -> dict[str, Requirement]:
    return {normal(one.name): one for one in map(Requirement, texts)}


def test_what_the_package_asks_for_is_pinned_to_a_version_that_satisfies_it() -> None:
    listed = pins(*FILES, *EXTRA_FILES.values())
    every = {**PACKAGE["optional-dependencies"], "": PACKAGE["dependencies"]}
    wrong = [
        f"{one} (extra {extra or 'none'}): pinned {listed.get(name)}"
        for extra, texts in every.items()
        for name, one in asked(*texts).items()
        if name not in listed or not one.specifier.contains(listed[name]) or not one.specifier
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_that_the_code_imports_is_asked_for_by_the_package() -> None:
    homes = packages_distributions()
    every = asked(*PACKAGE["dependencies"], *(text for texts in PACKAGE["optional-dependencies"].values() for text in texts))
    names = (imported("plumbline") | imported("stages")) - set(IN_THEIR_OWN_ENVIRONMENT) - NOT_OURS["plumbline"]
    assert [name for name in sorted(names) if not {normal(home) for home in homes[name]} & set(every)] == []


def test_a_missing_package_is_named_with_the_extra_that_installs_it() -> None:
    homes, extras = packages_distributions(), PACKAGE["optional-dependencies"]
    assert [name for name, extra in EXTRAS.items() if not {normal(home) for home in homes[name]} & set(asked(*extras[extra]))] == []
    core = asked(*PACKAGE["dependencies"])
    names = (imported("plumbline") | imported("stages")) - set(IN_THEIR_OWN_ENVIRONMENT) - NOT_OURS["plumbline"]
    assert {name for name in names if not {normal(home) for home in homes[name]} & set(core)} <= set(EXTRAS)
