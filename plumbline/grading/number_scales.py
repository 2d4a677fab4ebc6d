"""Read the scale words after a number: "5 million", "5 hundred thousand". Pure."""

import re

from plumbline.grading.patterns import bounded

# "5 million", "$5$ million", "5 \\text{ million J}"
SAME_LINE = r"(?:[ \t]|\\[,;:! ]|~){0,12}"
SCALE = bounded(
    rf"""
    (?: {SAME_LINE} \$? {SAME_LINE} | - ) (?:\\ (?: text | mathrm ) \{{ [ \t]{{0,4}})?
    ( hundred | thousand | million | billion | trillion | lakh | crore )
    s? (?![A-Za-z])
    """,
    re.IGNORECASE | re.VERBOSE,
)
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "lakh": 1e5, "crore": 1e7}
MAX_SCALES = 3


def read_scale(text: str, end: int) -> tuple[float, int]:
    """Return the factor of the scale words after a number ("5 hundred thousand"), and where they end."""
    scale = 1.0
    for _ in range(MAX_SCALES):
        word = SCALE.match(text, end)
        if word is None:
            break
        scale, end = scale * SCALES[word[1].lower()], word.end()
    return scale, end
