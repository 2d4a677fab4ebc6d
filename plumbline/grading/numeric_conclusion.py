"""Read the value that the last sentences conclude with, where no answer is declared. Pure."""

import re

from plumbline.grading.answer_phrases import ABSTENTION, CONCLUSION
from plumbline.grading.answer_regions import sentences
from plumbline.grading.numeric_statements import Candidate, NumericTier, choose
from plumbline.grading.numeric_target import Target, fits
from plumbline.grading.quantities import find_quantities

# How far back an undeclared answer is looked for, and how much of one sentence is read.
MAX_CONCLUSION_CHARACTERS = 5_000
MAX_SENTENCE_CHARACTERS = 1_000


def concluded(text: str, target: Target, relative: float) -> Candidate | None:
    """Read the last sentences backwards: the last that states a value, unless a later one concludes without any."""
    spans = list(sentences(text))
    budget = MAX_CONCLUSION_CHARACTERS
    mismatch: Candidate | None = None
    for distance, (start, end) in enumerate(reversed(spans)):
        start = max(start, end - MAX_SENTENCE_CHARACTERS)
        budget -= end - start
        if budget < 0:
            return mismatch
        sentence = text[start:end]
        if distance < 3 and ABSTENTION.search(sentence):
            return mismatch or Candidate((), NumericTier.CONCLUDED, start)
        quantities = [quantity._replace(start=quantity.start + start, end=quantity.end + start) for quantity in find_quantities(sentence)]
        concluding = CONCLUSION.search(sentence) is not None
        if distance >= 6 and target.unit is None:
            return mismatch
        if distance >= 2 and not concluding and target.unit is not None:
            quantities = [quantity for quantity in quantities if fits(quantity, target)]
        values = choose(text[:end], quantities, target, relative, declared=False, stated_only=not concluding)
        if values and (concluding or target.unit is None or values[-1].unit is None or fits(values[-1], target)):
            return Candidate(values, NumericTier.CONCLUDED, start)
        # "Note: the efficiency is 50 %" after the answer: it counts only where no sentence before states a fitting value.
        mismatch = mismatch or (Candidate(values, NumericTier.CONCLUDED, start) if values else None)
        if concluding and distance > 0 and re.search(r"\b(?:therefore|thus|hence)\b", sentence, re.IGNORECASE) and target.unit is None:
            return Candidate((), NumericTier.CONCLUDED, start)
    return mismatch


def fallback(text: str, target: Target) -> Candidate | None:
    """Read the last quantity of the target's dimension in the last sentence, or the only number of a one-sentence response."""
    spans = list(sentences(text))
    if not spans:
        return None
    start, end = max(spans[-1][0], spans[-1][1] - MAX_SENTENCE_CHARACTERS), spans[-1][1]
    quantities = [
        quantity._replace(start=quantity.start + start, end=quantity.end + start) for quantity in find_quantities(text[start:end])
    ]
    fitting = [quantity for quantity in quantities if fits(quantity, target)]
    if fitting:
        return Candidate((fitting[-1],), NumericTier.DIMENSION, fitting[-1].start)
    if len(quantities) == 1 and len(spans) == 1 and target.unit is None:
        return Candidate((quantities[0],), NumericTier.ONLY, quantities[0].start)
    return None
