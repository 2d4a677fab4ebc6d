"""Read the options of a multiple-choice question from its text. Pure."""

import re
from collections.abc import Sequence
from string import ascii_uppercase

# "(A) ...", "[A] ...", "A) ...", "A. ...", "A: ..."; a bare letter needs a line or a gap before it.
MARKER = re.compile(
    r"""
    (?: (?<=\s) (?<!ption \s) (?<!hoice \s) | ^ )
    (?:
          \( (?P<round>[A-Z]) \)
        | \[ (?P<square>[A-Z]) \]
        | (?P<bare>[A-Z]) (?: \) | \. (?=\s) | : (?=\s) )
    )
    [ \t]*
    """,
    re.MULTILINE | re.VERBOSE,
)
SMALL_MARKER = re.compile(
    r"""
    (?: (?<=\s) (?<!ption \s) (?<!hoice \s) | ^ )
    (?: \( (?P<round>[a-z]) \) | \[ (?P<square>[a-z]) \] | (?P<bare>[a-z]) \) )
    [ \t]*
    """,
    re.MULTILINE | re.VERBOSE,
)
NUMBER_MARKER = re.compile(
    r"""
    (?: (?<=\s) (?<!ption \s) (?<!hoice \s) | ^ )
    (?: \( (?P<round>\d{1,2}) \) | \[ (?P<square>\d{1,2}) \] | (?P<bare>\d{1,2}) \) )
    [ \t]*
    """,
    re.MULTILINE | re.VERBOSE,
)
MAX_MARKS = 200
NUMBERS = tuple(str(number) for number in range(1, 27))


def labels_in_order(marks: list[tuple[str, int, int]], labels: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return the last run A, B, C, ... (or 1, 2, 3, ...) of marks: a question may mention a label before its options begin."""
    best: list[tuple[str, int, int]] = []
    for first, mark in enumerate(marks):
        if mark[0] != labels[0]:
            continue
        run = [mark]
        for following in marks[first + 1 :]:
            if len(run) < len(labels) and following[0] == labels[len(run)]:
                run.append(following)
        if len(run) >= 2 and len(run) >= len(best):
            best = run
    return best


def parse_choices(question: str, *, numbers: bool = False) -> tuple[str, dict[str, str]]:
    """Split a question into its stem and its options, label -> text. Without a run of A, B, ... there are no options.

    Letters are returned as capitals, without white space around option texts. `numbers`: if there are no letters, a run of 1, 2, ...
    counts. Use it only for known multiple-choice questions, since steps and parts have numbers too.
    """
    shapes = [(MARKER, ascii_uppercase), (SMALL_MARKER, ascii_uppercase), *([(NUMBER_MARKER, NUMBERS)] if numbers else [])]
    for pattern, labels in shapes:
        marks = [
            ((match["round"] or match["square"] or match["bare"]).upper(), match.start(), match.end())
            for match in pattern.finditer(question)
        ]
        run = labels_in_order(marks[-MAX_MARKS:], labels)
        if run:
            ends = [mark[1] for mark in run[1:]] + [len(question)]
            options = {letter: question[start:end].strip().rstrip(",;").strip() for (letter, _, start), end in zip(run, ends, strict=True)}
            if all(options.values()):
                return question[: run[0][1]].strip(), options
    return question.strip(), {}
