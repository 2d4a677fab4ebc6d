"""Find where a response states an answer: boxes, declared answers, its sentences. Pure."""

import re
from collections.abc import Iterator

from plumbline.grading.answer_cues import declared_abroad
from plumbline.grading.patterns import bounded

# Most boxes and declared answers that are read, from the end: no one means more, and a model in a loop can write thousands.
MAX_STATEMENTS = 24
BOX = bounded(r"\\(?:boxed|fbox)\s*\{")
# "The correct answer to this question must therefore be ...": NOUN and MARKS are filled in below.
DECLARATION = r"""
    (?:\b (?: given | reference | expected | other | student ['’] s ) \s+)?
    (?:\b (?: final | correct | right | best | my | resulting | numerical | numeric ) \s+)*
    \b (?: NOUN ) \b \s* [*_]{0,3} \s*
    (?:
        (?: to | for | of | in | among ) \s+ (?: the | this | your | our | these | all ) \s+
        [^.\n:=]{0,80}?
    )?
    \s*
    (?:
        (?:
              (?: must | would | should | will | can \s+ only ) \s+
              (?: therefore \s+ | thus \s+ | then \s+ )? be
            | is
            | are
            | was
            | being
            | (?: seems? | appears? | has | turns \s+ out | works \s+ out ) \s+ to \s+ be
            | comes \s+ out \s+ (?: to (?:\s+ be)? | as )
            | \\rightarrow
            | \\Rightarrow
            | \\to
        )
        (?![A-Za-z])
        MARKS
    )
"""
# "The given answer is 5" is about someone else's answer.
FOREIGN = ("given", "reference", "expected", "other", "student")
BY_MARK = "| = | : | → | -> | ⇒"
ANSWER_DECLARATION = DECLARATION.replace("NOUN", "answer | ans").replace("MARKS", BY_MARK)
# "The correct option is B"; a mark alone does not declare here, because "each option:" opens a list.
OPTION_DECLARATION = DECLARATION.replace("NOUN", "option | choice").replace("MARKS", "")
FORMS = r"""
      ^ \W{0,4} (?:final \s+)? answer \s* [-–—] \s   # Answer - B
    | < (?:final [_\s])? answer >                    # <answer>B</answer>
    | \#\#\#\#                                        # #### 12
"""
DECLARED = bounded(
    rf"""
      {ANSWER_DECLARATION}
    | {FORMS}
    | \b final \s+ result \s* (?: is | = | : )       # the final result is 12 N
    | ^ \s* \** (?: result | ans ) \** \s* [:=]      # **Result**: 12 N
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
# Only if the question asks for letters: "the price of the option is 5" declares no answer.
DECLARED_CHOICE = bounded(
    rf"""
      {ANSWER_DECLARATION}
    | {OPTION_DECLARATION}
    | {FORMS}
    # "Answer (B)" on a line of its own
    | ^ \W{{0,4}} (?:final \s+)? answer \s+ (?=[(\[]? [A-Ja-j] [)\]]? [\s.*]{{0,6}} $)
    # "Solution: B", "Final: (B)"
    | ^ \W{{0,4}} (?:my \s+)? (?: solution | final | pick | conclusion | verdict | correct ) \s* : (?=\s* [*(\[]* [A-Z] [)\]]? [\s.*]{{0,6}} $)
    # "Correct option: B"
    | ^ \W{{0,4}} (?:(?: my | final | correct | best | right ) \s+)? (?: option | choice ) \W{{0,4}} :
    | \b (?: my | final | correct | best | right ) \s+ (?: option | choice ) \s* :
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
# "### Final Answer" on a separate line: the next line is the answer, if it holds nothing else.
HEADING = bounded(
    r"""
    ^ [^\w\n]{0,8} (?:(?: the | my ) \s+)? (?:(?: final | correct | numerical ) \s+)? (?: answer | result ) [^\w\n]{0,8} \n \s*
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
# "Given:" with the list of values below it.
GIVENS = bounded(
    r"""
    (?: ^ | \n ) [^\w\n]{0,5}
    (?:
          given (?:\s+ (?: data | values? | information | that | quantities ))?
        | known (?:\s+ values?)?
        | data
        | where
    )
    \s* :? \*{0,2} \s* :? [^\S\n]{0,12}
    (?:
          \n [^\S\n]{0,12} (?: [-•*–] | \d{1,2} [.)] ) [^\n]*
        | \n [^\S\n]{2,12} \S [^\n]*   # an item whose bullet is blanked out
        | \n [^\S\n]{0,12} [^\s=\n]{1,20} [^\S\n]{0,12} = [^\n]*
    )+
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A full stop ends a sentence unless it is in a number or after an abbreviation.
SENTENCE_END = bounded(
    r"""
      (?<!\b approx) (?<!\b i \. e) (?<!\b e \. g) (?<!\b Eq) (?<!\b Fig) (?<!\b ca) (?<!\b vs)
      [。！？]
    | [.!?] (?: \*{1,3} | ['\"”’)\]$]{1,2} | \\ \) | \\ \] )? (?= \s | $ )
    | \n+
    | ; \s
    """,
    re.VERBOSE,
)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the sentences and lines of a text, without blank ones."""
    start = 0
    for match in SENTENCE_END.finditer(text):
        if text[start : match.end()].strip():
            yield start, match.end()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


def boxes(text: str) -> list[tuple[int, int, int, int]]:
    """Return (start, content start, content end, end) of the last boxes. A box that is cut off is left out."""
    starts = {match.end(): match.start() for match in BOX.finditer(text)}
    found: list[tuple[int, int, int, int]] = []
    if not starts:
        return found
    opened: list[int] = []
    for place, character in enumerate(text):
        if character == "{":
            opened.append(place + 1)
        elif character == "}" and opened:
            inner = opened.pop()
            if inner in starts:
                found.append((starts[inner], inner, place, place + 1))
    return sorted(found)[-MAX_STATEMENTS:]


def declarations(text: str, *, choices: bool = False) -> Iterator[tuple[int, int, int]]:
    """Yield (start, zone start, zone end) of every declared answer. The zone is the declared text up to the end of its sentence."""
    found = [
        (match.start(), match.end())
        for match in (DECLARED_CHOICE if choices else DECLARED).finditer(text)
        if not match[0].lower().startswith(FOREIGN)
    ]
    for start, begin in sorted(found + declared_abroad(text))[-MAX_STATEMENTS:]:
        while begin < len(text) and (text[begin].isspace() or text[begin] in "*_:"):
            begin += 1
        end = zone_end(text, begin)
        if begin < end:
            yield start, begin, end


def zone_end(text: str, begin: int) -> int:
    """Return the end of the text declared from here: the end of its sentence, or of a display formula on separate lines."""
    opened = text[begin : begin + 2]
    if opened in ("\\[", "$$"):
        close = text.find("\\]" if opened == "\\[" else "$$", begin + 2, begin + 600)
        return close + 2 if close >= 0 else min(len(text), begin + 600)
    end_match = SENTENCE_END.search(text, begin)
    return min(end_match.end() if end_match else len(text), begin + 600)


def headings(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield (start, zone start, zone end) of every heading "Answer" without a colon. The zone is the line or formula below it."""
    for match in list(HEADING.finditer(text))[-MAX_STATEMENTS:]:
        opened = text[match.end() : match.end() + 2]
        line_end = text.find("\n", match.end())
        line_end = line_end if line_end >= 0 else len(text)
        yield match.start(), match.end(), zone_end(text, match.end()) if opened in ("\\[", "$$") else line_end


def without_givens(text: str) -> str:
    """Blank out what the response lists as given, since a given is not an answer. Every character keeps its position."""
    return GIVENS.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
