"""Read the reviews of EvalScope (`reviews/MODEL/TASK.jsonl`). Reads the file that is named."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plumbline.comparing.logs.json_objects import as_written_by, json_objects
from plumbline.comparing.logs.logged_answer import Log, LoggedAnswer, LoggedScore, Tool, scalars, score_of_value, text_of, texts_of
from plumbline.grading.choices import parse_choices
from plumbline.pipeline.refused import Refused


def read_evalscope(path: Path) -> Log:
    """The answers of one task. Refused names the first line that is not a review."""
    answers: list[LoggedAnswer] = []
    for line, row in json_objects(path):
        where = f"{path}, line {line}"
        with as_written_by(Tool.EVALSCOPE, where):
            answers.append(answer_of(where, line, path.stem, row))
    return Log(path=path, tool=Tool.EVALSCOPE, model=path.parent.name, answers=tuple(answers))


def answer_of(where: str, line: int, task: str, row: Mapping[str, Any]) -> LoggedAnswer:
    """One review as an answer."""
    sample = row.get("sample_score")
    score = sample.get("score") if isinstance(sample, dict) else None
    if not isinstance(sample, dict) or not isinstance(score, dict):
        raise Refused(f"{where}: no sample_score with a score. Give a file of the folder reviews/ as EvalScope 1.x writes it.")
    messages = row.get("messages") or [{"role": "user", "content": row.get("input", "")}]
    asked = [text_of(message.get("content")) for message in messages if message.get("role") == "user"]
    question = (asked[-1] if asked else "").strip()
    given = row.get("target")
    targets = [given] if isinstance(given, str) else texts_of(given)
    target = ", ".join(targets)
    choices = parse_choices(question)[1] if len(target) == 1 and target.isalpha() else {}
    prediction = score.get("prediction")
    return LoggedAnswer(
        where=where,
        line=line,
        task=task,
        id=str(sample.get("group_id", sample.get("sample_id", row.get("index")))),
        question=question,
        choices=choices if target in choices else {},
        target=target,
        response=None if prediction is None else str(prediction),
        has_one_response=True,
        scores=scores_of(score),
        fields={**scalars(sample.get("sample_metadata")), "task": task},
        fingerprint=json.dumps([question, targets], ensure_ascii=False),
    )


def scores_of(score: Mapping[str, Any]) -> dict[str, LoggedScore]:
    """Scores by name, the main one first. EvalScope leaves out what it could not score."""
    values = dict(score.get("value") or {})
    main, extracted = score.get("main_score_name"), score.get("extracted_prediction")
    names = sorted(values, key=lambda name: name != main)
    explanation = str(score.get("explanation") or "")
    said = {"extracted": None if extracted is None else str(extracted), "explanation": explanation}
    usable = score.get("status", "success") == "success"
    return {name: score_of_value(values[name] if usable else None, **said) for name in names}
