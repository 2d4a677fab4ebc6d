"""The walk of README from a messy file to a published adapter, command by command, with the example files, the model of make real and a Hub on the loopback."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.params import read_yaml
from tests.fakes.hub_server import serving_hub
from tests.pipeline.test_smoke import SMALL, overridden

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TITLE = "## From a messy file to a published adapter"
TOKEN = "hf_" + "k" * 34


def commands() -> list[str]:
    """The lines of the first shell block below the title, without comments."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split(f"\n{TITLE}\n")[1]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block
    return [line for line in block[1].splitlines() if line and not line.startswith("#")]


class Walker:
    """A new user's clone: the tracked files as they are here, tiny sizes, an environment that is set up, and the weights if they were fetched before."""

    def __init__(self, root: Path, **environment: str) -> None:
        self.root = root
        self.environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"} | environment
        self.environment.pop("DVC_ROOT", None)
        for name in self.run("git", "-C", str(ROOT), "ls-files", "-z", cwd=ROOT).split("\0"):
            if name and (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        with (root / "params.yaml").open("w") as stream:
            YAML(typ="safe", pure=True).dump(overridden(read_yaml(ROOT / "params.yaml"), SMALL), stream)
        (root / ".venv").symlink_to(Path(sys.prefix))
        if (ROOT / ".cache/hub").is_dir():
            (root / ".cache").mkdir()
            (root / ".cache/hub").symlink_to(ROOT / ".cache/hub")
        (root / ".git/info").mkdir(parents=True)
        (root / ".git/info/exclude").write_text("/.venv\n")
        for words in (("init", "-q", "-b", "main"), ("config", "user.email", "a@example.org"), ("config", "user.name", "A")):
            self.run("git", *words)
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", "plumbline")

    def run(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run(words, cwd=cwd or self.root, env=self.environment, text=True, capture_output=True, timeout=600)
        assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def walk(self, line: str) -> str:
        """A line of README, unchanged; the packages count as installed, because otherwise make would fetch them."""
        begin = time.monotonic()
        told = self.run("bash", "-euo", "pipefail", "-c", re.sub(r"^make ", "make -o .venv/.run ", line))
        print(f"{time.monotonic() - begin:6.1f} s  {line}")
        return told

    def read(self, path: str) -> Any:
        return json.loads((self.root / path).read_text(encoding="utf-8"))


@pytest.mark.timeout(2400)
def test_the_walk_of_the_readme_ends_in_a_published_adapter(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    told: dict[str, str] = {}
    with serving_hub() as hub:
        user = Walker(tmp_path / "project", HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN, HF_HUB_DISABLE_XET="1")
        for line in commands():
            told[line] = user.walk(line)
            if " data_report" in line:
                assert not (user.root / "models/adapter").exists(), "the data can be looked at before anything is trained"
                assert "mine.jsonl" in (user.root / "params.yaml").read_text()
                data = user.read("metrics/data.json")
                assert data["lines"] == data["kept"] + data["quarantined"] + data["blank"] == 100
                assert data["structured_before"] > 30 and data["structured_after"] == 0 and data["quarantined"] > 3
                assert (user.root / "metrics/data.html").is_file()
        files = hub.files("lab/my-adapter")
    assert "steps" in told["make plan NAME=smollm2_135m_local"]
    assert "report: real/report.html" in told["make real ROWS=data/raw/mine.jsonl QUESTIONS=data/raw/my_benchmark.jsonl"]
    assert "proven: every object fetched into a fresh clone" in told["make backup"]
    assert "in one commit" in told["make publish REPO=lab/my-adapter LICENSE=apache-2.0"]

    evaluation = user.read("metrics/evaluation.json")
    assert (evaluation["valid"], evaluation["complete"]) == (True, True)
    assert {kind: one["n"] for kind, one in evaluation["kinds"].items()} == {"mcq": 4, "numeric": 5, "explanation": 3}
    assert list(evaluation["arms"]) == ["base", "base_examples", "tuned"], "without a corpus no arm looks anything up"
    assert evaluation["part"]["num_final_part_uses"] == 2, "each arm but the reference"
    assert files["adapter_model.safetensors"] == (user.root / "models/adapter/adapter_model.safetensors").read_bytes()
    card = files["README.md"].decode()
    assert f"{user.read('metrics/data.json')['kept']} training rows of `mine.jsonl` were kept of 100 lines" in card
    assert evaluation["verdict"] in card
    assert sha256_of(user.root / "data/raw/mine.jsonl") == sha256_of(ROOT / "examples/messy_rows.jsonl"), "the raw file is never written to"
    assert TOKEN not in "".join(told.values())

    # What else is said of a finished run: the plots page leads to the report, and a registry finds the adapter.
    user.run("dvc", "plots", "show")
    plots = user.root / "dvc_plots/index.html"
    link = re.search(r'href="([^"]*report\.html)"', plots.read_text(encoding="utf-8"))
    assert link and (plots.parent / link[1]).resolve() == (user.root / "metrics/report.html").resolve()
    artifacts = read_yaml(user.root / "dvc.yaml")["artifacts"]
    assert {(one["path"], one["type"]) for one in artifacts.values()} == {("models/adapter", "model")}


def test_the_walk_names_its_steps_in_order() -> None:
    starts = [line.split()[0] + " " + line.split()[1] for line in commands()]
    order = ["dvc add", "sed -i", "dvc repro", "make plan", "make real", "dvc exp", "dvc push", "make backup", "make publish"]
    assert [start for start in starts if start in order] == order
