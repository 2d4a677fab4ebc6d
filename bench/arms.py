"""Run the arms of a benchmark one after another, each in a separate process with a time limit, and write down the result of each.

Separate processes, because an arm that fails, runs out of memory or leaves the GPU in disorder must not harm the next one.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from bench.random_model import SHAPES
from plumbline.pipeline.files import write_json

PEAK_DENSE_BF16_FLOPS = {
    "B200": 2250e12,
    "GH200": 989e12,
    "H200 NVL": 836e12,
    "H200": 989e12,
    "H100 NVL": 836e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "RTX 4090": 165e12,
}
"""Per second, dense, accumulated in fp32. H100 and H200 (SXM) are checked against a source, the others are not: look them up before you quote an MFU.
Special cases come before the name that they contain."""
SECONDS_TO_START = 60
"""What an arm may take beyond its budget: imports, and the model made on the device."""


class BudgetSpent(RuntimeError):
    """The budget of an arm was spent before anything was timed."""


def peak_flops(device_name: str) -> float | None:
    """Dense bf16 operations per second of a card by its name; None if the table does not have it, and then there is no MFU."""
    words = device_name.replace("-", " ").split()
    for name, peak in PEAK_DENSE_BF16_FLOPS.items():
        wanted = name.split()
        if all(word in words for word in wanted):
            return peak
    return None


def common_flags(description: str | None, *, arms: Sequence[str], default: Sequence[str], out: Path) -> argparse.ArgumentParser:
    """The flags of every GPU benchmark."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="+", choices=arms, default=list(default), metavar="ARM", help=f"of {', '.join(arms)}")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="mistral-7b")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--budget-seconds", type=float, default=80.0, help="of each arm, model and start aside; it stops by then")
    parser.add_argument("--out", type=Path, default=out, help="the JSON that is written")
    parser.add_argument("--only", choices=arms, help=argparse.SUPPRESS)  # the process of one arm
    return parser


def run_arms(chosen: argparse.Namespace, *, module: str, forwarded: Sequence[str], row: Callable[[dict[str, Any]], str]) -> None:
    """Run `python -m module --only ARM` for each arm, print a line for each by `row`, and write the JSON.

    The status of an arm is one of: measured, not measured, out of memory, over budget, failed.
    """
    found: dict[str, dict[str, Any]] = {}
    has_device = chosen.device == "cpu" or torch.cuda.is_available()
    for arm in chosen.arms:
        if has_device:
            found[arm] = run_arm(chosen, arm, module=module, forwarded=forwarded)
        else:
            found[arm] = {"status": "not measured", "reason": "no CUDA device here"}
        reason = found[arm].get("reason")
        print(
            f"{arm}: " + (row(found[arm]) if found[arm]["status"] == "measured" else f"{found[arm]['status']} ({reason})"),
            flush=True,
        )
    name = torch.cuda.get_device_name() if chosen.device == "cuda" and has_device else platform.processor() or platform.machine()
    write_json(
        chosen.out,
        {
            "device": name if has_device else None,
            "peak_dense_bf16_flops": peak_flops(name) if chosen.device == "cuda" and has_device else None,
            "shape": chosen.shape,
            "python": platform.python_version(),
            "versions": {package: version(package) for package in ("torch", "transformers", "trl", "peft")},
            "arms": found,
        },
    )
    print(f"written: {chosen.out}")


def run_arm(chosen: argparse.Namespace, arm: str, *, module: str, forwarded: Sequence[str]) -> dict[str, Any]:
    """Run one arm in a separate process and read what it left, or say why it left nothing."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "arm.json"
        flags = ["--shape", chosen.shape, "--device", chosen.device, "--budget-seconds", str(chosen.budget_seconds), *forwarded]
        command = [sys.executable, "-m", module, "--only", arm, "--out", str(result), *flags]
        limit = chosen.budget_seconds + SECONDS_TO_START
        try:
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return {"status": "over budget", "reason": f"ended after {limit:.0f} s"}
        if done.returncode == 0 and result.is_file():
            return json.loads(result.read_text(encoding="utf-8"))
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}, no message"]
    problem = next((line for line in reversed(lines) if "OutOfMemoryError" in line), None)
    if problem is not None:
        return {"status": "out of memory", "reason": problem[:300]}
    if BudgetSpent.__name__ in lines[-1]:
        return {"status": "over budget", "reason": lines[-1][:300]}
    return {"status": "failed", "reason": lines[-1][:300]}


def peak_memory_bytes() -> int | None:
    """The most GPU memory that tensors took in this process; None on a CPU, which does not say."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_initialized() else None
