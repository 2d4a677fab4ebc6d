"""Check a benchmark file by itself: what is recognised, what is read, and what no one could grade. Reads the file that is named."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from plumbline.commands.benchmark_hints import hint_lines
from plumbline.commands.benchmark_words import in_words_of_commands
from plumbline.commands.named_columns import REMEDY, columns_of
from plumbline.commands.outputs import refuse_files_of_the_run, refuse_overwriting
from plumbline.commands.refusing import refusing
from plumbline.comparing.counted import counted
from plumbline.comparing.spreadsheets import refuse_spreadsheet
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.choice_balance import unbalanced_letters
from plumbline.rows.question import Question
from plumbline.splitting.benchmark import Benchmark, all_faults, read_questions
from plumbline.splitting.benchmark_columns import BenchmarkColumns
from plumbline.splitting.benchmark_files import refuse_folder
from plumbline.splitting.fault import Fault
from plumbline.splitting.fault_lines import problem_lines
from plumbline.splitting.known_shapes import NAMES
from plumbline.splitting.overlap import LeftOutQuestion
from plumbline.splitting.question_faults import fault_of, later_needs
from plumbline.splitting.recognition import AUTO, MAPPED
from plumbline.splitting.shown_questions import question_lines, shown_questions

OWN = "plumbline"
"""The shape of what is written."""
FAULT = "cannot_be_asked"
"""The reason of a row that is left out because it holds a fault."""
MAX_NEEDS = 20
MAX_TAGS = 15


def told(found: Benchmark, path: Path, num_faults: int) -> list[str]:
    """What was read, in the words of the command."""
    sorts = Counter(
        question.kind if question.answer_kind is None else f"{question.kind}/{question.answer_kind}" for question in found.questions
    )
    clusters = len({question.cluster for question in found.questions})
    counts = f"{counted(len(found.questions), 'question')} in {counted(clusters, 'cluster')}, {len(found.left_out)} left out"
    lines = [
        f"{path}: read as {found.shape}, by {in_words_of_commands(found.sign, REMEDY)}.",
        f"{counted(found.num_rows, 'row')}: {counts}" + (f", {num_faults} that cannot be asked." if num_faults else "."),
        *(f"  {count} {sort}" for sort, count in sorts.most_common()),
    ]
    if tags := Counter(tag for question in found.questions for tag in question.tags):
        more = f", and {len(tags) - MAX_TAGS} more" if len(tags) > MAX_TAGS else ""
        lines.append(f"Tags: {', '.join(f'{tag} ({count})' for tag, count in tags.most_common(MAX_TAGS))}{more}.")
    lines += ["", "Questions as read:"]
    for question in shown_questions(found.questions):
        lines += [f"  {line}" for line in question_lines(question)]
    if found.left_out:
        lines += [
            "",
            f"Left out: {dict(found.reasons)}",
            *indented(problem_lines([Fault(one.where, one.id, one.detail) for one in found.left_out], "reason")),
        ]
    return lines


def indented(lines: Sequence[str]) -> list[str]:
    """The lines below a heading."""
    return [f"  {line}" for line in lines]


def fault_lines(faults: Sequence[Fault], *, are_left_out: bool) -> list[str]:
    """What is wrong, and what to do next."""
    if not faults:
        return []
    them = "it" if len(faults) == 1 else "them"
    remedy = "Left out" if are_left_out else f"Correct {them}, or leave {them} out with --leave-out LIST --out FILE"
    return ["", f"{counted(len(faults), 'row')} cannot be asked. {remedy}:", *indented(problem_lines(faults))]


def next_lines(questions: Sequence[Question], path: Path, name: str, columns: BenchmarkColumns | None) -> list[str]:
    """What to write into params.yaml, and what a later stage needs. `path` and `name`: the file to name there, and its shape."""
    needs = [f"  {need}" for need in later_needs(questions)[:MAX_NEEDS]]
    lines = [
        "",
        f"Every question of {path} can be graded. In params.yaml, under split, set:",
        f"  benchmark: {path}",
        f"  benchmark_format: {name}",
    ]
    if columns is not None:
        # JSON is YAML as well.
        lines.append(f"  benchmark_columns: {json.dumps(columns.model_dump(exclude_defaults=True), ensure_ascii=False)}")
    unbalanced = unbalanced_letters(questions)
    return [
        *lines,
        *(["A later stage needs:", *needs] if needs else []),
        *([f"Look at the answers first: {unbalanced}."] if unbalanced is not None else []),
        *hint_lines(questions),
    ]


def gradable(questions: Sequence[Question]) -> list[Question]:
    """The questions that can be graded; if several have the same id, the first of them."""
    first: dict[str, Question] = {}
    for question in questions:
        if fault_of(question) is None:
            first.setdefault(question.id, question)
    return list(first.values())


def left_out_records(found: Benchmark, faults: Sequence[Fault]) -> list[LeftOutQuestion]:
    """A line for each row that is not written, in the form of the file of overlaps."""
    without = [LeftOutQuestion(question_id=one.id or "", where=one.where, reason=FAULT, detail=one.problem) for one in faults]
    asked_by_no_one = [LeftOutQuestion(question_id=one.id, where=one.where, reason=one.reason, detail=one.detail) for one in found.left_out]
    return [*without, *asked_by_no_one]


def main(
    path: Path, *, format_name: str, columns: BenchmarkColumns | None, out: Path | None, leave_out: Path | None = None
) -> tuple[str, bool]:
    """Return what to print and whether all questions can be graded; write those that can, and what was left out, if asked to."""
    if leave_out is not None and out is None:
        raise Refused(f"--leave-out {leave_out} lists the rows that --out leaves out. Give --out FILE, too.")
    refuse_overwriting([path], [out, leave_out])
    refuse_files_of_the_run(Path.cwd(), [out, leave_out])
    refuse_folder(path)
    refuse_spreadsheet(path)
    try:
        found = read_questions(path, format_name=format_name, columns=columns)
        faults = [replace(fault, problem=in_words_of_commands(fault.problem, REMEDY)) for fault in all_faults(found)]
    except Refused as error:
        raise Refused(in_words_of_commands(str(error), REMEDY)) from None
    kept = gradable(found.questions)
    lines = told(found, path, len(faults)) + fault_lines(faults, are_left_out=leave_out is not None)
    if not kept:
        lines += ["", f"{path} holds no question that can be asked."]
    elif not faults:
        lines += next_lines(kept, path, found.shape if found.shape in (*NAMES, MAPPED) else AUTO, columns)
    elif out is not None and leave_out is not None:
        lines += next_lines(kept, out, OWN, None)
    if out is not None:
        write_jsonl(out, kept)
        lines += ["", f"{counted(len(kept), 'question')} that can be graded: {out}, in Plumbline's own shape."]
    if leave_out is not None:
        records = left_out_records(found, faults)
        write_jsonl(leave_out, records)
        lines.append(f"{counted(len(records), 'row')} left out, each with its place and reason: {leave_out}.")
    return "\n".join(lines), bool(kept) and (not faults or leave_out is not None)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_name", type=click.Choice([AUTO, MAPPED, *NAMES]), default=AUTO, show_default=True, help="The shape of the file."
)
@click.option(
    "--column",
    "given",
    multiple=True,
    metavar="PART=COLUMN",
    help="Which column holds a part, such as question=problem_text. Repeat it for each column: distractors=a, then distractors=b.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the questions that can be graded here, in Plumbline's own shape.")
@click.option(
    "--leave-out",
    type=click.Path(path_type=Path),
    metavar="LIST",
    help="With --out: leave out the rows that cannot be asked, and write each one here with its place and reason. The exit code is then 0.",
)
def command(file: Path, format_name: str, given: tuple[str, ...], out: Path | None, leave_out: Path | None) -> None:
    """Check a benchmark file, and show what is read from it.

    FILE is JSON lines, a JSON list, CSV, TSV, Parquet or Arrow, also in gzip or zstd. Its shape is one of docs/formats.md, or any other
    with --column for each part of a question: question, target, choices, correct, distractors, unit, id, cluster, tags and others.
    Prints the shape and how it was recognised, three questions as they were read, what is left out with the reason, and why rows cannot be
    asked, such as one without its answer, or one that no one could grade: a line for each of the first 20 problems, with the first
    5 rows that have it. With --leave-out, LIST names every such row.

    Needs no repository, no DVC and no model. Exit 1 if the file cannot be read, or a row cannot be asked and --leave-out is not given.
    """
    with refusing(1, OSError, ValueError):
        text, is_fine = main(file, format_name=format_name, columns=columns_of(given, file), out=out, leave_out=leave_out)
    click.echo(text)
    if not is_fine:
        raise SystemExit(1)
