"""Start the judge stage as a separate process, many times, but import the SDK only once.

Reads one JSON object of arguments per line, forks, runs the stage in the child, and prints the child's id; on the next line
it waits for the child and prints how it ended. Single-threaded, so that forking is safe.
"""

import json
import os
import sys
from pathlib import Path

import plumbline.judging.claude_judge  # loaded once here, so that no child waits for it
import stages.judge
from plumbline.judging.params import JudgeParams
from plumbline.judging.run import JudgeFiles


def main() -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.environ.update(order["environment"])
            plumbline.judging.claude_judge.SMALLEST_BATCH = order["smallest_batch"]
            params = JudgeParams.model_validate(order["params"])
            paths = {name: Path(path) for name, path in order["paths"].items()}
            answers = {arm: paths.pop(arm) for arm in ("base", "tuned")}
            stages.judge.main(params, JudgeFiles(**paths, answers=answers))
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()  # an ended child keeps its id until here, so a late kill cannot hit another process
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
