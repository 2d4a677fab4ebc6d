"""Find the formula that a response commits to, and read it into a tree. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from plumbline.grading.answer_targets import right_side, undelimited
from plumbline.grading.answer_zones import Cleaned, Zone, zones
from plumbline.grading.formula_readings import readings, without_plain_unit
from plumbline.grading.formula_spans import stated
from plumbline.grading.formula_tokens import FUNCTIONS, GREEK
from plumbline.grading.formula_trees import Tree
from plumbline.grading.patterns import bounded

# "mgh, where m is the mass": the explanation of symbols is not part of the formula.
EXPLAINED = bounded(
    r"(?: \s* [,;(]? \s* (?: where | with | if | when | for | and \s | so \s | which ) \b | ,\s | \.\s | ;\s ) .* $", re.VERBOSE | re.DOTALL
)
NAMES = FUNCTIONS | GREEK
SAYS_NOTHING = frozenset({"none", "no", "not", "yes", "the", "is", "it", "zero", "true"})
EDGES = " \t\n.,;:!*\\"


class Read(NamedTuple):
    """A formula that was read."""

    trees: tuple[Tree, ...]
    """One tree for every way in which it may be meant."""
    written: str
    zone: Zone


def is_prose(written: str) -> bool:
    """Whether a text is words: read letter by letter, "I do not know" would be a product."""
    words = [word for word in written.split() if word.isalpha() and len(word) > 1 and word not in NAMES]
    return len(words) > 1 or any(word.lower() in SAYS_NOTHING for word in words)


def candidates(place: Zone) -> Iterator[str]:
    """Yield the texts of a zone that may be its formula, the likeliest first."""
    zone = place.text
    if (span := stated(zone, is_declared=place.tier not in ("whole", "last_line"))) is not None:
        yield right_side(span)
    yield right_side(undelimited(zone.strip(EDGES[:-1])))
    yield right_side(undelimited(EXPLAINED.sub("", zone.strip()).strip(EDGES[:-1])))
    yield right_side(undelimited(EXPLAINED.sub("", right_side(zone.strip())).strip(EDGES[:-1])))


def find_formula(read: Cleaned) -> Read | None:
    """The formula that the response commits to; None if none of its places holds a readable formula."""
    for zone in zones(read):
        for written in candidates(zone):
            if is_prose(without_plain_unit(written)):
                continue
            try:
                trees = readings(written)
            except ValueError:
                continue
            return Read(trees, written, zone)
    return None
