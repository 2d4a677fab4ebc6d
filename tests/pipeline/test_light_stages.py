"""Every stage reads its first input at once: the libraries of models take seconds to load. Stages that run no model never load them, so that
there is nothing to install where grades are re-read; the others read and refuse their inputs before they do.

A start goes from the first instruction of the process to the moment at which `main` opens its first input: interpreter, imports,
parameters and the drift guard, on inputs of one line. It is counted in processor seconds, and the best of five starts has to be below the limit:
work next to it makes some starts slow, and none fast.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import read_yaml
from tests.fakes.opened_inputs import opens_input

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "datasets", "peft", "trl", "bitsandbytes", "accelerate", "anthropic", "vllm", "ray")
WITHOUT_A_MODEL = ("synthesize", "clean", "split", "retrieve", "data_report", "selection", "grade", "grade_again", "judge", "report")
WITH_A_MODEL = ("base", "answer_general", "preflight", "train", "answer@base", "answer@tuned", "answer_again", "probe")
LIMITS_SECONDS = {
    **{"clean": 0.5, "split": 0.5, "retrieve": 0.5, "selection": 0.5, "grade": 0.5, "judge": 0.5, "report": 1.5, "data_report": 1.5},
    **dict.fromkeys(WITH_A_MODEL, 1.0),
}
"""Found on two idle cores: 0.38, 0.39, 0.26, 0.22, 0.51, 0.61; with a model 0.25 to 0.35, where torch alone takes 1.2."""
YARDSTICK = "import numpy, pydantic, time; print(time.process_time())"
YARDSTICK_SECONDS = 0.15
"""Of the yardstick on those cores, computed: `clean` took 2.6 times as long in six pairs on a slower machine. Such a machine gets more time, in proportion."""

GENERAL = {"id": "g", "prompt": "Say it twice.", "response": "it it", "num_tokens": 3, "stopped": "eos", "part": "measured"}
ROW = {"id": "r", "instruction": "Say it.", "input": "", "output": "it", "origin": {"file": "made", "line": 1}, "repairs": [], "flags": []}
QUESTION = {
    "id": "q",
    "kind": "numeric",
    "question": "How many?",
    "choices": {},
    "target": "6",
    "unit": None,
    "key_points": [],
    "cluster": "c",
}
SELECTION = {"select_by": "validation_loss", "selection": None}
READY, TRAIN, VALIDATION = "data/preflight/ready.json", "data/split/train.jsonl", "data/split/validation.jsonl"
BENCHMARK, GENERAL_ANSWERS = "data/split/benchmark.jsonl", "data/general/answers.jsonl"
USABLE: dict[str, dict[str, object]] = {
    READY: {"ready": True},
    TRAIN: ROW,
    VALIDATION: ROW,
    BENCHMARK: QUESTION,
    GENERAL_ANSWERS: GENERAL,
    "data/selection/selection.json": SELECTION,
}
LAST_INPUTS = {
    "base": "data/raw/embedded/corpus.jsonl",
    "answer_general": "data/raw/embedded/general.jsonl",
    "preflight": GENERAL_ANSWERS,
    "train": GENERAL_ANSWERS,
    "answer@base": BENCHMARK,
    "answer@tuned": "models/adapter/training.json",
    "answer_again": BENCHMARK,
    "probe": "models/adapter/training.json",
}
"""The last input that a stage reads before it loads a model: here only this one cannot be used."""


def words_of(stage: str) -> list[str]:
    """Module and arguments of a stage as dvc.yaml runs it: `answer@base` is `stages.answer base`."""
    name, _, arm = stage.partition("@")
    return [f"stages.{name}", *([arm] if arm else [])]


def loaded_by(stage: str) -> set[str]:
    """Which of the heavy libraries a fresh process holds once it has imported the stage."""
    asked = f"import sys, stages.{stage}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("stage", WITHOUT_A_MODEL)
def test_a_stage_without_a_model_loads_no_library_of_models(stage: str) -> None:
    assert loaded_by(stage) == set()


def smallest_world(folder: Path, stage: str) -> None:
    """The configuration and, for every input that the stage declares, a file of one line: DVC's drift guard wants them to be there."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copyfile(ROOT / name, folder / name)
    params = read_yaml(ROOT / "params.yaml")
    for declared in expanded_stages(read_yaml(ROOT / "dvc.yaml"), params)[stage]["deps"]:
        path = folder / declared
        if declared == "params.yaml":
            continue
        if declared == "data/answers":
            for arm in params["arms"]:
                (path / f"{arm}.jsonl").parent.mkdir(parents=True, exist_ok=True)
                (path / f"{arm}.jsonl").write_text("{}\n", encoding="utf-8")
            continue
        if declared == "models/adapter":  # `probe` reads this folder first
            path = path / "training.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n", encoding="utf-8")


def test_only_reading_an_input_is_useful_work() -> None:
    assert opens_input("open", ("data/split/train.jsonl", "r", 0)) and opens_input("open", ("models/base/manifest.json", "rb", 0))
    assert opens_input("open", ("data/answers/base.jsonl", None, os.O_RDONLY | os.O_CLOEXEC))
    assert not opens_input("open", ("data/answers/base.jsonl", None, os.O_WRONLY)) and not opens_input(
        "open", ("data/", None, os.O_DIRECTORY)
    )
    assert not opens_input("open", ("data/split/train.jsonl.partial", "w", 0)) and not opens_input("open", ("params.yaml", "r", 0))
    assert not opens_input("import", ("data", "r", 0))


def start(stage: str, world: Path) -> float:
    """Processor seconds of one start, in which no library of models was loaded."""
    command = [sys.executable, "-m", "tests.fakes.first_input", *words_of(stage)]
    environment = os.environ | {"DVC_STAGE": stage, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=world, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not set(HEAVY) & set(found["packages"]), f"{stage} loads what it opens {found['input']} without"
    return found["processor_seconds"]


def yardstick() -> float:
    """Its processor seconds at the moment."""
    done = subprocess.run([sys.executable, "-c", YARDSTICK], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.parametrize("stage", LIMITS_SECONDS)
def test_a_stage_starts_at_once(stage: str, tmp_path: Path) -> None:
    smallest_world(tmp_path, stage)
    found: list[float] = []
    yardsticks: list[float] = []
    limit = LIMITS_SECONDS[stage]
    while len(found) < 5 and (not found or min(found) >= limit):
        found.append(start(stage, tmp_path))
        yardsticks.append(yardstick())
        limit = LIMITS_SECONDS[stage] * max(1.0, min(yardsticks) / YARDSTICK_SECONDS)
    assert min(found) < limit, (
        f"{stage}: {found} processor seconds, here {limit:.2f} are allowed; python -X importtime -m stages.{stage} shows where they go"
    )


def run_in(world: Path, stage: str) -> tuple[str, set[str]]:
    """Run a stage that ends in an error; its last words, and which of the heavy libraries it had loaded by then."""
    command = [sys.executable, "-X", "importtime", "-m", *words_of(stage)]
    environment = os.environ | {"DVC_STAGE": stage, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=world, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0, "the stage was given what it cannot use"
    modules = re.findall(r"^import time: .*\| +(\S+)$", done.stderr, flags=re.MULTILINE)
    said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("import time:"))
    return said, set(HEAVY) & set(modules)


def usable_world(folder: Path, stage: str) -> None:
    """As `smallest_world`, but with lines that the stage can use, and folders for models."""
    smallest_world(folder, stage)
    for name, content in USABLE.items():
        if (folder / name).exists():
            (folder / name).write_text(json.dumps(content) + "\n", encoding="utf-8")
    if (folder / "data/context/none.jsonl").exists():
        (folder / "data/context/none.jsonl").write_text("", encoding="utf-8")
    if (folder / "models/base").exists():
        (folder / "models/base").unlink()
        (folder / "models/base").mkdir()


@pytest.mark.parametrize("stage", WITH_A_MODEL)
def test_an_input_that_cannot_be_used_is_refused_before_a_library_of_models_is_loaded(stage: str, tmp_path: Path) -> None:
    usable_world(tmp_path, stage)
    broken = tmp_path / LAST_INPUTS[stage]
    broken.write_text('{"neither": "row nor record"}\n', encoding="utf-8")
    said, loaded = run_in(tmp_path, stage)
    assert "neither" in said and (broken.suffix == ".json" or f"{LAST_INPUTS[stage]}, line 1" in said), said
    assert loaded == set()


def test_what_can_be_used_goes_on_to_a_library_of_models(tmp_path: Path) -> None:
    usable_world(tmp_path, "answer@base")
    said, loaded = run_in(tmp_path, "answer@base")
    assert "models/base/manifest.json is missing" in said and {"torch", "transformers"} <= loaded
