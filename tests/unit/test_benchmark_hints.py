"""`check-benchmark` says before a run what a benchmark that can be graded lacks: questions enough, key points, references that state them."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plumbline.commands.benchmark_hints import contradictions, hint_lines, too_few, unstated, without_key_points
from plumbline.commands.check_benchmark import command
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.reporting.judge_quality import named_probes, probe_numbers
from plumbline.reporting.validity import probe_gates
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.question import Question

REFERENCE = "The gas is heated, so its pressure rises."


def explanation(number: int, *points: str, reference: str = REFERENCE, cluster: str | None = None) -> Question:
    name = f"why-{number}"
    return Question(
        id=name, kind="explanation", question="Why does the tyre burst?", choices={}, target=reference, unit=None, key_points=points,
        cluster=cluster or name,
    )  # fmt: skip


def choice(number: int, num_clusters: int) -> Question:
    return Question(
        id=f"mcq-{number}", kind="mcq", question="Which?", choices={"A": "x", "B": "y"}, target="A", unit=None, key_points=(),
        cluster=f"c{number % num_clusters}",
    )  # fmt: skip


def test_clusters_that_can_show_nothing_are_named_and_enough_are_not() -> None:
    [line] = too_few([choice(number, 2) for number in range(20)])
    assert line.startswith("mcq: 20 questions in 2 clusters are too few. No difference between two arms could be shown, however large.")
    assert "that share a text or a template" in line
    assert too_few([choice(number, 20) for number in range(200)]) == []
    [line] = too_few([choice(number, 5) for number in range(5)])
    assert "mcq: 5 questions are too few" in line and line.endswith("Add questions.")


def test_questions_without_key_points_are_counted_and_named() -> None:
    [line] = without_key_points([explanation(1, "the pressure rises"), explanation(2), *(choice(n, 9) for n in range(9))])
    assert line.startswith("1 of 2 explanation questions have no key points, which judge.backend key_points needs (why-2).")
    assert without_key_points([explanation(1, "the pressure rises")]) == []


def asked(name: str, kind: str, target: str, **changes: object) -> Question:
    parts: dict[str, object] = {"choices": {}, "unit": None, "key_points": (), "cluster": name, "question": "How far?"}
    return Question.model_validate(parts | {"id": name, "kind": kind, "target": target} | changes)


ABC = {"A": "x", "B": "y", "C": "z"}
MOVED = {"A": "z", "B": "x", "C": "y"}


@pytest.mark.parametrize(
    ("one", "other", "is_named"),
    [
        (asked("a", "numeric", "3"), asked("b", "numeric", "3.0"), False),
        (asked("a", "numeric", "3"), asked("b", "numeric", "4"), True),
        (asked("a", "numeric", "1", unit="km"), asked("b", "numeric", "1000", unit="m"), False),
        (asked("a", "numeric", "1", unit="km"), asked("b", "numeric", "1", unit="m"), True),
        (asked("a", "numeric", "1", unit="m"), asked("b", "numeric", "1", unit="s"), True),
        (asked("a", "numeric", "1", unit=""), asked("b", "numeric", "1", unit="m"), True),
        (asked("a", "numeric", "1"), asked("b", "numeric", "1", unit="m"), False),
        (asked("a", "numeric", "1; 2", answer_kind="number_set"), asked("b", "numeric", "2.0; 1", answer_kind="number_set"), False),
        (asked("a", "numeric", "1; 2", answer_kind="numbers"), asked("b", "numeric", "2; 1", answer_kind="numbers"), True),
        (asked("a", "numeric", "mgh", answer_kind="expression"), asked("b", "numeric", "mv", answer_kind="expression"), True),
        (asked("a", "mcq", "A", choices={"A": "m", "B": "M"}), asked("b", "mcq", "B", choices={"A": "m", "B": "M"}), True),
        (asked("a", "mcq", "A,B", choices=ABC, answer_kind="letters"), asked("b", "mcq", "B,C", choices=MOVED, answer_kind="letters"), False),
        (asked("a", "mcq", "A,B", choices=ABC, answer_kind="letters"), asked("b", "mcq", "A,B", choices=MOVED, answer_kind="letters"), True),
        (asked("a", "mcq", "A", choices=ABC), asked("b", "mcq", "B", choices=MOVED), False),
        (asked("a", "mcq", "A", choices=ABC), asked("b", "mcq", "A", choices=MOVED), True),
        (asked("a", "numeric", "3"), asked("b", "explanation", "It goes three metres."), False),
        (asked("a", "explanation", "It goes on."), asked("b", "explanation", "It stops."), True),
    ],
)  # fmt: skip
def test_another_answer_is_another_number_or_text_however_it_is_written(one: Question, other: Question, is_named: bool) -> None:
    assert (len(contradictions([one, other])) == 1) == is_named


@pytest.mark.parametrize(
    ("points", "named"),
    [
        (("the gas is heated", "the pressure rises"), None),
        (("the gas is heated", "molecules hit the wall harder"), "why-1: 'molecules hit the wall harder'"),
        (("the pressure falls",), "why-1: 'the pressure falls'"),
        (("圧力が上がる",), None),
        ((), None),
    ],
    ids=["stated", "missing", "contradicted", "no word that the rule reads", "no points"],
)
def test_a_reference_that_does_not_state_its_own_key_points_is_named(points: tuple[str, ...], named: str | None) -> None:
    lines = unstated([explanation(1, *points)])
    assert (
        (not lines) if named is None else (named in lines[1] and "1 question has a reference that does not state its own key" in lines[0])
    )


def test_the_command_says_it_behind_what_can_be_graded(tmp_path: Path) -> None:
    questions = [explanation(1, "the wall is hit harder"), explanation(2), *(choice(n, 2) for n in range(20))]
    write_jsonl(tmp_path / "mine.jsonl", questions)
    told = CliRunner().invoke(command, [str(tmp_path / "mine.jsonl")])
    assert told.exit_code == 0, told.output
    said = told.output[told.output.index("can be graded") :]
    assert "Before a run:" in said and "have no key points" in said and "mcq: 20 questions in 2 clusters are too few" in said
    assert "why-1: 'the wall is hit harder'" in said
    assert hint_lines([explanation(n, "the pressure rises") for n in range(200)]) == []


def test_the_warning_names_the_questions_that_were_misjudged() -> None:
    check = JudgeCheck(
        probe="reference", id="why-1", key="k", judge_id="j", score=0.0, cause="scored", least=0.75, most=1.0, is_passed=False, replies=()
    )
    good = check.model_copy(update={"is_passed": True, "id": "why-2"})
    numbers = probe_numbers([check, good])
    assert numbers["failed_questions"] == {"reference": ["why-1"]}
    [gate] = probe_gates(numbers)
    assert "misjudged 1 of 2 answers of known worth (reference: why-1)" in gate.text
    assert "run `plumbline check-benchmark data/split/benchmark.jsonl`" in gate.text
    assert "failed_questions" not in probe_numbers([good]), "a run without such answers keeps its bytes"
    assert "(negated: why-1): see data/grades/judge_checks.jsonl" in named_probes({"failed_questions": {"negated": ["why-1"]}})
