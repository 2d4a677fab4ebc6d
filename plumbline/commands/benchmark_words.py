"""Reword what a stage says about a benchmark for a command, which has options and no params.yaml. Pure."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from plumbline.splitting.benchmark_columns import BenchmarkColumns
from plumbline.splitting.columns_remedy import MAPPED_REMEDY

IN_PLACE = (
    "In place of `benchmark_columns: null` write the columns, such as `benchmark_columns: {question: NAME, target: NAME, kind: numeric}`"
)
OWN_COLUMNS = re.compile(
    r"([Ss])et split\.benchmark_format to mapped, and in place of `benchmark_columns: null` write `benchmark_columns: (\{\".*?\})` \(docs/formats\.md\)\."
)
ALL_COLUMNS = re.compile(r"`benchmark_columns: (\{\".*?\})`")
NAMED = "name every column: `{}`."
FORMAT = re.compile(r"`benchmark_format: (\w+)`")
KINDS = re.compile(r"`kinds: \{\"(.*?)\": (\w+)\}`")
PART = re.compile(rf"`({'|'.join(BenchmarkColumns.model_fields)}): ([^`{{}}]+)`")


def options_of(columns: Mapping[str, Any]) -> str:
    """The columns as options, as a shell reads them."""
    pairs: list[str] = []
    for part, named in columns.items():
        several = [f"{word}:{kind}" for word, kind in named.items()] if isinstance(named, Mapping) else named
        pairs += [f"{part}={one}" for one in (several if isinstance(several, list) else [several])]
    return " ".join(f"--column {shlex.quote(pair)}" for pair in pairs)


def in_case(sentence: str, letter: str) -> str:
    """The sentence, which begins with a capital letter if the one that it replaces did so."""
    return sentence[0].upper() + sentence[1:] if letter.isupper() else sentence


def in_words_of_commands(text: str, remedy: str, named: str = NAMED) -> str:
    """The text with the options of the command in place of params.yaml.

    `remedy` replaces the advice to name the columns, and `named`, with {} for the options, the advice that names those of the file.
    """
    said = text.replace(MAPPED_REMEDY, remedy)
    said = OWN_COLUMNS.sub(lambda found: in_case(named.format(options_of(json.loads(found[2]))), found[1]), said)
    said = ALL_COLUMNS.sub(lambda found: f"`{options_of(json.loads(found[1]))}`", said)
    if "split" not in said:
        return said
    said = said.replace(IN_PLACE, "Name the columns with --column, such as question=COLUMN")
    said = FORMAT.sub(r"--format \1", said)
    said = KINDS.sub(r'--column "kinds=\1:\2"', said)
    said = PART.sub(lambda found: options_of({found[1]: found[2]}), said)
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
