"""Record what the commands print for README.md and the manual: python -m bench.console_samples [NAME ...] [--study FOLDER].

Runs each command in a fresh clone of HEAD that takes the run from this repository's DVC cache, and writes docs/runs/console.json, from which
`plumbline readme` fills these pages. Run it after a commit with an up-to-date dvc.lock. Publishing goes to a Hub on the loopback (tests/fakes).
`--study`: the folder with the predecessor study's file and questions; without it that sample stays as it was.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from plumbline.commands.readme import adapter_of
from plumbline.pipeline.files import write_json
from plumbline.pipeline.params import read_yaml
from tests.fakes.hub_server import serving_hub

ROOT = Path(__file__).resolve().parent.parent
RECORD = Path("docs/runs/console.json")
PYTHON = sys.executable
INSPECT = ROOT / ".venv/inspect/bin/python"
NET_FORCE = "A body of mass 4 kg has an acceleration of 3 m/s^2. What is the net force?"
STUDY_FILES = {"clean.source": "alpaca_physics_5k_cleaned.jsonl", "split.benchmark": "physics_questions_50.json"}
STUDY = ["split.benchmark_format=study", "train.max_length=1024", "train.epochs=1.0", "judge.backend=none"]


def ran(words: list[str], clone: Path, **environment: str) -> list[str]:
    """What a command printed, its folders shortened; stderr after stdout."""
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(words, cwd=clone, env=os.environ | {"PATH": path} | environment, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return (done.stdout + done.stderr).replace(str(clone.parent), "/...").splitlines()


def verb(name: str, *words: str) -> Callable[[Path], list[str]]:
    return lambda clone: ran([PYTHON, "-m", "plumbline", name, *words], clone)


def publish(clone: Path) -> list[str]:
    """Against a Hub on the loopback, whose address is left out."""
    with serving_hub() as hub:
        secrets = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_" + "k" * 34, "HF_HUB_DISABLE_XET": "1"}
        told = ran([PYTHON, "-m", "plumbline", "publish", "lab/physics-lora"], clone, **secrets)
        return [line for line in told if hub.url not in line]


def plan(clone: Path) -> list[str]:
    """The plan for the model of make real. Its snapshot lies here, where `plumbline fetch-model` put it: a clone has none."""
    return ran([PYTHON, "-m", "plumbline", "plan", "smollm2_135m_local"], clone, PLUMBLINE_HUB_DIR=str(ROOT / ".cache/hub"))


def inspect_log(clone: Path) -> list[str]:
    return ran([str(INSPECT), "-m", "plumbline", "inspect-log"], clone)


def smoke(clone: Path) -> list[str]:
    return ran([PYTHON, "-m", "dvc", "exp", "run", "--temp", "-S", "train.max_steps=5", "-S", "report.part=development"], clone)


SAMPLES: dict[str, tuple[str, Callable[[Path], list[str]]]] = {
    "backup": ("make backup", verb("backup")),
    "publish": ("make publish REPO=lab/physics-lora", publish),
    "ask-numeric": (f'plumbline ask "{NET_FORCE}" --kind numeric', verb("ask", NET_FORCE, "--kind", "numeric")),
    "merge": ("make merge", verb("merge")),
    "inspect-log": ("make inspect-log", inspect_log),
    "smoke": ("make smoke", smoke),
    "plan": ("make plan NAME=smollm2_135m_local", plan),
}


def study(clone: Path, folder: Path) -> dict[str, Any]:
    """The study's own file through the whole pipeline: what the stages said, and the numbers that the manual quotes."""
    overrides = [*(f"{key}={folder / name}" for key, name in STUDY_FILES.items()), *STUDY]
    words = [word for one in overrides for word in ("-S", one)]
    told = ran([PYTHON, "-m", "dvc", "exp", "run", "--temp", "-n", "study", *words], clone)
    return study_sample([line.replace(str(folder), "/path/to") for line in told], clone)


def study_sample(told: list[str], clone: Path) -> dict[str, Any]:
    """The record of the experiment `study`, from what it printed and from its metrics."""
    reference = next(line.split()[1] for line in ran(["git", "show-ref"], clone) if line.endswith("/study"))

    def read(path: str) -> dict[str, Any]:
        return json.loads("\n".join(ran(["git", "show", f"{reference}:{path}"], clone)))

    data, evaluation = read("metrics/data.json"), read("metrics/evaluation.json")
    shown = [*(f"{key}=/path/to/{name}" for key, name in STUDY_FILES.items()), *STUDY]
    return {
        "command": " ".join(["dvc exp run --temp -n study", *(f"-S {one}" for one in shown)]),
        "output": [line for line in told if re.match(r"(clean|split|preflight|train|report): ", line)],
        **{name: data[name] for name in ("lines", "structured_before", "structured_after")},
        "num_questions": evaluation["part"]["num_questions_in_benchmark"],
        "kinds": {kind: {"n": one["n"], "delta": one["comparisons"][0]["delta"]} for kind, one in evaluation["kinds"].items()},
    }


def fresh_clone(folder: Path) -> Path:
    """A clone of HEAD with the outputs of its run, which come from this repository's cache."""
    clone = folder / "plumbline"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    cache = subprocess.check_output([PYTHON, "-m", "dvc", "cache", "dir"], cwd=ROOT, text=True).splitlines()[0]
    # Through a remote: the cache itself would bring the record of earlier runs, and stages that ran before would print nothing.
    ran([PYTHON, "-m", "dvc", "remote", "add", "--local", "source", str((ROOT / cache).resolve())], clone)
    ran([PYTHON, "-m", "dvc", "pull", "-r", "source", "--allow-missing"], clone)
    ran([PYTHON, "-m", "dvc", "remote", "remove", "--local", "source"], clone)
    ran([PYTHON, "-m", "dvc", "pull"], clone)
    if (told := ran([PYTHON, "-m", "dvc", "status"], clone)) != ["Data and pipelines are up to date."]:
        sys.exit("HEAD's dvc.lock does not belong to its code. Run dvc repro, commit, and then run this again.\n" + "\n".join(told))
    return clone


def main(names: list[str], *, study_folder: Path | None) -> None:
    """Run the samples asked for, or all, and write the record."""
    record: dict[str, Any] = json.loads((ROOT / RECORD).read_text(encoding="utf-8")) if (ROOT / RECORD).exists() else {"samples": {}}
    samples: Mapping[str, Any] = record["samples"]
    with tempfile.TemporaryDirectory(prefix="samples-") as folder:
        clone = fresh_clone(Path(folder))
        adapter = adapter_of(read_yaml(clone / "dvc.lock"))
        if record.get("adapter") != adapter and names:
            sys.exit("The record is of another adapter. Record all samples, without names.")
        made = {}
        for name, (command, make) in SAMPLES.items():
            if names and name not in names:
                continue
            if name == "inspect-log" and not INSPECT.exists():
                sys.exit(f"{INSPECT} is missing. Run `make inspect-log` once, which installs it.")
            sys.stderr.write(f"{name} ...\n")
            made[name] = {"command": command, "output": make(clone)}
        if study_folder is not None:
            sys.stderr.write("study ...\n")
            made["study"] = study(clone, study_folder)
        write_json(ROOT / RECORD, {"adapter": adapter, "samples": {**samples, **made}})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.console_samples", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *SAMPLES], help="samples to record again (default: all)")
    parser.add_argument("--study", type=Path, help="folder with the predecessor study's file and questions")
    given = parser.parse_args()
    main(list(given.names), study_folder=given.study)
