"""Read the list of letters at the beginning of a text, up to its end. Pure."""

import re

from plumbline.grading.patterns import bounded

ONE = r"(?: [(\[]? [A-Z] [)\]]? (?![A-Za-z'’]) )"
BETWEEN = r"(?: \s* (?: , \s* and | , | ; | / | & | \+ | 、 | \b and \b | \b und \b | \b et \b | \b y \b | 和 | 与 ) \s* )"
# "A, C", "(A) and (C)", "A and C"; letters without a mark between them ("ACD") are another form of list.
LIST = rf"(?: {ONE} (?: {BETWEEN} {ONE} )* | (?<![A-Za-z]) [A-Z]{{2,10}} (?![A-Za-z]) )"
LEAD = r"(?: (?: the | both | only | options? | choices? | statements? | answers? | letters? | are | is | : | \\ text \s* \{ ) \s* )*"
OPENING = bounded(rf"\s* {LEAD} (?P<list>{LIST}) (?P<rest>[^\n]*)", re.VERBOSE)
WHOLE = bounded(rf"\s* {LEAD} (?P<list>{LIST}) [\s.!*)]*", re.VERBOSE)
ALL = bounded(
    r"\s* (?: all \s+ (?: of \s+ )? (?: the \s+ )? (?: above | these | them | options | choices | statements | four | three | five ) )",
    re.IGNORECASE | re.VERBOSE,
)
EXCEPT = bounded(
    rf"\s* ,? \s* (?: except | but | save | apart \s+ from | other \s+ than | excluding ) \s+ (?: for \s+ )? {LEAD} (?P<list>{LIST}) (?= \s* (?: [.,;)\n] | $ ))",
    re.VERBOSE,
)
# "A or C", "A and B are wrong": the letters at the beginning are not the answer.
UNSURE = bounded(
    r"\s* ,? \s* (?: (?: or | except | excluding ) \b | (?: are | is ) \s+ (?: both \s+ | all \s+ )? (?: not | wrong | incorrect | false ) \b )",
    re.VERBOSE,
)
ITEM = re.compile(r"(?<![A-Za-z(])\(?(?P<letter>[A-Z])\)(?=\s)")
EXCEPTED = bounded(r"\s* ,? \s* (?: except | but | save | apart \s+ from | other \s+ than | excluding ) \b", re.VERBOSE)
# A list continues with a letter on a separate line, or with a marked letter and its words after another one of this kind.
OWN_LINE = bounded(
    r"[)\].,;]{0,2} [^\S\n]* \n \s* (?: and \s+ )? [(\[]? (?P<letter>[A-Z]) (?= [)\].,;]{0,2} [^\S\n]* (?: \n | $ ) )", re.VERBOSE
)
MARK = r"(?: [)\]] [.:]? | [.:] ) (?= \s )"
MARKED = bounded(rf"[(\[]? [A-Z] {MARK}", re.VERBOSE)
NEXT_ITEM = bounded(
    rf"[^;\n]{{0,120}}? (?: [;,] \s* (?: and \s+ )? | \s+ and \s+ | [^\S\n]* \n [^\S\n]* (?: and \s+ )? ) [(\[]? (?P<letter>[A-Z]) {MARK}",
    re.VERBOSE,
)
DOUBTED = bounded(r"[^;\n]{0,120} \b (?: not | wrong | incorrect | false | because | since | is | are ) \b", re.VERBOSE | re.IGNORECASE)


def letters_of(text: str) -> frozenset[str]:
    """The letters of a list."""
    return frozenset(re.findall(r"(?<![a-z])[A-Z](?![a-z])", re.sub(r"\b(?:and|und|et|y)\b", " ", text)))


def read_zone(text: str, known: frozenset[str]) -> tuple[frozenset[str], int, int] | None:
    """The letters at the beginning of a text, with their place; None if there are none. No letters if it is unclear which are meant."""
    if everything := ALL.match(text):
        return all_of(text, known, everything)
    opening = OPENING.match(text)
    if opening is None:
        return None
    found, begin, end = letters_of(opening["list"]), opening.start("list"), opening.end("list")
    if UNSURE.match(opening["rest"]):
        return frozenset(), begin, end
    if len(found) == 1 and (items := list(ITEM.finditer(text, begin, opening.end()))):
        # "A) force and C) energy": each letter with its words.
        found, end = frozenset(item["letter"] for item in items), items[-1].end()
    # "A body at rest": a capital at the beginning of a sentence is not a letter of a list.
    if not found <= known or (len(opening["list"].strip()) == 1 and re.match(r"\s+(?!only\b)[a-z]", opening["rest"])):
        return None
    further, further_end = further_items(text, begin, end)
    if not further <= known:
        return None
    if DOUBTED.match(text, further_end) and further:
        return frozenset(), begin, further_end
    return found | further, begin, further_end


def all_of(text: str, known: frozenset[str], everything: re.Match[str]) -> tuple[frozenset[str], int, int]:
    """All letters without those after "except". No letters if the exception cannot be read."""
    begin, end = everything.span()
    if left_out := EXCEPT.match(text, end):
        letters = letters_of(left_out["list"])
        return (known - letters if letters <= known else frozenset()), begin, left_out.end()
    return (frozenset() if EXCEPTED.match(text, end) else known), begin, end


def further_items(text: str, begin: int, end: int) -> tuple[frozenset[str], int]:
    """The letters that continue a list after its first: on separate lines, or each with its mark and its words."""
    found: set[str] = set()
    place = end
    while line := OWN_LINE.match(text, place):
        found.add(line["letter"])
        place = line.end("letter")
    if found or not (first := MARKED.match(text, begin)):
        return frozenset(found), place
    place = first.end()
    while item := NEXT_ITEM.match(text, place):
        found.add(item["letter"])
        place = item.end()
    return frozenset(found), place if found else end
