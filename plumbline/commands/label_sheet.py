"""Calibrate the judge against people.

python -m plumbline.commands.label_sheet write SHEET.csv [--count 100]    a blind sheet: no arm, no judge's score, in no telling order
python -m plumbline.commands.label_sheet read SHEET.csv --labeller NAME   adds its scores to labels/explanations.jsonl and prints the agreement
python -m plumbline.commands.label_sheet report                           the agreement of all labels with the present judge
Exit 2 where something cannot be read.
"""

import argparse
import csv
import hashlib
import io
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from plumbline.comparing.judged_rows import JudgedAnswer, judged_answers
from plumbline.comparing.revisions import WORKSPACE, NotThere, open_run
from plumbline.judging.agreement import MIN_LABELS, draw_strata
from plumbline.judging.prompt import SCALE
from plumbline.pipeline.files import write_text
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.reporting.human_label import HumanLabel
from plumbline.reporting.judge_quality import calibrated_by_people

ROOT = Path(__file__).resolve().parents[2]
LABELS = "labels/explanations.jsonl"
COLUMNS = ("label_id", "question", "reference", "key_points", "answer", "score", "note")
SEED = 11


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def label_id(answer_key: str) -> str:
    """What a row of the sheet is called."""
    return answer_key[:12]


def sheet(rows: Sequence[JudgedAnswer], *, count: int) -> str:
    """Return a CSV of answers to label, drawn evenly over arm and score, ordered by hash; equal answers once."""
    scored = {row.answer_key: row for row in reversed(rows) if row.judgement.score is not None}
    ordered = sorted(scored, key=lambda key: hashlib.sha256(f"{SEED}:{key}".encode()).digest())
    population = [(key, scored[key].answer.arm, float(scored[key].judgement.score or 0.0)) for key in ordered]
    drawn = set(draw_strata(population, count))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for key in (key for key in ordered if key in drawn):
        question, answer = scored[key].question, scored[key].answer
        texts = (question.question, question.target, "; ".join(question.key_points), answer.response)
        writer.writerow([label_id(key), *map(neutral, texts), "", ""])
    return stream.getvalue()


def read_sheet(text: str, rows: Sequence[JudgedAnswer], *, labeller: str) -> list[HumanLabel]:
    """Return the labels of a sheet; rows without a score are left out. ValueError names a row that is not as it should be."""
    keys = {label_id(row.answer_key): row.answer_key for row in rows}
    labels = []
    table = csv.DictReader(io.StringIO(text))
    if not {"label_id", "score"} <= set(table.fieldnames or ()):
        raise ValueError(f"the sheet has columns {table.fieldnames}; keep {', '.join(COLUMNS)} as `write` made them")
    for number, row in enumerate(table, start=2):
        said = (row["score"] or "").strip()
        if not said:
            continue
        score = float(said) if re.fullmatch(r"[01](?:\.[0-9]+)?", said) else None
        if score not in SCALE or score is None:
            raise ValueError(f"row {number}: score {said!r} is none of {', '.join(f'{value:g}' for value in SCALE)}")
        key = keys.get((row["label_id"] or "").strip())
        if key is None:
            raise ValueError(f"row {number}: label_id {row['label_id']!r} belongs to no answer of this run; label a sheet of this run")
        labels.append(HumanLabel(answer_key=key, labeller=labeller, score=score, note=row.get("note") or ""))
    return labels


def merged(old: Sequence[HumanLabel], new: Sequence[HumanLabel]) -> list[HumanLabel]:
    """Return both, a labeller's later score for an answer in place of an earlier one, sorted."""
    by_place = {(label.answer_key, label.labeller): label for label in (*old, *new)}
    return [by_place[place] for place in sorted(by_place)]


def agreement(rows: Sequence[JudgedAnswer], labels: Sequence[HumanLabel]) -> dict[str, object]:
    """Compare the judge with the labels, as the report does."""
    questions, answers, judgements = [row.question for row in rows], [row.answer for row in rows], [row.judgement for row in rows]
    found = calibrated_by_people(questions, answers, judgements, labels, seed=SEED)
    return {"judge_ids": sorted({judgement.judge_id for judgement in judgements}), **found}


def main(arguments: argparse.Namespace, *, root: Path) -> str:
    """Do what the command line asks and return what to print."""
    rows = judged_answers(open_run(root, WORKSPACE))
    if arguments.verb == "write":
        text = sheet(rows, count=arguments.count)
        write_text(arguments.sheet, text)
        return (
            f"{arguments.sheet}: {len(list(csv.reader(io.StringIO(text)))) - 1} answers to score with {', '.join(f'{s:g}' for s in SCALE)}"
        )
    path = root / LABELS
    labels = list(read_jsonl(path, HumanLabel)) if path.exists() else []
    if arguments.verb == "read":
        labels = merged(labels, read_sheet(arguments.sheet.read_text(encoding="utf-8-sig"), rows, labeller=arguments.labeller))
        write_jsonl(path, labels)
    found = agreement(rows, labels)
    note = "" if found["is_calibrated"] else f"\nuncalibrated: fewer than {MIN_LABELS} labelled answers of this run"
    return json.dumps(found, indent=2) + note


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m plumbline.commands.label_sheet", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    write = verbs.add_parser("write")
    write.add_argument("sheet", type=Path)
    write.add_argument("--count", type=int, default=100)
    read = verbs.add_parser("read")
    read.add_argument("sheet", type=Path)
    read.add_argument("--labeller", required=True)
    verbs.add_parser("report")
    try:
        sys.stdout.write(main(parser.parse_args(), root=ROOT) + "\n")
    except (NotThere, ValueError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)
