"""The rows and questions that a run would have: of the last split if it read the same, else cleaned and split for the plan. Touches a temporary folder."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml.error import YAMLError

from plumbline.pipeline.files import md5_of
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml, section_of
from plumbline.pipeline.refused import Refused
from plumbline.planning.real_profile import EMBEDDED_DATA
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from stages import clean, split, synthesize

STAGES = ("clean", "split")
TRAIN, BENCHMARK = "data/split/train.jsonl", "data/split/benchmark.jsonl"


@dataclass(frozen=True)
class PlannedData:
    """What a run would train on, and what it would be asked."""

    rows: list[InstructionRow]
    questions: list[Question]
    known: str
    """Where the rows are from."""


class _Sources(NamedTuple):
    rows: Path
    questions: Path


def planned_data(root: Path, params: Mapping[str, Any]) -> PlannedData:
    """The rows and questions of a run with these parameters. Refused, or OSError, if a file that they name cannot be read as such."""
    if is_of_last_split(root, params):
        return _read(root / TRAIN, root / BENCHMARK, "of the last split")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            return split_for_the_plan(sources_of(root, params, folder), params, folder)
        except Refused as error:  # it names the file as the project has it
            raise Refused(str(error).replace(f"{folder}/", "").replace(f"{root}/", "")) from None


def is_of_last_split(root: Path, params: Mapping[str, Any]) -> bool:
    """Whether data/split is what clean and split would make with these parameters of the files that they name.

    A raw file that is not here cannot be split again: then the parameters decide.
    """
    stages = locked_stages(root / "dvc.lock")
    names = STAGES if not _embedded(params) else ("synthesize", *STAGES)
    if any((stages.get(name, {}).get("params") or {}).get("params.yaml", {}).get(name) != params[name] for name in names):
        return False
    made = {out["path"]: out.get("md5") for out in stages["split"].get("outs", [])}
    if any(not (root / path).is_file() or made.get(path) != md5_of(root / path) for path in (TRAIN, BENCHMARK)):
        return False
    read = {dep["path"]: dep.get("md5") for name in STAGES for dep in stages[name].get("deps", [])}
    named = (str(params["clean"]["source"]), str(params["split"]["benchmark"]))
    return all(not (root / path).is_file() or read.get(path) == md5_of(root / path) for path in named)


def sources_of(root: Path, params: Mapping[str, Any], folder: Path) -> _Sources:
    """The files to clean and to ask from. Those of the embedded data set are written into `folder`, in the amounts of the parameters."""
    named = [str(params["clean"]["source"]), str(params["split"]["benchmark"])]
    if _embedded(params):
        section = section_of(params, "synthesize", synthesize.SynthesizeParams)
        files = {name: folder / EMBEDDED_DATA / f"{name}.jsonl" for name in ("train", "benchmark", "corpus", "general")}
        synthesize.main(section, **files)
    sources = _Sources(*(folder / path if path.startswith(EMBEDDED_DATA) else root / path for path in named))
    if not sources.questions.is_file():
        raise Refused(f"{sources.questions} is not a file. Set split.benchmark to the path of a file of questions, or run `dvc pull`.")
    return sources


def locked_stages(lock: Path) -> Mapping[str, Any]:
    """What dvc.lock says of the stages; nothing if it is missing or cannot be read, as in a merge that is not resolved."""
    try:
        return (read_yaml(lock) or {}).get("stages") or {} if lock.is_file() else {}
    except YAMLError:
        return {}


def num_general_prompts(root: Path, params: Mapping[str, Any]) -> int:
    """How many general prompts base will answer; 0 if their file is not here."""
    path = str(params["general"]["prompts"])
    if path.startswith(EMBEDDED_DATA):
        return int(params["synthesize"]["num_general"])
    file = root / path
    return sum(bool(line.strip()) for line in file.read_text(encoding="utf-8").splitlines()) if file.is_file() else 0


def split_for_the_plan(sources: _Sources, params: Mapping[str, Any], folder: Path) -> PlannedData:
    """Clean and split as the stages do, with all files in `folder`."""
    kept, questions = folder / "kept.jsonl", folder / "benchmark.jsonl"
    clean.main(
        section_of(params, "clean", clean.CleanParams),
        source=sources.rows,
        kept=kept,
        quarantined=folder / "quarantined.jsonl",
        metrics=folder / "data.json",
    )
    train = folder / "train.jsonl"
    split.main(
        section_of(params, "split", split.SplitParams),
        kept=kept,
        benchmark=sources.questions,
        train=train,
        validation=folder / "validation.jsonl",
        questions=questions,
        overlap=folder / "overlap.jsonl",
    )
    return _read(train, questions, f"of {params['clean']['source']}, cleaned and split for this plan")


def _read(train: Path, benchmark: Path, known: str) -> PlannedData:
    return PlannedData(list(read_jsonl(train, InstructionRow)), list(read_jsonl(benchmark, Question)), known)


def _embedded(params: Mapping[str, Any]) -> bool:
    return any(str(path).startswith(EMBEDDED_DATA) for path in (params["clean"]["source"], params["split"]["benchmark"]))
