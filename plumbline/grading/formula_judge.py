"""Compare two formulas in a child process, within limits of time and memory. Starts a process, and ends it.

A model's text reaches the child as a tree of plain operations (plumbline/grading/formula_trees.py). Neither side evaluates it as code.
A formula that takes too long ends the child, not the run.
"""

import atexit
import json
import os
import selectors
import subprocess
import sys
from enum import StrEnum
from functools import cache
from pathlib import Path

from plumbline.grading.formula_trees import Tree

SECONDS = 10.0
"""Limit for one comparison, which takes a few milliseconds unless someone makes it take long."""
SECONDS_TO_START = 120.0
"""Limit for loading sympy on a busy machine."""
MEMORY_BYTES = 2 * 1024**3
CHILD = Path(__file__).with_name("formula_child.py")
KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "HOME", "TMPDIR")
"""The environment variables that the child gets; no key of a service is among them."""
PROBE: Tree = ["num", "1"]


class Verdict(StrEnum):
    """The result of a comparison."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNDECIDED = "undecided"
    """Stopped at a limit, or without a value at enough points."""


class FormulaJudge:
    """One child process. It starts at the first question, and again after it was stopped."""

    def __init__(self, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self.seconds = seconds
        self.memory_bytes = memory_bytes
        self.child: subprocess.Popen[bytes] | None = None

    def compare(self, first: Tree, second: Tree, tolerance: float) -> Verdict:
        """Whether two formulas have the same value wherever both have one. `tolerance`: a fraction; 0 for exact formulas."""
        if self.child is None or self.child.poll() is not None:
            self.start()
        return self.ask(first, second, tolerance, self.seconds)

    def start(self) -> None:
        """Start the child. RuntimeError if it does not start, since this is not a verdict on an answer."""
        self.stop()
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.child = subprocess.Popen(
            [sys.executable, "-I", str(CHILD), str(self.memory_bytes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        if self.ask(PROBE, PROBE, 0.0, SECONDS_TO_START) is not Verdict.EQUAL:
            raise RuntimeError("The process that compares formulas did not start. Run `python -c 'import sympy'` to see why.")

    def ask(self, first: Tree, second: Tree, tolerance: float, seconds: float) -> Verdict:
        """Send one request and wait for its answer. If the child does not answer in time, end it."""
        child = self.child
        assert child is not None and child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(json.dumps({"first": first, "second": second, "tolerance": tolerance}).encode() + b"\n")
            child.stdin.flush()
        except BrokenPipeError:
            self.stop()
            return Verdict.UNDECIDED
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            answer = child.stdout.readline() if selector.select(seconds) else b""
        if not answer:
            self.stop()
            return Verdict.UNDECIDED
        return Verdict(json.loads(answer)["verdict"])

    def stop(self) -> None:
        """End the child, if there is one."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            for pipe in (self.child.stdin, self.child.stdout):
                if pipe is not None:
                    pipe.close()
            self.child = None


@cache
def formula_judge() -> FormulaJudge:
    """The one judge of this process; its child ends with it."""
    judge = FormulaJudge()
    atexit.register(judge.stop)
    return judge
