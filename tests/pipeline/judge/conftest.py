"""A bench for the judge stage, and a server to ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.claude_server import KEY, FakeClaude, serving
from tests.fakes.judge_bench import Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("PLUMBLINE_JUDGE_BACKOFF_SECONDS", "0.01")
    monkeypatch.setenv("PLUMBLINE_JUDGE_CONCURRENCY", "4")
    monkeypatch.setenv("PLUMBLINE_JUDGE_DEADLINE_SECONDS", "20")
    monkeypatch.setenv("PLUMBLINE_JUDGE_POLL_SECONDS", "0.02")
    return Bench(tmp_path)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClaude]:
    with serving(FakeClaude()) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url)
        yield server
