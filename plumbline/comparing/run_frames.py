"""A run of the pipeline as tables for notebooks. Touches git, DVC's cache and the workspace, read-only."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from plumbline.comparing.compared_run import chosen_questions
from plumbline.comparing.frames import Frames, question_table, verdict_columns
from plumbline.comparing.revisions import ContentGone, NotThere, Source, open_run, read_evaluation, read_rows
from plumbline.reporting.scored import Sample, join_verdicts
from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Question

LOSS = ("step", "train_loss", "validation_loss")


def repository_above(folder: Path) -> Path:
    """The clone that holds a folder: a notebook is rarely at its top. NotThere outside of a clone."""
    found = next((one for one in (folder, *folder.parents) if (one / ".dvc").is_dir()), None)
    if found is None:
        raise NotThere(f"{folder} is not in a clone (no folder above has a .dvc). Give root, the folder of the clone.")
    return found


def load_run(name: str, *, root: str | Path | None = None) -> Frames:
    """The tables of a commit, an experiment, or `workspace`. NotThere names the file that cannot be read, and what to do."""
    source = open_run(repository_above(Path.cwd()) if root is None else Path(root), name)
    evaluation = read_evaluation(source, name)
    arms = list(evaluation["arms"])
    questions = chosen_questions(evaluation, list(read_rows(source, "data/split/benchmark.jsonl", Question)))
    answers = [row for arm in arms for row in read_rows(source, f"data/answers/{arm}.jsonl", Answer)]
    grades = list(read_rows(source, "data/grades/graded.jsonl", Grade))
    judgements = list(read_rows(source, "data/grades/judged.jsonl", Judgement))
    try:
        scored = join_verdicts(questions, answers, grades, judgements)
    except KeyError as missing:
        raise NotThere(
            f"{name}: no answer or verdict for {missing.args[0]}, because it is a run of some stages only. Run the whole pipeline (`dvc repro`), "
            "or load another run."
        ) from None
    said = {(answer.arm, answer.id, answer.sample): answer for answer in answers}
    verdicts: Mapping[tuple[str, str, Sample], Grade | Judgement] = {(row.arm, row.id, row.sample): row for row in [*grades, *judgements]}
    has_samples = any(row.samples for row in scored)
    return Frames(
        name=name,
        questions=question_table(questions, {question.id: tags_of(question) for question in questions}),
        answers=pd.DataFrame(
            [
                {
                    **verdict_columns(row),
                    **({"sample": row.sample or 1} if has_samples else {}),
                    **columns_of(verdicts[row.arm, row.id, row.sample]),
                    "response": said[row.arm, row.id, row.sample].response,
                    "truncated": row.truncated,
                    "num_tokens": said[row.arm, row.id, row.sample].num_tokens,
                    "complete": said[row.arm, row.id, row.sample].complete,
                }
                for question in scored
                for row in question.answers
            ]
        ),
        training=training_of(source),
        pairs=tuple((first, second) for first, second in evaluation["comparisons"]),
        rows=questions,
        scored=scored,
        told=tuple(told_of(evaluation)),
    )


def told_of(evaluation: Mapping[str, Any]) -> list[str]:
    """What the report says against its own numbers."""
    told = [f"not valid: {why}" for why in evaluation["invalid_because"]]
    return told + ([] if evaluation["complete"] else [f"not complete: {evaluation['incomplete_because']}"])


def columns_of(verdict: Grade | Judgement) -> dict[str, object]:
    """What a rule read, or what the judge said."""
    if isinstance(verdict, Grade):
        return {"extracted": verdict.extracted, "reasoning": None, "judge_id": None}
    return {"extracted": None, "reasoning": verdict.reasoning, "judge_id": verdict.judge_id}


def tags_of(question: Question) -> dict[str, str]:
    """The tags of a question as columns: `topic: optics` is `optics` under topic."""
    pairs = [tag.partition(":") for tag in question.tags]
    return {(name.strip() if colon else "tag"): (value if colon else name).strip() for name, colon, value in pairs}


def training_of(source: Source) -> pd.DataFrame:
    """The loss curve; empty if the run has none."""
    try:
        return pd.read_csv(io.BytesIO(source.read("metrics/loss.csv")))
    except ContentGone:
        return pd.DataFrame(columns=list(LOSS))
