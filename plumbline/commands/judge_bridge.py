"""Compare two judges on the same answers and put the bridge on record. Touches git, DVC's cache and metrics/judge_bridges.jsonl."""

import json
from pathlib import Path

import click

from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.bridge_file import RECORD, record_bridge
from plumbline.comparing.judged_rows import judged_answers
from plumbline.comparing.revisions import WORKSPACE, NotThere, open_run
from plumbline.judging.agreement import MIN_BRIDGE, bridge

SEED = 11


def main(old: str, new: str, *, root: Path) -> dict[str, object]:
    """Compare the judges of two runs on the answers that both have scored. If these are enough, put the bridge on record.

    NotThere if there is nothing to compare.
    """
    runs = [[row for row in judged_answers(open_run(root, name)) if row.judgement.score is not None] for name in (old, new)]
    identities = [sorted({row.judgement.judge_id for row in run}) for run in runs]
    if any(len(found) != 1 for found in identities):
        said = [", ".join(found) or "none" for found in identities]
        raise NotThere(
            f"each run needs exactly one judge. The judges of {old}: {said[0]}; of {new}: {said[1]}. Name runs with one judge each."
        )
    if identities[0] == identities[1]:
        raise NotThere(f"both runs have the judge {identities[0][0]}, so there is nothing to bridge. Name a run with another judge.")
    scores = {(row.answer.arm, row.answer_key): row.judgement.score for row in runs[0]}
    pairs = [
        (row.answer.arm, row.question.cluster, before, row.judgement.score)
        for row in runs[1]
        if (before := scores.get((row.answer.arm, row.answer_key))) is not None and row.judgement.score is not None
    ]
    if not pairs:
        raise NotThere(f"{old} and {new} have no judged answer in common. Judge the answers of one of them with both judges (judge.model).")
    found = {"old": identities[0][0], "new": identities[1][0], **bridge(pairs, seed=SEED)}
    if found["is_enough"]:
        record_bridge(root, found)
    return found


@click.command()
@click.argument("old")
@click.argument("new", default=WORKSPACE)
def command(old: str, new: str) -> None:
    """Compare two judges on the same answers.

    OLD and NEW are each a commit, an experiment or `workspace`, which is the default of NEW. Both runs must have judged the same answers, each with
    its own judge, for example:

    \b
    dvc exp run -n new-judge -S judge.model=claude-opus-5-5
    plumbline judge-bridge HEAD new-judge

    The bridge goes on record in metrics/judge_bridges.jsonl. Commit this file; `plumbline compare` then shows explanations across these two judges.

    Exit 2 if a run cannot be read or nothing can be compared.
    """
    root = repository()
    with refusing(2, ValueError, OSError):
        found = main(old, new, root=root)
    click.echo(json.dumps(found, indent=2))
    if found["is_enough"]:
        click.echo(f"on record in {RECORD}; commit it", err=True)
    else:
        click.echo(f"fewer than {MIN_BRIDGE} answers in common: too few to compare scores across these judges; not put on record", err=True)
