"""The stage `split`: disjoint, whole, and without a benchmark question in the training rows."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused
from plumbline.rows.instruction_row import InstructionRow, Origin
from plumbline.rows.question import Question
from stages.split import SplitParams, main

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "A 5 kg ball is dropped from a height of 10 meters above the ground. What is its kinetic energy just before it lands?"


def row(instruction: str, output: str = "An answer.", *, line: int = 1) -> InstructionRow:
    name = hashlib.sha256(f"{instruction}\n{output}".encode()).hexdigest()[:16]
    return InstructionRow(
        id=name, instruction=instruction, input="", output=output, origin=Origin(file="f", line=line), repairs=(), flags=()
    )


FILLERS = [row(f"Number {number} of the rows that fill both sides?") for number in range(1000, 1020)]
"""Each row is a separate group, because their numbers differ: with a fraction of a half, some train and some validate."""


def split(
    rows: list[InstructionRow], questions: list[dict[str, Any]], folder: Path, *, fill: bool = True, **changes: Any
) -> dict[str, Any]:
    """What the stage wrote: training and validation questions without the fillers, `usable` for both together."""
    folder.mkdir(exist_ok=True)
    write_jsonl(folder / "kept.jsonl", [*rows, *(FILLERS if fill else [])])
    (folder / "b.jsonl").write_text("".join(json.dumps(question) + "\n" for question in questions))
    section = read_yaml(ROOT / "params.yaml")["split"] | {"benchmark_format": "plumbline", "validation_fraction": 0.5} | changes
    paths = {name: folder / f"{name}.jsonl" for name in ("train", "validation", "questions", "overlap")}
    main(SplitParams.model_validate(section), kept=folder / "kept.jsonl", benchmark=folder / "b.jsonl", **paths)
    given = {one.instruction for one in rows}
    found: dict[str, Any] = {
        name: [one.instruction for one in read_jsonl(paths[name], InstructionRow) if one.instruction in given]
        for name in ("train", "validation")
    }
    found["usable"] = found["train"] + found["validation"]
    found["questions"] = list(read_jsonl(paths["questions"], Question))
    found["overlap"] = [json.loads(line) for line in paths["overlap"].read_text().splitlines()]
    return found


def numeric(question: str, name: str = "n1") -> dict[str, Any]:
    return {
        "id": name,
        "kind": "numeric",
        "question": question,
        "choices": {},
        "target": "490",
        "unit": "J",
        "key_points": [],
        "cluster": name,
    }


@pytest.mark.parametrize(
    ("instruction", "rule"),
    [
        (QUESTION, "normalised_exact"),
        (QUESTION.upper().replace(".", " !"), "normalised_exact"),
        ("Here is a task. Solve it with care and show each step of your work. " + QUESTION, "ngram"),
        (QUESTION.replace("ball", "box"), "ngram"),
        (QUESTION.replace("dropped", "let fall").replace("above", "over").replace("just before", "as").replace("lands", "hits"), None),
        (QUESTION.replace("5 kg", "6 kg"), None),
        ("What is kinetic energy?", None),
    ],
)
def test_a_row_that_repeats_a_benchmark_question_is_taken_out_and_listed(instruction: str, rule: str | None, tmp_path: Path) -> None:
    found = split([row(instruction), row("State Hooke's law.")], [numeric(QUESTION)], tmp_path)
    assert (instruction not in found["usable"]) == (rule is not None)
    summary, question, *removed = found["overlap"]
    assert summary["num_removed"] == len(removed) == question["num_removed"] == (rule is not None)
    assert [one["rule"] for one in removed] == ([rule] if rule else [])


def test_questions_that_differ_by_a_letter_are_near_duplicates(tmp_path: Path) -> None:
    found = split(
        [row("Explain what buoyancy of ships does"), row("x y")],
        [numeric("Explain what buoyancy of ships do")],
        tmp_path,
    )
    assert found["overlap"][-1]["rule"] == "near_duplicate"


def test_the_overlap_score_of_a_question_is_the_nearest_remaining_row(tmp_path: Path) -> None:
    near = QUESTION.replace("5 kg", "6 kg")
    found = split([row("State Hooke's law."), row(near)], [numeric(QUESTION), numeric("Name a lens.", "n2")], tmp_path)
    scores = {line["question_id"]: line["score"] for line in found["overlap"] if line["record"] == "question"}
    assert scores["n1"] > 0.8 and scores["n2"] == 0


def test_rows_go_to_one_side_and_none_is_lost(tmp_path: Path) -> None:
    rows = [row(f"Question number {number} about {topic}?") for number in range(60) for topic in ("heat", "light")]
    found = split(rows, [numeric(QUESTION)], tmp_path, fill=False, validation_fraction=0.2)
    assert sorted(found["usable"]) == sorted(one.instruction for one in rows)
    assert 8 <= len(found["validation"]) <= 44


def test_other_training_rows_do_not_change_the_benchmark_file(tmp_path: Path) -> None:
    split([row("a b c")], [numeric(QUESTION)], tmp_path / "one")
    split([row("d e f"), row(QUESTION)], [numeric(QUESTION)], tmp_path / "two")
    assert (tmp_path / "one/questions.jsonl").read_bytes() == (tmp_path / "two/questions.jsonl").read_bytes()


def test_no_row_left_to_train_on_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no row is left"):
        split([row(QUESTION)], [numeric(QUESTION)], tmp_path, fill=False)


@pytest.mark.parametrize("validation_fraction", [0.0, 1.0, -0.1])
def test_a_share_that_leaves_one_side_empty_is_refused(validation_fraction: float, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Set it above 0 and below 1"):
        split([row("a b c")], [numeric(QUESTION)], tmp_path, validation_fraction=validation_fraction)


def test_a_validation_set_without_a_row_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no row fell to validation.*is 0\.0001\. Raise split\.validation_fraction.*split\.seed \(7\)"):
        split([], [numeric(QUESTION)], tmp_path, validation_fraction=0.0001)
    assert not (tmp_path / "train.jsonl").exists()


def test_the_order_of_equally_near_rows_does_not_matter(tmp_path: Path) -> None:
    rows = [row("Tell me, how fast does light go?"), row("Say how fast does sound go?")]
    question = numeric("How fast does it fall?")
    found = [split(order, [question], tmp_path / str(place)) for place, order in enumerate((rows, rows[::-1]))]
    nearest = [next(line for line in one["overlap"] if line["record"] == "question") for one in found]
    assert nearest[0]["score"] == 0.3333
    assert nearest[0]["nearest_row_id"] == nearest[1]["nearest_row_id"] == min(one.id for one in rows)


def test_what_the_benchmark_needs_of_later_stages_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    split([row("a b c")], [numeric(QUESTION) | {"target": "0"}], tmp_path)
    assert "question n1 has target 0, for which a relative tolerance allows nothing" in caplog.text


def test_the_studys_questions_all_come_in_and_their_letters_are_warned_of(
    shared: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_jsonl(tmp_path / "kept.jsonl", FILLERS)
    section = read_yaml(ROOT / "params.yaml")["split"] | {"benchmark_format": "study"}
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("train", "validation", "questions", "overlap")}
    benchmark = shared / "data" / "physics" / "physics_questions_50.json"
    main(SplitParams.model_validate(section | {"validation_fraction": 0.5}), kept=tmp_path / "kept.jsonl", benchmark=benchmark, **paths)
    questions = list(read_jsonl(paths["questions"], Question))
    assert [sum(one.kind == kind for one in questions) for kind in ("mcq", "numeric", "explanation")] == [19, 16, 15]
    assert all(len(one.choices) == 4 for one in questions if one.kind == "mcq")
    assert sum(one.unit is not None for one in questions if one.kind == "numeric") == 9
    assert "(A 0, B 10, C 9, D 0 of 19)" in caplog.text


def test_a_published_benchmark_is_shown_as_read_and_what_is_left_out_is_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_jsonl(tmp_path / "kept.jsonl", FILLERS)
    section = read_yaml(ROOT / "params.yaml")["split"] | {"validation_fraction": 0.5}
    assert section["benchmark_format"] == "auto" and section["benchmark_columns"] is None
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("train", "validation", "questions", "overlap")}
    with caplog.at_level("INFO"):
        main(
            SplitParams.model_validate(section),
            kept=tmp_path / "kept.jsonl",
            benchmark=ROOT / "examples/benchmarks/theoremqa.json",
            **paths,
        )
    assert [question.answer_kind for question in read_jsonl(paths["questions"], Question)] == [None, "yes_no", "numbers", None]
    last = json.loads(paths["overlap"].read_text().splitlines()[-1])
    assert (last["record"], last["question_id"], last["reason"]) == ("left_out_question", "own/graph1.json", "needs_picture")
    for words in (
        "read as theoremqa, by Question, Answer and Answer_type",
        "own/roots1.json (numeric, numbers): What are the roots",
        "1 of 5 rows",
    ):
        assert words in caplog.text
    columns = {"question": "problem", "correct": "right", "distractors": ["wrong 1", "wrong 2"]}
    main(
        SplitParams.model_validate(section | {"benchmark_format": "mapped", "benchmark_columns": columns}),
        kept=tmp_path / "kept.jsonl",
        benchmark=ROOT / "examples/benchmarks/mapped.csv",
        **paths,
    )
    assert len(list(read_jsonl(paths["questions"], Question))) == 2


def alike_rows() -> list[InstructionRow]:
    asked = "What is the sentiment of this news? Choose an answer from {negative, neutral, positive}, and give some short reasons for it."
    names = ["Apple", "Nokia", "Elisa", "Kone", "Neste", "Orion", "Sampo", "Fiskars", "Outokumpu", "Wartsila"]
    did = ["reported higher profit", "cut its dividend", "opened a plant", "won an order", "closed a mill", "lost a lawsuit"]
    where = ["in Sweden", "in the first quarter", "in weak demand", "after the merger"]
    texts = [f"{asked} {name} {deed} {place}." for name in names for deed in did for place in where]
    return [row(text, f"positive: {text[-20:]}") for text in texts]


def test_one_large_group_of_near_duplicates_is_refused_with_a_remedy_that_works(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the largest of 1 groups of near-duplicates holds 240 of 240 rows") as refused:
        split(alike_rows(), [numeric(QUESTION)], tmp_path, fill=False, validation_fraction=0.1)
    similarity = float(str(refused.value).split("split.near_duplicate_similarity to ")[1].split(" ")[0])
    found = split(alike_rows(), [numeric(QUESTION)], tmp_path, fill=False, validation_fraction=0.1, near_duplicate_similarity=similarity)
    assert 12 <= len(found["validation"]) <= 48


def test_a_group_that_makes_the_shares_wrong_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [row(f"Row number {number} of its own?") for number in range(100)] + alike_rows()[:100]
    changes = {"fill": False, "validation_fraction": 0.2}
    split(rows, [numeric(QUESTION)], tmp_path, seed=4, **changes)
    assert not caplog.text
    split(rows, [numeric(QUESTION)], tmp_path, seed=9, **changes)
    assert "117 of 200 rows (58.5%) validate" in caplog.text and "holds 100 of 200 rows" in caplog.text
    assert "Set split.near_duplicate_similarity to 0.85" in caplog.text
