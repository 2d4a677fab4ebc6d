"""The prompt holds the whole context, for every template that people use, or the template is refused by name."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.answering import render
from plumbline.answering.contexts import ContextRefused, read_contexts
from plumbline.answering.lost_turns import TurnsRefused, refuse_lost_turns
from plumbline.model.assistant_turn import as_messages, render_ids
from plumbline.model.pinned_template import pin_template
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.answer_params import AnswerParams, Instructions
from plumbline.rows.context import Context, ContextTurn
from tests.fakes.chat_families import FAMILIES
from tests.fakes.tiny_models import questions

TURNS = (
    ContextTurn(user="What is 2 kg x 3 m/s^2?", assistant="F = m a.\n\nAnswer: 6 N"),
    ContextTurn(user="What is 2 N x 3 m?\n", assistant="Answer: 6 J"),
)
THOUGHT = ContextTurn(user="What is 2 N x 3 m?", assistant="<think>\nW = F d\n</think>\n\nAnswer: 6 J")
USER = "What force gives 4 kg an acceleration of 3 m/s^2?"
PARAMS = AnswerParams(
    engine="transformers",
    max_new_tokens=8,
    batch_size=2,
    num_samples=1,
    temperature=0.0,
    seed=17,
    choice_scoring="text",
    choice_prefix="Answer:",
    instructions=Instructions(mcq="", numeric="", explanation=""),
)


def pinned(name: str) -> Any:
    tokenizer = FAMILIES[name].tokenizer()
    pin_template(tokenizer, today=datetime.date(2026, 11, 1), thinking=False)
    return tokenizer


@pytest.mark.parametrize("name", FAMILIES)
def test_every_template_shows_earlier_turns_in_order_and_then_the_question(name: str) -> None:
    tokenizer = pinned(name)
    refuse_lost_turns(tokenizer, [(), TURNS])
    prompt = render(tokenizer, id="q", user=USER, choices={"A": "12 N", "B": "7 N"}, params=PARAMS, turns=TURNS)
    text = tokenizer.decode(prompt.ids)
    said = [part.strip() for turn in TURNS for part in (turn.user, turn.assistant)]
    places = [text.index(part) for part in [*said, USER]]
    assert places == sorted(places)
    for letter, answer in (("A", "12 N"), ("B", "7 N")):
        messages = [*as_messages(TURNS, USER), {"role": "assistant", "content": f"Answer: {answer}"}]
        whole = [*prompt.ids, *prompt.header, *prompt.continuations[letter]]
        assert render_ids(tokenizer, messages, add_generation_prompt=False)[: len(whole)] == whole, "choices follow as the template has it"


@pytest.mark.parametrize("name", FAMILIES)
def test_without_turns_the_prompt_is_as_it_was_and_its_group_is_that_of_all(name: str) -> None:
    tokenizer = pinned(name)
    prompt = render(tokenizer, id="q", user=USER, choices={}, params=PARAMS)
    assert prompt.ids == render_ids(tokenizer, [{"role": "user", "content": USER}], add_generation_prompt=True)
    assert prompt.group == ""
    groups = {render(tokenizer, id="q", user=USER, choices={}, params=PARAMS, turns=turns).group for turns in (TURNS, TURNS[:1], TURNS)}
    assert len(groups) == 2, "the same turns are one group"


@pytest.mark.parametrize("name", FAMILIES)
def test_thinking_of_earlier_turns_may_be_dropped_and_the_answer_never(name: str) -> None:
    tokenizer = pinned(name)
    refuse_lost_turns(tokenizer, [(*TURNS, THOUGHT)])
    assert THOUGHT.assistant.split("</think>")[1].strip() in tokenizer.decode(
        render(tokenizer, id="q", user=USER, choices={}, params=PARAMS, turns=[THOUGHT]).ids
    )


def test_a_template_that_loses_or_refuses_turns_is_refused_with_a_remedy() -> None:
    tokenizer = pinned("mixtral")
    whole = str(tokenizer.chat_template)
    tokenizer.chat_template = "{% set messages = messages[-1:] %}" + whole
    with pytest.raises(TurnsRefused, match=r"leaves out text of an earlier turn \('What is 2 kg.*without examples"):
        refuse_lost_turns(tokenizer, [TURNS])
    tokenizer.chat_template = "{% if messages | length > 1 %}{{ raise_exception('one turn only') }}{% endif %}" + whole
    with pytest.raises(TurnsRefused, match=r"refuses a conversation of several turns \(one turn only\).*without examples"):
        refuse_lost_turns(tokenizer, [TURNS])
    refuse_lost_turns(tokenizer, [(), ()])


def rows() -> list[Context]:
    return [Context(id=question.id, turns=TURNS, passages=(), recall=None) for question in questions()]


def test_an_empty_file_is_a_context_of_nothing_for_all(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    nothing = {question.id: Context(id=question.id, turns=(), passages=(), recall=None) for question in questions()}
    assert read_contexts(tmp_path / "none.jsonl", questions()) == read_contexts(None, questions()) == nothing
    write_jsonl(tmp_path / "all.jsonl", rows()[::-1])
    assert read_contexts(tmp_path / "all.jsonl", questions()) == {row.id: row for row in rows()}


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (rows()[1:], r"no context for q00\. Run `dvc repro retrieve`"),
        (rows()[8:], r"no context for q00, q01, q02, q03, q04 \.\.\. \(8\)\. Run"),
        ([*rows(), rows()[3]], r"several contexts for q03\. Run"),
        ([*rows(), Context(id="old", turns=(), passages=(), recall=None)], r"contexts of unknown questions old\. Run"),
    ],
)
def test_a_file_that_does_not_fit_the_questions_is_refused(kept: list[Context], said: str, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", kept)
    with pytest.raises(ContextRefused, match=said):
        read_contexts(tmp_path / "rows.jsonl", questions())
    with pytest.raises(ContextRefused, match=r"other.jsonl is missing. Run `dvc repro retrieve`"):
        read_contexts(tmp_path / "other.jsonl", questions())
