"""Stages that run no model start without the libraries of models: seconds at every start, and nothing to install where grades are re-read.

A start goes from the first instruction of the process to the moment at which `main` opens its first input: interpreter, imports,
parameters and the drift guard, on inputs of one line. It is counted in processor seconds, and the best of five starts has to be below the limit:
work beside it makes some starts slow, and none fast.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages.io.params import read_yaml

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "datasets", "peft", "trl", "anthropic", "vllm", "ray")
LIMITS_SECONDS = {"clean": 0.5, "split": 0.5, "grade": 0.5, "judge": 0.5, "report": 1.5, "data_report": 1.5}
"""Found on two idle cores: 0.38, 0.30, 0.26, 0.22, 0.51, 0.61."""


def loaded_by(stage: str) -> set[str]:
    """Which of the heavy libraries a fresh process holds once it has imported the stage."""
    asked = f"import sys, stages.{stage}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("stage", ["synthesize", "clean", "split", "data_report", "grade", "judge", "report"])
def test_a_stage_without_a_model_loads_no_library_of_models(stage: str) -> None:
    assert loaded_by(stage) == set()


def test_a_stage_with_a_model_is_told_apart() -> None:
    assert "torch" in loaded_by("answer_base")


def smallest_world(folder: Path, stage: str) -> None:
    """The configuration and, for every input that the stage declares, a file of one line: DVC's drift guard wants them to be there."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copyfile(ROOT / name, folder / name)
    pipeline, params = read_yaml(ROOT / "dvc.yaml")["stages"], read_yaml(ROOT / "params.yaml")
    for declared in pipeline[stage]["deps"]:
        path = folder / declared.replace("${clean.source}", params["clean"]["source"]).replace(
            "${split.benchmark}", params["split"]["benchmark"]
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n", encoding="utf-8")


def start(stage: str, world: Path) -> float:
    """Processor seconds of one start."""
    command = [sys.executable, "-m", "tests.fakes.first_input", stage]
    environment = os.environ | {"DVC_STAGE": stage, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=world, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["processor_seconds"]


@pytest.mark.parametrize("stage", LIMITS_SECONDS)
def test_a_stage_without_a_model_starts_at_once(stage: str, tmp_path: Path) -> None:
    smallest_world(tmp_path, stage)
    found: list[float] = []
    while len(found) < 5 and (not found or min(found) >= LIMITS_SECONDS[stage]):
        found.append(start(stage, tmp_path))
    assert min(found) < LIMITS_SECONDS[stage], (
        f"{stage}: {found} processor seconds; python -X importtime -m stages.{stage} shows where they go"
    )
