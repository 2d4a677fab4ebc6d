"""Read a log of Inspect: `.eval`, or its older form, one JSON file. Needs no Inspect. Reads the file that is named."""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from plumbline.comparing.counted import counted
from plumbline.comparing.logs.json_objects import AGAIN, as_object, as_written_by
from plumbline.comparing.logs.logged_answer import (
    GRADES,
    NO_ANSWER,
    Log,
    LoggedAnswer,
    LoggedScore,
    Tool,
    lettered,
    scalars,
    score_of_value,
    text_of,
    texts_of,
)
from plumbline.comparing.logs.zip_members import read_member
from plumbline.pipeline.refused import Refused

HEADERS = ("header.json", "_journal/start.json")
"""A run that did not end leaves only the second one."""
ATTACHMENT = "attachment://"
SETTINGS = ("task_version", "task_args", "solver", "solver_args", "model_generate_config", "model_roles")
"""Fields of the header: what a score depends on besides the model."""
SETTINGS_OF_CONFIG = ("limit", "sample_id", "epochs", "epochs_reducer", "message_limit", "token_limit", "time_limit")


def read_inspect(path: Path) -> Log:
    """The answers of a log with all their scores. Refused if it is not a log of Inspect, or damaged."""
    header, samples = read_zip(path) if zipfile.is_zipfile(path) else read_json(path)
    spec = header.get("eval")
    if not isinstance(spec, dict):
        raise Refused(f"{path}: no `eval` in its header, so this is not a log of Inspect. Give a .eval file as `inspect eval` writes it.")
    task, model = str(spec.get("task", path.stem)), str(spec.get("model", path.stem))
    answers: list[LoggedAnswer] = []
    for number, (where, sample) in enumerate(samples, start=1):
        with as_written_by(Tool.INSPECT, where):
            answers.append(answer_of(path, number, task, sample))
    with as_written_by(Tool.INSPECT, f"{path}, header"):
        return Log(
            path=path,
            tool=Tool.INSPECT,
            model=model,
            answers=tuple(answers),
            settings={f"{task}: {name}": value for name, value in settings_of(spec).items()},
            warnings=tuple(warnings_of(path, header, spec, answers)),
        )


def settings_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """What the scores depend on besides the model."""
    config = spec.get("config") or {}
    found = {name: json.dumps(spec[name], sort_keys=True) for name in SETTINGS if spec.get(name)}
    found |= {name: json.dumps(config[name], sort_keys=True) for name in SETTINGS_OF_CONFIG if config.get(name) is not None}
    found |= {f"scorer {scorer.get('name')}": json.dumps(scorer.get("options") or {}) for scorer in spec.get("scorers") or []}
    return found | {name: str(version) for name, version in (spec.get("packages") or {}).items()}


def read_zip(path: Path) -> tuple[dict[str, Any], Iterator[tuple[str, dict[str, Any]]]]:
    """Header of a .eval file, and its samples with their places. Each is read only when needed, because it may hold megabytes of events."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise Refused(f"{path}: not readable as a zip file ({error}). {AGAIN}") from None
    members = {member.filename: member for member in archive.infolist()}
    name = next((name for name in HEADERS if name in members), None)
    if name is None:
        raise Refused(
            f"{path}: a zip file without header.json, so this is not a log of Inspect. Give a .eval file as `inspect eval` writes it."
        )
    header = as_object(read_member(path, archive, members[name]), f"{path}, {name}", remedy=AGAIN)
    samples = [member for file, member in members.items() if file.startswith("samples/") and file.endswith(".json")]
    places = [(f"{path}, {member.filename}", member) for member in samples]
    return header, ((place, as_object(read_member(path, archive, member), place, remedy=AGAIN)) for place, member in places)


def read_json(path: Path) -> tuple[dict[str, Any], Iterator[tuple[str, dict[str, Any]]]]:
    """Header of a log that is one JSON file, and its samples with their places."""
    content = as_object(path.read_bytes(), str(path), remedy=f"{AGAIN} A log of Inspect is one object.")
    samples = content.get("samples") or []
    if not isinstance(samples, list):
        raise Refused(f"{path}: its samples are not a list. {AGAIN}")
    return content, ((f"{path}, sample {place}", sample) for place, sample in enumerate(samples, start=1))


def warnings_of(path: Path, header: Mapping[str, Any], spec: Mapping[str, Any], answers: Sequence[LoggedAnswer]) -> Iterator[str]:
    """What in the log speaks against its own scores."""
    status = header.get("status", "started")
    due = ((spec.get("dataset") or {}).get("samples") or 0) * ((spec.get("config") or {}).get("epochs") or 1)
    if status != "success":
        yield f"{path}: the run did not end well (its status is {status}); it holds {len(answers)} of {due} samples"
    if header.get("invalidated"):
        yield f"{path}: someone marked this log as invalid"
    if failed := sum(answer.failure is not None for answer in answers):
        yield f"{path}: {counted(failed, 'sample')} failed: unjudged"


def answer_of(path: Path, number: int, task: str, sample: Mapping[str, Any]) -> LoggedAnswer:
    """One sample as an answer."""
    if "id" not in sample:
        raise Refused(f"{path}, sample {number}: no id. Give a log as `inspect eval` writes it.")
    attachments = sample.get("attachments") or {}

    def resolved(text: str) -> str:
        return str(attachments.get(text.removeprefix(ATTACHMENT), text)) if text.startswith(ATTACHMENT) else text

    output = sample.get("output") or {}
    chosen = (output.get("choices") or [{}])[0]
    response = output.get("completion") or text_of((chosen.get("message") or {}).get("content"))
    error = sample.get("error")
    targets = sample["target"] if isinstance(sample.get("target"), list) else [sample.get("target", "")]
    question, choices = resolved(question_of(sample.get("input", ""))), lettered(texts_of(sample.get("choices")))
    return LoggedAnswer(
        where=f"{path}, sample {sample['id']}",
        line=number,
        task=task,
        id=str(sample["id"]),
        question=question,
        choices=choices,
        target=", ".join(map(str, targets)),
        response=resolved(response) if chosen else None,
        scores=scores_of(sample.get("scores") or {}),
        is_cut=chosen.get("stop_reason") in ("max_tokens", "model_length"),
        failure=None if not error else str(error.get("message", error) if isinstance(error, dict) else error)[:200],
        fields={**scalars(sample.get("metadata")), "task": task},
        # Inspect can shuffle the choices of each run; the letter of the target moves with them.
        fingerprint=json.dumps([question, sorted(choices.values()), [choices.get(str(one), one) for one in targets]], ensure_ascii=False),
    )


def question_of(given: object) -> str:
    """The text of a sample's input: a text, or what the last user message says."""
    if isinstance(given, list):
        said = [text_of(message.get("content")) for message in given if isinstance(message, dict) and message.get("role") == "user"]
        return said[-1] if said else ""
    return str(given)


def scores_of(scores: Mapping[str, Any]) -> dict[str, LoggedScore]:
    """Scores by name; a scorer that gives several values gives a score each, as `scorer/value`."""
    found: dict[str, LoggedScore] = {}
    for name, score in scores.items():
        value, answer = score.get("value"), score.get("answer")
        said = {"extracted": None if answer is None else str(answer), "explanation": str(score.get("explanation") or "")}
        if isinstance(value, dict):
            found |= {f"{name}/{part}": graded(one, said) for part, one in value.items()}
        else:
            found[name] = graded(value, said)
    return found


def graded(value: object, said: Mapping[str, Any]) -> LoggedScore:
    """A value of Inspect: one of its four letters, or a number."""
    if isinstance(value, str) and value in GRADES:
        return LoggedScore(value=GRADES[value], is_no_answer=value == NO_ANSWER or said["extracted"] == "", is_fraction=True, **said)
    return score_of_value(value, **said)
