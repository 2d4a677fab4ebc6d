"""How far this run's judge can be believed: people's labels, answers whose verdict is known, second opinions. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from plumbline.judging.agreement import answer_key, calibration
from plumbline.judging.items import item_of
from plumbline.reporting.human_label import HumanLabel
from plumbline.reporting.params import JudgeSettings
from plumbline.rows.answer import Answer
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement, RawReply
from plumbline.rows.question import Question


def calibrated_by_people(
    questions: Iterable[Question], answers: Iterable[Answer], judgements: Iterable[Judgement], labels: Iterable[HumanLabel], *, seed: int
) -> dict[str, object]:
    """Agreement of the judge with the labels of this run's answers; an answer with several labels counts with their lower median."""
    asked = {question.id: question for question in questions}
    said = {(answer.arm, answer.id): answer.response for answer in answers}
    given: dict[str, list[float]] = defaultdict(list)
    for label in labels:
        given[label.answer_key].append(label.score)
    pairs: list[tuple[str, float, float]] = []
    judged: dict[str, list[float]] = {arm: [] for arm in dict.fromkeys(arm for arm, _ in said)}
    for judgement in judgements:
        if judgement.score is None:
            continue
        judged[judgement.arm].append(judgement.score)
        key = answer_key(item_of(asked[judgement.id], said[judgement.arm, judgement.id]))
        if given[key]:
            pairs.append((judgement.arm, judgement.score, sorted(given[key])[(len(given[key]) - 1) // 2]))
    return calibration(pairs, judged, seed=seed)


def probe_numbers(checks: Sequence[JudgeCheck]) -> dict[str, object]:
    """Canaries by sort and how often the judge agrees with itself; null where it was not asked."""
    canaries = [check for check in checks if check.probe != "retest"]
    again = [check for check in checks if check.probe == "retest" and check.score is not None]
    gaps = [check.score - check.least for check in again if check.score is not None]
    failed = Counter(check.probe for check in canaries if check.is_passed is False)
    return {
        "num_canaries": len(canaries),
        "num_canaries_failed": sum(failed.values()),
        "num_canaries_unjudged": sum(check.is_passed is None for check in canaries),
        "failed_by_probe": dict(sorted(failed.items())),
        "num_retests": len(again),
        "retest_exact": sum(gap == 0 for gap in gaps) / len(gaps) if gaps else None,
        "retest_sd": math.sqrt(math.fsum(gap * gap for gap in gaps) / (2 * len(gaps))) if gaps else None,
    }


def rounded_tree(value: object) -> object:
    """Floats of nested numbers at four digits."""
    if isinstance(value, Mapping):
        return {name: rounded_tree(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded_tree(inner) for inner in value]
    return round(value, 4) + 0.0 if isinstance(value, float) else value


def judge_account(
    judgements: Sequence[Judgement], judging: JudgeSettings, paid: Sequence[RawReply], cost_usd: float | None
) -> dict[str, object]:
    """Who judged, how often, what came of it, and what all that was paid for cost: probes and second askings included."""
    replies = [reply for judgement in judgements for reply in judgement.replies]
    causes = [judgement.cause for judgement in judgements]
    return {
        "backend": judging.backend,
        "judge_id": ", ".join(sorted({judgement.judge_id for judgement in judgements})) or None,
        "model_requested": judging.claude_model,
        "model_returned": ", ".join(sorted({reply.model for reply in replies if reply.model is not None})) or None,
        "num_judgements": len(judgements),
        "num_replies": len(replies),
        "causes": {cause: causes.count(cause) for cause in sorted(set(causes))},
        "input_tokens": sum(reply.input_tokens for reply in paid),
        "output_tokens": sum(reply.output_tokens for reply in paid),
        "cost_usd": cost_usd,
    }
