"""Compare the prompts that a server makes with those of the run. Touches the network and the tokenizer of the base model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.comparing.served_ledger import difference_of
from plumbline.comparing.serving import Message, Server

AROUND = 40
"""Characters or tokens of a prompt that are shown on either side of a difference."""


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """What is known of the prompts that the server makes."""

    problems: tuple[str, ...]
    """How they differ from those of the run, a phrase each."""
    compared: str
    """What was compared, in a phrase."""
    are_compared: bool
    """False where the server neither counts the tokens of all prompts nor shows them."""


def compared_prompts(
    server: Server, conversations: Sequence[Sequence[Message]], counts: Sequence[tuple[int | None, int | None]], base: Path
) -> Prompts:
    """Compare every prompt with that of the run: by its number of tokens, and by its text or tokens where the server shows them.

    `counts`: tokens of each prompt in the run and on the server, None where one does not say.
    """
    problems: list[str] = []
    counted = [(ours, theirs) for ours, theirs in counts if ours is not None and theirs is not None]
    if other := [(ours, theirs) for ours, theirs in counted if ours != theirs]:
        ours, theirs = other[0]
        problems.append(f"{len(other)} of {len(counted)} prompts have another number of tokens, such as {theirs} instead of {ours}")
    shown = shown_prompts(server, conversations) if (base / "manifest.json").is_file() else []
    if shown:
        # Imported here: transformers takes seconds, and few servers show their prompt.
        from plumbline.model.weights import load_tokenizer

        tokenizer = load_tokenizer(base)
        differing = [
            problem
            for prompt, messages in zip(shown, conversations, strict=False)
            if (problem := template_problem(prompt, messages, tokenizer)) is not None
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


def shown_prompts(server: Server, conversations: Sequence[Sequence[Message]]) -> list[str | list[int]]:
    """What the server shows of each conversation, up to the first that it does not show."""
    found: list[str | list[int]] = []
    for messages in conversations:
        shown = server.prompt_of(messages)
        if shown is None:
            break
        found.append(shown)
    return found


def template_problem(shown: str | list[int], messages: Sequence[Message], tokenizer: Any) -> str | None:
    """Where the prompt that the server shows leaves ours; None where it does not."""
    text = tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
    if isinstance(shown, list):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        place = difference_of(ids, shown)
        before, after = (tokenizer.decode(one[max(0, (place or 0) - AROUND) : (place or 0) + AROUND]) for one in (ids, shown))
        where = f"token {place}"
    else:
        # A server may leave the first token to its tokenizer: that is the same prompt.
        bos = tokenizer.bos_token or ""
        ours, theirs = (one.removeprefix(bos) if bos else one for one in (text, shown))
        place = difference_of(ours, theirs)
        before, after = (one[max(0, (place or 0) - AROUND) : (place or 0) + AROUND] for one in (ours, theirs))
        where = f"character {place}"
    return None if place is None else f"its template writes another prompt from {where} on: {after!r} instead of {before!r}"
