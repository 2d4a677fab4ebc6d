"""The verdicts of a model judge on items, from the replies in its store. Reads the store."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from plumbline.judging.causes import JudgeCause
from plumbline.judging.judge import Verdict, no_answer
from plumbline.judging.precheck import PRECHECK_VERSION
from plumbline.judging.prompt import JudgeItem, digest
from plumbline.judging.replies import PARSER_VERSION, standing
from plumbline.judging.verdict_store import VerdictStore


def judge_id(backend: str, identity: object, returned: str | None) -> str:
    """The name of a judge. It depends on the questions to it, on the model that answered (`returned`), and on how replies are read."""
    return f"{backend}:{digest([identity, returned, PARSER_VERSION, PRECHECK_VERSION])[:16]}"


def stored_verdicts(
    keys: Sequence[str],
    store: VerdictStore,
    *,
    item_of: Callable[[str], JudgeItem | None],
    max_replies: int,
    judge_id_of: Callable[[str | None], str],
    model: str | None,
    problems: Mapping[str, JudgeCause],
) -> Iterator[Verdict]:
    """One verdict for each key, in order.

    `item_of` gives None for an answer that needs no judge. `model`: the model that answered in this run, for items without a reply.
    `problems`: why an item got no reply.
    """
    for key in keys:
        item = item_of(key)
        if item is None:
            yield no_answer(judge_id_of(model), key)
            continue
        replies = store.replies(key)
        final = standing(replies, item, max_replies=max_replies).verdict
        returned = next((reply.model for reply in reversed(replies) if reply.model is not None), None)
        name = judge_id_of(returned or model)
        if final is None:
            yield Verdict(name, key, None, problems.get(key, JudgeCause.NOT_ASKED), "", replies)
        else:
            yield Verdict(name, key, final.score, final.cause, final.reasoning, replies, final.points)
