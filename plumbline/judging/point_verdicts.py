"""Read a judge's findings on each key point, check their quotes, and compute the score. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.judging.causes import JudgeCause
from plumbline.judging.point_quotes import is_quoted
from plumbline.judging.point_scores import share_score
from plumbline.judging.reply_object import NoObject, ReplyOutcome, find_object
from plumbline.judging.verdicts import JudgeVerdict, has_only, none_in, retry, writable
from plumbline.rows.finding import Finding, PointFinding

ENTRY_KEYS = {"point", "quote", "finding"}


def _read_entry(entry: object, *, num_points: int, answer: str) -> tuple[int, Finding, str | None] | JudgeCause:
    """One entry as number of the point, finding and quote, or what is wrong with it."""
    if not isinstance(entry, Mapping) or set(entry) != ENTRY_KEYS:
        return JudgeCause.WRONG_KEYS
    number, quote, said = entry["point"], entry["quote"], entry["finding"]
    if isinstance(number, bool) or not isinstance(number, int) or not isinstance(said, str):
        return JudgeCause.WRONG_TYPE
    if quote is None and said == Finding.MISSING:
        quote = ""
    if not isinstance(quote, str):
        return JudgeCause.WRONG_TYPE
    if said not in list(Finding):
        return JudgeCause.OFF_MENU
    if not 1 <= number <= num_points:
        return JudgeCause.WRONG_POINTS
    finding = Finding(said)
    if finding is Finding.MISSING:
        return number, finding, None
    return (number, finding, writable(quote).strip()) if is_quoted(quote, answer) else JudgeCause.QUOTE_NOT_IN_ANSWER


def _read_points(content: Mapping[str, Any], *, key_points: Sequence[str], answer: str) -> JudgeVerdict:
    if not has_only(content, ("reasoning", "points")):
        return retry(JudgeCause.WRONG_KEYS)
    reasoning, entries = content["reasoning"], content["points"]
    if not isinstance(reasoning, str) or not isinstance(entries, list):
        return retry(JudgeCause.WRONG_TYPE)
    found: dict[int, PointFinding] = {}
    for entry in entries:
        read = _read_entry(entry, num_points=len(key_points), answer=answer)
        if isinstance(read, JudgeCause):
            return retry(read)
        number, finding, quote = read
        if number in found:
            return retry(JudgeCause.WRONG_POINTS)
        found[number] = PointFinding(point=key_points[number - 1], finding=finding, quote=quote)
    if len(found) != len(key_points):
        return retry(JudgeCause.WRONG_POINTS)
    points = tuple(found[number] for number in sorted(found))
    score = share_score([one.finding for one in points])
    return JudgeVerdict(ReplyOutcome.SCORE, score, JudgeCause.SCORED, writable(reasoning), points)


def parse_points_reply(reply: object, stop_reason: str | None, *, key_points: Sequence[str], answer: str) -> JudgeVerdict:
    """Return the verdict in a reply that says for each key point whether `answer` states, misses or contradicts it.

    All points count, or there is no verdict. If one quote is not in the answer, the whole reply is unusable: the judge may invent more.
    """
    found = find_object(reply, stop_reason)
    return none_in(found) if isinstance(found, NoObject) else _read_points(found, key_points=key_points, answer=answer)
