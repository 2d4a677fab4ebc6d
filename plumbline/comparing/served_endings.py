"""How the answers of a server end, and how those of the run did: cut, not stopped, or missing. Reads no file."""

from collections.abc import Sequence

from plumbline.comparing.serving import Served
from plumbline.number_text import counted
from plumbline.rows.answer import Answer
from plumbline.thinking import spoken

MAX_SHOWN = 40
"""Characters of what a server writes after the end."""


def said(stored: Answer, served: Served) -> str:
    """What an arm said in the run, without its thinking if the server sends that next to the text."""
    return spoken(stored.response).text.strip() if served.has_thinking else stored.response.strip()


def unanswered(pairs: Sequence[tuple[Answer, Served]]) -> list[str]:
    """The questions that the server answered with an error, in a phrase."""
    failed = [(stored.id, served.problem) for stored, served in pairs if served.problem is not None]
    return [f"{len(failed)} of {len(pairs)} questions have no answer, such as {failed[0][0]}: {failed[0][1]}"] if failed else []


def endings(pairs: Sequence[tuple[Answer, Served]], *, max_tokens: int) -> list[str]:
    """Endings that are not those of the run, a phrase each. They say why texts differ, and are not a verdict."""
    answered = [(stored, served) for stored, served in pairs if served.problem is None]
    found: list[str] = []
    early = [
        served.num_tokens for _, served in answered if served.is_cut and served.num_tokens is not None and served.num_tokens < max_tokens
    ]
    if early:
        found.append(
            f"{counted(len(early), 'answer is', 'answers are')} cut after {min(early)} to {max(early)} tokens, but {max_tokens} were asked for: "
            "the server's own limit or its context is smaller"
        )
    running = [
        served.text[len(before) :].strip()
        for stored, served in answered
        if stored.stopped == "eos" and served.text != (before := said(stored, served)) and before and served.text.startswith(before)
    ]
    if running:
        shown = running[0][:MAX_SHOWN]
        found.append(
            f"{counted(len(running), 'answer goes', 'answers go')} on where those of the run end, such as with {shown!r}: does the server know the token that ends the turn?"
        )
    thinking = sum(served.has_thinking for _, served in answered)
    if thinking:
        found.append(
            f"{counted(thinking, 'answer comes with its', 'answers come with their')} thinking separately; the texts are compared without it"
        )
    return found
