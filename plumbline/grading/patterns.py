"""Compile patterns whose time stays bounded on any text. Pure."""

import re

LONGEST_GAP = 12
# Not in a character class, where the star is a star.
GAP = re.compile(r"(?<!\[)(?<!\[\^)\\s([*+])")


def bounded(source: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a pattern in which white space may run only so long.

    Two gaps side by side are quadratic on a long run of blanks, three are cubic, and models do emit such runs. No one
    writes more than a dozen blanks inside a phrase.
    """
    short = GAP.sub(lambda match: rf"\s{{{'0' if match[1] == '*' else '1'},{LONGEST_GAP}}}", source)
    return re.compile(short, flags)
