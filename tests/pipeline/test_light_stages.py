"""Stages that run no model start without the libraries of models: seconds at every start, and nothing to install where grades are re-read."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "datasets", "peft", "trl", "anthropic", "vllm", "ray")


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
