"""The one place that knows how models mark their thinking: what they say without it, and whether it was cut short. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Names that stand between angle or square brackets: <think> ... </think>, [THINK] ... [/THINK].
TAG_NAMES = (
    "think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection", "scratchpad", "inner_monologue", "seed:think",
    "antthinking", "internal_thoughts",
)  # fmt: skip
SQUARE_NAMES = ("THINK", "THINKING", "REASONING")
# Formats that open and close with marks of their own.
MARKS = (
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # OpenThinker, Sky-T1
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A
    ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
    ("<|channel>", "<channel|>"),  # Gemma 4
    ("◁think▷", "◁/think▷"),  # Kimi
)
_NAMES = "|".join(sorted(map(re.escape, TAG_NAMES), key=len, reverse=True))
_SQUARE = "|".join(SQUARE_NAMES)
_OPENING = "|".join(re.escape(first) for first, _ in MARKS)
_CLOSING = "|".join(re.escape(last) for _, last in MARKS)
MARKER = re.compile(
    rf"""
      < (?P<shut> / )? (?P<tag> (?i:{_NAMES}) ) (?: \s [^<>\n]{{0,40}} )? >
    | \[ (?P<square_shut> / )? (?P<square> {_SQUARE} ) \]
    | (?P<opening> {_OPENING} )
    | (?P<closing> {_CLOSING} )
    """,
    re.VERBOSE,
)
# gpt-oss names a channel before each message; only the one called final is said to the reader.
CHANNEL = re.compile(
    r"(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*(?P<name>\w+)[^<>\n]{0,40}(?:<\|constrain\|>\s*\w+\s*)?(?:<\|message\|>)?"
)
CHANNEL_END = re.compile(r"<\|(?:end|return|call|start)\|>")
CHANNEL_MARK = "<|channel|>"
CHANNEL_MARKS = frozenset({CHANNEL_MARK, "<|message|>", "<|start|>", "<|end|>", "<|constrain|>", "<|return|>", "<|call|>"})
"""What the two patterns above read; other models have tokens with these names for other purposes, but none is called a channel."""
# The same where a tokenizer dropped its special tokens: "analysisWe need ...assistantfinalThe answer is B".
BARE_CHANNEL = re.compile(r"\s*(?:analysis|commentary)(?=[A-Z0-9\"'“(*$\\])")
BARE_FINAL = "assistantfinal"
HINTS = ("think", "thought", "reason", "reflection", "scratchpad", "monologue", "|>", "<|", "◁", "analysis", "commentary")
"""One of these is in every mark, in lower case: most responses hold none."""


class Spoken(NamedTuple):
    """A response without the thinking in it."""

    text: str
    """As long as the response: thinking is blanked out, and all else stays where it is."""
    is_cut: bool
    """The response ends while it thinks: it says nothing that counts, and `text` is blank."""


def blank(text: str) -> str:
    """White space of the same length."""
    return " " * len(text)


def spoken(response: str) -> Spoken:
    """Return what a response says to its reader. Position for position, so that a span in the text is one in the response."""
    small = response.lower()
    if not any(hint in small for hint in HINTS):
        return Spoken(response, False)
    channels = _final_channel(response)
    if channels is not None:
        return channels
    return _without_tags(response)


def is_mark(text: str) -> bool:
    """Say whether this is a mark that opens or closes thinking, apart from channels."""
    return MARKER.fullmatch(text) is not None


def is_cut_while_thinking(response: str) -> bool:
    """Say whether the response ends before its thinking does."""
    return spoken(response).is_cut


def _final_channel(response: str) -> Spoken | None:
    """Keep the final channel alone; None for a response without channels."""
    marked = list(CHANNEL.finditer(response))
    if marked:
        final = next((match for match in reversed(marked) if match["name"] == "final"), None)
        if final is None:
            return Spoken(blank(response), True)
        end = CHANNEL_END.search(response, final.end())
        stop = end.start() if end else len(response)
        return Spoken(blank(response[: final.end()]) + response[final.end() : stop] + blank(response[stop:]), False)
    if not BARE_CHANNEL.match(response):
        return None
    place = response.rfind(BARE_FINAL)
    if place < 0:
        return Spoken(blank(response), True)
    start = place + len(BARE_FINAL)
    return Spoken(blank(response[:start]) + response[start:], False)


def _thoughts(response: str) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, end, closed) of every stretch of thinking, its marks included.

    A mark that closes what was never opened ends a thought that the prompt opened: all before it is thinking. If a thought
    was closed before and nothing follows, only the mark is left out: it is a slip, and what was said still counts.
    """
    opened: tuple[int, str] | None = None
    any_closed = False
    last = len(response.rstrip())
    for match in MARKER.finditer(response):
        kind = (match["tag"] or match["square"] or "mark").lower()
        shuts = (match["shut"] or match["square_shut"] or match["closing"]) is not None
        if not shuts:
            opened = opened or (match.start(), kind)
        elif opened is None:
            is_slip = any_closed and match.end() >= last
            yield (match.start() if is_slip else 0), match.end(), True
            any_closed = True
        elif kind == opened[1]:
            yield opened[0], match.end(), True
            opened, any_closed = None, True
    if opened is not None:
        yield opened[0], len(response), False


def _without_tags(response: str) -> Spoken:
    """Blank out what is between tags."""
    thoughts: list[tuple[int, int]] = []
    for start, end, closed in _thoughts(response):
        if not closed:
            return Spoken(blank(response), True)
        if start == 0:
            thoughts.clear()
        thoughts.append((start, end))
    pieces: list[str] = []
    place = 0
    for start, end in thoughts:
        pieces += [response[place:start], blank(response[start:end])]
        place = end
    return Spoken("".join((*pieces, response[place:])), False)
