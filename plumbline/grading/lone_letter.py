"""Read the letter at the beginning or end of a response. Pure."""

import re

from plumbline.grading.answer_cues import denied_before
from plumbline.grading.answer_regions import sentences
from plumbline.grading.choice_statement import McqTier, Statement
from plumbline.grading.choice_zone import FILLER, is_marked, read_zone
from plumbline.grading.choices import parse_choices
from plumbline.grading.option_letters import BRACKETED, NAMED, NEGATED, Options, is_dismissed, letter_at, named_behind
from plumbline.grading.patterns import bounded

CLOSING = bounded(rf"(?: \( \s* {NAMED} \s* \) | {BRACKETED} ) [\s.*$]{{0,12}} $", re.IGNORECASE | re.VERBOSE)
LISTED = bounded(r"^.*(?:[(\[][A-Za-z][)\]]|\b[A-Z][).:]\s).*$", re.MULTILINE)
MORE_LETTERS = bounded(r"[.)]?[\s,]*[A-Z][.)]?[\s,]+[A-Z][.)]?(?:\s|$)")
LINE_OF_ONE = re.compile(r"(?m)^[^\w\n]{0,8}([A-Z])[^\w\n]{0,8}$")
# "b. 4": a small letter at the beginning of the response, written like an item of a list.
SMALL = bounded(r"\s*(?P<letter>[a-z])(?P<mark>[.)])\s+(?=\S)")


def without_echo(text: str) -> str:
    """Blank out lines that list options: an echo of the question commits to nothing. Every character keeps its position."""
    _, listed = parse_choices(text)
    if len(listed) < 2:
        return text
    return LISTED.sub(lambda match: " " * len(match[0]), text)


def lone_letter(text: str, denials: str, options: Options) -> Statement | None:
    """Read a response that begins with an option ("B", "(C) Rate of doing work", "C. ...") or ends with one."""
    alone = dict.fromkeys(letter for letter in LINE_OF_ONE.findall(text) if letter in options.letters)
    if len(alone) > 1:
        return Statement(tuple(alone), McqTier.LETTER, 0, len(text))
    opening = len(text) - len(text.lstrip())
    filler = FILLER.match(text, opening)
    letter = letter_at(text, filler.end() if filler else opening, options)
    if letter and MORE_LETTERS.match(text, letter[1]):
        return None
    if letter and is_marked(text, letter, options) and not is_dismissed(denials, letter[0], letter[1], options):
        return read_zone(text, denials, opening, sentence_end(text, opening), options, McqTier.LETTER)
    small = SMALL.match(text)
    if (
        small
        and small["letter"].upper() in options.letters
        and not re.search(rf"\n\s*{chr(ord(small['letter']) + 1)}{re.escape(small['mark'])}\s", text)
    ):
        said = named_behind(text[small.end() : small.end() + 300], options)
        letter_said = small["letter"].upper()
        if not is_dismissed(denials, letter_said, small.end("mark"), options):
            return Statement(
                (letter_said,), McqTier.LETTER, small.start("letter"), small.end("mark"), contradicted=said not in (None, letter_said)
            )
    spans = list(sentences(text))
    if spans:
        start, end = spans[-1]
        last = text[start:end].strip()
        if len(last) <= 12:
            letter = letter_at(text, start + len(text[start:end]) - len(text[start:end].lstrip()), options)
            if letter and not text[letter[1] : end].strip(" .)]*_}$\n"):
                return Statement((letter[0],), McqTier.LETTER, start, letter[1])
        closing = CLOSING.search(text[start:end], max(0, end - start - 60))
        if closing and not NEGATED.search(denials, start, end) and not denied_before(text, start + closing.start()):
            raw = closing["named"] or closing["round"] or closing["square"]
            if raw.isupper() and raw in options.letters:
                return Statement((raw,), McqTier.LETTER, start + closing.start(), start + closing.end())
    return None


def sentence_end(text: str, start: int) -> int:
    """Return the end of the line that starts here."""
    end = text.find("\n", start)
    return len(text) if end < 0 else end
