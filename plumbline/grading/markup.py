"""Blank out Markdown and HTML that only change the look of a text: emphasis, bullets, headings. Pure.

It works character for character, so that positions in the text stay positions in the response. A star that multiplies (`2*3`,
`a * b`, `2**3`) stays: emphasis opens where a word could begin, touches its content, and closes where a word could end.
"""

import re

RUN = re.compile(r"\*{1,3}|_{1,3}|~~")
# Characters directly before a mark that opens nothing: `2*3`, `m_1`, `(a)*b`, `\_`.
HOLDS_ON = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789)]}^_\\*")
GOES_ON = HOLDS_ON - frozenset(")]}*") | frozenset("{")
# `_` and `~~` are also marks of LaTeX: they are emphasis only between gaps or plain punctuation.
PLAIN_BEFORE = frozenset(" \t\n\"'“‘(:*>")
PLAIN_AFTER = frozenset(" \t\n\"'”’):;,.!?*")
BULLET = re.compile(r"(?m)^[ \t]{0,8}(?:[*•·▪◦‣●○■□➢➤✓✔]|>)[ \t]+(?=\S)")
HEADING = re.compile(r"(?m)^[ \t]{0,3}(?:#{1,3}|#{5,6})[ \t]+(?=\S)")
# "- 12 N" on one of several lines is an item of a list; alone it is a negative number, and so is "−12 N".
DASH_ITEM = re.compile(r"(?m)^[ \t]{0,8}-[ \t]+(?=\S)")
TAG = re.compile(r"</?(?:b|strong|em|i|u|mark|code|kbd|span|p|div|small|big|center|font|li|ul|ol)\b[^<>\n]{0,60}>", re.IGNORECASE)
BREAK = re.compile(r"<br\s?/?>", re.IGNORECASE)
RAISED = re.compile(r"<(sup|sub)>([^<>\n]{1,20})</\1>", re.IGNORECASE)
STRUCK = re.compile(r"<(del|s|strike)>[^<>]{0,200}</\1>", re.IGNORECASE)
ENTITIES = {"&nbsp;": " ", "&thinsp;": " ", "&times;": "×", "&minus;": "-", "&middot;": "·", "&sdot;": "·", "&plusmn;": "±"}
ENTITY = re.compile("|".join(ENTITIES))
TICKS = re.compile(r"(?<!`)`{1,2}(?!`)")


def without_markup(text: str) -> str:
    """Return the text as a reader sees it, without struck-out words. Every character keeps its position."""
    if "<" in text:
        text = STRUCK.sub(_blank, text)
        text = RAISED.sub(lambda match: ("^{" if match[1].lower() == "sup" else "_{") + "   " + match[2] + "}     ", text)
        text = BREAK.sub(lambda match: "\n" + " " * (len(match[0]) - 1), text)
        text = TAG.sub(_blank, text)
    if "&" in text:
        text = ENTITY.sub(lambda match: ENTITIES[match[0]].ljust(len(match[0])), text)
    if "`" in text:
        text = TICKS.sub(_blank, text)
    text = HEADING.sub(_blank, BULLET.sub(_blank, text))
    if "\n" in text.strip():
        text = DASH_ITEM.sub(_blank, text)
    return _without_emphasis(text) if "*" in text or "_" in text or "~~" in text else text


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _may_open(text: str, start: int, end: int) -> bool:
    """Say whether emphasis may begin at this mark."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if not after or after.isspace():
        return False
    if text[start] != "*":
        return not before or before in PLAIN_BEFORE
    # "12**N**": two stars within a word, before a letter.
    return before not in HOLDS_ON or (end - start > 1 and before.isalnum() and (after.isalpha() or after in "°%"))


def _may_close(text: str, start: int, end: int) -> bool:
    """Say whether emphasis may end at this mark."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if not before or before.isspace() or before == "\\":
        return False
    return not after or (after not in GOES_ON if text[start] == "*" else after in PLAIN_AFTER)


def _without_emphasis(text: str) -> str:
    """Blank out pairs of emphasis marks on a line, and two stars that open a word and never close. Struck-out text goes as a whole."""
    pieces = list(text)
    opened: dict[str, tuple[int, int]] = {}
    line_end = -1
    for match in RUN.finditer(text):
        start, end, mark = match.start(), match.end(), match[0]
        if start > line_end:
            for left in opened.values():
                _drop_unclosed(text, pieces, *left)
            opened = {}
            found = text.find("\n", start)
            line_end = found if found >= 0 else len(text)
        if mark in opened and _may_close(text, start, end):
            first, after = opened.pop(mark)
            inner = (first, end) if mark == "~~" else None
            for here, stop in (inner,) if inner else ((first, after), (start, end)):
                pieces[here:stop] = " " * (stop - here)
        elif mark not in opened and _may_open(text, start, end):
            opened[mark] = (start, end)
    for left in opened.values():
        _drop_unclosed(text, pieces, *left)
    return "".join(pieces)


def _drop_unclosed(text: str, pieces: list[str], start: int, end: int) -> None:
    """Blank out two stars that open a word and are never closed, as in a cut answer: "is **12 N"."""
    if (
        text[start] == "*"
        and end - start > 1
        and not (start and text[start - 1] in HOLDS_ON)
        and not text[max(0, start - 12) : start].rstrip()[-1:].isdigit()
    ):
        pieces[start:end] = " " * (end - start)
