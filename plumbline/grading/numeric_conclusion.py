"""Read the value with which the last sentences conclude, if no answer is declared. Pure."""

import re

from plumbline.grading.answer_phrases import ABSTENTION, CONCLUSION
from plumbline.grading.answer_regions import sentences
from plumbline.grading.numeric_statements import Candidate, NumericTier, choose, whole
from plumbline.grading.numeric_target import Target, fits, quantities_in
from plumbline.grading.patterns import bounded
from plumbline.grading.quantities import Quantity

# How far back to look for an undeclared answer, and how much of a sentence to read.
MAX_CONCLUSION_CHARACTERS = 5_000
MAX_SENTENCE_CHARACTERS = 1_000
MAX_LAST_LINE_CHARACTERS = 120
EXPLAINS = bounded(r"\W* (?: where | here | in \s+ which | with ) \b", re.IGNORECASE | re.VERBOSE)
RECALLS = bounded(
    r"""
    \W* (?: note (?:\s+ that)? | recall (?:\s+ that)? | remember (?:\s+ that)? | using | we \s+ (?:have \s+)? used | since | because | as | by \s+ definition ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "1 J = 1 N m"
IDENTITY = bounded(r"(?<![\d.,]) 1 (?: \. 0+ )? (?![\d.,]) [^=\n]{1,40} =", re.VERBOSE)


def concluded(text: str, target: Target, relative: float) -> Candidate | None:
    """Read the last sentences backwards: the last one that states a value counts, unless a later one concludes without a value."""
    spans = list(sentences(text))
    budget = MAX_CONCLUSION_CHARACTERS
    mismatch: Candidate | None = None
    bare = last_line(text, target, relative)
    if bare and (target.unit is None or fits(bare.values[-1], target)):
        return bare
    for distance, (start, end) in enumerate(reversed(spans)):
        start = max(start, end - MAX_SENTENCE_CHARACTERS)
        budget -= end - start
        if budget < 0:
            return mismatch or bare
        sentence = text[start:end]
        if distance < 3 and ABSTENTION.search(sentence):
            return mismatch or Candidate((), NumericTier.CONCLUDED, start)
        quantities = [
            quantity._replace(start=quantity.start + start, end=quantity.end + start) for quantity in quantities_in(sentence, target)
        ]
        concluding = CONCLUSION.search(sentence) is not None
        if distance >= 6 and target.unit is None:
            return mismatch or bare
        if distance >= 2 and not concluding and target.unit is not None:
            quantities = [quantity for quantity in quantities if fits(quantity, target)]
        quantities = without_identity(sentence, start, quantities)
        if is_definition(sentence) and distance < len(spans) - 1:
            # It counts only if no sentence before it states a value.
            later = choose(text[:end], quantities, target, relative, declared=False, stated_only=True)
            mismatch = mismatch or (Candidate(later, NumericTier.CONCLUDED, start) if later else None)
            continue
        values = choose(text[:end], quantities, target, relative, declared=False, stated_only=not concluding)
        if values and (concluding or target.unit is None or values[-1].unit is None or fits(values[-1], target)):
            return Candidate(values, NumericTier.CONCLUDED, start)
        # "Note: the efficiency is 50 %" after the answer counts only if no sentence before it states a fitting value.
        mismatch = mismatch or (Candidate(values, NumericTier.CONCLUDED, start) if values else None)
        if concluding and distance > 0 and re.search(r"\b(?:therefore|thus|hence)\b", sentence, re.IGNORECASE) and target.unit is None:
            return bare or Candidate((), NumericTier.CONCLUDED, start)
    return mismatch or bare


def last_line(text: str, target: Target, relative: float) -> Candidate | None:
    """Read a last line that is only a quantity, below lines with more text: this is the answer without any words."""
    body = text.rstrip()
    opened = next((mark for end, mark in (("\\]", "\\["), ("$$", "$$")) if body.endswith(end)), None)
    start = body.rfind(opened, 0, len(body) - 2) if opened else body.rfind("\n") + 1
    if start <= 0 or len(body) - start > MAX_LAST_LINE_CHARACTERS or (opened and not body[:start].rstrip(" \t").endswith("\n")):
        return None
    above = body[:start].rstrip()
    candidate = whole(body[start:], target, relative)
    if not above or candidate is None or len(candidate.values) != 1 or whole(above[above.rfind("\n") + 1 :], target, relative):
        # Several bare lines are a list, and a list does not choose.
        return None
    value = candidate.values[0]
    return Candidate((value._replace(start=value.start + start, end=value.end + start),), NumericTier.CONCLUDED, start)


def without_identity(sentence: str, start: int, quantities: list[Quantity]) -> list[Quantity]:
    """Leave out what a sentence recalls at its beginning: "using 1 hp = 746 W, P = 1492 W"."""
    recalled = IDENTITY.search(sentence) if RECALLS.match(sentence) else None
    comma = sentence.find(",", recalled.end()) if recalled else -1
    return [quantity for quantity in quantities if quantity.start >= start + comma] if comma >= 0 else quantities


def is_definition(sentence: str) -> bool:
    """Say whether a sentence explains what was used ("where we used 1 J = 1 N m", "here g is 9.8 m/s²")."""
    if EXPLAINS.match(sentence):
        return True
    return (RECALLS.match(sentence) is not None or sentence.lstrip().startswith("(")) and IDENTITY.search(sentence) is not None


def fallback(text: str, target: Target) -> Candidate | None:
    """Read the last quantity of the target's dimension in the last sentence, or the only number of a one-sentence response."""
    spans = list(sentences(text))
    if not spans:
        return None
    start, end = max(spans[-1][0], spans[-1][1] - MAX_SENTENCE_CHARACTERS), spans[-1][1]
    quantities = [
        quantity._replace(start=quantity.start + start, end=quantity.end + start) for quantity in quantities_in(text[start:end], target)
    ]
    fitting = [quantity for quantity in quantities if fits(quantity, target)]
    if fitting:
        return Candidate((fitting[-1],), NumericTier.DIMENSION, fitting[-1].start)
    if len(quantities) == 1 and len(spans) == 1 and target.unit is None:
        return Candidate((quantities[0],), NumericTier.ONLY, quantities[0].start)
    return None
