"""Each command of README.md and the manual is run by a test or by the gate, or says here why it cannot be."""

import re

import pytest

from tests.unit.test_readme import ROOT, WHOLE

GATE = ".ci/run"
NEEDS_MORE = {
    "vllm ": "vLLM and a GPU",
    "export ": "keys",
    "pip install '.[": "minutes of downloads; test_requirements.py holds the extras to the pins",
    "pip install 'dvc[": "a cloud account",
    "dvc remote modify --local backup url": "a cloud account; the S3 one runs in test_backup.py",
    "dvc import": "another repository",
    "dvc commit train": "several machines",
    "dvc exp push": "a git remote",
    "dvc exp run --temp -n study": "the study's file; tests/golden/test_real_physics.py cleans it",
    "git restore": "nothing of ours",
    "git clone": "nothing of ours",
    "sky jobs launch": "a cloud account; test_launch_files.py reads the file",
}
WALK = "tests/pipeline/test_walk.py"
"""Runs the block of its section line by line."""
RUN_BY = {
    "mkdir": (WALK, "bash"),
    "cp": (WALK, "bash"),
    "dvc add": (WALK, "bash"),
    "git add": (WALK, "bash"),
    "git commit": (WALK, "bash"),
    "dvc exp apply": (WALK, "bash"),
    "dvc push": (WALK, "bash"),
    "sed -i": (WALK, "bash"),
    "make publish": (WALK, "bash"),
    "plumbline serve-check": ("tests/pipeline/test_serve_check.py", "serve-check"),
    "plumbline gate": ("tests/pipeline/test_gate.py", '"plumbline", "gate"'),
    "make test-full": (GATE, "make test-full"),
    "make test": (GATE, "make test"),
    "make check": (GATE, "make check"),
    "make smoke": (GATE, "make smoke"),
    "make plan": ("tests/pipeline/test_plan.py", "plan("),
    "make regrade": ("tests/pipeline/test_run_and_regrade.py", '"regrade"'),
    "make verify": ("tests/unit/test_verify.py", "verify("),
    "make backup": ("tests/pipeline/test_backup.py", "plumbline.commands"),
    "make bench": ("tests/unit/test_suite.py", "bench.suite"),
    "make merge": ("tests/pipeline/test_ask_and_merge.py", "merge"),
    "make ask": ("tests/pipeline/test_ask_and_merge.py", "ask"),
    "make inspect-log": ("tests/pipeline/test_inspect_log.py", "inspect-log"),
    "make clean-on-ray": (GATE, "\nmake clean-on-ray\n"),
    "make checkpoints": ("tests/unit/test_checkpoints_verb.py", "checkpoints"),
    "make docs": (GATE, "\nmake docs\n"),
    "make profile": ("tests/pipeline/test_profiles.py", "apply_overrides"),
    "make": (GATE, "\nmake | tee"),
    "dvc repro": (GATE, "\nmake | tee"),
    "dvc exp run -S lora.alpha=128": (GATE, "dvc exp run --temp -S lora.alpha=128"),
    "dvc exp run -S train.replay_fraction": ("tests/pipeline/test_replay.py", "replay_fraction"),
    "dvc exp run --queue": ("tests/pipeline/test_experiments_share_caches.py", '"--queue"'),
    "dvc exp run": (GATE, "dvc exp run"),
    "dvc queue start": ("tests/pipeline/test_experiments_share_caches.py", '"queue", "start"'),
    "dvc metrics diff": (GATE, "dvc metrics diff --all --targets metrics/scores.json"),
    "dvc exp show": (GATE, "dvc exp show --only-changed"),
    "dvc plots show": (GATE, "dvc plots show"),
    "PLUMBLINE_LAUNCH=2 dvc repro": ("tests/pipeline/test_train_ranks.py", '"PLUMBLINE_LAUNCH": "2"'),
    "PLUMBLINE_LAUNCH=launch/fsdp2.yaml dvc repro": ("tests/pipeline/test_train_ranks.py", "sharded=True"),
    "sbatch launch/slurm.sbatch": ("tests/pipeline/test_launch_files.py", "Popen([bash, str(SBATCH)]"),
    "dvc pull": ("tests/pipeline/test_backup.py", "pull"),
    "plumbline --help": ("tests/pipeline/test_command_line.py", 'run("--help")'),
    "pip install .": ("tests/pipeline/test_package.py", '"install", "-q", str(ROOT)'),
    "pip install 'plumbline[logs]'": ("tests/pipeline/test_package.py", "[logs]"),
    "plumbline export": ("tests/unit/test_export.py", '"export"'),
    "plumbline compare-logs": ("tests/unit/test_compare_logs.py", "compare_logs"),
    "plumbline check-benchmark": ("tests/unit/test_check_benchmark.py", "check_benchmark"),
    "plumbline compare": ("tests/pipeline/test_compare.py", "compare.main"),
    "plumbline data-diff": ("tests/pipeline/test_data_diff.py", "data-diff"),
    "plumbline grade": ("tests/unit/test_grade_command.py", "main("),
    "plumbline label-sheet": ("tests/pipeline/judge/test_judge_verbs.py", "label_sheet"),
    "plumbline judge-bridge": ("tests/pipeline/judge/test_judge_verbs.py", "judge_bridge"),
    "plumbline fill-judge-store": ("tests/pipeline/judge/test_judge_verbs.py", "fill_judge_store"),
    "plumbline checkpoints": ("tests/unit/test_checkpoints_verb.py", "remove"),
    "plumbline backup": ("tests/pipeline/test_backup.py", "repair"),
    "plumbline serve-models": ("tests/pipeline/test_engines.py", "serve_models"),
    "plumbline final-part": ("tests/pipeline/test_final_part.py", "final_part.main"),
    "plumbline verify --lock": (GATE, "plumbline verify --lock"),
    "plumbline ask": ("tests/pipeline/test_ask_and_merge.py", "ask"),
    "plumbline run": ("tests/pipeline/test_run_and_regrade.py", "run"),
    "plumbline readme": ("tests/unit/test_readme.py", "CliRunner().invoke(command)"),
    "plumbline <command>": ("README.md", "commands/"),
}


def commands() -> list[str]:
    """Commands of the shell blocks and in running text, comments taken off."""
    found: list[str] = []
    for language, block in re.findall(r"```(console|sh)\n(.*?)```", WHOLE, flags=re.DOTALL):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            if language == "sh" and line.strip() and not line.startswith("#"):
                found.append(line)
            elif language == "console" and line.startswith("$ "):
                found.append(line[2:])
    found += re.findall(r"`((?:make|dvc|plumbline|python -m|pip|git) [^`]+)`", WHOLE)
    return sorted({re.split(r"\s+#", command)[0].strip() for command in found})


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_manual_is_run_somewhere(command: str) -> None:
    if any(command.startswith(start) for start in NEEDS_MORE):
        return
    known = [
        start
        for start in RUN_BY
        if command == start
        or command.startswith((f"{start} ", f"{start}."))
        or (start.endswith(("=", "fraction")) and command.startswith(start))
    ]
    assert known, f"{command!r} is run by nothing that this test knows: run it in the gate or a test, and name it here"
    file, text = RUN_BY[max(known, key=len)]
    assert text in (ROOT / file).read_text(encoding="utf-8"), f"{file} does not hold {text!r} any more"


def test_no_entry_is_left_over() -> None:
    all_commands = commands()
    left = [start for start in [*NEEDS_MORE, *RUN_BY] if not any(one.startswith(start) for one in all_commands)]
    assert set(left) <= {"make test-full"}, left
