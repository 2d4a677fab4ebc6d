"""Of a conversation every answer is trained, with the end of its turn, and nothing that a user says; in every template that people use."""

import datetime
from itertools import groupby
from typing import Any

import pytest

from plumbline.model.assistant_turn import assistant_turn
from plumbline.model.pinned_template import pin_template
from plumbline.model.tokenization import render_prompt
from plumbline.rows.instruction_row import Exchange, InstructionRow, Origin
from plumbline.training.dialogues import Conversation, Trainable, answers_in, dialogue_of, num_trained_tokens, render_dialogue
from tests.fakes.chat_families import FAMILIES
from tests.fakes.tiny_base import TEMPLATE, tiny_tokenizer

ASKED = ["What is force?", "And its unit, please?", "Who found that?"]
ANSWERED = ["A push or a pull.", "The newton.", "Isaac Newton."]
DIALOGUE = [Exchange(user=asked, assistant=said, is_trained=True) for asked, said in zip(ASKED, ANSWERED, strict=True)]


def pinned(name: str) -> Any:
    tokenizer = FAMILIES[name].tokenizer()
    pin_template(tokenizer, today=datetime.date(2026, 11, 1), thinking=False)
    return tokenizer


def trained_texts(tokenizer: Any, examples: list[Trainable]) -> list[str]:
    """What each run of labels says."""
    found: list[str] = []
    for example in examples:
        for is_trained, run in groupby(zip(example.ids, example.labels, strict=True), key=lambda pair: pair[1] != -100):
            if is_trained:
                ids = [token for token, label in run if token == label]
                found.append(tokenizer.decode(ids))
    return found


@pytest.mark.parametrize("name", FAMILIES)
def test_every_answer_of_a_conversation_is_trained_and_no_user_turn(name: str) -> None:
    tokenizer = pinned(name)
    end = assistant_turn(tokenizer).end
    examples = render_dialogue(tokenizer, DIALOGUE)
    texts = trained_texts(tokenizer, examples)
    assert len(texts) == 3
    for text, said in zip(texts, ANSWERED, strict=True):
        assert said in text and not any(asked in text for asked in ASKED)
    labels = [label for example in examples for label in example.labels if label != -100]
    assert labels.count(end) == 3 and all(example.labels[-1] == end for example in examples)
    assert sum(map(num_trained_tokens, examples)) == len(labels)


@pytest.mark.parametrize("name", FAMILIES)
def test_each_answer_stands_behind_what_answering_would_show(name: str) -> None:
    tokenizer = pinned(name)
    examples = render_dialogue(tokenizer, DIALOGUE)
    starts = [(example, start) for example in examples for start, _ in answers_in(example)]
    for place, (example, start) in enumerate(starts):
        assert example.ids[:start] == render_prompt(tokenizer, ASKED[place], DIALOGUE[:place])


def test_most_templates_show_a_conversation_as_one_sequence() -> None:
    whole = {name for name in FAMILIES if isinstance(render_dialogue(pinned(name), DIALOGUE)[0], Conversation)}
    assert len(whole) >= len(FAMILIES) * 2 // 3
    assert whole < set(FAMILIES), "one that takes thinking out of earlier turns is among them"


def test_an_answer_that_is_not_trained_is_shown_without_labels() -> None:
    tokenizer = tiny_tokenizer()
    dialogue = [DIALOGUE[0], DIALOGUE[1].model_copy(update={"is_trained": False}), DIALOGUE[2]]
    examples = render_dialogue(tokenizer, dialogue)
    assert [text.removesuffix("</s>").strip() for text in trained_texts(tokenizer, examples)] == [ANSWERED[0], ANSWERED[2]]
    assert "The newton." in tokenizer.decode(examples[0].ids)
    last_only = render_dialogue(tokenizer, [one.model_copy(update={"is_trained": one is DIALOGUE[2]}) for one in DIALOGUE])
    assert [text.removesuffix("</s>").strip() for text in trained_texts(tokenizer, last_only)] == [ANSWERED[2]]


def test_a_template_that_shows_only_the_last_answer_whole_gives_an_example_for_each() -> None:
    template = TEMPLATE.replace("{% else %} {{ message", "{% else %} {{ '' if loop.last else '(earlier)' }}{{ message")
    examples = render_dialogue(tiny_tokenizer(template), DIALOGUE)
    assert len(examples) == 3 and not any(isinstance(example, Conversation) for example in examples)


def test_a_row_of_one_exchange_is_the_example_that_it_always_was() -> None:
    row = InstructionRow(id="1", instruction="q", input="x", output="a", origin=Origin(file="f", line=1), repairs=(), flags=())
    (example,) = render_dialogue(tiny_tokenizer(), dialogue_of(row))
    assert not isinstance(example, Conversation) and "q\n\nx" in tiny_tokenizer().decode(example.ids)
    assert "earlier" not in row.model_dump_json()
