"""Find where a response commits itself: JSON answer keys, boxes, declared answers, its last sentences. Pure."""

import ast
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from plumbline.grading.patterns import bounded

# A base model runs on and asks itself the next question; what follows is not an answer to ours.
NEXT_QUESTION = bounded(
    r"""
      \n [^\S\n]{0,20} (?:\#{1,4} \s*)? (?:\* \*)? (?:next \s+)?
      (?: question | problem | exercise | example | instruction | user | human | q )
      \s* \d{0,3} \s* (?:\* \*)? \s* [:.)] (?:\* \*)? (?=\s)
    | \[ /? INST \]
    | < \| (?: im _ start | im _ end | user | end | eot _ id | endoftext ) \|? >
    | \n [^\S\n]{0,20} \#{2,4} \s* (?: instruction | input | question ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Of boxes and of declared answers, from the end: nobody means more, and a loop can write thousands.
MAX_STATEMENTS = 24
HEAD_CHARACTERS = 4_000
TAIL_CHARACTERS = 12_000
ANSWER_KEYS = (
    "final_answer", "finalanswer", "final answer", "answer", "correct_answer", "correct answer", "correct_option", "correct option",
    "ans", "choice", "option", "letter", "selected_option", "result", "value", "final",
)  # fmt: skip
FENCE = bounded(r"```(?:json|JSON)?\s*\n?(.*?)```", re.DOTALL)
JSON_KEY = bounded(r"\"((?:[^\"\\\n]|\\.){1,80})\"\s*:\s*")
SWALLOWED = bounded(r"\x08(?=[a-z])|\x0c(?=[a-z])|\t(?=imes|ext|frac|heta|au)|\r(?=ightarrow|ho|m\b)")
JSON_OPENED = bounded(r"\{\s*\"[^\"\n]{1,60}\"\s*:")
JSON_STRING = bounded(r"\"((?:[^\"\\]|\\.){0,16000})\"", re.DOTALL)
JSON_BARE = bounded(r"[^,{}\[\]\"\n]{1,200}")
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
            | \\rightarrow
            | \\Rightarrow
            | \\to
        )
        (?![A-Za-z])
        MARKS
    )
"""
# "The given answer is 5" speaks of someone else's.
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
# Only where letters are asked for: "the price of the option is 5" declares no answer.
DECLARED_CHOICE = bounded(
    rf"""
      {ANSWER_DECLARATION}
    | {OPTION_DECLARATION}
    | {FORMS}
    # "Answer (B)" on a line of its own
    | ^ \W{{0,4}} (?:final \s+)? answer \s+ (?=[(\[]? [A-Ja-j] [)\]]? [\s.*]{{0,6}} $)
    # "Correct option: B"
    | ^ \W{{0,4}} (?:(?: my | final | correct | best | right ) \s+)? (?: option | choice ) \W{{0,4}} :
    | \b (?: my | final | correct | best | right ) \s+ (?: option | choice ) \s* :
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
RETRACTION = bounded(
    r"""
      (?: ^ | [.!?\n…—-] \s* | , \s* | \b no ,? \s+ | \b but \s+ | \b oh ,? \s+ | \b hmm ,? \s+ )
      (?:
            wait
          | actually
          | correction
          | scratch \s+ that
          | on \s+ second \s+ thought
          | sorry
          | apologies
          | my \s+ apologies
          | oops
          | let \s+ me \s+
            (?: re -? check | re -? do | re -? calculate | re -? consider | correct | fix )
      )
      \b
    | \b i \s+ (?:have \s+)? made \s+ an? \s+ (?:\w+ \s+){0,2} (?: mistake | error )
    | \b that (?: ['’] s | \s+ is | \s+ was ) \s+
      (?: wrong | incorrect | not \s+ (?: right | correct ) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
ABSTENTION = bounded(
    r"""
      \b
      (?:
            can \s? not
          | can ['’] t
          | could \s+ not
          | unable \s+ to
          | impossible \s+ to
          | not \s+ possible \s+ to
          | difficult \s+ to
      )
      \s+ (?:be \s+)? (?:\w+ \s+){0,2}
      (?:
            find
          | found
          | determine
          | determined
          | calculate
          | calculated
          | compute
          | computed
          | solve
          | solved
          | answer
          | answered
          | provide
          | give
          | given
          | say
          | tell
          | simplify
          | simplified
          | conclude
      )
      \b
    | \b
      (?:
            not \s+ enough
          | insufficient
          | not \s+ sufficient
          | missing
          | without \s+ (?: more | further | additional | knowing )
      )
      \s+ (?:\w+ \s+){0,2} (?: information | data | detail | the )
    | \b no \s+ (?:\w+ \s+){0,2} (?: solution | answer ) \b
    | \b there \s+ is \s+ no \s+ (?:\w+ \s+)? (?: tension | value | such | number )
    | \b does \s+ not \s+ (?: exist | have \s+ a \s+ solution )
    | \b (?: error | mistake | typo | inconsistency ) \s+ in \s+ the \s+
      (?: problem | question | given | options | statement )
    | \b problem \s+ statement \s+ (?: is | may \s+ be | might \s+ be ) \s+
      (?: wrong | incorrect | flawed )
    | \b
      (?:
            i \s+ (?: do \s+ not | don ['’] t ) \s+ know
          | not \s+ sure
          | i \s+ am \s+ not \s+ able
          | i ['’] m \s+ not \s+ able
          | undefined
          | indeterminate
          | infinity
          | infinite
      )
      \b
    | \\infty
    | ∞
    | \b this \s+ is \s+ (?: not \s+ possible | a \s+ contradiction | impossible )
    | \b none \s+ of \s+ (?: the | these ) \b (?!\s+ (?: others? | remaining | rest ) \b)
    | \b no \s+ option \b
    | \b not \s+ (?: one \s+ of | in | among | listed \s+ (?: in | among ) ) \s+ (?:the \s+)?
      (?: given \s+ | listed \s+ | provided \s+ | available \s+ )? (?: options | choices | answers )
    | \b does \s+ not \s+ match \s+ any \b
    | \b doesn ['’] t \s+ match \s+ any \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
CONCLUSION = bounded(
    r"""
      \b
      (?:
            therefore
          | thus
          | hence
          | so
          | consequently
          | accordingly
          | in \s+ conclusion
          | to \s+ conclude
          | as \s+ a \s+ result
          | finally
          | in \s+ summary
          | overall
          | this \s+ means
          | this \s+ gives
          | we \s+ (?: get | find | have | obtain | conclude )
      )
      \b
    | ∴
    | \\therefore
    """,
    re.IGNORECASE | re.VERBOSE,
)
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
        | \n [^\S\n]{0,12} [^\s=\n]{1,20} [^\S\n]{0,12} = [^\n]*
    )+
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A full stop ends a sentence unless it stands in a number or after an abbreviation.
SENTENCE_END = bounded(
    r"""
      (?<!\b approx) (?<!\b i \. e) (?<!\b e \. g) (?<!\b Eq) (?<!\b Fig) (?<!\b ca) (?<!\b vs)
      [.!?] (?: \*{1,3} | ['\"”’)\]$]{1,2} | \\ \) | \\ \] )? (?= \s | $ )
    | \n+
    | ; \s
    """,
    re.VERBOSE,
)


class OwnText(NamedTuple):
    """The part of a response that is read."""

    text: str
    head: int
    """Characters of the text that stand at the same place in the response."""
    shift: int
    """How much further right the others stand there."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return [start, end) in the response."""
        return (start, end) if start < self.head else (start + self.shift, end + self.shift)


def own_answer(response: str) -> OwnText:
    """Return the response up to where the model begins to ask itself another question, its thinking blanked out.

    A runaway response is read at its ends alone: an answer opens or closes it, and the time stays bounded.
    """
    thought = response.rfind("</think>")
    if thought >= 0 and response[thought + 8 :].strip():
        response = " " * (thought + 8) + response[thought + 8 :]
    match = NEXT_QUESTION.search(response, len(response) - len(response.lstrip()) + 1)
    text = response[: match.start()] if match and response[: match.start()].strip() else response
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return OwnText(text, len(text), 0)
    shift = len(text) - HEAD_CHARACTERS - TAIL_CHARACTERS - 1
    return OwnText(text[:HEAD_CHARACTERS] + "\n" + text[-TAIL_CHARACTERS:], HEAD_CHARACTERS, shift)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the sentences and lines of a text, blank ones left out."""
    start = 0
    for match in SENTENCE_END.finditer(text):
        if text[start : match.end()].strip():
            yield start, match.end()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


def boxes(text: str) -> list[tuple[int, int, int, int]]:
    """Return (start, content start, content end, end) of the last boxes; one that is cut off has no content and is left out."""
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
    """Yield (start, zone start, zone end) of every declared answer; the zone is what is declared, up to the end of its sentence."""
    for match in list((DECLARED_CHOICE if choices else DECLARED).finditer(text))[-MAX_STATEMENTS:]:
        if match[0].lower().startswith(FOREIGN):
            continue
        begin = match.end()
        while begin < len(text) and (text[begin].isspace() or text[begin] in "*_:"):
            begin += 1
        end_match = SENTENCE_END.search(text, begin)
        end = end_match.end() if end_match else len(text)
        # A display formula after "the answer is:" stands on lines of its own.
        opened = text[begin : begin + 2]
        if opened in ("\\[", "$$"):
            close = text.find("\\]" if opened == "\\[" else "$$", begin + 2, begin + 600)
            end = close + 2 if close >= 0 else min(len(text), begin + 600)
        if begin < end:
            yield match.start(), begin, min(end, begin + 600)


def without_givens(text: str) -> str:
    """Blank out what the response lists as given, position for position: a given is not an answer."""
    return GIVENS.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def retracted(text: str, start: int, end: int) -> bool:
    """Say whether the text between two statements takes the first one back."""
    return RETRACTION.search(text, start, end) is not None


class JsonAnswer(NamedTuple):
    """What a JSON-wrapped response holds."""

    answers: tuple[str, ...]
    """Values under an answer key, best key first."""
    leaves: tuple[tuple[str, str], ...]
    """All (key, value as text) pairs, in order."""


def text_of(value: object) -> str:
    """Return a leaf as text, LaTeX commands restored whose backslash JSON has swallowed."""
    if not isinstance(value, str):
        return json.dumps(value)
    return SWALLOWED.sub(lambda match: "\\" + {"\b": "b", "\f": "f", "\t": "t", "\r": "r"}[match[0]], value)


def walk(value: object, key: str, leaves: list[tuple[str, str]], depth: int = 0) -> None:
    """Collect the leaves of a JSON value; booleans and nulls state nothing."""
    if isinstance(value, dict) and depth < 20:
        for name, child in value.items():
            walk(child, str(name), leaves, depth + 1)
    elif isinstance(value, list) and value and all(isinstance(child, str | int | float) and len(str(child)) <= 20 for child in value):
        leaves.append((key, ", ".join(str(child) for child in value)))
    elif isinstance(value, list) and depth < 20:
        for child in value:
            walk(child, key, leaves, depth + 1)
    elif value is not None and not isinstance(value, bool):
        leaves.append((key, text_of(value)))


def unescape(text: str) -> str:
    """Decode a JSON string body leniently: an escape that JSON does not know keeps its backslash (LaTeX)."""
    simple = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "/": "/"}

    def decode(match: re.Match[str]) -> str:
        character = match[1]
        if character in "ntr" and re.match(r"[a-z]{2}", text[match.end() : match.end() + 2]):
            return match[0]
        return simple.get(character, match[0])

    return re.sub(r"\\(.)", decode, text, flags=re.DOTALL)


def read_json(response: str) -> JsonAnswer | None:
    """Read a response that is a JSON object, in a code fence or not, whole or broken; None for prose."""
    body = response.strip()
    fence = FENCE.search(body) if "```" in body else None
    if fence and fence[1].lstrip().startswith("{"):
        body = fence[1].strip()
    if not body.startswith("{"):
        opened = JSON_OPENED.search(body)
        if opened is None or (len(body) - opened.start() < len(body) // 2 and not body.endswith("}")):
            return None
        body = body[opened.start() :]
    if not body.startswith("{'") and not JSON_KEY.search(body):
        return None
    leaves: list[tuple[str, str]] = []
    try:
        parsed = ast.literal_eval(body) if body.startswith("{'") else json.JSONDecoder(strict=False, parse_constant=str).raw_decode(body)[0]
        walk(parsed, "", leaves)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        for match in list(JSON_KEY.finditer(body))[:200]:
            string = JSON_STRING.match(body, match.end())
            bare = JSON_BARE.match(body, match.end())
            if string:
                leaves.append((match[1], unescape(string[1])))
            elif bare and bare[0].strip():
                leaves.append((match[1], bare[0].strip()))
    if not leaves:
        return None
    ranked = sorted(
        (
            (ANSWER_KEYS.index(key.strip().lower()), -place, value)
            for place, (key, value) in enumerate(leaves)
            if key.strip().lower() in ANSWER_KEYS
        ),
    )
    return JsonAnswer(tuple(value for _, _, value in ranked), tuple(leaves))
