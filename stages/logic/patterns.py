"""Compile patterns whose time stays bounded on any text. Pure."""

import re

LONGEST_GAP = 12


def bounded(source: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a pattern in which white space may run only so long.

    Two gaps side by side are quadratic on a long run of blanks, three are cubic, and models do emit such runs. Nobody
    writes more than a dozen blanks inside a phrase.
    """
    return re.compile(source.replace(r"\s*", rf"\s{{0,{LONGEST_GAP}}}").replace(r"\s+", rf"\s{{1,{LONGEST_GAP}}}"), flags)
