"""Run a stage up to the moment at which its `main` opens the first input, and say how many processor seconds that took.

    python -m tests.fakes.first_input STAGE

The drift guard's own reading does not count as work: it comes before every stage. Nothing is written: the stage ends there.
"""

import json
import runpy
import sys
import time
from types import FrameType
from typing import Any

INPUTS = ("data/", "examples/", "labels/", "metrics/", "models/")
STAGE = sys.argv[1]


def called_from(name: str, frame: FrameType | None) -> bool:
    """Whether a module is among the callers."""
    while frame is not None:
        if frame.f_globals.get("__name__") == name:
            return True
        frame = frame.f_back
    return False


def stop_at_first_input(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: Python raises `open` before it looks for the file."""
    if (
        event == "open"
        and str(args[0]).startswith(INPUTS)
        and args[1] in ("r", "rb")
        and not called_from("stages.io.inputs", sys._getframe())
    ):
        sys.stdout.write(json.dumps({"input": args[0], "processor_seconds": time.process_time()}) + "\n")
        sys.stdout.flush()
        raise SystemExit(0)


if __name__ == "__main__":
    sys.addaudithook(stop_at_first_input)
    runpy.run_module(f"stages.{STAGE}", run_name="__main__", alter_sys=True)
    sys.exit(f"{STAGE} opened no input")
