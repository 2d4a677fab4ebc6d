"""Cut a document into pieces of limited size in tokens, along its headings and paragraphs. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

CountTokens = Callable[[str], int]

HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*")
UNDERLINE = re.compile(r"(=+|-{2,})[ \t]*")
FENCE = re.compile(r"[ \t]*(```|~~~)")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)|\n(?=\s*(?:[-*+|>]|\d+[.)])\s)")
"""It also matches before an item of a list and a row of a table, but not if a sentence continues on the next line."""
JOINT_TOKENS = 2
"""Most tokens of the line break between two paragraphs."""


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Lines without a gap."""

    line: int
    """Number of its first line in the file, from 1."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """Paragraphs below one heading."""

    breadcrumb: str
    """Headings above them, the widest first: `Mechanics > Force`. Empty if there are none."""
    line: int
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of the corpus that is found, dropped or shown as a whole."""

    id: str
    """File and line, such as `notes.md:3`; `#2` follows if it is the second piece of its line."""
    text: str
    num_tokens: int
    asked: str = ""
    """The question, if the piece is an instruction row; else empty."""


def paragraphs_of(lines: Sequence[tuple[int, str]]) -> tuple[Paragraph, ...]:
    """Numbered lines as paragraphs: an empty line ends one, but not inside a fence of code."""
    found: list[Paragraph] = []
    current: list[tuple[int, str]] = []
    fence = ""
    for number, line in [*lines, (0, "")]:
        if mark := FENCE.match(line):
            fence = "" if mark[1] == fence else fence or mark[1]
        if line.strip() or (fence and number):
            current.append((number, line.rstrip()))
        elif current:
            found.append(Paragraph(line=current[0][0], text="\n".join(text for _, text in current).strip()))
            current = []
    return tuple(found)


def plain_sections(text: str) -> list[Section]:
    """A text without headings, as one section."""
    return [Section(breadcrumb="", line=1, paragraphs=paragraphs_of(list(enumerate(text.split("\n"), start=1))))]


def markdown_sections(text: str) -> list[Section]:
    """A section for each heading, and one for the text before the first. A `#` inside a fence of code is not a heading."""
    lines = text.split("\n")
    sections: list[Section] = []
    above: list[tuple[int, str]] = []
    start, body, fence, skipped = 1, list[tuple[int, str]](), "", 0

    def close() -> None:
        sections.append(Section(breadcrumb=" > ".join(title for _, title in above), line=start, paragraphs=paragraphs_of(body)))

    for number, line in enumerate(lines, start=1):
        if number == skipped:
            continue
        if mark := FENCE.match(line):
            fence = "" if mark[1] == fence else fence or mark[1]
        heading = None if fence else heading_at(lines, number - 1)
        if heading is None:
            body.append((number, line))
            continue
        level, title, num_lines = heading
        close()
        above = [*((depth, name) for depth, name in above if depth < level), (level, title)]
        start, body, skipped = number, [], number + 1 if num_lines == 2 else 0
    close()
    return [section for section in sections if section.paragraphs or section.breadcrumb]


def heading_at(lines: Sequence[str], place: int) -> tuple[int, str, int] | None:
    """Level, title and number of lines of the heading that begins here; None if none begins here."""
    if match := HEADING.fullmatch(lines[place].strip("\r")):
        return (len(match[1]), match[2], 1) if match[2] else None
    is_alone = bool(lines[place].strip()) and (place == 0 or not lines[place - 1].strip())
    if is_alone and place + 1 < len(lines) and (rule := UNDERLINE.fullmatch(lines[place + 1].strip("\r"))):
        return 1 if rule[1][0] == "=" else 2, lines[place].strip(), 2
    return None


def cut_section(section: Section, *, max_tokens: int, count: CountTokens) -> Iterator[tuple[int, str]]:
    """Line and text of each piece of a section: whole paragraphs if they fit, or sentences of a paragraph that does not fit.

    Every piece begins with the breadcrumb, which counts. If it takes more than half of a piece, it is cut. No word of a paragraph is lost.
    """
    head = section.breadcrumb
    while head and count(head) > max_tokens // 2:
        head = head.partition(" > ")[2]
    room = max(1, max_tokens - (count(head) + JOINT_TOKENS if head else 0))
    parts = [part for paragraph in section.paragraphs for part in fitting_parts(paragraph, room, count)]
    line, texts, filled = 0, list[str](), 0
    for part_line, text, size in parts:
        if texts and filled + JOINT_TOKENS + size > room:
            yield line, "\n".join([head, *texts] if head else texts)
            texts, filled = [], 0
        line = line if texts else part_line
        filled += size + (JOINT_TOKENS if texts else 0)
        texts.append(text)
    if texts:
        yield line, "\n".join([head, *texts] if head else texts)


def fitting_parts(paragraph: Paragraph, room: int, count: CountTokens) -> Iterator[tuple[int, str, int]]:
    """Line, text and tokens of a paragraph, or of its sentences if the paragraph has more tokens than there is room."""
    if (size := count(paragraph.text)) <= room:
        yield paragraph.line, paragraph.text, size
        return
    place = 0
    for sentence in SENTENCE_END.split(paragraph.text):
        place = paragraph.text.index(sentence, place)
        line = paragraph.line + paragraph.text.count("\n", 0, place)
        for text in halved(sentence, room, count):
            yield line, text, count(text)


def halved(text: str, room: int, count: CountTokens) -> Iterator[str]:
    """The text if it fits, else its halves, cut between lines, else between words, else between characters."""
    text = text.strip()
    if len(text) <= 1 or count(text) <= room:
        if text:
            yield text
        return
    joint = "\n" if "\n" in text else " "
    words = text.split(joint)
    if len(words) > 1:
        halves = (joint.join(words[: len(words) // 2]), joint.join(words[len(words) // 2 :]))
    else:
        halves = (text[: len(text) // 2], text[len(text) // 2 :])
    for half in halves:
        yield from halved(half, room, count)
