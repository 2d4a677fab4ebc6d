"""Reword what a stage says about a benchmark for a command, which has options and no params.yaml. Pure."""

import re

from plumbline.splitting.recognition import MAPPED_REMEDY

IN_PLACE = "In place of `benchmark_columns: null` write the columns, such as `benchmark_columns: {question: NAME, target: NAME}`"
FORMAT = re.compile(r"`benchmark_format: (\w+)`")
KINDS = re.compile(r"`kinds: \{\"(.*?)\": (\w+)\}`")
PART = re.compile(r"`(\w+): (\w+)`")


def in_words_of_commands(text: str, remedy: str) -> str:
    """The text with the options of the command in place of params.yaml; `remedy` replaces the advice to name the columns."""
    said = text.replace(MAPPED_REMEDY, remedy)
    if "split" not in said:
        return said
    said = said.replace(IN_PLACE, "Name the columns with --column, such as question=COLUMN")
    said = FORMAT.sub(r"--format \1", said)
    said = KINDS.sub(r'--column "kinds=\1:\2"', said)
    said = PART.sub(r"--column \1=\2", said)
    for theirs, ours in (
        ("split.benchmark_columns is set, but benchmark_format is", "--column names columns of another shape, but --format is"),
        ("Set it to mapped, or the columns to null", "Leave one of them out"),
        (" to split.benchmark_columns", ""),
        (" of split.benchmark_columns", ""),
        (" in split.benchmark_columns", " with --column"),
        ("split.benchmark_columns", "--column"),
        ("split.benchmark_format", "--format"),
        (". Set --format", ". Give --format"),
        (" under split in params.yaml", ""),
    ):
        said = said.replace(theirs, ours)
    return said
