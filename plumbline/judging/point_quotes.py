"""Whether a judge's quote stands in the answer. Pure."""

import json
import re
import unicodedata

LEAST_CHARACTERS = 2
"""Letters and digits of a quote: fewer stand in any answer."""
# A judge that copies by hand changes these, and no meaning with them.
MARKS = str.maketrans(
    dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("‘’‚‛‹›′´", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("*_`\u00ad\u200b\u2060\ufeff", "")
)


def plain(text: str) -> str:
    """The text as quotes are compared: one kind of quotation mark, of dash and of space, no capitals, no Markdown emphasis."""
    folded = unicodedata.normalize("NFKC", text.translate(MARKS)).translate(MARKS).casefold()
    return re.sub(r"\s+", " ", folded).strip()


def _unescaped(quote: str) -> str:
    """The quote as if it were copied from inside of a JSON string, escapes and all; itself where it could not be."""
    try:
        return json.loads('"' + re.sub(r'(?<!\\)"', r"\"", quote) + '"', strict=False)
    except ValueError:
        return quote


def is_quoted(quote: str, answer: str) -> bool:
    """Whether a quote is an unbroken stretch of the answer, both read by `plain`, and says something at all.

    Marks of quotation around the whole quote are the judge's own. The judge sees the answer as JSON, and may copy its escapes.
    """
    text = plain(answer)
    for copied in dict.fromkeys((quote, _unescaped(quote))):
        wanted = plain(copied).strip("\"' ")
        if sum(character.isalnum() for character in wanted) >= LEAST_CHARACTERS and wanted in text:
            return True
    return False
