"""All our caches lie in one folder, in the main repository."""

from pathlib import Path

import pytest

from plumbline.pipeline.cache import cache_folder


def test_a_cache_lies_in_the_repository_that_dvc_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert cache_folder("judge") == tmp_path / ".cache/judge"


@pytest.mark.parametrize("root", [None, ""], ids=["not_set", "empty"])
def test_a_stage_that_is_run_by_hand_uses_the_cache_next_to_it(monkeypatch: pytest.MonkeyPatch, root: str | None) -> None:
    monkeypatch.delenv("DVC_ROOT", raising=False)
    if root is not None:
        monkeypatch.setenv("DVC_ROOT", root)
    assert cache_folder("answers") == Path(".cache/answers")
