"""Run a stage until its `main` opens the first input; print how many processor seconds that took, and what is loaded.

    python -m tests.fakes.first_input MODULE [ARGUMENTS]

Reading by the drift guard does not count as work: it comes before every stage. The stage ends there and has written nothing (preflight has
removed its `ready.json`).
"""

import json
import runpy
import sys
import time
from typing import Any

from tests.fakes.opened_inputs import opens_input

MODULE = sys.argv[1]
found: list[str] = []


def stop_at_first_input(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: Python raises `open` before it looks for the file. Files opened for cleaning up after the end no longer count."""
    if not found and opens_input(event, args):
        found.append(str(args[0]))
        seconds = time.process_time()
        packages = sorted({name.partition(".")[0] for name in sys.modules})
        sys.stdout.write(json.dumps({"input": found[0], "processor_seconds": seconds, "packages": packages}) + "\n")
        sys.stdout.flush()
        raise SystemExit(0)


if __name__ == "__main__":
    sys.addaudithook(stop_at_first_input)
    del sys.argv[0]
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
    sys.exit(f"{MODULE} opened no input")
