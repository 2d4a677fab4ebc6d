"""Run a stage up to the moment at which its `main` opens the first input, and say how many processor seconds that took.

    python -m tests.fakes.first_input STAGE

The drift guard's own reading does not count as work: it comes before every stage. Nothing is written: the stage ends there.
"""

import json
import runpy
import sys
import time
from typing import Any

from bench.timed_stage import opens_input

STAGE = sys.argv[1]


def stop_at_first_input(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: Python raises `open` before it looks for the file."""
    if opens_input(event, args):
        sys.stdout.write(json.dumps({"input": args[0], "processor_seconds": time.process_time()}) + "\n")
        sys.stdout.flush()
        raise SystemExit(0)


if __name__ == "__main__":
    sys.addaudithook(stop_at_first_input)
    runpy.run_module(f"stages.{STAGE}", run_name="__main__", alter_sys=True)
    sys.exit(f"{STAGE} opened no input")
