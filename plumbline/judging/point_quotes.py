"""Whether a judge's quote is in the answer. Pure."""

import json
import re
import unicodedata

LEAST_CHARACTERS = 2
"""Fewest letters and digits of a quote: a shorter one is in nearly every answer."""
# A judge that copies by hand changes these marks without a change of meaning.
MARKS = str.maketrans(
    dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("‘’‚‛‹›′´", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("*_`\u00ad\u200b\u2060\ufeff", "")
)


def plain(text: str) -> str:
    """The text in the form for comparing quotes: one kind of quotation mark, dash and space, no capitals, no Markdown emphasis."""
    folded = unicodedata.normalize("NFKC", text.translate(MARKS)).translate(MARKS).casefold()
    return re.sub(r"\s+", " ", folded).strip()


def _unescaped(quote: str) -> str:
    """The quote read as the inside of a JSON string, with escapes; unchanged if it cannot be read so."""
    try:
        return json.loads('"' + re.sub(r'(?<!\\)"', r"\"", quote) + '"', strict=False)
    except ValueError:
        return quote


def is_quoted(quote: str, answer: str) -> bool:
    """Whether a quote is an unbroken stretch of the answer, both read by `plain`, and is not empty.

    Quotation marks around the whole quote belong to the judge. It sees the answer as JSON, and may copy its escapes.
    """
    text = plain(answer)
    for copied in dict.fromkeys((quote, _unescaped(quote))):
        wanted = plain(copied).strip("\"' ")
        if sum(character.isalnum() for character in wanted) >= LEAST_CHARACTERS and wanted in text:
            return True
    return False
