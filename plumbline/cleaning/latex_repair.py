"""Restore LaTeX commands that lost their backslash to a JSON or Python escape (`\\frac` became form feed + `rac`). Pure."""

import re
from typing import NamedTuple

# What follows the swallowed character, for commands that leave no other reading. Form feed, backspace, bell and
# vertical tab never belong in text, so any command name counts there. Tabs and line breaks do belong in text, so a
# remainder counts there only if it does not begin a word.
ANYWHERE = {
    "\f": ("f", r"(?:rac|orall|lat|ootnotesize|box|rown)(?![A-Za-z])"),
    "\b": (
        "b",
        r"(?:eta|ar|egin|f|matrix|inom|oxed|igl?|igg?r?|igr|ullet|ot|mod|oldsymbol|ecause|ackslash|igcirc|reve|race|igoplus|igtriangleup)(?![A-Za-z])",
    ),
    "\a": ("a", r"(?:lpha|pprox|pproxeq|ngle|st|cute|rcsin|rccos|rctan|leph|rray|malg|symp|rg)(?![A-Za-z])"),
    "\v": ("v", r"(?:ec|arphi|artheta|arepsilon|dots|ee|space|arrho|arsigma|ert|phantom|artriangle)(?![A-Za-z])"),
    "\r": ("r", r"(?:ho|ight|ightarrow|ightharpoonup|angle|ceil|floor|m(?=\s*\{))(?![A-Za-z])"),
    "\t": (
        "t",
        r"(?:ext(?:bf|it|rm|sf|tt|sc|normal|style)?(?=\s*\{)|imes|heta|herefore|riangle(?:q|left|right)?|hinspace|anh|extstyle"
        r"|(?:ilde|frac|binom|ag)(?=\s*\{)|an(?=[({\\^_$\d])|au(?=[_^{\\$]))(?![A-Za-z])",
    ),
    "\n": ("n", r"(?:abla|otin|earrow|onumber|subseteq|supseteq|leftarrow|rightarrow)(?![A-Za-z])"),
}
# Elsewhere these are ordinary words or letters of formulas; between two dollar signs on one line they are commands. A form feed,
# backspace, bell or vertical tab there is always a command, whatever its name (`$\\force$` is not LaTeX, but it was written).
IN_MATHS = {
    "\t": ("t", r"(?:o|op|an|au|ext)(?![A-Za-z])"),
    "\n": ("n", r"(?:u|e|eq|ot|i|geq|leq|eg|exists)(?![A-Za-z])"),
    **{control: (letter, "(?=[A-Za-z])") for control, letter in (("\f", "f"), ("\b", "b"), ("\a", "a"), ("\v", "v"))},
}
SWALLOWED = {control: (letter, re.compile(rest)) for control, (letter, rest) in ANYWHERE.items()}
SWALLOWED_IN_MATHS = {control: (letter, re.compile(rest)) for control, (letter, rest) in IN_MATHS.items()}
CONTROLS = re.compile(r"[\a\b\t\n\v\f\r]")
NEVER_IN_TEXT = "\a\b\v\f"
NEVER_TEXT = re.compile(rf"[{NEVER_IN_TEXT}](?=[A-Za-z_])")
NAME_OR_AMOUNT = re.compile(r"[A-Za-z0-9_{(]")
AMOUNT = re.compile(r"\s?\d")
AMOUNT_BEFORE = re.compile(r"\d\s?$")
SUSPECT = re.compile(r"\t(?:ext|o|op|an|au)(?![A-Za-z])")


class LatexRepair(NamedTuple):
    """Outcome of one repair."""

    text: str
    num_restored: int
    suspect: bool
    """A remainder with more than one reading was left unchanged."""
    unrestored: bool
    """A control character is left from a swallowed command with an unknown name: the text must not be kept."""


def restore_swallowed(text: str) -> LatexRepair:
    """Restore the backslash and letter of swallowed commands if one reading exists; leave everything else alone."""
    if text.isprintable():  # then it holds none of the characters that a swallowed command leaves
        return LatexRepair(text, 0, suspect=False, unrestored=False)
    pieces: list[str] = []
    start = num_restored = 0
    for match in CONTROLS.finditer(text):
        letter, rest = SWALLOWED[match[0]]
        found = rest.match(text, match.end()) is not None
        if not found and match[0] in SWALLOWED_IN_MATHS:
            letter, rest = SWALLOWED_IN_MATHS[match[0]]
            found = rest.match(text, match.end()) is not None and between_dollars(text, match.start())
        if found:
            pieces += [text[start : match.start()], "\\", letter]
            start = match.end()
            num_restored += 1
    restored = "".join([*pieces, text[start:]]) if pieces else text
    suspect = "\t" in restored and SUSPECT.search(restored) is not None
    unrestored = any(control in restored for control in NEVER_IN_TEXT) and NEVER_TEXT.search(restored) is not None
    return LatexRepair(restored, num_restored, suspect, unrestored)


def between_dollars(text: str, position: int) -> bool:
    """Whether a position lies in inline maths: an odd number of dollars before it on its line, one after it, and neither is money."""
    before = text[text.rfind("\n", 0, position) + 1 : position]
    after = text[position + 1 :].split("\n", 1)[0]
    if before.count("$") % 2 == 0 or "$" not in after:
        return False
    currency, _, opened = before.rpartition("$")
    closed, _, following = after.partition("$")
    if currency[-1:].isupper():  # `R$ 100`, `US$ 5`
        return False
    if NAME_OR_AMOUNT.match(following):  # `$100`, `$total`: this dollar opens something, so it closes no maths
        return False
    if AMOUNT.match(opened) and AMOUNT.match(following):  # `costs $ 10\ne ... $ 5`
        return False
    return not (AMOUNT_BEFORE.search(currency) and AMOUNT_BEFORE.search(closed))  # `5 $\ni 3 $`
