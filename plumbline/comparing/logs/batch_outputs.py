"""Read the output file of a batch service: OpenAI's chat and responses, and Message Batches. Reads the file that is named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plumbline.comparing.logs.json_objects import as_written_by, json_objects
from plumbline.comparing.logs.logged_answer import Log, LoggedAnswer, Tool, text_of
from plumbline.pipeline.refused import Refused

CUT = ("length", "max_tokens", "max_output_tokens")
OK = 200


def read_batch(path: Path) -> Log:
    """The answers by `custom_id`: such a file holds neither question nor score. Refused names the first line that is not an answer."""
    answers: list[LoggedAnswer] = []
    models: dict[str, None] = {}
    for line, row in json_objects(path):
        where = f"{path}, line {line}"
        if not isinstance(row.get("custom_id"), str):
            raise Refused(f"{where}: no custom_id. Give the output file of a batch; each line names its question by custom_id.")
        with as_written_by("a batch service", where):
            body, failure = body_of(where, row)
            response, is_cut = (None, False) if body is None else said(where, body)
        if body is not None and body.get("model"):
            models[str(body["model"])] = None
        answers.append(
            LoggedAnswer(where=where, line=line, task="", id=row["custom_id"], response=response, is_cut=is_cut, failure=failure)
        )
    return Log(path=path, tool=Tool.BATCH, model=", ".join(models) or path.stem, answers=tuple(answers))


def body_of(where: str, row: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str | None]:
    """What the service answered to one request, or why it did not."""
    result = row.get("result")
    if isinstance(result, dict):
        return (result["message"], None) if result.get("type") == "succeeded" else (None, f"the request was {result.get('type')}")
    response = row.get("response")
    if isinstance(response, dict):
        body, status = response.get("body"), response.get("status_code", OK)
        if status == OK and isinstance(body, dict):
            return body, None
        return None, f"the service answered with status {status}"
    if row.get("error"):
        return None, str(row["error"])[:200]
    raise Refused(f"{where}: neither response nor error. Give the output file of a batch, not the file of its requests.")


def said(where: str, body: Mapping[str, Any]) -> tuple[str, bool]:
    """The text of an answer, and whether it was cut. KeyError or TypeError for a damaged answer."""
    if choices := body.get("choices"):
        return text_of(choices[0]["message"].get("content")), choices[0].get("finish_reason") in CUT
    if isinstance(body.get("output"), list):
        parts = [part for one in body["output"] if one.get("type") == "message" for part in one["content"]]
        return text_of(parts), (body.get("incomplete_details") or {}).get("reason") in CUT
    if "content" in body:
        return text_of(body["content"]), body.get("stop_reason") in CUT
    raise Refused(f"{where}: no choices, output or content in the answer. Give the output of chat completions, responses or messages.")
