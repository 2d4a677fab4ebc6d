"""dvc.yaml tells the truth about what the stages import, read, write and are configured by."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from stages.io.params import read_yaml

ROOT = Path(__file__).resolve().parents[2]
PIPELINE: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"]
STAGES = sorted(PIPELINE)


def local_imports(path: Path) -> set[Path]:
    """Files of this repository that a module imports, wherever in it the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in names}
    return {file for file in files if file.is_file()}


def import_closure(path: Path) -> set[Path]:
    closure, new = {path}, {path}
    while new:
        new = {imported for file in new for imported in local_imports(file)} - closure
        closure |= new
    return closure


def paths(stage: str, *keys: str) -> set[str]:
    """Entries of a stage under the keys, whether written as a path or as a mapping `path: {cache: false}`."""
    entries = [entry for key in keys for entry in PIPELINE[stage].get(key, [])]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def literal_paths(path: Path) -> set[str]:
    """Strings given to Path(...) in a stage file."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Path"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def folders_imported_by(folder: str) -> set[str]:
    """Which of records, logic, io, and `.` for the stage files themselves, the modules of a folder import."""
    own = ROOT / "stages" / folder
    return {
        imported.parent.relative_to(ROOT / "stages").as_posix()
        for module in own.glob("*.py")
        for imported in local_imports(module)
        if imported.is_relative_to(ROOT / "stages")
    }


@pytest.mark.parametrize("stage", STAGES)
def test_code_deps_are_exactly_the_import_closure(stage: str) -> None:
    declared = {dep for dep in PIPELINE[stage]["deps"] if dep.endswith(".py")}
    imported = {file.relative_to(ROOT).as_posix() for file in import_closure(ROOT / f"stages/{stage}.py")}
    assert declared == imported, f"deps of {stage} should hold: [{', '.join(sorted(imported))}]"


def test_stage_files_and_stages_are_the_same() -> None:
    assert {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"} == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_runs_its_module_and_takes_no_arguments(stage: str) -> None:
    assert PIPELINE[stage]["cmd"] == f"python -m stages.{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_literal_path_is_declared(stage: str) -> None:
    declared = paths(stage, "deps", "outs", "metrics", "plots")
    undeclared = {path for path in literal_paths(ROOT / f"stages/{stage}.py") if path not in declared}
    assert not undeclared, f"{stage} names files that dvc.yaml does not: {sorted(undeclared)}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_declared_file_is_named_by_the_stage(stage: str) -> None:
    declared = {path for path in paths(stage, "deps", "outs", "metrics", "plots") if not path.endswith(".py")}
    unnamed = {
        path
        for path in declared
        if path not in literal_paths(ROOT / f"stages/{stage}.py") | {"requirements-model.txt"} and "${" not in path
    }
    assert not unnamed, f"dvc.yaml declares files for {stage} that it never names: {sorted(unnamed)}"


@pytest.mark.parametrize("stage", STAGES)
def test_params_sections_read_are_the_sections_declared(stage: str) -> None:
    text = (ROOT / f"stages/{stage}.py").read_text(encoding="utf-8")
    assert set(re.findall(r'load_params\(\s*"(\w+)"', text)) == set(PIPELINE[stage]["params"])


def test_every_section_of_params_is_read_by_a_stage() -> None:
    declared = {section for stage in STAGES for section in PIPELINE[stage]["params"]}
    assert declared == set(read_yaml(ROOT / "params.yaml"))


def test_imports_point_one_way() -> None:
    assert folders_imported_by("records") <= {"records"}
    assert folders_imported_by("logic") <= {"logic", "records"}
    assert folders_imported_by("io") <= {"io", "records"}
    assert folders_imported_by(".") <= {"io", "logic", "records"}, "a stage imports another stage"


def test_every_module_is_imported_by_a_stage() -> None:
    reached = {file for stage in STAGES for file in import_closure(ROOT / f"stages/{stage}.py")}
    verbs = {file for verb in (ROOT / "verbs").glob("*.py") for file in import_closure(verb)}
    modules = {file for file in (ROOT / "stages").rglob("*.py") if file.name != "__init__.py"}
    assert modules <= reached | verbs, "dead modules"


def test_packages_re_export_nothing() -> None:
    for file in [*(ROOT / "stages").rglob("__init__.py"), *(ROOT / "verbs").rglob("__init__.py")]:
        assert file.read_text(encoding="utf-8") == "", f"{file} would tie every stage to every module"


def test_logic_is_pure() -> None:
    for module in (ROOT / "stages/logic").glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"open", "eval", "exec", "input", "print"}, f"{module.name} calls {node.func.id}"
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert name.split(".")[0] not in {"os", "time", "socket", "subprocess", "torch", "transformers", "anthropic", "requests"}, (
                    f"{module.name} imports {name}"
                )


def test_only_constant_parts_stand_in_commands() -> None:
    assert all("${" not in PIPELINE[stage]["cmd"] for stage in STAGES), "the shell would expand parameter values"
