"""The examples for Slurm and SkyPilot are whole: they parse, and every command, file and variable that they name is there."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from dvc.cli.parser import get_main_parser

from plumbline.answering.answer_store import store_file
from plumbline.judging.verdict_store import judge_cache_folder
from plumbline.pipeline.params import read_yaml
from plumbline.training.checkpoints import run_folder

ROOT = Path(__file__).resolve().parents[2]
SBATCH = ROOT / "launch/slurm.sbatch"
SKY: dict[str, Any] = read_yaml(ROOT / "launch/skypilot.yaml")
SCRIPTS = {"slurm": SBATCH.read_text(encoding="utf-8"), "setup": SKY["setup"], "run": SKY["run"]}
SKY_FIELDS = {"name", "workdir", "num_nodes", "resources", "envs", "secrets", "file_mounts", "setup", "run"}
"""Of SkyPilot's task specification (docs.skypilot.co, reference/yaml-spec)."""


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_shell(name: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=SCRIPTS[name], text=True, capture_output=True)
    assert checked.returncode == 0 and not checked.stderr, checked.stderr


def test_every_dvc_command_is_one_that_this_dvc_has() -> None:
    lines = [line.split("#")[0].strip(" &") for script in SCRIPTS.values() for line in script.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("dvc ")]
    assert ["dvc", "repro"] in commands and len(commands) >= 5
    for command in commands:
        get_main_parser().parse_args(command[1:])


def test_every_make_target_and_file_is_there() -> None:
    text = "\n".join([*SCRIPTS.values(), SBATCH.read_text(), (ROOT / "launch/skypilot.yaml").read_text()])
    targets = set(re.findall(r"make ([a-z-]+)", text))
    assert targets == {"setup"} and re.search(r"^setup:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for path in re.findall(r"launch/[\w.]+", text):
        assert (ROOT / path).is_file(), path


def test_every_variable_of_ours_is_one_that_the_stages_read() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for package in ("plumbline", "stages") for path in (ROOT / package).rglob("*.py"))
    named = set(re.findall(r"(?:PLUMBLINE|ANTHROPIC|HF)_[A-Z_]+", "\n".join(SCRIPTS.values()))) | set(SKY["envs"]) | set(SKY["secrets"])
    assert named == {"PLUMBLINE_LAUNCH", "HF_TOKEN", "ANTHROPIC_API_KEY"}
    assert all(f'"{name}"' in code for name in named)


def test_skypilot_finds_fields_that_it_knows_and_the_caches_go_to_the_bucket() -> None:
    assert set(SKY) <= SKY_FIELDS
    [mount] = SKY["file_mounts"]
    caches = re.search(r"for name in ([\w ]+);", SKY["run"])
    assert caches is not None
    ours = {run_folder("x").parent.name, judge_cache_folder().name, store_file("x").parent.name}
    assert set(caches[1].split()) == ours == {path.removeprefix(f"{mount}/") for path in re.findall(rf"{mount}/\w+", SKY["run"])} & ours


def test_slurm_signals_the_script_in_time_and_asks_for_what_is_started() -> None:
    options = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?", SCRIPTS["slurm"], re.MULTILINE))
    assert options["signal"].startswith("B:TERM@") and "requeue" in options
    assert f"PLUMBLINE_LAUNCH:-{options['gpus-per-node']}" in SCRIPTS["slurm"]


STAGE = """
import pathlib, signal, sys, time
cache = pathlib.Path(".cache/done")
def stop(*_):
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("half")
    sys.exit(75)
if not cache.exists():
    signal.signal(signal.SIGINT, stop)
    pathlib.Path("running").touch()
    time.sleep(120)
pathlib.Path("out").write_text(cache.read_text() + " and half")
"""


@pytest.mark.slow
def test_the_slurm_script_lets_the_stage_save_asks_for_another_turn_and_then_finishes(tmp_path: Path) -> None:
    """With real DVC and a stage that, as `train` does, saves and exits 75 at SIGINT; only `scontrol` is made up."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").write_text(f"PATH={Path(sys.executable).parent}:$PATH\n")
    (tmp_path / "bin").mkdir()
    scontrol = tmp_path / "bin/scontrol"
    scontrol.write_text('#!/bin/sh\necho "$@" >> "$SLURM_SUBMIT_DIR/scontrol"\n')
    scontrol.chmod(0o755)
    (tmp_path / "stage.py").write_text(STAGE)
    (tmp_path / "dvc.yaml").write_text("stages:\n  train:\n    cmd: python stage.py\n    outs: [out]\n")
    environment = os.environ | {"PATH": f"{scontrol.parent}:{os.environ['PATH']}", "SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_JOB_ID": "17"}
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, env=environment, check=True)
    bash = shutil.which("bash")
    assert bash is not None

    first = subprocess.Popen([bash, str(SBATCH)], cwd=tmp_path, env=environment, start_new_session=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "running").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)  # DVC begins to let SIGINT pass just after it has started the stage
    os.kill(first.pid, signal.SIGTERM)
    assert first.wait(120) != 0
    assert (tmp_path / ".cache/done").read_text() == "half" and not (tmp_path / "out").exists()
    assert (tmp_path / "scontrol").read_text() == "requeue 17\n"

    assert subprocess.run([bash, str(SBATCH)], cwd=tmp_path, env=environment, timeout=300).returncode == 0
    assert (tmp_path / "out").read_text() == "half and half"
    assert (tmp_path / "scontrol").read_text() == "requeue 17\n", "a run that has ended asks for no other turn"


@pytest.mark.slow
def test_the_slurm_script_of_a_run_that_fails_by_itself_asks_for_no_other_turn(tmp_path: Path) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").write_text("dvc() { return 3; }\nscontrol() { touch asked; }\n")
    environment = os.environ | {"SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_JOB_ID": "17"}
    assert subprocess.run(["bash", str(SBATCH)], cwd=tmp_path, env=environment, timeout=60).returncode == 3
    assert not (tmp_path / "asked").exists()
