"""Does a text have the requested form? A text without words never does. Pure."""

import json
import re
from collections.abc import Callable

from plumbline.probes.probe import Constraint, Wanted

WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
BULLET = re.compile(r"^[ \t]*[-*•–][ \t]+(?=\S)")
NUMBER = re.compile(r"^[ \t]*(\d+)[.):][ \t]+(?=\S)")
BRACKETS = re.compile(r"<<\s*([^<>\n]*\w[^<>\n]*)>>")
EDGES = " \t\n.!?\"'“”*"


def words_of(text: str) -> list[str]:
    """The words of a text; "twenty-two", "isn't" and "9.5" are one word each."""
    return WORD.findall(text)


def lines_of(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line for line in text.splitlines() if line.strip()]


def _words(text: str, asked: Constraint) -> bool:
    return len(words_of(text)) == asked.count


def _lower(text: str, asked: Constraint) -> bool:
    return text == text.lower() and text != text.upper() and len(words_of(text)) > 1


def _upper(text: str, asked: Constraint) -> bool:
    return text == text.upper() and text != text.lower()


def _begins(text: str, asked: Constraint) -> bool:
    words = words_of(text)
    return len(words) > 2 and words[0] == asked.texts[0]


def _first(text: str, asked: Constraint) -> bool:
    return words_of(text)[0].lower() == asked.texts[0].lower()


def _question(text: str, asked: Constraint) -> bool:
    return text.rstrip(" \"”'*").endswith("?") and len(re.findall(r"[.!?](?=\s|$)", text)) == 1 and len(words_of(text)) > 2


def _ends(text: str, asked: Constraint) -> bool:
    """Quotation marks and a full stop at the end may differ. There must be words before the ending."""
    ending = asked.texts[0].strip(EDGES)
    return text.rstrip(EDGES).endswith(ending) and len(words_of(text)) > len(words_of(ending)) + 1


def _includes(text: str, asked: Constraint) -> bool:
    """The words must come among others: a list of only these is not a sentence."""
    said = {word.lower() for word in words_of(text)}
    missing = [one for one in asked.texts if one not in said and f"{one}s" not in said and f"{one}es" not in said]
    return not missing and len(words_of(text)) >= len(asked.texts) + 2


def _without_letter(text: str, asked: Constraint) -> bool:
    return asked.texts[0] not in text.lower() and len(words_of(text)) > 3


def _keys(text: str, asked: Constraint) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and set(found) == set(asked.texts) and all(value not in (None, "", [], {}) for value in found.values())


def _bullets(text: str, asked: Constraint) -> bool:
    lines = lines_of(text)
    return len(lines) == asked.count and all(BULLET.match(line) for line in lines)


def _numbered(text: str, asked: Constraint) -> bool:
    found = [NUMBER.match(line) for line in lines_of(text)]
    return [int(one[1]) if one else None for one in found] == list(range(1, (asked.count or 0) + 1))


def _commas(text: str, asked: Constraint) -> bool:
    items = re.split(r",\s*and\s+|,|\s+and\s+", text.strip(EDGES))
    return len(lines_of(text)) == 1 and len(items) == asked.count and all(1 <= len(words_of(item)) <= 3 for item in items)


def _times(text: str, asked: Constraint) -> bool:
    return [word.lower() for word in words_of(text)] == [asked.texts[0]] * (asked.count or 0)


def _lines(text: str, asked: Constraint) -> bool:
    lines = lines_of(text)
    return len(lines) == asked.count and all(len(words_of(line)) > 1 for line in lines)


def _parts(text: str, asked: Constraint) -> bool:
    parts = re.split(r"^[ \t]*\*[ ]?\*[ ]?\*[ \t]*$", text, flags=re.MULTILINE)
    return len(parts) == asked.count and all(len(words_of(part)) > 1 for part in parts)


def _brackets(text: str, asked: Constraint) -> bool:
    found = BRACKETS.findall(text)
    return len(found) == 1 and found[0].strip().lower() not in ("title", "your title", "title of the story")


def _quoted(text: str, asked: Constraint) -> bool:
    inside = text[1:-1]
    return (
        len(text) > 2 and (text[0], text[-1]) in (('"', '"'), ("“", "”")) and not re.search(r'["“”]', inside) and len(words_of(inside)) > 1
    )


def _initials(text: str, asked: Constraint) -> bool:
    words = [word.lower() for word in words_of(text)]
    return len(words) == asked.count == len(set(words)) and all(word[0] == asked.texts[0] for word in words)


RULES: dict[Wanted, Callable[[str, Constraint], bool]] = {
    Wanted.WORDS: _words,
    Wanted.LOWER: _lower,
    Wanted.UPPER: _upper,
    Wanted.BEGINS: _begins,
    Wanted.FIRST: _first,
    Wanted.QUESTION: _question,
    Wanted.ENDS: _ends,
    Wanted.INCLUDES: _includes,
    Wanted.WITHOUT_LETTER: _without_letter,
    Wanted.KEYS: _keys,
    Wanted.BULLETS: _bullets,
    Wanted.NUMBERED: _numbered,
    Wanted.COMMAS: _commas,
    Wanted.TIMES: _times,
    Wanted.LINES: _lines,
    Wanted.PARTS: _parts,
    Wanted.BRACKETS: _brackets,
    Wanted.QUOTED: _quoted,
    Wanted.INITIALS: _initials,
}


def broken(text: str, constraints: tuple[Constraint, ...]) -> list[Wanted]:
    """The constraints that a text breaks; all of them if it has no words. ValueError without constraints: then any text would do."""
    if not constraints:
        raise ValueError("There is no constraint. Give a probe of form at least one.")
    return [asked.wanted for asked in constraints if not words_of(text) or not RULES[asked.wanted](text, asked)]
