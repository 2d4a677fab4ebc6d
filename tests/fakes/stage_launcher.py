"""Start the judge stage as a process of its own, many times, without importing the SDK anew each time.

Reads one JSON object of arguments per line, forks, runs the stage in the child, and prints the child's id; on the next line
it waits for the child and prints how it ended. Single-threaded, so that forking is safe.
"""

import json
import os
import sys
from pathlib import Path

import plumbline.judging.claude
import plumbline.judging.claude_batches  # noqa: F401 - loaded once here, so that no child waits for it
import stages.judge


def main() -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.environ.update(order["environment"])
            stages.judge.SMALLEST_BATCH = order["smallest_batch"]
            params = stages.judge.JudgeParams.model_validate(order["params"])
            stages.judge.main(params, **{name: Path(path) for name, path in order["paths"].items()})
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()  # until now an ended child keeps its id: a late kill cannot hit another process
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
