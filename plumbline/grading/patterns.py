"""Compile patterns with a bounded time on any text. Pure."""

import re

LONGEST_GAP = 12
# Not in a character class: there, the star is a plain star.
GAP = re.compile(r"(?<!\[)(?<!\[\^)\\s([*+])")


def bounded(source: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a pattern with a limit for the length of white space.

    Two gaps side by side take quadratic time on a long run of blanks, three take cubic time, and models do write such runs.
    No one writes more than a dozen blanks inside a phrase.
    """
    short = GAP.sub(lambda match: rf"\s{{{'0' if match[1] == '*' else '1'},{LONGEST_GAP}}}", source)
    return re.compile(short, flags)
