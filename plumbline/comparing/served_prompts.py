"""Compare the prompts that a server makes with those of the run. Touches the network and the tokenizer of the base model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.comparing.served_ledger import difference_of
from plumbline.comparing.server_words import ShownPrompt, shown_prompt
from plumbline.comparing.serving import Message, Server

AROUND = 40
"""How many characters or tokens of a prompt are shown on either side of a difference."""


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """What is known about the prompts that the server makes."""

    problems: tuple[str, ...]
    """How they differ from those of the run, a phrase each."""
    compared: str
    """What was compared, in a phrase."""
    are_compared: bool
    """False if the server neither counts the tokens of all prompts nor shows them."""


def compared_prompts(
    server: Server, conversations: Sequence[Sequence[Message]], counts: Sequence[tuple[int | None, int | None]], base: Path | None
) -> Prompts:
    """Compare every prompt with that of the run: by its number of tokens, and by its text and tokens if the server shows them.

    `counts`: tokens of each prompt in the run and on the server, None if one does not say. `base`: the folder with our tokenizer.
    """
    problems: list[str] = []
    counted = [(ours, theirs) for ours, theirs in counts if ours is not None and theirs is not None]
    if other := [(ours, theirs) for ours, theirs in counted if ours != theirs]:
        ours, theirs = other[0]
        problems.append(f"{len(other)} of {len(counted)} prompts have another number of tokens, such as {theirs} instead of {ours}")
    shown = shown_prompts(server, conversations) if base is not None and (base / "manifest.json").is_file() else []
    if base is not None and shown:
        # Imported here: transformers takes seconds, and few servers show their prompt.
        from plumbline.model.weights import load_tokenizer

        tokenizer = load_tokenizer(base)
        differing = [
            problem
            for prompt, messages in zip(shown, conversations, strict=False)
            if (problem := prompt_problem(prompt, messages, tokenizer)) is not None
        ]
        problems += [f"{len(differing)} of {len(shown)} prompts: {differing[0]}"] if differing else []
    total = len(conversations)
    by = [f"{len(counted)} of {total} by their number of tokens"] if counted else []
    by += [f"{len(shown)} of {total} by what the server shows"] if shown else []
    return Prompts(
        problems=tuple(problems),
        compared=f"prompts: {', '.join(by)}" if by else "prompts: not compared; the server neither counts their tokens nor shows them",
        are_compared=total in (len(counted), len(shown)),
    )


def shown_prompts(server: Server, conversations: Sequence[Sequence[Message]]) -> list[ShownPrompt]:
    """The prompts that the server shows for the conversations, up to the first that it does not show."""
    found: list[ShownPrompt] = []
    for messages in conversations:
        shown = shown_prompt(server, messages)
        if shown is None:
            break
        found.append(shown)
    return found


def prompt_problem(shown: ShownPrompt, messages: Sequence[Message], tokenizer: Any) -> str | None:
    """Where the prompt that the server shows differs from ours, in its text or else in its tokens; None if it does not."""
    text = tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
    if shown.text is not None:
        # A server may leave the first token to its tokenizer: that is the same prompt.
        bos = tokenizer.bos_token or ""
        is_same = text.removeprefix(bos) == shown.text.removeprefix(bos)
        if not is_same and (place := difference_of(text, shown.text)) is not None:
            before, after = (one[max(0, place - AROUND) : place + AROUND] for one in (text, shown.text))
            return f"its template writes another prompt from character {place} on: {after!r} instead of {before!r}"
    if shown.ids is None:
        return None
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    if (place := difference_of(ids, shown.ids)) is None:
        return None
    if shown.text is not None:
        before, after = (tokenizer.convert_ids_to_tokens(one[place : place + 4]) for one in (ids, shown.ids))
        return f"its tokenizer cuts the same text differently from token {place} on: {after} instead of {before}"
    before, after = (tokenizer.decode(one[max(0, place - AROUND) : place + AROUND]) for one in (ids, shown.ids))
    return f"its template writes another prompt from token {place} on: {after!r} instead of {before!r}"
