"""The floor plan keeps its measures: thin stages, functions that fit on a screen, one subject to a folder."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = sorted(path for path in (ROOT / "stages").glob("*.py") if path.name != "__init__.py")
MODULES = sorted([*STAGES, *(ROOT / "plumbline").rglob("*.py")])
MAX_FUNCTION_LINES = 80
MAX_PARAMETERS = 10


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def num_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    return len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)


def num_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


@pytest.mark.parametrize("stage", STAGES, ids=lambda path: path.stem)
def test_a_stage_is_thin(stage: Path) -> None:
    assert 30 <= len(stage.read_text(encoding="utf-8").splitlines()) <= 100


def test_no_function_is_too_long_or_takes_too_much() -> None:
    too_large = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {num_lines(function)} lines, {num_parameters(function)} parameters"
        for path in MODULES
        for function in functions(path)
        if num_lines(function) > MAX_FUNCTION_LINES or num_parameters(function) > MAX_PARAMETERS
    ]
    assert not too_large, "\n".join(too_large)


def test_code_lies_in_stages_and_plumbline_alone() -> None:
    assert not [
        folder for folder in ("verbs", "stages/io", "stages/logic", "stages/records", "stages/templates") if (ROOT / folder).exists()
    ]
    assert not [path for path in (ROOT / "plumbline").rglob("*") if path.is_dir() and path.name in ("utils", "common", "misc")]
