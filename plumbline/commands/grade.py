"""Grade answers of other tools with the graders, the outcomes and the statistics of the pipeline. Touches the files that are named."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import click
from pydantic import ValidationError

from plumbline.commands.refusing import refusing, sentence
from plumbline.grading.choices import parse_choices
from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
from plumbline.number_text import signed_ascii
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.record import Record
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import KINDS, Kind
from plumbline.statistics import mean_estimate, paired_comparison

SEED = 11
NUM_RESAMPLES = 10_000


class AnswerRow(Record):
    """One row of the file."""

    question: str
    response: str
    reference: str
    """A letter, a number as written, or a text."""
    kind: Kind
    unit: str | None = None
    choices: dict[str, str] | None = None
    arm: str = "answers"
    id: str | None = None


class GradedAnswer(Record):
    """One answer with its verdict."""

    line: int
    """Physical line of the file, from 1."""
    id: str
    arm: str
    kind: Kind
    outcome: Outcome
    extracted: str | None
    reading: Literal["value", "none", "multiple", "conflict", "not_graded"]
    span: tuple[int, int] | None
    tier: str | None
    flags: tuple[str, ...]


def read_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield (line, fields) of a CSV or JSONL file; empty CSV cells are left out. ValueError where a line of JSONL is no object."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        if path.suffix.lower() == ".csv":
            reader = csv.DictReader(stream)
            for fields in reader:
                present: dict[str, object] = {name: value for name, value in fields.items() if value not in (None, "")}
                # An empty answer is an answer.
                present.setdefault("response", "")
                if isinstance(present.get("choices"), str):
                    present["choices"] = json.loads(str(present["choices"]))
                yield reader.line_num, present
        else:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    fields = json.loads(line)
                    if not isinstance(fields, dict):
                        raise ValueError(
                            f'{path}, line {number}: {line.strip()[:60]!r} is no JSON object; a row is {{"question": ..., ...}}.'
                        )
                    yield number, {name: value for name, value in fields.items() if value is not None}


def grade_row(line: int, row: AnswerRow, *, relative_tolerance: float, absolute_tolerance: float | None) -> GradedAnswer:
    """Grade one answer. ValueError where its reference cannot be one."""
    found: dict[str, object] = {
        "outcome": Outcome.UNJUDGED,
        "extracted": None,
        "reading": "not_graded",
        "span": None,
        "tier": None,
        "flags": (),
    }
    if row.kind == "mcq":
        mcq = grade_mcq(row.response, row.choices or parse_choices(row.question)[1], row.reference)
        found = {**mcq._asdict(), "flags": tuple(sorted(mcq.flags))}
    elif row.kind == "numeric":
        numeric = grade_numeric(
            row.response, row.reference, row.unit, relative_tolerance=relative_tolerance, absolute_tolerance=absolute_tolerance
        )
        found = {**numeric._asdict(), "extracted": numeric.extracted_text, "flags": tuple(sorted(numeric.flags))}
    return GradedAnswer.model_validate({"line": line, "id": row.id or row.question, "arm": row.arm, "kind": row.kind, **found})


def grade_file(path: Path, *, relative_tolerance: float, absolute_tolerance: float | None) -> list[GradedAnswer]:
    """Grade every row of a file. ValueError names the first line that cannot be read or graded."""
    graded: list[GradedAnswer] = []
    seen: set[tuple[str, str, str]] = set()
    rows = read_rows(path)
    while True:
        try:
            line, fields = next(rows)
        except StopIteration:
            break
        except (json.JSONDecodeError, csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}, after {len(graded)} rows: not readable as {path.suffix or 'JSONL'}: {error}") from error
        try:
            row = AnswerRow.model_validate(fields)
            grade = grade_row(line, row, relative_tolerance=relative_tolerance, absolute_tolerance=absolute_tolerance)
        except (ValidationError, ValueError) as error:
            raise ValueError(f"{path}, line {line}: {sentence(error)}") from error
        key = (grade.arm, grade.kind, grade.id)
        if key in seen:
            raise ValueError(
                f"{path}, line {line}: a second answer of {grade.arm!r} to {grade.id[:60]!r}; give each question an id, or each set of answers an arm."
            )
        seen.add(key)
        graded.append(grade)
    if not graded:
        raise ValueError(f"{path}: no rows; a header and at least one row, or JSON lines, are needed.")
    return graded


def ledger(graded: list[GradedAnswer]) -> str:
    """Return the table of outcomes, and of the paired comparison where there are two arms."""
    arms = list(dict.fromkeys(grade.arm for grade in graded))
    lines: list[str] = []
    for kind in KINDS:
        of_kind = [grade for grade in graded if grade.kind == kind]
        for arm in arms if of_kind else ():
            mine = [grade for grade in of_kind if grade.arm == arm]
            if not mine:
                continue
            counts = Counter(grade.outcome for grade in mine)
            assert sum(counts.values()) == len(mine)
            text = "  ".join(f"{outcome} {counts[outcome]}" for outcome in Outcome)
            scored = [float(grade.outcome == Outcome.CORRECT) for grade in mine if grade.outcome != Outcome.UNJUDGED]
            if scored:
                estimate = mean_estimate(scored, clusters=None, seed=SEED, num_resamples=NUM_RESAMPLES)
                low, high = estimate.ci95
                text += f"  score {estimate.mean:.3f} [{low:.3f}, {high:.3f}]"
            flags = Counter(flag for grade in mine for flag in grade.flags)
            lines.append(
                f"{kind:<12} {arm:<12} n {len(mine):<5} {text}" + ("".join(f"  {flag} {count}" for flag, count in sorted(flags.items())))
            )
        if of_kind and len(arms) == 2 and kind != "explanation":
            lines.append(comparison(kind, arms, of_kind))
    return "\n".join(lines)


def comparison(kind: Kind, arms: list[str], graded: list[GradedAnswer]) -> str:
    """Return the paired difference of two arms over the questions that both answered."""
    first, second = ({grade.id: float(grade.outcome == Outcome.CORRECT) for grade in graded if grade.arm == arm} for arm in arms)
    shared = [question for question in first if question in second]
    if not shared:
        return f"{kind:<12} {arms[1]} - {arms[0]}: no question in common"
    found = paired_comparison([first[q] for q in shared], [second[q] for q in shared], clusters=None, seed=SEED)
    low, high = found.ci95
    return (
        f"{kind:<12} {arms[1]} - {arms[0]}: {signed_ascii(found.delta, 3)} [{signed_ascii(low, 3)}, {signed_ascii(high, 3)}]  p {found.p_value:.3g} ({found.test})  "
        f"only {arms[0]} {found.num_base_only}, only {arms[1]} {found.num_tuned_only}  "
        f"smallest detectable difference {found.minimum_detectable_effect:.3f}  pairs {len(shared)}"
    )


def main(path: Path, *, out: Path | None, relative_tolerance: float, absolute_tolerance: float | None) -> str:
    """Grade a file, write the verdicts where asked, and return the ledger."""
    graded = grade_file(path, relative_tolerance=relative_tolerance, absolute_tolerance=absolute_tolerance)
    if out is not None:
        write_jsonl(out, graded)
    return ledger(graded)


@click.command()
@click.argument("answers", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write JSON lines here, one verdict per answer.")
@click.option("--relative-tolerance", type=float, default=0.05, show_default=True, help="Fraction of a numeric reference.")
@click.option("--absolute-tolerance", type=float, help="Needed if a numeric reference is 0, in its unit.")
def command(answers: Path, out: Path | None, relative_tolerance: float, absolute_tolerance: float | None) -> None:
    """Grade answers of other tools with the same rules.

    The file ANSWERS (CSV with a header, or JSON lines) has a row per answer: `question`, `response`, `reference`, `kind` (mcq, numeric or
    explanation), and where they apply `unit`, `choices` (an object letter -> text; without it the options are read out of the question), `arm`
    (two names are compared question by question) and `id` (else equal questions are the same question).

    Graders, outcomes and statistics are those of the pipeline; no model is needed. Explanations stay unjudged: they need a judge. Prints the ledger.

    Exit 1 if the file cannot be graded.
    """
    with refusing(1, OSError, ValueError):
        told = main(answers, out=out, relative_tolerance=relative_tolerance, absolute_tolerance=absolute_tolerance)
    click.echo(told)
