"""How often the final part was used: counted by answers, said in words, and never less than the journal of this machine has."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.reporting.final_part import final_part_words, uses_in, uses_of
from plumbline.reporting.final_part_use import FinalPartUse
from plumbline.reporting.final_part_uses import note_look, note_use, read_journal, read_uses


def use(tuned: str, benchmark: str = "b") -> FinalPartUse:
    return FinalPartUse(benchmark_sha256=benchmark, answers_sha256=tuned)


def evaluation(tuned: str, part: str, benchmark: str = "b") -> dict[str, Any]:
    return {"sha256": {"benchmark": benchmark, "tuned answers": tuned}, "part": {"name": part}, "kinds": {"mcq": {}}}


def test_looking_twice_at_one_model_is_one_use_and_the_development_part_is_none() -> None:
    seen = [
        evaluation("x", "final"),
        evaluation("x", "all"),
        evaluation("y", "development"),
        evaluation("z", "final"),
        evaluation("w", "all", "other"),
    ]
    uses = [found for one in seen for found in uses_in(one)]
    assert uses_of(uses, "b") == {use("x"), use("z")}


def test_an_evaluation_without_scores_is_no_use() -> None:
    assert uses_in(evaluation("x", "final") | {"kinds": {}}) == frozenset()


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (
            "final",
            "Final part: 280 of 400 questions. In this repository 2 arms have been scored so far on the final part, 1 of them in this run; references do not count.",
        ),
        (
            "all",
            "The whole benchmark: 280 questions, none kept aside for choosing. In this repository 2 arms have been scored so far on its "
            "questions, 1 of them in this run; references do not count. The best of several looks better than it is.",
        ),
        (
            "development",
            "Development part: 280 of 400 questions, for choosing among runs, not for a claim. In this repository 2 arms have been scored so far on "
            "the other questions, the final part.",
        ),
    ],
)
def test_the_part_and_its_uses_in_words(part: Any, said: str) -> None:
    assert final_part_words(2, 1, part=part, num_questions=280, num_questions_in_benchmark=400) == said


def test_where_nothing_is_kept_aside_no_final_part_is_named() -> None:
    def whole(num_questions: int) -> str:
        return final_part_words(2, 2, part="all", num_questions=num_questions, num_questions_in_benchmark=num_questions)

    assert whole(60) == "The whole benchmark: 60 questions, none kept aside for choosing."
    assert whole(1) == "The whole benchmark: 1 question, none kept aside for choosing."


def test_the_journal_keeps_each_use_once_and_outlives_a_cut_line(tmp_path: Path) -> None:
    journal = tmp_path / "uses.jsonl"
    for tuned in ("x", "z", "x"):
        note_use(journal, use(tuned))
    assert read_journal(journal) == [use("x"), use("z")]
    with journal.open("a") as stream:
        stream.write('{"benchmark_sha2')
    assert read_journal(journal) == [use("x"), use("z")], "a line that a kill cut"
    note_use(journal, use("w"))
    assert set(read_journal(journal)) == {use("x"), use("z"), use("w")}
    assert json.loads(journal.read_text().splitlines()[-1])["answers_sha256"] == "w"


def test_a_line_that_is_no_use_is_named(tmp_path: Path) -> None:
    (tmp_path / "uses.jsonl").write_text('{"adapter": "x"}\n' + use("x").model_dump_json() + "\n")
    with pytest.raises(ValueError, match=r"uses\.jsonl, line 1: not a use of the final part .* restore the file from git"):
        read_uses(tmp_path / "uses.jsonl")


def test_a_run_beside_the_clone_is_asked_for_nothing_that_it_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal, own = tmp_path / "uses.jsonl", frozenset({use("mine")})
    note_use(journal, use("other"))
    experiment = tmp_path / "experiment"
    experiment.mkdir()
    monkeypatch.chdir(experiment)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    caplog.set_level("INFO")
    note_look(own, frozenset(), part="all", journal=journal)
    (said,) = caplog.records
    assert said.levelname == "INFO" and said.getMessage() == (
        "1 more arm was scored on the final part here than metrics/final_part_uses.jsonl has; this run need not count them. "
        "Before a claim (report.part=final) run plumbline final-part in the clone, which adds it"
    )
    with pytest.raises(SystemExit, match="run plumbline final-part in the clone, which adds it, then run this again"):
        note_look(own, frozenset(), part="final", journal=journal)
    monkeypatch.setenv("DVC_ROOT", str(experiment))
    note_use(journal, use("third"))
    note_look(own, frozenset(), part="all", journal=journal)
    assert caplog.records[-1].getMessage().endswith("run plumbline final-part, which adds them, then dvc repro")
