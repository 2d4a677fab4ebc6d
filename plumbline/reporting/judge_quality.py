"""Who judged this run at what cost, and how it did on answers of known worth and on second askings. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from plumbline.reporting.params import JudgeSettings
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement, RawReply


def probe_numbers(checks: Sequence[JudgeCheck]) -> dict[str, object]:
    """Canaries by sort and how often the judge agrees with itself; null if it was not asked."""
    canaries = [check for check in checks if check.probe != "retest"]
    again = [check for check in checks if check.probe == "retest" and check.score is not None]
    gaps = [check.score - check.least for check in again if check.score is not None]
    wrong = [check for check in canaries if check.is_passed is False]
    failed = Counter(check.probe for check in wrong)
    questions = {probe: [check.id for check in wrong if check.probe == probe] for probe in sorted(failed)}
    return {
        "num_canaries": len(canaries),
        "num_canaries_failed": sum(failed.values()),
        "num_canaries_unjudged": sum(check.is_passed is None for check in canaries),
        "failed_by_probe": dict(sorted(failed.items())),
        **({"failed_questions": questions} if questions else {}),
        "num_retests": len(again),
        "retest_exact": sum(gap == 0 for gap in gaps) / len(gaps) if gaps else None,
        "retest_sd": math.sqrt(math.fsum(gap * gap for gap in gaps) / (2 * len(gaps))) if gaps else None,
    }


def named_probes(probes: Mapping[str, object]) -> str:
    """The questions with misjudged answers of known worth, by the sort of the answer, and where to look."""
    found = probes.get("failed_questions")
    questions: Mapping[str, list[str]] = found if isinstance(found, Mapping) else {}
    named = "; ".join(f"{probe}: {', '.join(ids[:5])}{' and more' if len(ids) > 5 else ''}" for probe, ids in questions.items())
    remedy = (
        "; a reference is misjudged if it does not state its own key points: run `plumbline check-benchmark data/split/benchmark.jsonl`"
        if "reference" in questions
        else ": see data/grades/judge_checks.jsonl"
    )
    return f" ({named}){remedy}"


def rounded_tree(value: object) -> object:
    """Nested numbers with floats rounded to four digits."""
    if isinstance(value, Mapping):
        return {name: rounded_tree(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded_tree(inner) for inner in value]
    return round(value, 4) + 0.0 if isinstance(value, float) else value


def judge_account(
    judgements: Sequence[Judgement], judging: JudgeSettings, paid: Sequence[RawReply], cost_usd: float | None
) -> dict[str, object]:
    """Who judged, how often, with what outcomes, and the whole cost, with probes and second askings."""
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
