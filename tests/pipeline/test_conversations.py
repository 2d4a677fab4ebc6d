"""Conversations from the raw file to the split rows: all turns are cleaned, compared and kept, and which answers are trained is written down."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.jsonl import read_jsonl
from plumbline.rows.instruction_row import Exchange, InstructionRow, Origin
from plumbline.splitting.splitting import group_rows
from tests.pipeline.test_clean import clean, write_lines
from tests.pipeline.test_split import QUESTION, numeric, row, split


def chat(*turns: str, **marks: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[place % 2], "content": text} for place, text in enumerate(turns)], **marks}


def with_earlier(last: InstructionRow, *turns: str) -> InstructionRow:
    pairs = zip(turns[::2], turns[1::2], strict=True)
    earlier = tuple(Exchange(user=asked, assistant=said, is_trained=True) for asked, said in pairs)
    return last.model_copy(update={"earlier": earlier, "id": last.id[:8] + str(abs(hash(turns)))[:8]})


def test_every_turn_is_cleaned_and_every_answer_trained(tmp_path: Path) -> None:
    rows = [chat("What is force? ", '{"answer": "A push."}', "And $\frac{1}{2}$?", "Half.", "Why?", "So.")]
    (kept,), _, summary = clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format="auto")
    assert [(one.user, one.assistant, one.is_trained) for one in kept.earlier] == [
        ("What is force?", "A push.", True),
        ("And $\\frac{1}{2}$?", "Half.", True),
    ]
    assert (kept.instruction, kept.output) == ("Why?", "So.")
    assert kept.repairs == ("latex_escape_swallowed", "outer_space", "stringified_json")
    assert summary["kept"] == 1


def test_without_standardising_the_turns_stay_as_they_stand(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", [chat("What is force? ", '{"answer": "A push."}', "Why?", "So.")])
    (kept,), _, _ = clean(source, tmp_path / "out", format="auto", standardize=False)
    assert [(one.user, one.assistant) for one in kept.earlier] == [("What is force? ", '{"answer": "A push."}')]


def test_with_the_last_turn_only_the_earlier_answers_are_shown(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", [chat("One?", "I'm sorry, but I cannot say.", "Two?", "2."), chat("Three?", "3.")])
    kept, quarantined, _ = clean(source, tmp_path / "out", format="messages", trained_turns="last")
    assert [[one.is_trained for one in row.earlier] for row in kept] == [[False], []] and not quarantined
    kept, quarantined, _ = clean(source, tmp_path / "out", format="messages", trained_turns="all")
    assert [row.reason for row in quarantined] == ["refusal"], "an answer that would be trained on is judged"


def test_turns_after_the_last_trained_answer_are_left_out_and_marked_ones_are_shown(tmp_path: Path) -> None:
    row = chat("One?", "1.", "Two?", "2.", "Three?", "3.")
    row["messages"][1]["weight"] = row["messages"][5]["weight"] = 0
    (kept,), _, _ = clean(write_lines(tmp_path / "rows.jsonl", [row]), tmp_path / "out", format="messages")
    assert (kept.instruction, kept.output) == ("Two?", "2.")
    assert [(one.user, one.is_trained) for one in kept.earlier] == [("One?", False)]


@pytest.mark.parametrize(
    "turns",
    [("One?",), ("One?", "1.", "Two?"), ()],
    ids=["no answer", "a question at the end", "no turn"],
)
def test_turns_that_do_not_alternate_are_put_aside(turns: tuple[str, ...], tmp_path: Path) -> None:
    rows = [chat(*turns), chat("Fine?", "Yes.")]
    _, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format="messages")
    assert [row.reason for row in quarantined] == ["unsupported_turns"]


def test_a_repeat_is_one_of_the_whole_conversation(tmp_path: Path) -> None:
    rows = [chat("One?", "1.", "Why?", "So."), chat("Two?", "2.", "Why?", "So."), chat("One?", "1.", "Why?", "So.")]
    kept, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format="messages")
    assert [row.origin.line for row in kept] == [1, 2]
    assert [(row.origin.line, row.reason) for row in quarantined] == [(3, "duplicate")]


def test_a_benchmark_question_in_any_turn_takes_the_conversation_out(tmp_path: Path) -> None:
    leaks = [
        with_earlier(row("And why is that?"), QUESTION, "490 J"),
        with_earlier(row("Thanks!"), "Hello?", "Hi.", QUESTION.upper(), "490 J"),
        with_earlier(row(QUESTION), "Hello?", "Hi."),
    ]
    clear = with_earlier(row("And how do you know?"), "Hello there?", "Hi.")
    found = split([*leaks, clear], [numeric(QUESTION)], tmp_path)
    assert found["usable"] == ["And how do you know?"]
    assert found["overlap"][0]["num_removed"] == 3
    written = [*read_jsonl(tmp_path / "train.jsonl", InstructionRow), *read_jsonl(tmp_path / "validation.jsonl", InstructionRow)]
    assert [one.earlier for one in written if one.instruction == "And how do you know?"] == [clear.earlier]


def test_a_long_later_question_keeps_rows_together_and_a_short_one_does_not() -> None:
    long = "Explain in one sentence why a passenger in a turning car feels pushed outwards."
    rows = [
        with_earlier(row(long, "Inertia."), "How far is the moon from us on average?", "Far."),
        row(long.replace(".", "!"), "Because of inertia."),
        with_earlier(row("And why?", "It is so."), "What do bees eat in winter?", "Honey."),
        with_earlier(row("And why?", "No one knows."), "How tall is a giraffe?", "Very."),
    ]
    groups = group_rows(rows, 0.7)
    assert groups[0] == groups[1] and len(set(groups)) == 3


def test_key_material_in_an_earlier_turn_is_copied_nowhere(tmp_path: Path) -> None:
    key = "sk-ant-api03-" + "Q" * 40
    rows = [chat(f"My key is {key}", "Thanks.", "Why?", "So."), chat("Fine?", "Yes.")]
    source = write_lines(tmp_path / "rows.jsonl", rows)
    _, quarantined, _ = clean(source, tmp_path / "out", format="auto")
    assert [row.reason for row in quarantined] == ["secret"]
    assert not any(key[:20].encode() in path.read_bytes() for path in (tmp_path / "out").iterdir())


def test_an_example_of_a_repair_shows_the_turn_that_took_it(tmp_path: Path) -> None:
    from plumbline.cleaning.repair_examples import example_of
    from tests.pipeline.test_clean import params

    line = json.dumps(chat("What? ", "A push.", "Why?", "So.")).encode()
    example = example_of("outer_space", "id", Origin(file="f", line=1), line, params(format="messages").policy())
    assert (example.field, example.before, example.after) == ("earlier", "What? ", "What?")
