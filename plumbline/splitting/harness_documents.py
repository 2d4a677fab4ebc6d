"""Read questions as other evaluation tools keep them: Inspect samples, and documents of the lm-evaluation-harness. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.grading.numeric_target import parse_target
from plumbline.rows.question import Question
from plumbline.splitting.row_values import (
    LeftOut,
    Row,
    choice_question,
    digest_id,
    letters_in,
    number_question,
    text_question,
    yes_no_question,
)

YES_NO = {"yes": True, "true": True, "no": False, "false": False}
TAG_KEYS = ("subject", "category", "topic", "level", "difficulty", "domain", "subfield", "source")
"""Keys of a sample's metadata, or of a document, that say what a question is about."""


def read_inspect(row: Row) -> Question | LeftOut:
    """An Inspect sample: `input`, `target`, and `choices`, `id` and `metadata` if it has them."""
    question = asked_in(row)
    target: Any = row.content["target"]
    targets = [row.as_text(one, "target") for one in target] if isinstance(target, list) else [row.as_text(target, "target")]
    texts = row.texts("choices") if row.content.get("choices") else []
    name = row.optional("id") or digest_id("inspect", question, *texts)
    metadata = row.content.get("metadata")
    notes = Row(row.where, metadata if isinstance(metadata, Mapping) else {})
    tags = topic_tags(notes)
    if row.content.get("files") or (isinstance(row.content["input"], list) and has_media(row.content["input"])):
        return LeftOut(where=row.where, id=name, reason="needs_picture", detail="the sample has a file or a picture, which no arm sees")
    if texts:
        choices = row.lettered(texts)
        letters = sorted({letter for one in targets for letter in chosen_letters(row, one, choices)})
        return choice_question(
            id=name,
            question=question,
            choices=choices,
            target=",".join(letters),
            answer_kind="letters" if len(letters) > 1 else None,
            tags=tags,
        )
    if len(targets) > 1:
        return LeftOut(
            where=row.where,
            id=name,
            reason="several_targets",
            detail=f"{len(targets)} targets, and any of them is right; only one reference is read",
        )
    return by_target(id=name, question=question, target=targets[0], unit=notes.optional("unit"), tags=tags)


def chosen_letters(row: Row, target: str, choices: Mapping[str, str]) -> list[str]:
    """The letters that a target names, or the letter of the choice with its text. Refused if it is neither, or if both differ."""
    found = letters_in(target)
    named = found if set(found) <= choices.keys() else []
    saying = [letter for letter, text in choices.items() if text == target]
    if named and (len(target) == 1 or not saying or saying == named):
        return named
    if len(saying) == 1 and not named:
        return saying
    raise row.refused(
        f"target {target!r:.80} is {'both letters and the text of a choice' if named else 'neither a letter nor the text of one choice'}. "
        f"Give the letters of the right choices as a list, from {', '.join(choices)}."
    )


def topic_tags(notes: Row) -> tuple[str, ...]:
    """`topic: optics` for each of the keys that say what a question is about."""
    return tuple(f"{key}: {value}" for key in TAG_KEYS if isinstance(notes.content.get(key), str) and (value := notes.optional(key)))


def asked_in(row: Row) -> str:
    """The text of an Inspect input: as it is, or the last message of the user."""
    given: Any = row.content["input"]
    if isinstance(given, str):
        return row.text("input")
    if isinstance(given, list):
        users = [message for message in given if isinstance(message, Mapping) and message.get("role") == "user"]
        content: Any = users[-1].get("content") if users else None
        if isinstance(content, list):
            content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping) and part.get("type") == "text")
        if isinstance(content, str) and content.strip():
            return content.strip()
    raise row.refused("input is neither text nor a list of messages with one of the user. Give one of the two.")


def has_media(messages: Sequence[object]) -> bool:
    """Whether a message holds something other than text."""
    parts = [
        part
        for message in messages
        if isinstance(message, Mapping) and isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    return any(isinstance(part, Mapping) and part.get("type") != "text" for part in parts)


def by_target(*, id: str, question: str, target: str, unit: str | None, tags: tuple[str, ...]) -> Question:
    """A question of the kind that its target shows: a number, yes or no, else a text."""
    if target.strip().lower() in YES_NO:
        words = ("True", "False") if target.strip().lower() in ("true", "false") else ("Yes", "No")
        return yes_no_question(id=id, question=question, is_yes=YES_NO[target.strip().lower()], words=words, tags=tags)
    if "####" in target and is_number(target.split("####")[-1].strip()):
        # GSM8K writes the number after its reasoning.
        target = target.split("####")[-1].strip()
    if is_number(target):
        return number_question(id=id, question=question, target=target, unit=unit, tags=tags)
    return text_question(id=id, question=question, target=target, tags=tags)


def is_number(text: str) -> bool:
    """Whether a target is a number and nothing else."""
    try:
        return parse_target(text, None).open_unit
    except ValueError:
        return False


def read_lm_eval(row: Row) -> Question | LeftOut:
    """A logged sample of the lm-evaluation-harness, if its `doc` has no known shape: what was asked, and its target.

    Several continuations of one prompt are choices, and the target is the place of the right one, from 0.
    """
    asked = arguments_of(row)
    target: Any = row.content["target"]
    name = f"{row.optional('task') or 'doc'}-{row.text('doc_id')}"
    document = row.content["doc"]
    tags = topic_tags(Row(row.where, document if isinstance(document, Mapping) else {}))
    prompts = list(dict.fromkeys(prompt for prompt, _ in asked))
    if len(prompts) != 1:
        return LeftOut(
            where=row.where, id=name, reason="several_prompts", detail=f"{len(prompts)} prompts for one document; only one is read"
        )
    question = prompts[0].strip()
    continuations = [text.strip() for _, text in asked]
    if len(asked) > 1:
        place = int(target) if isinstance(target, int | str) and str(target).lstrip("-").isdigit() else None
        if (
            isinstance(target, str)
            and place is not None
            and target.strip() in continuations
            and continuations.index(target.strip()) != place
        ):
            raise row.refused(f"target {target!r} is a place and the text of another choice. Write the place, from 0, without quotes.")
        if place is None and str(target).strip() in continuations:
            place = continuations.index(str(target).strip())
        if place is None or not 0 <= place < len(asked):
            raise row.refused(f"target is {target!r}. Give the place of one of {len(asked)} continuations, from 0, or its text.")
        if [text.lower() for text in continuations] in (["yes", "no"], ["no", "yes"], ["true", "false"], ["false", "true"]):
            is_yes = continuations[place].lower() in ("yes", "true")
            words = ("True", "False") if "true" in continuations[0].lower() + continuations[1].lower() else ("Yes", "No")
            return yes_no_question(id=name, question=question, is_yes=is_yes, words=words, tags=tags)
        choices = row.lettered(continuations)
        return choice_question(id=name, question=question, choices=choices, target=list(choices)[place], tags=tags)
    return by_target(id=name, question=question, target=row.as_text(target, "target"), unit=None, tags=tags)


def arguments_of(row: Row) -> list[tuple[str, str]]:
    """(prompt, continuation) of every request; a prompt for a free answer has settings instead of a continuation, and these are left out."""
    given: Any = row.content["arguments"]
    listed = list(given.values()) if isinstance(given, Mapping) else given
    found: list[tuple[str, str]] = []
    for one in listed if isinstance(listed, list) else []:
        parts = [one.get("arg_0"), one.get("arg_1")] if isinstance(one, Mapping) else list(one)[:2] if isinstance(one, list | tuple) else []
        if len(parts) == 2 and isinstance(parts[0], str):
            found.append((parts[0], parts[1] if isinstance(parts[1], str) else ""))
    if not found:
        raise row.refused("arguments hold no prompt. Give gen_args_0 with arg_0, or a list of [prompt, ...].")
    return found
