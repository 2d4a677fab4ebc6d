"""Let people score explanations blind and compare the judge with them. Touches data/, labels/explanations.jsonl and the sheet."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

import click

from plumbline.commands.outputs import refuse_files_of_the_run
from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.judged_rows import JudgedAnswer, judged_answers
from plumbline.comparing.labels_needed import labels_needed
from plumbline.comparing.revisions import WORKSPACE, open_run
from plumbline.judging.agreement import draw_strata
from plumbline.judging.disputed import Part, draw_disputed_first
from plumbline.judging.people import sampling_strata
from plumbline.judging.prompt import SCALE
from plumbline.pipeline.files import write_text
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import read_yaml, section_of
from plumbline.reporting.calibration import Calibration, calibrated_by_people, labels_by_part
from plumbline.reporting.calibration_words import PART_WORDS, calibration_numbers, correction_words, labeller_words, length_words
from plumbline.reporting.human_label import HumanLabel
from plumbline.reporting.judge_quality import rounded_tree
from plumbline.rows.arms import Arms, Comparisons, Pair

LABELS = "labels/explanations.jsonl"
COLUMNS = ("label_id", "question", "reference", "key_points", "answer", "score", "note")
SEED = 11


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def label_id(answer_key: str) -> str:
    """The name of a row in the sheet."""
    return answer_key[:12]


def drawn_answers(rows: Sequence[JudgedAnswer], *, count: int) -> tuple[list[str], dict[Part, tuple[int, int]]]:
    """Keys of the answers to label, in an order that reveals nothing. If a second judge judged some, also the answers and labels of each part.

    They are drawn evenly over arm and score. With a second judge, answers that the two dispute are likelier than others. Equal answers count once.
    """
    strata = sampling_strata(
        (row.answer_key, row.answer.arm, row.judgement.score, row.part) for row in rows if row.judgement.score is not None
    )
    ordered = sorted(strata, key=lambda key: hashlib.sha256(f"{SEED}:{key}".encode()).digest())
    if any(part for _, _, part in strata.values()):
        drawn = set(draw_disputed_first([(key, *strata[key]) for key in ordered], count))
        return [key for key in ordered if key in drawn], labels_by_part(strata, [str(key) for key in drawn])
    drawn = set(draw_strata([(key, *strata[key][:2]) for key in ordered], count))
    return [key for key in ordered if key in drawn], {}


def sheet(rows: Sequence[JudgedAnswer], *, count: int) -> str:
    """Return a CSV of answers to label; it shows neither the arm nor the judge's score."""
    scored = {row.answer_key: row for row in reversed(rows) if row.judgement.score is not None}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for key in drawn_answers(rows, count=count)[0]:
        question, answer = scored[key].question, scored[key].answer
        texts = (question.question, question.target, "; ".join(question.key_points), answer.response)
        writer.writerow([label_id(key), *map(neutral, texts), "", ""])
    return stream.getvalue()


def read_sheet(text: str, rows: Sequence[JudgedAnswer], *, labeller: str) -> list[HumanLabel]:
    """Return the labels of a sheet; rows without a score are left out. ValueError names a row that is wrong."""
    keys = {label_id(row.answer_key): row.answer_key for row in rows}
    labels = []
    table = sheet_rows(text)
    if not {"label_id", "score"} <= set(table.fieldnames or ()):
        raise ValueError(
            f"the sheet has the columns {table.fieldnames}. Keep {', '.join(COLUMNS)} as `plumbline label-sheet write` made them."
        )
    for number, row in enumerate(table, start=2):
        said = (row["score"] or "").strip()
        if not said:
            continue
        score = float(said) if re.fullmatch(r"[01](?:\.[0-9]+)?", said) else None
        if score not in SCALE or score is None:
            raise ValueError(f"row {number}: score {said!r} is not one of {', '.join(f'{value:g}' for value in SCALE)}.")
        key = keys.get((row["label_id"] or "").strip())
        if key is None:
            raise ValueError(f"row {number}: label_id {row['label_id']!r} belongs to no answer of this run. Label a sheet of this run.")
        labels.append(HumanLabel(answer_key=key, labeller=labeller, score=score, note=row.get("note") or ""))
    return labels


def merged(old: Sequence[HumanLabel], new: Sequence[HumanLabel]) -> list[HumanLabel]:
    """Return both, a labeller's later score for an answer in place of an earlier one, sorted."""
    by_place = {(label.answer_key, label.labeller): label for label in (*old, *new)}
    return [by_place[place] for place in sorted(by_place)]


def calibration_of(rows: Sequence[JudgedAnswer], labels: Sequence[HumanLabel], comparisons: Sequence[Pair]) -> Calibration:
    """Compare the judge with the labels as the report does: each declared comparison, on all questions."""
    return calibrated_by_people(
        [row.question for row in rows],
        [row.answer for row in rows],
        [row.judgement for row in rows],
        labels,
        comparisons=comparisons,
        reported=[row.question.id for row in rows],
        seed=SEED,
        second={(row.answer.arm, row.question.id, row.answer.sample): row.second for row in rows if row.second is not None}
        if any(row.has_second for row in rows)
        else None,
    )


def sheet_rows(text: str) -> "csv.DictReader[str]":
    """The rows of a sheet; a cell may be as long as an answer."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    return csv.DictReader(io.StringIO(text))


def refuse_scored_sheet(path: Path) -> None:
    """ValueError if the path holds work of a person: a sheet with a score or a note, or a file that is no sheet."""
    if not path.is_file():
        return
    try:
        table = sheet_rows(path.read_text(encoding="utf-8-sig"))
        is_sheet = tuple(table.fieldnames or ()) == COLUMNS
        num_filled = sum(bool((row["score"] or "").strip() or (row["note"] or "").strip()) for row in table) if is_sheet else 0
    except (UnicodeDecodeError, csv.Error):
        is_sheet, num_filled = False, 0
    if not is_sheet:
        raise ValueError(f"{path} exists and is not a sheet of this command. Give the path of a file that does not exist yet.")
    if num_filled:
        rows = "row" if num_filled == 1 else "rows"
        raise ValueError(
            f"{path} holds scores or notes in {num_filled} {rows}, and they would be lost. Add them with "
            f"`plumbline label-sheet read {path} --labeller NAME`, and write the new sheet to another path."
        )


def write_sheet(path: Path, *, count: int, root: Path) -> str:
    """Write a sheet of the run in the folder and return what to print. ValueError if it would replace work of a person."""
    refuse_files_of_the_run(root, [path])
    refuse_scored_sheet(path)
    rows = judged_answers(open_run(root, WORKSPACE))
    text, (keys, parts) = sheet(rows, count=count), drawn_answers(rows, count=count)
    write_text(path, text)
    told = [f"{path}: {len(keys)} answers to score with {', '.join(f'{s:g}' for s in SCALE)}"]
    told += [f"  {PART_WORDS[part]}: {taken} of {size} answers, probability {taken / size:.2f}" for part, (size, taken) in parts.items()]
    return "\n".join(told)


def read_labels(path: Path, *, labeller: str, root: Path) -> str:
    """Add the scores of a sheet to the labels of the repository and return the agreement."""
    rows = judged_answers(open_run(root, WORKSPACE))
    labels = merged(recorded(root), read_sheet(path.read_text(encoding="utf-8-sig"), rows, labeller=labeller))
    write_jsonl(root / LABELS, labels)
    return told(rows, labels, declared(root))


def report(root: Path) -> str:
    """The agreement of all labels with the judge of the run in the folder."""
    return told(judged_answers(open_run(root, WORKSPACE)), recorded(root), declared(root))


def declared(root: Path) -> tuple[Pair, ...]:
    """The comparisons of params.yaml."""
    params = read_yaml(root / "params.yaml")
    return section_of(params, "comparisons", Comparisons).of(section_of(params, "arms", Arms))


def recorded(root: Path) -> list[HumanLabel]:
    """The labels that the repository holds."""
    path = root / LABELS
    return list(read_jsonl(path, HumanLabel)) if path.exists() else []


def told(rows: Sequence[JudgedAnswer], labels: Sequence[HumanLabel], comparisons: Sequence[Pair]) -> str:
    """The agreement for a terminal: numbers, and what they say."""
    found = calibration_of(rows, labels, comparisons)
    says = [f"{one.second} against {one.first}: {correction_words(one)}" for one in found.corrections]
    says += [labeller_words(pair) for pair in found.labellers]
    says += [words] if (words := length_words(found)) else []
    says += [] if found.uncalibrated is None else [f"uncalibrated: {found.uncalibrated}"]
    numbers = rounded_tree({"judge_ids": sorted({row.judgement.judge_id for row in rows}), **calibration_numbers(found), "says": says})
    return json.dumps(numbers, indent=2, ensure_ascii=False)


def plan(root: Path, *, width: float) -> str:
    """The number of labels that the run in the folder needs."""
    return labels_needed(judged_answers(open_run(root, WORKSPACE)), recorded(root), comparisons=declared(root), width=width)


@click.group()
def command() -> None:
    """Let people score explanations, and check the judge.

    Exit 2 if something cannot be read.
    """


@command.command("write")
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(min=1), default=100, show_default=True, help="Answers to score.")
def write_command(sheet: Path, count: int) -> None:
    """Write a blind sheet: no arm, no judge's score, in an order that reveals nothing.

    SHEET is the CSV file to write. If a second judge judged some answers, those that the two dispute are drawn first. The output says with which
    probability, and the correction accounts for it.
    """
    root = repository()
    with refusing(2, ValueError, OSError):
        said = write_sheet(sheet, count=count, root=root)
    click.echo(said)


@command.command("read")
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("--labeller", required=True, metavar="NAME", help="Who scored the sheet.")
def read_command(sheet: Path, labeller: str) -> None:
    """Add the scores of SHEET to labels/explanations.jsonl and print the agreement."""
    root = repository()
    with refusing(2, ValueError, OSError):
        said = read_labels(sheet, labeller=labeller, root=root)
    click.echo(said)


@command.command("plan")
@click.option(
    "--width",
    type=click.FloatRange(min=0, max=2, min_open=True),
    default=0.2,
    show_default=True,
    help="Width of the interval of the corrected difference, as a fraction of the scale: 0.10 is 10 points.",
)
def plan_command(width: float) -> None:
    """Say how many labels an interval of a given width takes, from the scores and labels of this run."""
    root = repository()
    with refusing(2, ValueError, OSError):
        said = plan(root, width=width)
    click.echo(said)


@command.command("report")
def report_command() -> None:
    """Print the agreement of all labels with the judge of this run."""
    root = repository()
    with refusing(2, ValueError, OSError):
        said = report(root)
    click.echo(said)
