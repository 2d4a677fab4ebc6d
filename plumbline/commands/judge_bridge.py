"""Set two judges side by side: python -m plumbline.commands.judge_bridge OLD [NEW], each a commit, an experiment or `workspace`.

Both runs must have judged the same answers, each with its own judge, for example
    dvc exp run -n new-judge -S judge.model=claude-opus-5-5 && python -m plumbline.commands.judge_bridge HEAD new-judge
The bridge goes on record in metrics/judge_bridges.jsonl, for you to commit; plumbline.commands.compare then shows explanations across these two judges.
Exit 2 where a run cannot be read or nothing can be compared.
"""

import argparse
import json
import sys
from pathlib import Path

from plumbline.comparing.bridge_file import RECORD, record_bridge
from plumbline.comparing.judged_rows import judged_answers
from plumbline.comparing.revisions import WORKSPACE, NotThere, open_run
from plumbline.judging.agreement import MIN_BRIDGE, bridge

ROOT = Path(__file__).resolve().parents[2]
SEED = 11


def main(old: str, new: str, *, root: Path) -> dict[str, object]:
    """Compare the judges of two runs on the answers that both have scored, and put it on record where these are enough.

    NotThere where there is nothing to compare.
    """
    runs = [[row for row in judged_answers(open_run(root, name)) if row.judgement.score is not None] for name in (old, new)]
    identities = [sorted({row.judgement.judge_id for row in run}) for run in runs]
    if any(len(found) != 1 for found in identities):
        raise NotThere(f"each run needs exactly one judge; {old} has {identities[0]}, {new} has {identities[1]}")
    if identities[0] == identities[1]:
        raise NotThere(f"both runs have the judge {identities[0][0]}: there is nothing to bridge")
    scores = {(row.answer.arm, row.answer_key): row.judgement.score for row in runs[0]}
    pairs = [
        (row.answer.arm, row.question.cluster, before, row.judgement.score)
        for row in runs[1]
        if (before := scores.get((row.answer.arm, row.answer_key))) is not None and row.judgement.score is not None
    ]
    if not pairs:
        raise NotThere(f"{old} and {new} have no judged answer in common: judge the answers of one of them with both judges (judge.model)")
    found = {"old": identities[0][0], "new": identities[1][0], **bridge(pairs, seed=SEED)}
    if found["is_enough"]:
        record_bridge(root, found)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m plumbline.commands.judge_bridge", description=__doc__)
    parser.add_argument("old")
    parser.add_argument("new", nargs="?", default=WORKSPACE)
    given = parser.parse_args()
    try:
        found = main(given.old, given.new, root=ROOT)
    except NotThere as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    if found["is_enough"]:
        sys.stderr.write(f"on record in {RECORD}; commit it\n")
    else:
        sys.stderr.write(f"fewer than {MIN_BRIDGE} answers in common: too few to compare scores across these judges; not put on record\n")
