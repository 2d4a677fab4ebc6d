"""A model from the hub uses the machine; the embedded one keeps its two threads, and with them its bytes."""

from pathlib import Path

import psutil
import pytest

from plumbline.model import threads
from plumbline.model.threads import num_threads, usable_cores


@pytest.mark.parametrize(
    ("environment", "source", "expected"),
    [
        ({}, "embedded", 2),
        ({}, "hub", 12),
        ({"PLUMBLINE_THREADS": "5"}, "embedded", 5),
        ({"PLUMBLINE_THREADS": "5"}, "hub", 5),
        ({"PLUMBLINE_THREADS": ""}, "hub", 12),
        ({"LOCAL_WORLD_SIZE": "4"}, "hub", 3),
        ({"LOCAL_WORLD_SIZE": "4"}, "embedded", 2),
        ({"LOCAL_WORLD_SIZE": "40"}, "hub", 1),
    ],
)
def test_threads_are_those_of_base_and_machine(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], source: str, expected: int
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 12)
    assert num_threads(environment, source=source) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("physical", "allowed", "quota", "expected"),
    [
        (8, 16, "max 100000", 8),  # hyperthreads are not counted
        (8, 3, "max 100000", 3),  # taskset, or a scheduler that hands out cores
        (8, 16, "250000 100000", 3),  # a container with two and a half
        (8, 16, None, 8),
        (8, 16, "1000 100000", 1),
    ],
)
def test_cores_are_those_that_this_process_may_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, physical: int, allowed: int, quota: str | None, expected: int
) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: physical if not logical else 2 * physical)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda process: set(range(allowed)), raising=False)
    file = tmp_path / "cpu.max"
    if quota is not None:
        file.write_text(quota + "\n", encoding="utf-8")
    assert usable_cores(file) == expected
