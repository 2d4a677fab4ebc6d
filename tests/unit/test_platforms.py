"""Calls that exist only on Linux are guarded: macOS runs everything except nf4."""

import ast
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

LINUX_ALONE = {
    "sched_getaffinity", "sched_setaffinity", "prctl", "posix_fadvise", "posix_fallocate", "memfd_create", "pidfd_open", "O_TMPFILE", "O_DIRECT",
    "copy_file_range", "sendfile", "splice", "setns", "unshare", "eventfd", "getrandom", "cpu_affinity", "sensors_temperatures", "SIGPWR",
    "EPOLLIN", "epoll", "malloc_trim", "RLIMIT_AS",
}  # fmt: skip
GUARDS = ("hasattr(", "sys.platform", ".is_file()", ".exists()")


def functions(tree: ast.Module) -> Iterator[ast.AST]:
    """The outermost functions, and the code outside of them."""
    for node in tree.body:
        yield from node.body if isinstance(node, ast.ClassDef) else [node]


def unguarded(source: str) -> list[str]:
    """Linux-only names in a function without a guard."""
    found = []
    for node in functions(ast.parse(source)):
        text = ast.get_source_segment(source, node) or ""
        names = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)} & LINUX_ALONE
        paths = {
            one.value
            for one in ast.walk(node)
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.startswith(("/proc/", "/sys/"))
        }
        # If a constant names a path, its guard is checked where the constant is used.
        if names | paths and not any(guard in text for guard in GUARDS) and not (paths and isinstance(node, ast.Assign)):
            found += sorted(names | paths)
    return found


@pytest.mark.parametrize("folder", ["plumbline", "stages"])
def test_what_only_linux_has_stands_behind_a_guard(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert {str(file.relative_to(ROOT)): names for file in files if (names := unguarded(file.read_text(encoding="utf-8")))} == {}


def test_the_check_can_fail() -> None:
    assert unguarded("import os\ndef cores():\n    return len(os.sched_getaffinity(0))\n") == ["sched_getaffinity"]
    assert unguarded("def quota():\n    return open('/sys/fs/cgroup/cpu.max').read()\n") == ["/sys/fs/cgroup/cpu.max"]
    assert unguarded("import os\ndef cores():\n    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1\n") == []


def test_a_pin_that_one_system_lacks_says_so() -> None:
    assert 'bitsandbytes==0.50.2; sys_platform == "linux"' in (ROOT / "requirements-model.txt").read_text(encoding="utf-8")
