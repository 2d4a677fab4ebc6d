"""Read the values that a response states outright: alone, in a box, or as "the answer is ...". Pure."""

import re
from enum import StrEnum
from typing import NamedTuple

from plumbline.grading.answer_phrases import retracted
from plumbline.grading.answer_regions import boxes, declarations, headings, sentences
from plumbline.grading.latex_commands import WRAPPERS
from plumbline.grading.number_words import word_quantity
from plumbline.grading.numeric_target import Target, agree, fits, quantities_in
from plumbline.grading.patterns import bounded
from plumbline.grading.quantities import Quantity

SUBORDINATE = bounded(
    r"""
    (?: \s | , | ; | \( )
    (?:
          when
        | if
        | where
        | because
        | since
        | as
        | given
        | for
        | with
        | using
        | assuming
        | while
        | whereas
        | from
        | rounded
        | correct
        | to \s+ \w+ \s+ (?: significant | decimal )
    )
    \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "12 N or about 15 N".
ALTERNATIVE = bounded(
    r"""
    ^ [\s,;$)}\]]* (?:\\text \{)? \s* (?: or | and ) \b [\s}]*
    (?:
          it \s+ (?: is | could \s+ be ) \s+
        | \\? [A-Za-z] \w{0,4} \s* (?: = | ≈ ) \s*
        | about \s+
        | approximately \s+
        | possibly \s+
        | maybe \s+
        | perhaps \s+
        | [$(\\{]*
    )*
    $
    """,
    re.IGNORECASE | re.VERBOSE,
)
LIST = bounded(r"^[\s$}]{0,6}[,;][\s${]{0,6}(?:\\?[A-Za-z]\w{0,4}\s*(?:=|≈)\s*)?$")
# "with m = 3 kg": a given, not a result.
GIVEN = bounded(
    r"""
    \b
    (?: with | where | given (?:\s+ that)? | let | assuming | taking | if | when )
    \s+ (?: the \s+ | a \s+ )? [\w\\{}_ ]{1,20} (?: = | \b is \b | \b of \b ) \s* \$? $
    """,
    re.IGNORECASE | re.VERBOSE,
)
NEGATED = bounded(r"^(?:not\b|n['’]t\b|neither\b)", re.IGNORECASE)
# "your answer should be a positive number": an instruction, not an answer.
HYPOTHETICAL = bounded(
    r"""
    \b (?: the | an? | your | my | our | this ) \s+ (?:final \s+)? answer \s+
    (?: should | must | will | is \s+ to ) \s+ be \s+
    (?: a | an | in | non | positive | negative | given | expressed | rounded | correct | reported )
    """,
    re.IGNORECASE | re.VERBOSE,
)


# Text that may surround a quantity in a response that is only a quantity.
OPENING = bounded(
    rf"""
      [\s$*_`\"'“‘«(\[{{≈~] | \\ [(\[,] | \\ (?: left | {WRAPPERS} | (?: approx | simeq | sim | cong ) (?![A-Za-z]) )
    | \b (?: about | around | approximately | roughly | exactly | approx \.? | ca \.? )
    """,
    re.VERBOSE,
)
CLOSING = bounded(rf"[\s$*_`\"'”’»)}}\].] | \\ [)\],] | \\ right | \\ {WRAPPERS}", re.VERBOSE)


class NumericTier(StrEnum):
    """The rule that read a value."""

    WHOLE = "whole"
    """The response is only a quantity."""
    LEADING = "leading"
    """Its first line or sentence is only a quantity."""
    JSON = "json"
    BOXED = "boxed"
    DECLARED = "declared"
    """ "The answer is 12 N"."""
    CONCLUDED = "concluded"
    """Stated in one of the last sentences."""
    DIMENSION = "dimension"
    """The last quantity of the target's dimension in the last sentence."""
    ONLY = "only"
    """The only number of a response of one sentence."""


class Candidate(NamedTuple):
    """One statement of a final value."""

    values: tuple[Quantity, ...]
    """Several values are alternatives; the statement does not choose between them."""
    tier: NumericTier
    place: int
    """Where the statement starts in the analysed text."""


def choose(
    text: str, quantities: list[Quantity], target: Target, relative: float, *, declared: bool, stated_only: bool = False
) -> tuple[Quantity, ...]:
    """Return the value of a statement: one quantity, several undecided ones, or none."""
    stated = [quantity for quantity in quantities if quantity.asserted]
    if target.unit is not None:
        stated = [
            quantity
            for quantity in stated
            if fits(quantity, target) or not GIVEN.search(text[max(0, quantity.start - 60) : quantity.start])
        ]
    if stated:
        # "is 12 N when the mass is 3 kg": the value in the subordinate clause was given, not found.
        first = next((quantity for quantity in stated if fits(quantity, target)), stated[0])
        cut = SUBORDINATE.search(text, first.end)
        stated = [quantity for quantity in stated if quantity.start <= first.start or cut is None or quantity.start < cut.start()]
        chosen = [quantity for quantity in stated if fits(quantity, target)] or stated
        last = chosen[-1]
    elif stated_only or not quantities:
        return ()
    elif declared:
        last = next((quantity for quantity in reversed(quantities) if fits(quantity, target)), quantities[-1])
    else:
        fitting = [quantity for quantity in quantities if fits(quantity, target)]
        if not fitting and len(quantities) > 1:
            return ()
        last = (fitting or quantities)[-1]
    return with_alternatives(text, quantities, last, target, relative)


def with_alternatives(text: str, quantities: list[Quantity], chosen: Quantity, target: Target, relative: float) -> tuple[Quantity, ...]:
    """Add the quantities that "or", "and" or a comma joins to the chosen one, if they differ from it."""
    place = quantities.index(chosen)
    others: list[Quantity] = []
    for step in (-1, 1):
        here = place
        while 0 <= here + step < len(quantities):
            left, right = sorted((quantities[here], quantities[here + step]), key=lambda quantity: quantity.start)
            gap = text[left.end : right.start]
            joined = ALTERNATIVE.match(gap) or LIST.match(gap)
            if not joined or (
                target.unit is not None and quantities[here + step].unit is not None and not fits(quantities[here + step], target)
            ):
                break
            here += step
            others.append(quantities[here])
    differing = [other for other in others if not agree(other, chosen, target, relative)]
    return (*differing, chosen)


def whole(text: str, target: Target, relative: float) -> Candidate | None:
    """Read a response that is only a quantity."""
    line = text.strip()
    if not line or len(line) > 200:
        return None
    opening = len(text) - len(text.lstrip())
    quantities = quantities_in(text, target, at_start_asserted=True)
    if quantities and quantities[0].asserted:
        first, last = quantities[0], quantities[-1]
        before, after = OPENING.sub("", text[opening : first.start]), CLOSING.sub("", text[last.end :])
        if not before and not after:
            values = with_alternatives(text, quantities, last, target, relative)
            if len(values) == len(quantities) or len(quantities) == 1:
                return Candidate(values, NumericTier.WHOLE, opening)
    word = word_quantity(text)
    if word and not text[word.end :].strip(" .\n"):
        return Candidate((word,), NumericTier.WHOLE, opening)
    return None


def leading(text: str, target: Target, relative: float) -> list[Candidate]:
    """Read a first line or sentence that is only a quantity: the answer comes first, then its explanation."""
    first = next(sentences(text), None)
    if first is None or not text[first[1] :].strip():
        return []
    candidate = whole(text[: first[1]], target, relative)
    # "1." begins a list.
    if candidate is None or (candidate.values[-1].unit is None and not text[: first[1]].endswith("\n")):
        return []
    return [candidate._replace(tier=NumericTier.LEADING)]


def boxed(text: str, target: Target, relative: float) -> list[Candidate]:
    """Read every box. A box without a number is also a candidate: the response commits to something that is not a number."""
    found: list[Candidate] = []
    for start, inner, close_at, end in boxes(text):
        content = text[inner:close_at]
        quantities = quantities_in(content, target, at_start_asserted=True)
        moved = [quantity._replace(start=quantity.start + inner, end=quantity.end + inner) for quantity in quantities]
        if len(moved) == 1 and moved[0].unit is None and not content[quantities[0].end :].strip(" $}"):
            # \boxed{5} \times 10^3 N: the rest of the quantity is outside the box.
            outside = quantities_in(content + text[end : end + 80], target, at_start_asserted=True)
            if outside and outside[0].start == quantities[0].start:
                moved = [outside[0]._replace(start=moved[0].start, end=end + max(0, outside[0].end - len(content)))]
            else:
                moved = [] if re.match(r"\s*(?:\\cdot|\\times|[*×·/^])", text[end : end + 20]) else moved
            shifted = [quantity._replace(asserted=True) for quantity in moved]
            found.append(Candidate(tuple(shifted), NumericTier.BOXED, start))
            continue
        found.append(Candidate(choose(text, moved, target, relative, declared=True), NumericTier.BOXED, start))
    return found


def declared(text: str, target: Target, relative: float) -> list[Candidate]:
    """Read every "the answer is ...", and every heading "Answer" with only a quantity below it."""
    found: list[Candidate] = []
    for start, begin, end in declarations(text):
        zone = text[begin:end]
        if NEGATED.match(zone) or HYPOTHETICAL.search(text, max(0, start - 20), end):
            continue
        quantities = quantities_in(zone, target, at_start_asserted=True)
        word = word_quantity(zone) if not quantities else None
        if word:
            quantities = [word]
        moved = [quantity._replace(start=quantity.start + begin, end=quantity.end + begin) for quantity in quantities]
        found.append(Candidate(choose(text[:end], moved, target, relative, declared=True), NumericTier.DECLARED, start))
    for start, begin, end in headings(text):
        candidate = whole(text[begin:end], target, relative)
        if candidate:
            moved = [value._replace(start=value.start + begin, end=value.end + begin) for value in candidate.values]
            found.append(Candidate(tuple(moved), NumericTier.DECLARED, start))
    return found


def explicit(text: str, target: Target, relative: float) -> Candidate | None:
    """Return the last explicit statement (boxed or declared), with every earlier one that contradicts it and was not taken back."""
    statements = sorted(
        (*leading(text, target, relative), *boxed(text, target, relative), *declared(text, target, relative)),
        key=lambda statement: statement.place,
    )
    # "Final answer: \boxed{5}" is one statement; the inner one reads it.
    statements = [
        statement
        for number, statement in enumerate(statements)
        if statement.values or not (number + 1 < len(statements) and statements[number + 1].place - statement.place < 60)
    ]
    if not statements:
        return None
    last = statements[-1]
    if not last.values:
        return last
    contradicting: list[Quantity] = []
    for statement in statements[:-1]:
        for value in statement.values:
            taken_back = retracted(text, value.end, last.values[-1].start) or re.search(
                r"\bround", text[value.end : last.values[-1].start], re.IGNORECASE
            )
            if value.start < last.place and not taken_back and not agree(value, last.values[-1], target, relative):
                contradicting.append(value)
    return last._replace(values=(*contradicting, *last.values))
