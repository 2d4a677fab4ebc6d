"""Fill the store of verdicts from replies that DVC tracks. Touches git, DVC's cache and .cache/judge."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.judged_rows import second_judgements
from plumbline.comparing.revisions import WORKSPACE, NotThere, open_run, read_rows
from plumbline.judging.verdict_store import REPLIES_PER_SYNC, VerdictStore
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement, RawReply


def fill(store: VerdictStore, verdicts: Iterable[Judgement | JudgeCheck]) -> int:
    """Add the replies that the store lacks, and return how many. What a rule found is not a reply: no one was paid for it."""
    num_added = 0
    fresh: dict[tuple[str, int], RawReply] = {}

    def sync() -> None:
        nonlocal num_added
        store.add_all([(key, reply) for (key, _), reply in fresh.items()])
        num_added += len(fresh)
        fresh.clear()

    for verdict in verdicts:
        if not verdict.judge_id.startswith(("claude:", "openai_compatible:")):
            continue
        known = {reply.attempt for reply in store.replies(verdict.key)}
        fresh |= {(verdict.key, reply.attempt): reply for reply in verdict.replies if reply.attempt not in known}
        if len(fresh) >= REPLIES_PER_SYNC:
            sync()
    sync()
    return num_added


def main(revisions: Sequence[str], *, root: Path) -> str:
    """Fill the store of the repository at `root` and say what was added."""
    store = VerdictStore(root / ".cache" / "judge")
    said = []
    for name in revisions:
        source = open_run(root, name)
        verdicts: list[Judgement | JudgeCheck] = list(read_rows(source, "data/grades/judged.jsonl", Judgement))
        try:
            verdicts += read_rows(source, "data/grades/judge_checks.jsonl", JudgeCheck)
        except NotThere:
            said.append(f"{name}: no probes of the judge on record")
        verdicts += second_judgements(source)
        num_replies = len({(verdict.key, reply.attempt) for verdict in verdicts for reply in verdict.replies if reply.model is not None})
        said.append(f"{name}: {fill(store, verdicts)} replies added, {num_replies} on record")
    return "\n".join(said)


@click.command()
@click.argument("revisions", nargs=-1)
def command(revisions: tuple[str, ...]) -> None:
    """Fill the judge's store from the replies of a revision.

    REVISIONS are commits, tags, experiments, or `workspace`, which is the default. A clone without a key, or with an empty .cache, can then run
    `judge` again and pay nothing: its replies are in data/grades.

    Exit 2 if a revision cannot be read.
    """
    root = repository()
    with refusing(2, ValueError, OSError):
        told = main(revisions or [WORKSPACE], root=root)
    click.echo(told)
