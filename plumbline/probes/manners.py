"""Remove what may surround an answer before it is checked: a polite opening and closing, quotes, stars or a code fence. Pure."""

import re

OPENING = re.compile(
    r"""
    ^ (?:
        (?: sure | certainly | of[ ]course | absolutely | okay | ok | gladly | no[ ]problem | great[ ]question | i'd[ ]be[ ]happy[ ]to[ ]help )
        [^\n:.!]{0,80} [:.!,] \s*
      )?
      (?: (?: here (?:'s | ’s | [ ]is | [ ]are ) | below[ ] (?: is | are ) | this[ ]is | the[ ] (?: answer | sentence | list | title ) [ ] (?: is | are ) ) [^\n:]{0,120} : \s* )?
    """,
    re.IGNORECASE | re.VERBOSE,
)
LABEL = re.compile(r"^[^\n{\"<]{1,120}:[*]{0,2}[ \t]*\n+")
"""A first line that only announces the answer."""
CLOSING = re.compile(
    r"""
    \n \s* (?: please[ ] )?
    (?: let[ ]me[ ]know | i[ ]hope | hope[ ]this | feel[ ]free | is[ ]there[ ]anything | if[ ]you[ ] (?: need | have | would | want )
      | would[ ]you[ ]like | do[ ]you[ ]want | note[ ]that | note: )
    [^\n]* \s* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
BLOCK = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?```", re.DOTALL)
QUOTED = re.compile(r'^[^"“”\n]{0,60}["“](?P<inside>[^"“”]+)["”][.!]?$')
"""A few words, then the answer in quotation marks at the very end."""
FENCE = re.compile(r"^```[\w+-]*[ \t]*\n(?P<inside>.*?)\n?```$", re.DOTALL)
PAIRS = (("**", "**"), ("*", "*"), ("`", "`"), ('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"), ("«", "»"), ("„", "“"), ("「", "」"))


def unwrapped(text: str) -> str:
    """The text without one pair of marks around all of it."""
    if (fence := FENCE.match(text)) is not None:
        return fence["inside"].strip()
    for first, last in PAIRS:
        if len(text) > len(first) + len(last) and text.startswith(first) and text.endswith(last):
            inside = text[len(first) : -len(last)]
            if first not in inside and last not in inside:
                return inside.strip()
    return text


def plain(text: str) -> str:
    """The text without a polite opening and closing; the text itself if nothing would be left."""
    bare = CLOSING.sub("", text).strip()
    bare = bare[OPENING.match(bare).end() :]  # type: ignore[union-attr]  # it also matches the empty text
    bare = LABEL.sub("", bare, count=1).strip()
    return bare or text


def readings(response: str) -> list[str]:
    """The response as it is, then without the text around the answer. An answer is right if one of these is right."""
    whole = response.strip()
    bare = plain(whole)
    found = [whole, unwrapped(whole), bare, unwrapped(bare), unwrapped(unwrapped(bare))]
    blocks = {block.strip() for block in BLOCK.findall(whole)}
    if len(blocks) == 1:  # the same block twice is one answer; two different ones are no answer
        found += blocks
    if (quoted := QUOTED.match(bare)) is not None:
        found.append(quoted["inside"].strip())
    return list(dict.fromkeys(text for text in found if text))
