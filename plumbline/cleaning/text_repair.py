"""Fix characters that do not belong in text: undo what can be undone exactly, flag or refuse the rest. Pure."""

import re
import unicodedata
from typing import NamedTuple

import ftfy
from ftfy.badness import is_bad

from plumbline.cleaning.codes import Notice, Reason, Repair, RowRefused
from plumbline.cleaning.latex_repair import restore_swallowed

MAX_COMBINING_RUN = 8
COMBINING = "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.combining(chr(code)))
COMBINING_RUN = re.compile(f"[{COMBINING}]{{{MAX_COMBINING_RUN + 1},}}")
ORDINARY = re.compile(r"(?:[!-~](?:[\n -~]*[!-~])?)?")
INVISIBLE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufe00-\ufe0f\ufeff"
INVISIBLE_ONLY = re.compile(rf"[\s{INVISIBLE}]*")
LINE_SEPARATORS = re.compile("[\u2028\u2029\u0085]")
BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Zero-width characters between letters of scripts that do not use them; joiners inside emoji and in Indic, Arabic and
# Persian text carry meaning and stay.
ZERO_WIDTH = re.compile(
    "[\u200b\u2060\ufeff\u00ad]|(?<=[\x00-\u024f\u0370-\u04ff])[\u200c\u200d]|[\u200c\u200d](?=[\x00-\u024f\u0370-\u04ff])|[\u200c\u200d]$"
)
FLAG_TAGS = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
TAGS = re.compile("[\U000e0000-\U000e007f]")
NONCHARACTERS = re.compile("[\ufdd0-\ufdef]|[" + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)) + "]")
REPLACEMENT = re.compile("\ufffd")
PRIVATE_USE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
# Every character that a pattern for hidden, directional or lost characters needs. One search for all of them is an eighth of the
# work, and most text that is not ASCII has none.
REMARKABLE = re.compile(
    f"[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\u0085\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufffd-\uffff\U0001fffe-\U0010ffff{COMBINING}]"
)
CONTROL_CHARS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LINE_ENDINGS = re.compile(r"\r\n?")

CP1252 = bytes(range(0x80, 0x100)).decode("latin-1")
CP1252 += "".join(bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
TO_BYTE = {character: bytes([ord(character)]) for character in CP1252[:128]} | {
    bytes([code]).decode("cp1252"): bytes([code]) for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
MANGLED_RUN = re.compile(f"[{re.escape(CP1252)}]{{2,}}")
# Heads of UTF-8 sequences without their tails: nothing can restore the character. In the languages that have these letters,
# another letter follows (`âge`, `SÃO`, `Île`).
CUT_HEADS = "âÎÏÃÂ"
CUT_MOJIBAKE = re.compile(r"(?<=[\d})\]\\$_^=({|])[âÎÏÃÂ]|[âÎÏÃÂ](?=[\d{}()\[\]$\\^_=|.,;:\s]|$)|(?<=\w)âs\b")


class TextRefused(RowRefused):
    """The text must not be kept, since no one can say what it was."""


class MendedText(NamedTuple):
    """A text, its repairs, and what remains to look at."""

    text: str
    repairs: tuple[Repair, ...]
    notices: tuple[Notice, ...]


def is_blank(text: str) -> bool:
    """Whether nothing visible is left: str.strip() keeps zero-width characters."""
    return INVISIBLE_ONLY.fullmatch(text) is not None


def is_ordinary(text: str) -> bool:
    """Whether a text is printable ASCII and line breaks, with nothing to strip."""
    if not text.isascii():  # known without reading the text; the pattern would read up to the first such character
        return False
    if text.isprintable():  # no line break: one look instead of a pattern over the whole
        return not (text.startswith(" ") or text.endswith(" "))
    return ORDINARY.fullmatch(text) is not None


def mend_text(text: str) -> MendedText:
    """Return the text as it may be trained on. TextRefused if it holds something that no rule can fix."""
    if is_ordinary(text):
        # Nothing to strip, no tab, no control and no foreign character; a line break may be a swallowed `\n`.
        if "\n" not in text:
            return MendedText(text, (), ())
        latex = restore_swallowed(text)
        return MendedText(latex.text, (Repair.LATEX_ESCAPE_SWALLOWED,) if latex.num_restored else (), ())
    repairs: list[Repair] = []
    notices: list[Notice] = []

    def record(mended: str, repair: Repair) -> str:
        if mended != text:
            repairs.append(repair)
        return mended

    foreign = not text.isascii()
    for _ in range(3 if foreign else 0):  # text mangled twice is undone twice
        mended = undo_mojibake(text)
        if mended == text:
            break
        text = record(mended, Repair.MOJIBAKE)
    remarkable = foreign and REMARKABLE.search(text) is not None
    if remarkable:
        text = record(LINE_SEPARATORS.sub("\n", text), Repair.LINE_SEPARATOR)
    latex = restore_swallowed(text)
    if latex.unrestored:
        raise TextRefused(Reason.LATEX_ESCAPE_SWALLOWED, "a control character stands where a LaTeX command lost its backslash")
    text = record(latex.text, Repair.LATEX_ESCAPE_SWALLOWED)
    if "\r" in text:
        text = record(LINE_ENDINGS.sub("\n", text), Repair.LINE_ENDING)
    if found := control_character(text):
        raise TextRefused(Reason.CONTROL_CHAR, f"control character U+{ord(found[0]):04X} at character {found.start()}")
    if remarkable:
        refuse_hidden(text)
        text = record(BIDI_CONTROLS.sub("", text), Repair.BIDI_CONTROL)
        text = record(ZERO_WIDTH.sub("", text), Repair.ZERO_WIDTH)
    if foreign:
        text = record(unicodedata.normalize("NFC", text), Repair.NFC)
    text = record(without_outer_space(text), Repair.OUTER_SPACE)
    if latex.suspect:
        notices.append(Notice.LATEX_SUSPECT)
    if remarkable:
        notices += [
            notice for notice, mark in ((Notice.REPLACEMENT_CHAR, REPLACEMENT), (Notice.PRIVATE_USE, PRIVATE_USE)) if mark.search(text)
        ]
    if foreign and any(head in text for head in CUT_HEADS) and CUT_MOJIBAKE.search(text):
        notices.append(Notice.MOJIBAKE)
    return MendedText(text, tuple(dict.fromkeys(repairs)), tuple(notices))


def without_outer_space(text: str) -> str:
    """The text without space around it. If a later line shares the indent of the first one, it is code, and the indent stays."""
    stripped = text.strip()
    indent = text[: len(text) - len(text.lstrip())].rpartition("\n")[2]
    if indent and any(line.startswith(indent) and not line.isspace() for line in stripped.split("\n")[1:]):
        return indent + stripped
    return stripped


def control_character(text: str) -> re.Match[str] | None:
    """The first control character that is not a tab or line feed."""
    # No control character is printable. A line feed is not printable either, but it is allowed.
    return None if text.replace("\n", "").isprintable() else CONTROL_CHARS.search(text)


def refuse_hidden(text: str) -> None:
    """TextRefused for characters that no reader sees or that never belong in text."""
    if found := NONCHARACTERS.search(text):
        raise TextRefused(Reason.NONCHARACTER, f"noncharacter U+{ord(found[0]):04X} at character {found.start()}")
    if found := TAGS.search(FLAG_TAGS.sub("", text)):
        raise TextRefused(Reason.INVISIBLE_TEXT, f"tag character U+{ord(found[0]):05X}: invisible text that a model reads")
    if COMBINING_RUN.search(text):
        raise TextRefused(Reason.COMBINING_RUN, f"more than {MAX_COMBINING_RUN} combining marks on one character")


def undo_mojibake(text: str) -> str:
    """Undo UTF-8 that was read as Windows-1252 or Latin-1, run by run, if mangling it again gives the run back."""
    return text if text.isascii() else MANGLED_RUN.sub(lambda match: undo_run(match[0]), text)


def undo_run(run: str) -> str:
    """The text that was mangled into this run, or the run itself."""
    raw = b"".join(TO_BYTE[character] for character in run)
    try:
        undone = raw.decode("utf-8")
    except UnicodeDecodeError:
        return run
    # Every run here decodes; ftfy knows which of them are also plausible as they stand (`É™` in `CAFÉ™`).
    return undone if is_bad(run) and ftfy.fix_encoding(run) == undone else run
