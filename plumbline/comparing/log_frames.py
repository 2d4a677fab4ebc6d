"""Logs of other tools as tables for notebooks. Reads the files that are named."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from plumbline.comparing.answers_ledger import pairs_of, scored_rows
from plumbline.comparing.frames import Frames, question_table, verdict_columns
from plumbline.comparing.logs.arms import arms_of, differing_settings
from plumbline.comparing.logs.log_grades import GradedLogs, ScoreParams, graded_logs
from plumbline.comparing.logs.matching import MatchBy, matched


def load_logs(paths: Sequence[str | Path], *, scores: ScoreParams | None = None, match: MatchBy | None = None) -> Frames:
    """The tables of logs, one arm for each log or model, read, matched and scored as in `plumbline compare-logs`.

    `paths`: files or folders, `NAME=PATH` to name one. `scores` says which score is used, or that answers are graded again.
    """
    arms = arms_of([str(path) for path in paths], () if scores is None else scores.names)
    names = [arm.name for arm in arms]
    graded = graded_logs(matched(arms, match), names, scores or ScoreParams())
    warnings = [text for arm in arms for text in arm.warnings]
    fields, unlike = fields_of_questions(graded)
    if unlike:
        warnings.append(f"the answers to one question differ in {', '.join(unlike)}: these fields are not columns of questions")
    return Frames(
        name=", ".join(names),
        questions=question_table(graded.found.questions, fields),
        answers=answer_table(graded),
        training=pd.DataFrame(columns=["step", "train_loss", "validation_loss"]),
        pairs=tuple(pairs_of(graded.found.graded, ())),
        rows=graded.found.questions,
        scored=scored_rows(graded.found),
        told=(*graded.told, *warnings, *differing_settings(arms)),
    )


def fields_of_questions(graded: GradedLogs) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Id -> what the logs say about the question, with its task; and the fields that belong to single answers, because two of one question differ."""
    found: dict[str, dict[str, str]] = {}
    unlike: dict[str, None] = {}
    for (_, _, name), given in graded.answers.items():
        mine = found.setdefault(name, {})
        for answer in given:
            unlike.update({key: None for key, value in answer.fields.items() if mine.setdefault(key, value) != value})
    return {name: {key: value for key, value in mine.items() if key not in unlike} for name, mine in found.items()}, list(unlike)


def answer_table(graded: GradedLogs) -> pd.DataFrame:
    """A row per question and arm. For several samples it holds the first response, and the mean of each logged score."""
    rows: list[dict[str, object]] = []
    extracted = {(row.arm, row.id): row.extracted for row in graded.found.graded}
    for row in scored_rows(graded.found):
        given = graded.answers[row.arm, row.kind, row.id]
        rows.append(
            {
                **verdict_columns(row),
                "extracted": extracted[row.arm, row.id],
                "response": given[0].response,
                "truncated": any(answer.is_cut for answer in given),
                "num_samples": len(given),
                "failure": next((answer.failure for answer in given if answer.failure), None),
                "where": given[0].where,
                **logged_scores([{name: score.value for name, score in answer.scores.items()} for answer in given]),
            }
        )
    return pd.DataFrame(rows)


def logged_scores(samples: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    """Every score of the tool as it was logged, the mean over samples, as `logged NAME`."""
    found: dict[str, float | None] = {}
    for name in dict.fromkeys(name for one in samples for name in one):
        values = [value for one in samples if (value := one.get(name)) is not None]
        found[f"logged {name}"] = sum(values) / len(values) if values else None
    return found
