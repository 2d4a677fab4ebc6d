"""Blocks of a text that a program writes: between `<!-- numbers: NAME -->` and `<!-- end of numbers -->`. Pure."""

import re
from collections.abc import Mapping

BLOCK = re.compile(r"(<!-- numbers: (?P<name>[\w-]+) -->\n)(?P<content>.*?)(<!-- end of numbers -->)", re.DOTALL)


def filled(text: str, content: Mapping[str, str]) -> str:
    """The text with each of its blocks written again. ValueError for a block without a writer."""

    def block(match: re.Match[str]) -> str:
        if match["name"] not in content:
            raise ValueError(
                f"nothing writes the block {match['name']!r}; there is content for {sorted(content)}. Fix its name, or add a writer."
            )
        return f"{match[1]}{content[match['name']]}{match[4]}"

    return BLOCK.sub(block, text)
