"""dvc.yaml tells the truth about what the stages import, read, write and are configured by."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.params import read_yaml
from plumbline.selecting.code_hashes import SCORING_CODE

ROOT = Path(__file__).resolve().parents[2]
WRITTEN: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"]
PIPELINE: dict[str, Any] = {name: stage.get("do", stage) for name, stage in WRITTEN.items()}
"""Of a stage that is made once per entry of a dict what each of them is: `${key}` and `${item...}` stand for the entry."""
STAGES = sorted(PIPELINE)
CODE = ("stages/", "plumbline/")
READ_NOT_IMPORTED = (".j2", ".css", ".js")
IMPURE_CALLS = {"open", "eval", "exec", "input", "print"}
IMPURE_PACKAGES = {
    "anthropic", "asyncio", "fcntl", "http", "httpx2", "os", "peft", "ray", "requests", "shutil", "signal", "socket",
    "subprocess", "tempfile", "threading", "time", "torch", "transformers", "trl",
}  # fmt: skip


def local_imports(path: Path) -> set[Path]:
    """Files of this repository that a module imports, anywhere in it."""
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
    return called_with(path, "Path")


def called_with(path: Path, function: str) -> set[str]:
    """The strings that are the first argument of a function, as dvc.yaml writes them: f"data/answers/{name}" is `data/answers/${key}`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
            elif isinstance(first, ast.JoinedStr):
                found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "${key}" for part in first.values))
    return found


def code_deps(stage: str) -> set[str]:
    return {dep for dep in PIPELINE[stage]["deps"] if dep.startswith(CODE)}


HASHED_IN = {"data/selection/selection.json": ("selection", SCORING_CODE)}
"""A file that holds the hashes of code -> the stage that writes and declares them, and what they are of: who depends on the file depends on that code."""


def hashed_code(stage: str) -> set[str]:
    """Code that a stage depends on through a file with its hashes."""
    return {name for file, (_, code) in HASHED_IN.items() if file in PIPELINE[stage]["deps"] for name in code}


def imported_by(node: ast.AST) -> list[str]:
    """The top packages that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    return [(node.module or "").split(".")[0]] if isinstance(node, ast.ImportFrom) else []


def says_pure(module: Path) -> bool:
    return "Pure." in (ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or "")


PURE = [module for module in sorted((ROOT / "plumbline").rglob("*.py")) if says_pure(module)]


@pytest.mark.parametrize("stage", STAGES)
def test_every_import_is_declared_and_every_declaration_is_imported(stage: str) -> None:
    imported = import_closure(ROOT / f"stages/{stage}.py")
    undeclared = {file for file in imported if not any(file.is_relative_to(ROOT / dep) for dep in code_deps(stage) | hashed_code(stage))}
    idle = {
        dep
        for dep in code_deps(stage)
        if not dep.endswith(READ_NOT_IMPORTED) and not any(file.is_relative_to(ROOT / dep) for file in imported)
    }
    assert not undeclared, f"add to the deps of {stage}: {sorted(file.relative_to(ROOT).as_posix() for file in undeclared)}"
    assert not idle, f"take out of the deps of {stage}: {sorted(idle)}"


@pytest.mark.parametrize("file", HASHED_IN)
def test_code_behind_a_file_of_hashes_is_declared_by_the_stage_that_writes_it(file: str) -> None:
    writer, code = HASHED_IN[file]
    assert file in paths(writer, "outs")
    assert not [name for name in code if not any((ROOT / name).is_relative_to(ROOT / dep) for dep in code_deps(writer))]
    readers = [stage for stage in STAGES if file in PIPELINE[stage]["deps"]]
    imported = {module for stage in readers for module in import_closure(ROOT / f"stages/{stage}.py")}
    idle = [name for name in code if name not in OWN_PROCESSES and not any(module.is_relative_to(ROOT / name) for module in imported)]
    assert readers and not idle, f"no reader of {file} imports {idle}"


def test_the_pipeline_can_be_read_in_one_sitting() -> None:
    """Dependencies are written as paragraphs, code first and data below: 17 stages in 320 lines."""
    assert len((ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()) <= 320


def test_stage_files_and_stages_are_the_same() -> None:
    assert {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"} == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_runs_its_module_and_takes_no_argument_but_the_name_of_its_entry(stage: str) -> None:
    assert PIPELINE[stage]["cmd"] == f"python -m stages.{stage}" + (" ${key}" if "foreach" in WRITTEN[stage] else "")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_made_once_per_entry_of_a_dict(stage: str) -> None:
    """From a list the stages would be named by position: one more at its front would run all of them again."""
    entries = re.fullmatch(r"\$\{(\w+)\}", WRITTEN[stage].get("foreach", "${arms}"))
    assert entries is not None and isinstance(read_yaml(ROOT / "params.yaml")[entries[1]], dict)
    fillings = set(re.findall(r"\$\{(\w+)", str(WRITTEN[stage].get("do", {}))))
    assert fillings <= {"key", "item"}, "what is not of the entry would make every entry a stage on it"


@pytest.mark.parametrize("stage", STAGES)
def test_every_literal_path_is_declared(stage: str) -> None:
    declared = paths(stage, "deps", "outs", "metrics", "plots")
    undeclared = {path for path in literal_paths(ROOT / f"stages/{stage}.py") if not {path, *map(str, Path(path).parents)} & declared}
    assert not undeclared, f"{stage} names files that dvc.yaml does not: {sorted(undeclared)}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_declared_file_is_named_by_the_stage(stage: str) -> None:
    declared = {
        path for path in paths(stage, "deps", "outs", "metrics", "plots") if not path.startswith(CODE) or path.endswith(READ_NOT_IMPORTED)
    }
    literals = literal_paths(ROOT / f"stages/{stage}.py") | {"requirements-model.txt"}
    # A folder is named by any file in it.
    named = literals | {str(parent) for literal in literals for parent in Path(literal).parents}
    unnamed = {path for path in declared if path not in named and not path.startswith("${")}
    assert not unnamed, f"dvc.yaml declares files for {stage} that it never names: {sorted(unnamed)}"


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_depends_on_a_part_of_what_another_one_made(stage: str) -> None:
    """In a clone without the committed run's data DVC cannot restore such a stage from its run cache: a second `make real` would fail."""
    made = {out for other in STAGES for out in paths(other, "outs")}
    assert not [dep for dep in paths(stage, "deps") if {str(parent) for parent in Path(dep).parents} & made]


@pytest.mark.parametrize("stage", STAGES)
def test_params_sections_read_are_the_sections_declared(stage: str) -> None:
    assert called_with(ROOT / f"stages/{stage}.py", "load_params") == set(PIPELINE[stage]["params"])


def test_every_section_of_params_is_read_by_a_stage() -> None:
    declared = {section.split(".")[0] for stage in STAGES for section in PIPELINE[stage]["params"]}
    assert declared == set(read_yaml(ROOT / "params.yaml"))


OWN_PROCESSES = {"plumbline/grading/formula_child.py": "plumbline/grading/formula_judge.py"}
"""File that runs as a separate process -> the module that starts it."""


def test_every_module_is_imported_by_a_stage_or_a_command() -> None:
    reached = {file for stage in STAGES for file in import_closure(ROOT / f"stages/{stage}.py")}
    commands = {
        file
        # The package itself holds what a notebook calls.
        for command in [ROOT / "plumbline/__main__.py", ROOT / "plumbline/__init__.py", *(ROOT / "plumbline/commands").glob("*.py")]
        for file in import_closure(command)
    }
    # The installer runs before there is a command; some modules are started as processes of their own.
    named = re.findall(r"-m (plumbline[.\w]+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    started = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in named}
    started |= {ROOT / child for child, starter in OWN_PROCESSES.items() if ROOT / starter in reached | commands}
    modules = {file for file in (ROOT / "plumbline").rglob("*.py") if file.name != "__init__.py"}
    assert modules <= reached | commands | started, f"dead modules: {sorted(modules - reached - commands - started)}"
    assert all(Path(child).name in (ROOT / starter).read_text(encoding="utf-8") for child, starter in OWN_PROCESSES.items())


def test_packages_re_export_nothing() -> None:
    top = ROOT / "plumbline/__init__.py"
    for file in (ROOT / "plumbline").rglob("__init__.py"):
        assert file == top or file.read_text(encoding="utf-8") == "", f"{file} would tie every stage to every module"
    tree = ast.parse((ROOT / "stages/__init__.py").read_text(encoding="utf-8"))
    imported = [imported_by(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imported == [["sys"], ["plumbline"], ["plumbline"]], (
        "it answers --help, and sets up terminal and signals: no stage depends on it"
    )


def test_what_a_notebook_calls_is_imported_when_it_is_called() -> None:
    asked = "import sys, plumbline; print(*sorted(name for name in sys.modules if name.startswith(('plumbline', 'pandas'))))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["plumbline"]


@pytest.mark.parametrize("module", PURE, ids=lambda module: module.relative_to(ROOT / "plumbline").as_posix())
def test_a_module_that_says_pure_is_pure_with_all_it_imports(module: Path) -> None:
    for file in import_closure(module):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in IMPURE_CALLS, f"{module.name} reaches {file.relative_to(ROOT)}, which calls {node.func.id}"
            impure = IMPURE_PACKAGES & set(imported_by(node))
            assert not impure, f"{module.name} reaches {file.relative_to(ROOT)}, which imports {', '.join(sorted(impure))}"


def test_only_constant_parts_stand_in_commands() -> None:
    """The name of an arm is one: small letters, digits and _."""
    assert all("${" not in PIPELINE[stage]["cmd"].replace("${key}", "") for stage in STAGES), "the shell would expand parameter values"
