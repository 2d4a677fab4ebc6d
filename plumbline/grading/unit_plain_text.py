r"""Turn a unit in LaTeX into plain notation: `\mathrm{m}/\mathrm{s}^{2}` becomes m/s^2. Pure."""

import re

from plumbline.grading.decimals import SUPERSCRIPTS
from plumbline.grading.latex_commands import WRAPPERS

WRAPPER = re.compile(
    rf"""
    \\
    (?:
          {WRAPPERS}
        | unit
        | si
        | SI
        | left
        | right
        | tfrac
    )
    \*? (?![A-Za-z]) \s*
    """,
    re.VERBOSE,
)
SPACE = re.compile(r"\\[,;:! ]|\\(?:quad|qquad|thinspace|enspace|hspace\{[^{}]*\})(?![A-Za-z])|~|\s")
MARK = re.compile(r"\$+|\\[()\[\]]|\*\*(?!\d)|[{}]")
COMMANDS = [
    (re.compile(r"\^\s*\{?\s*\\(?:circ|degree)(?![A-Za-z])\s*\}?|\\(?:degree|textdegree|circ)(?![A-Za-z])"), "°"),
    (re.compile(r"\\(?:mu|micro|textmu|upmu)(?![A-Za-z])\s*"), "μ"),
    (re.compile(r"\\(?:Omega|ohm|upOmega)(?![A-Za-z])"), "Ω"),
    (re.compile(r"\\(?:AA|r\{A\}|angstrom)(?![A-Za-z])"), "Å"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\(?:cdot|times|ast|bullet)(?![A-Za-z])|[·×⋅∙*]"), "·"),
    (re.compile(r"º|˚"), "°"),
]
FRACTION = re.compile(r"\\[dtc]?frac\s*\{")
RAISED = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")


def flatten(text: str, start: int, stop: int, depth: int = 0) -> tuple[str, list[int]]:
    """Strip LaTeX from text[start:stop]. Return plain unit notation and, for each character, where its source ends."""
    plain: list[str] = []
    ends: list[int] = []

    def emit(piece: str, end: int) -> None:
        plain.extend(piece)
        ends.extend([end] * len(piece))

    position = start
    while position < stop:
        fraction = FRACTION.match(text, position, stop)
        if fraction and depth < 3:
            middle = closing(text, fraction.end(), stop)
            opened = text.find("{", middle, stop) if middle else -1
            if middle and opened >= 0 and not text[middle + 1 : opened].strip():
                last = closing(text, opened + 1, stop)
                if last:
                    for inner_start, inner_stop, joint in ((fraction.end(), middle, "/"), (opened + 1, last, "")):
                        inner, places = flatten(text, inner_start, inner_stop, depth + 1)
                        plain.extend(inner)
                        ends.extend(places)
                        emit(joint, inner_stop + 1)
                    position = last + 1
                    continue
        if match := WRAPPER.match(text, position, stop):
            position = match.end()
            continue
        if match := next((found for pattern, _ in COMMANDS if (found := pattern.match(text, position, stop))), None):
            emit(next(replacement for pattern, replacement in COMMANDS if pattern is match.re), match.end())
        elif match := SPACE.match(text, position, stop):
            emit("\n" if match[0] == "\n" else " ", match.end())
        elif match := MARK.match(text, position, stop):
            pass
        elif match := RAISED.match(text, position, stop):
            emit("^" + match[0].translate(SUPERSCRIPTS), match.end())
        else:
            position += 1
            emit(text[position - 1], position)
            continue
        position = match.end()
    return "".join(plain), ends


def closing(text: str, position: int, stop: int) -> int | None:
    """Return the position of the brace that closes the group opened before `position`."""
    depth = 1
    while position < stop:
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return None
