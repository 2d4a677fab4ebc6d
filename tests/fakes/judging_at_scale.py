"""The judge stage as a separate process, on many answers: how much memory it takes, and what it says and pays."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.judging.prices import BATCH_FACTOR, PRICES
from plumbline.pipeline.files import write_json
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.question import Question
from tests.fakes.claude_server import KEY, FakeClaude, default_verdict
from tests.fakes.evaluation_world import TWO
from tests.fakes.judge_bench import settings

ROOT = Path(__file__).resolve().parents[2]
THOUGHT = "The answer names the force and its direction; is the second key point stated, or only implied? " * 12
REASONING = " Each key point is named here as stated, missing or contradicted, in the eighty words that the rubric allows." * 4
ANSWER = (
    " The pressure grows with the depth, so the water pushes harder from below than from above, and the difference is the weight of the water"
    " that the body displaces; where this exceeds the body's own weight, the body rises until it displaces just as much as it weighs."
) * 2
STAGE = """
import re, runpy, sys
try:
    runpy.run_module("stages.judge", run_name="__main__", alter_sys=True)
finally:
    # The peak of this program alone: ru_maxrss keeps that of the process which started it.
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
    print("peak", int(peak[1]) * 1024, file=sys.stderr)
"""


def wordy(request: dict[str, Any]) -> dict[str, Any]:
    """A verdict with reasoning of the usual length."""
    verdict = default_verdict(request)
    return {**verdict, "reasoning": verdict["reasoning"] + REASONING}


def server_for_many(**changes: Any) -> FakeClaude:
    """A server with replies as long as a real judge's."""
    return FakeClaude(verdict=wordy, thought=THOUGHT, **changes)


def questions(count: int) -> Iterator[Question]:
    """Explanation questions, all different."""
    for number in range(count):
        yield Question(id=f"q{number:06d}", kind="explanation", question=f"Why does body number {number} float in water, whatever its mass?", choices={},
                       target=f"Body {number}:{ANSWER}", unit=None, key_points=("pressure grows with depth", "the body displaces its weight of water"),
                       cluster=f"c{number % 997}")  # fmt: skip


def answers(count: int, arm: str) -> Iterator[Answer]:
    """One answer to each question."""
    for number in range(count):
        yield Answer(id=f"q{number:06d}", arm=arm, response=f"Body {number}, says {arm}:{ANSWER}", num_tokens=100, stopped="eos",
                     choice_logprobs={}, complete=True)  # fmt: skip


def lay_out(root: Path, *, num_answers: int, **changes: Any) -> Path:
    """Make a folder in which `python -m stages.judge` judges `num_answers` answers, half of them from each arm."""
    count = num_answers // 2
    write_jsonl(root / "data/split/benchmark.jsonl", questions(count))
    write_jsonl(root / "data/answers/base.jsonl", answers(count, "base"))
    write_jsonl(root / "data/answers/tuned.jsonl", answers(count, "tuned"))
    params = settings(**{"mode": "batch", "max_cost_usd": None, **changes})
    arms = {name: arm.model_dump() for name, arm in TWO.items()}
    write_json(root / "params.yaml", {"judge": params.model_dump(), "arms": arms})  # JSON is YAML
    return root


def start(root: Path, fake: FakeClaude, **environment: str) -> subprocess.Popen[str]:
    """Start the stage in a folder that `lay_out` made."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "ANTHROPIC_", "PLUMBLINE_"))}
    asked: Mapping[str, str] = {
        "PYTHONPATH": str(ROOT),
        "DVC_ROOT": str(root),
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": fake.base_url,
        "PLUMBLINE_JUDGE_POLL_SECONDS": "0.1",
        **environment,
    }
    return subprocess.Popen([sys.executable, "-c", STAGE], cwd=root, env={**ours, **asked}, stderr=subprocess.PIPE, text=True)


@dataclass(frozen=True)
class Run:
    """What one run of the stage took and said."""

    exit_code: int
    peak_bytes: int
    wall_seconds: float
    said: str


def run(root: Path, fake: FakeClaude, **environment: str) -> Run:
    """Run the stage to its end."""
    begin = time.monotonic()
    process = start(root, fake, **environment)
    _, said = process.communicate()
    peak = re.search(r"^peak (\d+)$", said, re.MULTILINE)
    assert peak is not None, said
    return Run(process.returncode, int(peak[1]), time.monotonic() - begin, said)


def ledger_usd(fake: FakeClaude, model: str = "claude-sonnet-5-5") -> float:
    """What the server has billed, by its own ledger."""
    price = PRICES[model]
    return sum(
        (paid.input_tokens * price.input + paid.output_tokens * price.output) / 1e6 * (BATCH_FACTOR if paid.batch else 1.0)
        for paid in fake.ledger
    )
