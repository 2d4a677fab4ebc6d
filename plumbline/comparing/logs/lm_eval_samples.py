"""Read `samples_*.jsonl` of lm-evaluation-harness. Reads the file that is named, and the results next to it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from plumbline.comparing.logs.json_objects import as_written_by, json_objects
from plumbline.comparing.logs.logged_answer import (
    Log,
    LoggedAnswer,
    LoggedScore,
    Tool,
    label_of,
    lettered,
    number_of,
    scalars,
    score_of_value,
)
from plumbline.pipeline.refused import Refused

NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)")
NEEDED = ("doc_id", "doc", "target", "resps")
QUESTION_FIELDS = ("question", "query", "problem", "prompt", "input", "goal", "sentence", "text")
"""Names under which documents hold the question; without one the prompt is used."""
INVALID = "[invalid]"
"""What the harness's own filters give if they read nothing."""
SETTINGS = ("num_fewshot", "limit", "gen_kwargs", "fewshot_seed")


def read_lm_eval(path: Path) -> Log:
    """The answers of one task, with all filters of a document in one. Refused names the first line that is not a sample."""
    named = NAME.fullmatch(path.stem)
    task, date = (named["task"], named["date"]) if named else (path.stem, "")
    answers: dict[str, LoggedAnswer] = {}
    for line, row in json_objects(path):
        with as_written_by(Tool.LM_EVAL, f"{path}, line {line}"):
            answer = answer_of(f"{path}, line {line}", line, task, row)
        known = answers.get(answer.id)
        if known is None:
            answers[answer.id] = answer
            continue
        if twice := known.scores.keys() & answer.scores.keys():
            raise Refused(
                f"{path}, line {line}: this is a second {', '.join(sorted(twice))} for doc_id {answer.id}; the first is in line {known.line}. "
                "Give the samples of one run, each document once per filter."
            )
        answers[answer.id] = replace(known, scores={**known.scores, **answer.scores})
    results = results_of(path, date)
    with as_written_by(Tool.LM_EVAL, f"{path.parent}, results of {path.name}"):
        settings = settings_of(results, task)
    return Log(
        path=path,
        tool=Tool.LM_EVAL,
        model=str(results.get("model_name") or path.parent.name),
        answers=tuple(answers.values()),
        settings=settings,
    )


def results_of(path: Path, date: str) -> dict[str, Any]:
    """The results file of the same run; empty if it is not next to the samples."""
    summary = path.with_name(f"results_{date}.json")
    try:
        found = json.loads(summary.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def settings_of(results: Mapping[str, Any], task: str) -> dict[str, str]:
    """What the scores depend on besides the model."""
    config = results.get("config") or {}
    found = {name: str(config[name]) for name in SETTINGS if config.get(name)}
    for name in ("versions", "n-shot", "task_hashes"):
        if task in (results.get(name) or {}):
            found[name] = str(results[name][task])
    found |= {name: str(results[name]) for name in ("lm_eval_version", "chat_template_sha", "system_instruction_sha") if results.get(name)}
    return {f"{task}: {name}": value for name, value in found.items()}


def answer_of(where: str, line: int, task: str, row: Mapping[str, Any]) -> LoggedAnswer:
    """One line as an answer with the scores of its filter."""
    if missing := [name for name in NEEDED if name not in row]:
        raise Refused(f"{where}: no {', '.join(missing)}. Give samples_*.jsonl as lm-evaluation-harness writes it with --log_samples.")
    doc = row["doc"] if isinstance(row["doc"], dict) else {"text": str(row["doc"])}
    asked = requests_of(row.get("arguments"))
    question = next((doc[name] for name in QUESTION_FIELDS if isinstance(doc.get(name), str)), asked[0][0] if asked else "")
    if not isinstance(row["resps"], list):
        raise TypeError("resps is not a list")
    likely = likelihoods(row["resps"], asked)
    target, choices = str(row["target"]), {}
    if likely is None:
        said = [str(text) for texts in row["resps"] for text in (texts if isinstance(texts, list) else [texts])]
        response, one = (said[0] if said else None), len(said) == 1
    else:
        choices = lettered(choice_texts(doc, [text for _, text in asked[: len(likely)]]))
        response, one = label_of(max(range(len(likely)), key=lambda place: likely[place])), True
        place = number_of(target)
        target = label_of(int(place)) if place is not None and 0 <= place < len(likely) else target
    return LoggedAnswer(
        where=where,
        line=line,
        task=task,
        id=str(row["doc_id"]),
        question=question.strip(),
        choices=choices,
        target=target,
        response=response,
        has_one_response=one,
        scores=scores_of(where, row),
        fields={**scalars(doc), "task": task},
        fingerprint=str(row.get("doc_hash") or json.dumps([question, row["target"]], ensure_ascii=False)),
    )


def requests_of(arguments: object) -> list[tuple[str, str]]:
    """(prompt, continuation) of every request: a dict of dicts in present versions, a list of lists in older ones."""
    if isinstance(arguments, dict):
        arguments = [list(one.values()) if isinstance(one, dict) else one for one in arguments.values()]
    if not isinstance(arguments, list):
        return []
    return [(str(one[0]), str(one[1]) if len(one) > 1 else "") for one in arguments if isinstance(one, list) and one]


def likelihoods(resps: Any, asked: Sequence[tuple[str, str]]) -> list[float] | None:
    """Log-likelihood of every choice; None if the model wrote a text. Requests without the prompt (mutual information) are left out."""
    found: list[float] = []
    for place, one in enumerate(resps):
        pair = one[0] if isinstance(one, list) and one else None
        number = number_of(pair[0]) if isinstance(pair, list) and len(pair) == 2 else None
        if number is None:
            return None
        if place >= len(asked) or asked[place][0] == asked[0][0]:
            found.append(number)
    return found if len(found) > 1 else None


def choice_texts(doc: Mapping[str, Any], continuations: Sequence[str]) -> list[str]:
    """The texts of the choices: those of the document if it has as many, because a continuation may be only a letter."""
    given = doc.get("choices")
    texts = given.get("text") if isinstance(given, dict) else given
    if isinstance(texts, list) and len(texts) == len(continuations):
        return [str(text) for text in texts]
    return [text.strip() for text in continuations]


def scores_of(where: str, row: Mapping[str, Any]) -> dict[str, LoggedScore]:
    """Scores as the harness names them: `metric,filter`, and `metric` alone without a filter."""
    name = row.get("filter", "none")
    read = row.get("filtered_resps")
    extracted = str(read[0]) if isinstance(read, list) and read and isinstance(read[0], str) else None
    found: dict[str, LoggedScore] = {}
    for metric in row.get("metrics") or []:
        if metric not in row:
            raise Refused(f"{where}: `metrics` names {metric}, but there is no such value. Give the file as the harness writes it.")
        score = score_of_value(row[metric], extracted=extracted)
        found[metric if name == "none" else f"{metric},{name}"] = replace(score, is_no_answer=extracted == INVALID)
    return found
