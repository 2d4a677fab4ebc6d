"""Every import of our own code leads somewhere: benches and tests lie outside the type check, and few of them run at every change."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("plumbline", "stages", "bench", "tests")
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def module_file(name: str) -> Path | None:
    """The file of a module or package; None if there is none."""
    path = ROOT.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def offered(path: Path) -> set[str]:
    """Names that a module binds anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return names


def dead_ends(text: str) -> list[str]:
    """What a module imports of ours and cannot have."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] in FOLDERS]
            found += [name for name in names if module_file(name) is None]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in FOLDERS:
            file = module_file(node.module)
            there = offered(file) if file is not None else set[str]()
            names = [f"{node.module}.{alias.name}" for alias in node.names if alias.name not in there]
            found += [name for name in names if module_file(name) is None]
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_import_of_ours_leads_somewhere(module: Path) -> None:
    assert not dead_ends(module.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line", ["from plumbline.commands.readme import no_such_name", "import plumbline.nowhere", "from plumbline.nowhere import x"]
)
def test_a_dead_end_is_seen(line: str) -> None:
    assert dead_ends(line)
