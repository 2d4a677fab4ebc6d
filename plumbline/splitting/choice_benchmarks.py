"""Read multiple-choice benchmarks as they are published: ARC, SciQ, MMLU, MMLU-Pro, GPQA. Pure."""

import string
from collections.abc import Mapping
from typing import Any

from plumbline.rows.question import Question
from plumbline.splitting.row_values import Row, choice_question, digest_id, hashed_order, tags_of

GPQA_WRONG = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
SCIQ_WRONG = ("distractor1", "distractor2", "distractor3")
MMLU_LETTERS = ("A", "B", "C", "D")


def read_arc(row: Row) -> Question:
    """ARC, as on the Hub (choices with lists `text` and `label`) or as released (question with stem and choices). Its labels stay."""
    asked: Any = row.content["question"]
    if isinstance(asked, Mapping):
        text, listed = asked.get("stem"), asked.get("choices")
        parts = [one if isinstance(one, Mapping) else {} for one in listed] if isinstance(listed, list) else []
        labels, texts = [one.get("label") for one in parts], [one.get("text") for one in parts]
    else:
        text, choices = asked, Row(row.where, row.content["choices"])
        labels, texts = (choices.listed(key) for key in ("label", "text"))
    if not isinstance(text, str) or not all(isinstance(part, str) for part in (*labels, *texts)):
        raise row.refused("question or choices are not text. Give a question, and for each choice a label and a text.")
    if len(labels) != len(texts) or len(set(labels)) != len(labels):
        raise row.refused(f"{len(texts)} choices with the labels {labels}. Give each choice its own label.")
    return choice_question(
        id=f"arc-{row.text('id')}",
        question=text.strip(),
        choices={label: words.strip() for label, words in zip(labels, texts, strict=True)},
        target=row.text("answerKey"),
    )


def read_sciq(row: Row) -> Question:
    """SciQ: the order of the choices is drawn by hash, and `support` is the passage that holds the answer."""
    question, right = row.text("question"), row.text("correct_answer")
    wrong = [row.text(key) for key in SCIQ_WRONG]
    name = digest_id("sciq", question, right, *wrong)
    choices, target = hashed_order(name, right, wrong)
    support = row.optional("support")
    return choice_question(
        id=name,
        question=question,
        choices=choices,
        target=target,
        cluster=digest_id("passage", support) if support else None,
        gold_passage=support,
    )


def read_mmlu(row: Row) -> Question:
    """MMLU: a list of choices and the place of the right one, from 0; or columns A to D and a letter."""
    question = row.text("question")
    if "choices" in row.content:
        texts = row.texts("choices")
        place = row.content["answer"]
        if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(texts):
            raise row.refused(f"answer is {place!r}. Give the place of the right one of {len(texts)} choices, from 0.")
        choices = row.lettered(texts)
        target = list(choices)[place]
    else:
        choices, target = lettered_columns(row), row.text("answer")
    return choice_question(
        id=row.optional("id") or digest_id("mmlu", question, *choices.values()),
        question=question,
        choices=choices,
        target=target,
        tags=tags_of(row, {"subject": "subject", "topic": "topic", "category": "category"}),
    )


def lettered_columns(row: Row) -> dict[str, str]:
    """The choices in columns A to D, and in E, F and so on if the file has them: all but the first two may be empty at the end."""
    letters = string.ascii_uppercase
    there = letters[: next((place for place, letter in enumerate(letters) if letter not in row.content), len(letters))]
    return {letter: row.text(letter) for letter in there[:2]} | row.texts_without_end(there[2:])


def read_mmlu_pro(row: Row) -> Question:
    """MMLU-Pro: up to ten options; `answer` and `answer_index` must agree."""
    choices, target = row.lettered(row.texts("options")), row.text("answer")
    place = row.content.get("answer_index")
    if place is not None and (not isinstance(place, int) or list(choices)[place : place + 1] != [target]):
        raise row.refused(f"answer {target!r} is not the option at answer_index {place!r}, counted from 0. Correct one of them.")
    return choice_question(
        id=f"mmlu-pro-{row.text('question_id')}",
        question=row.text("question"),
        choices=choices,
        target=target,
        tags=tags_of(row, {"category": "category"}),
    )


def read_gpqa(row: Row) -> Question:
    """GPQA: one right and three wrong answers in columns; their order is drawn by hash."""
    question, right = row.text("Question"), row.text("Correct Answer")
    wrong = [row.text(key) for key in GPQA_WRONG]
    name = row.optional("Record ID") or digest_id("gpqa", question, right, *wrong)
    choices, target = hashed_order(name, right, wrong)
    tags = tags_of(row, {"High-level domain": "domain", "Subdomain": "subdomain"})
    return choice_question(id=name, question=question, choices=choices, target=target, tags=tags)
