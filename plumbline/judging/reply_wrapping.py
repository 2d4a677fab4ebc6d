"""The text around the object in a judge's reply: nothing, a courtesy, or words that make it doubtful. Pure."""

import re

from plumbline.judging.causes import JudgeCause

FENCE = re.compile(r"`{3,}[ \t]*(?:json|JSON)?|~{3,}[ \t]*(?:json|JSON)?")
BRACKET = re.compile(r"[{}\[\]<>]")
PLAIN_SPACE = frozenset(" \t\r\n\ufeff")
QUOTING = re.compile(
    r"""
    \b
    (?:
        students? | answers? | answered | responses? | responded | candidates? | submissions? | texts?
      | wrote | writes | written | sa(?:id|ys) | claim\w* | contain\w* | quot\w*
      | examples? | e\.g | such[ ]as | rubric | format | template
      | instruct\w* | ask(?:s|ed) | would | could | should | might | not | never | ignor\w* | inject\w* | reject\w*
      | instead | however | but | actually | correct\w* | wrong | mistake\w* | revis\w* | chang\w* | reconsider\w*
      | draft | initial\w* | first | previous\w* | earlier
      | no | wait | hmm | sorry | apolog\w* | unless | if
    )
    \b
    | n['’]t \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words that turn the object next to them into a quotation, an example, or something taken back."""
POINTING = re.compile(
    r"""
    \b
    (?:
        quot\w* | contain\w* | inject\w* | examples? | templates? | format | rubric | wrote | writes | written
      | instruct\w* | ignor\w* | follow(?:s|ing) | below | this | these | instead | not | never
    )
    \b
    | n['’]t \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""In a finished sentence on a separate line, only these words can turn the object after it into a quotation."""
OTHER_VERDICT = re.compile(
    r"""
    # "full marks", "no partial credit"
      \b (?: full | half | partial | zero | no | top | maximum | quarter | one | two | three | four | five | ten | perfect )
      [\s-]+ (?: \w+ [\s-]+ )?
      (?: marks? | credits? | points? | scores? ) \b
    # "the score is zero"
    | \b (?: score | grade | mark | rating )s? \b [^.\n]{0,40} \b (?: zero | one | half | quarter | full | perfect ) \b
    | \b percent \b
    """,
    re.IGNORECASE | re.VERBOSE,
)

VERDICT_TAGS = frozenset({"verdict", "json", "output", "result", "grade", "grading", "evaluation", "assessment", "judgement", "judgment"})
"""A pair of these tags around the object says that it is the verdict. Not `answer` or `response`: these may be the student's."""
OPENING_TAG = re.compile(r"<(\w+)>\s*\Z")
REASONING_TAG = re.compile(r"<(/?)(?:reasoning|analysis|thinking)>", re.IGNORECASE)
TEX_COMMAND = re.compile(r"\\+[A-Za-z]+")
ABOUT_THE_VERDICT = re.compile(
    r"""["'`:<>\[\]“”‘’] | score | grade | mark | rating | verdict | point | credit""", re.IGNORECASE | re.VERBOSE
)


def _is_plain(text: str) -> bool:
    return all(character in PLAIN_SPACE for character in FENCE.sub("", text))


def _without_tags(before: str, after: str) -> tuple[str, str]:
    """Remove pairs of tags that say "this is the verdict" or "this is my reasoning". Their content is read like any text."""
    while opening := OPENING_TAG.search(FENCE.sub("", before)):
        closing = re.match(rf"\s*</{opening[1]}>", FENCE.sub("", after))
        if closing is None or opening[1].lower() not in VERDICT_TAGS:
            break
        before, after = FENCE.sub("", before)[: opening.start()] + "\n", FENCE.sub("", after)[closing.end() :]
    marks = REASONING_TAG.findall(before)
    if marks == ["", "/"]:
        before = REASONING_TAG.sub("\n", before)
    return (before if before.strip() else ""), after


def _is_formula(word: str) -> bool:
    """Whether a word with braces is part of a formula or a set: `\\vec{F}`, `\\frac{1}{2}mv^2`, `{a,`. Such a word is not a score."""
    has_letter = any(character.isalpha() for character in TEX_COMMAND.sub("", word))
    return bool(set(word) & set("{}")) and has_letter and not ABOUT_THE_VERDICT.search(word)


def _without_formulas(text: str) -> str:
    """Blank out words with braces that are formulas, if all braces are closed: prose may contain them."""
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return text
    if depth:
        return text
    return re.sub(r"\S+", lambda word: " " * len(word[0]) if _is_formula(word[0]) else word[0], text)


def read_wrapping(before: str, after: str) -> JudgeCause | None:
    """Say why the text around the object makes it doubtful. None if it is empty, a fence, a pair of tags or a courtesy."""
    before, after = _without_tags(before, after)
    if _is_plain(before) and _is_plain(after):
        return None
    said = FENCE.sub("", before).replace("{", " ").replace("}", " ")
    before = _without_formulas(before)
    around = FENCE.sub("", before) + "\n" + FENCE.sub("", after)
    if BRACKET.search(around):
        return JudgeCause.SEVERAL_VERDICTS if "{" in after else JudgeCause.UNCLEAR_WRAPPING
    if any(character.isnumeric() for character in around) or OTHER_VERDICT.search(f"{said}\n{around}"):
        return JudgeCause.SEVERAL_VERDICTS
    # Format characters (tags, bidi marks, zero width) hide text from a reader, so they are suspicious.
    if any(not character.isprintable() and character not in PLAIN_SPACE for character in around):
        return JudgeCause.UNCLEAR_WRAPPING
    introduction = FENCE.sub("", before).rstrip(" \t\r\n\ufeff")
    last_line = introduction.rsplit("\n", 1)[-1]
    stands_alone = not introduction or before.rstrip(" \t")[-1:] in ("\n", ":", "`", "~")
    is_sentence = last_line.rstrip().endswith((".", "!")) and _is_plain(after)
    doubtful = (POINTING if is_sentence else QUOTING).search(last_line)
    if not stands_alone or doubtful or QUOTING.search(FENCE.sub("", after)):
        return JudgeCause.UNCLEAR_WRAPPING
    return None
