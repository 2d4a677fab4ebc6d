"""The last line of a run says what a user changed in the user's words, and does not offer to throw it away."""

from typing import Any

from plumbline.keeping.committed_results import differing


def lock(
    *, source: str = "data/raw/embedded/train.jsonl", rows: str = "1", code: str = "1", out: str = "1", alpha: int = 32
) -> dict[str, Any]:
    params = {"params.yaml": {"clean": {"source": source}, "lora": {"alpha": alpha}}}
    deps = [{"path": source, "md5": rows}, {"path": "plumbline/cleaning", "md5": code}]
    outs = [{"path": "data/clean/kept.jsonl", "md5": out}]
    return {"stages": {"clean": {"cmd": "python -m stages.clean", "deps": deps, "params": params, "outs": outs}}}


def test_own_rows_are_new_results_that_a_commit_keeps() -> None:
    new = lock(source="data/raw/mine.jsonl", rows="2", out="2", alpha=16)
    assert differing(lock(), new, 0.91) == (
        "results: new, because clean.source and lora.alpha changed; `git add -A && git commit` keeps them "
        "(`git restore dvc.lock metrics` restores the committed ones)"
    )
    assert "because data/raw/embedded/train.jsonl changed;" in differing(lock(), lock(rows="2", out="2"), 0.91)


def test_other_code_is_named_as_before() -> None:
    told = differing(lock(), lock(code="2", out="2"), 0.91)
    assert told == (
        "results: 1 of 1 outputs differ from the committed ones, headline scores by at most 91 points, since these changed: plumbline/cleaning; "
        "`git restore dvc.lock metrics` restores the committed ones"
    )
    assert "other numbers because of this processor" in differing(lock(), lock(out="2"), 0.91)
    assert "0 of 1 outputs differ" in differing(lock(), lock(alpha=16), 0.0), "nothing new to keep"
