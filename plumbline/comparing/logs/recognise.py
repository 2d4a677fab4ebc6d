"""Tell which tool wrote a log, by what it holds, and read it; a folder gives all logs in it. Reads the files that are named."""

import json
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from plumbline.comparing.logs.batch_outputs import read_batch
from plumbline.comparing.logs.evalscope_reviews import read_evalscope
from plumbline.comparing.logs.inspect_eval import read_inspect
from plumbline.comparing.logs.json_objects import first_object
from plumbline.comparing.logs.lm_eval_samples import read_lm_eval
from plumbline.comparing.logs.logged_answer import Log, Tool
from plumbline.comparing.logs.tables import TABLES, names_answers, read_table
from plumbline.comparing.spreadsheets import refuse_spreadsheet
from plumbline.pipeline.refused import Refused

READ = (
    "a .eval or .json log of Inspect, samples_*.jsonl of lm-evaluation-harness, a file of EvalScope's reviews/, the output of a batch, "
    "or a table (CSV, TSV or JSON lines) with id or question, and score or response"
)
IN_FOLDERS = ("*.eval", "samples_*.jsonl", "reviews/**/*.jsonl")
"""The names of logs in a folder. If no file has such a name, every .json and .jsonl counts."""


def tool_of(path: Path, scores: Collection[str] = ()) -> Tool:
    """Which tool wrote a file. If no known tool did, Refused says what can be read."""
    refuse_spreadsheet(path)
    if path.stat().st_size == 0:
        raise Refused(f"{path} is empty. Copy the log again from where it was made.")
    if zipfile.is_zipfile(path):
        return Tool.INSPECT
    if path.suffix == ".eval":
        raise Refused(
            f"{path} is not a zip file, but a log of Inspect is one. The copy may be cut. Copy the log again, or read it with `inspect log`."
        )
    if path.suffix.lower() in TABLES:
        return Tool.TABLE
    if path.suffix.lower() not in (".json", ".jsonl"):
        raise Refused(f"{path}: no known tool writes logs with the ending {path.suffix or '(none)'}. Give {READ}.")
    if path.suffix.lower() == ".json" and is_indented(path):
        refuse_other_object(path)
        return Tool.INSPECT
    first = first_object(path)
    found = tool_of_object(first, scores)
    if found is None:
        raise Refused(f"{path}, line 1: no known tool writes such an object. Its keys are {', '.join(list(first)[:20])}. Give {READ}.")
    return found


def refuse_other_object(path: Path) -> None:
    """Refused for an object that is not a log of Inspect, such as the results of lm-evaluation-harness: a summary without answers."""
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict) and "results" in found and "eval" not in found and {"n-shot", "configs", "versions"} & found.keys():
        raise Refused(
            f"{path} is the summary of lm-evaluation-harness, which holds no answers. Give samples_*.jsonl next to it, or their folder; "
            "the harness writes them with --log_samples."
        )
    if isinstance(found, dict) and "eval" not in found:
        raise Refused(
            f"{path}: no known tool writes such an object over several lines. Its keys are {', '.join(list(found)[:20])}. Give {READ}."
        )


def is_indented(path: Path) -> bool:
    """Whether a file is one object over several lines, as Inspect writes it."""
    with path.open("rb") as stream:
        return stream.readline(64).strip() == b"{"


def tool_of_object(row: Mapping[str, Any], scores: Collection[str] = ()) -> Tool | None:
    """Which tool writes such a line."""
    if "doc_id" in row and "resps" in row:
        return Tool.LM_EVAL
    if "sample_score" in row:
        return Tool.EVALSCOPE
    if "custom_id" in row:
        return Tool.BATCH
    if "eval" in row and "samples" in row:
        return Tool.INSPECT
    if names_answers(row.keys(), scores):
        return Tool.TABLE
    return None


def read_logs(path: Path, scores: Collection[str] = ()) -> list[Log]:
    """The logs of a file, or of all log files in a folder. `scores`: columns of a table that are scores. FileNotFoundError if there is neither."""
    path.stat()
    if path.is_dir():
        return [log for file in logs_in(path) for log in read_logs(file, scores)]
    match tool_of(path, scores):
        case Tool.INSPECT:
            return [read_inspect(path)]
        case Tool.LM_EVAL:
            return [read_lm_eval(path)]
        case Tool.EVALSCOPE:
            return [read_evalscope(path)]
        case Tool.BATCH:
            return [read_batch(path)]
        case Tool.TABLE:
            return read_table(path, scores)


def logs_in(folder: Path) -> list[Path]:
    """The log files of a folder, by name. Refused if there is none."""
    found = sorted({path for pattern in IN_FOLDERS for path in folder.rglob(pattern) if path.is_file()})
    found = found or sorted(path for path in folder.iterdir() if path.suffix in (".json", ".jsonl") and path.is_file())
    if not found:
        raise Refused(f"{folder}: there is no log in this folder. Give a folder that holds {READ}.")
    return found
