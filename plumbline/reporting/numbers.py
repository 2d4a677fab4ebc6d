"""The ledger as JSON and CSV: rounded and sorted, so that every machine writes the same. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from plumbline.answering.exam_prompt import PROMPT_VERSION
from plumbline.reporting.calibration_words import verdict_addition
from plumbline.reporting.care import cannot_tell, unread_clause
from plumbline.reporting.context_use import ContextUse, Part, PromptTokens
from plumbline.reporting.contrasts import Contrast, Square
from plumbline.reporting.decide import Evaluation
from plumbline.reporting.judge_quality import rounded_tree
from plumbline.reporting.ledger import ArmLedger, KindLedger, PairLedger
from plumbline.reporting.noise_words import noise_numbers
from plumbline.reporting.panel_words import first_words
from plumbline.reporting.scored import by_question
from plumbline.reporting.slices import Slice
from plumbline.reporting.validity import Gate
from plumbline.reporting.variance_words import split_numbers
from plumbline.reporting.verdict import evaluation_verdict
from plumbline.rows.arms import Pair
from plumbline.rows.grade import Grade
from plumbline.rows.outcome import Reading
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, Estimate

DIGITS = 4
FLIPS = ("num_reference_only", "num_arm_only")
"""Of two arms; a difference of differences has none."""
SCHEMA = "plumbline-evaluation/2"
"""2: any number of arms and comparisons."""


def rounded(value: float | None) -> float | None:
    """Four digits after the point: finer than any benchmark resolves."""
    return None if value is None else round(float(value), DIGITS) + 0.0


def rounded_p(value: float | None) -> float | None:
    """Three significant digits: a small p value must not become 0."""
    return None if value is None else float(f"{value:.3g}")


def interval(bounds: tuple[float, float]) -> list[float | None]:
    return [rounded(bounds[0]), rounded(bounds[1])]


def comparison_numbers(comparison: Comparison) -> dict[str, object]:
    return {
        "n": comparison.n,
        "num_units": comparison.num_units,
        "value": rounded(comparison.delta),
        "ci95": interval(comparison.ci95),
        "method": comparison.ci_method,
        "p": rounded_p(comparison.p_value),
        "test": comparison.test,
        "num_reference_only": comparison.num_first_only,
        "num_arm_only": comparison.num_second_only,
        "minimum_detectable_effect": rounded(comparison.minimum_detectable_effect),
        "detectable_at_level": rounded_p(comparison.level),
    }


def estimate_numbers(estimate: Estimate) -> dict[str, object]:
    return {"value": rounded(estimate.mean), "ci95": interval(estimate.ci95), "method": estimate.method, "n": estimate.n}


def arm_numbers(arm: ArmLedger) -> dict[str, object]:
    return {
        "n": arm.n,
        **({"num_answers": arm.num_answers} if arm.num_answers != arm.n else {}),
        "correct": arm.num_correct,
        "incorrect": arm.num_incorrect,
        "unparsed": arm.num_unparsed,
        "unjudged": arm.num_unjudged,
        "score": None if arm.estimate is None else estimate_numbers(arm.estimate),
        "bounds": {"failures_as_zero": rounded(arm.failures_as_zero), "failures_as_one": rounded(arm.failures_as_one)},
        "unparsed_rate": rounded(arm.unparsed_rate),
        "truncated": arm.num_truncated,
        "truncation_rate": rounded(arm.truncation_rate),
        "readings": arm.readings,
        "tiers": arm.tiers,
        "flags": arm.flags,
        "histogram": {f"{score:g}": count for score, count in arm.histogram.items()},
        "logprob_accuracy": None if arm.logprob is None else estimate_numbers(arm.logprob),
    }


def kind_numbers(ledger: KindLedger) -> dict[str, object]:
    return {
        "n": ledger.n,
        "num_clusters": ledger.num_clusters,
        "chance": rounded(ledger.chance),
        "num_overlapping": ledger.num_overlapping,
        "arms": {arm: arm_numbers(counts) for arm, counts in ledger.arms.items()},
        "comparisons": [
            pair_numbers(pair, found) | ({"same_prompts": True} if ledger.is_alike(pair) else {}) for pair, found in ledger.pairs.items()
        ],
        "contrasts": [contrast_numbers(square, found) for square, found in ledger.contrasts.items()],
        **({"uncertainty": uncertainty_numbers(ledger)} if ledger.arm_splits else {}),
    }


def uncertainty_numbers(ledger: KindLedger) -> dict[str, object]:
    """How much of the standard errors comes from the questions, and how much from the sampling of answers."""
    return {
        "arms": {arm: split_numbers(split) for arm, split in ledger.arm_splits.items()},
        "comparisons": [{"reference": pair[0], "arm": pair[1], **split_numbers(split)} for pair, split in ledger.pair_splits.items()],
    }


def pair_numbers(pair: Pair, found: PairLedger) -> dict[str, object]:
    """One declared comparison on one kind; null if nothing could be compared."""
    optional = {
        "delta": found.comparison,
        "logprob_delta": found.logprob_comparison,
        "without_overlap": found.without_overlap,
        "overlap_only": found.overlap_only,
    }
    numbers = {name: None if comparison is None else comparison_numbers(comparison) for name, comparison in optional.items()}
    return {"reference": pair[0], "arm": pair[1], "p_holm": rounded_p(found.p_holm), **numbers}


def slice_numbers(one: Slice) -> dict[str, object]:
    """One comparison on the questions of one tag; `delta` is null if they are too few."""
    return {
        "reference": one.pair[0],
        "arm": one.pair[1],
        "kind": one.kind,
        "tag": one.tag,
        "n": one.n,
        "num_clusters": one.num_clusters,
        "too_few": one.comparison is None,
        "p_holm": rounded_p(one.p_holm),
        "delta": None if one.comparison is None else comparison_numbers(one.comparison),
    }


def contrast_numbers(square: Square, found: Contrast) -> dict[str, object]:
    """Whether a context helps the tuned model as it helps base, on one kind."""
    comparison = found.comparison
    numbers = {name: value for name, value in comparison_numbers(comparison).items() if name not in FLIPS}
    gains = {"gain_of_base": rounded(comparison.first_mean), "gain_of_tuned": rounded(comparison.second_mean)}
    return {"context": square.context, "of": square.formula, **numbers, "p_holm": rounded_p(found.p_holm), **gains}


def headline(ledgers: Mapping[Kind, KindLedger], arms: Sequence[str], *, complete: bool, problems: Sequence[str]) -> dict[str, object]:
    """What `dvc metrics diff` shows: the score of each arm, and delta and n of the first comparison.

    The scores of its two arms are those on the pairs scored in both, so that delta is their difference; null without a verdict.
    """
    scores: dict[str, object] = {}
    for kind in KINDS:
        ledger = ledgers.get(kind)
        found: dict[str, float | None] = dict.fromkeys([*arms, "delta", "n"])
        if ledger is not None:
            found |= {arm: rounded(counts.estimate.mean) for arm, counts in ledger.arms.items() if counts.estimate is not None}
            comparison = ledger.headline.comparison if ledger.headline is not None else None
            if comparison is not None and ledger.headline_pair is not None:
                first, second = ledger.headline_pair
                found |= {first: rounded(comparison.first_mean), second: rounded(comparison.second_mean)}
                found |= {"delta": rounded(comparison.delta), "n": comparison.n}
        scores[kind] = found
    scores["complete"] = complete
    scores["valid"] = not problems
    if problems:
        scores["invalid_because"] = "; ".join(problems)
    return scores


def gate_numbers(gate: Gate) -> dict[str, object]:
    return {
        "name": gate.name,
        "severity": gate.severity,
        "ok": gate.ok,
        "value": rounded(gate.value),
        "limit": rounded(gate.limit),
        "text": gate.text,
    }


def whole_verdict(evaluation: Evaluation) -> str:
    """The verdict, with unread answers behind its differences, and the judged part as corrected by people's labels.

    It begins with whether the conclusion depends on the judge.
    """
    addition = "" if evaluation.calibration is None else verdict_addition(evaluation.calibration)
    words = evaluation_verdict(evaluation.ledgers, evaluation.arms, evaluation.comparisons)
    parts = (first_words(evaluation.panel), cannot_tell(evaluation.ledgers), words, unread_clause(evaluation.ledgers), addition)
    return " ".join(part for part in parts if part)


def evaluation_numbers(evaluation: Evaluation, *, development_fraction: float, sha256: Mapping[str, str]) -> dict[str, object]:
    """The whole ledger: metrics/evaluation.json."""
    return {
        "schema": SCHEMA,
        "valid": evaluation.is_valid,
        "complete": evaluation.incomplete is None,
        "invalid_because": evaluation.problems,
        "incomplete_because": evaluation.incomplete,
        "verdict": whole_verdict(evaluation) if evaluation.is_valid else None,
        "prompt_version": PROMPT_VERSION,
        "part": {
            "name": evaluation.part,
            "development_fraction": rounded(development_fraction),
            "num_questions": len(evaluation.questions),
            "num_questions_in_benchmark": evaluation.num_questions_in_benchmark,
            "num_final_part_uses": evaluation.num_final_part_uses,
            "num_own_uses": evaluation.num_own_uses,
            **({"left_out": dict(evaluation.left_out)} if evaluation.left_out else {}),
            **({"chose_checkpoint": asdict(evaluation.checkpoint)} if evaluation.checkpoint is not None else {}),
        },
        "arms": {name: arm.model_dump() for name, arm in evaluation.arms.root.items()},
        "comparisons": [list(pair) for pair in evaluation.comparisons],
        "decoding": dict(evaluation.decoding),
        "kinds": {kind: kind_numbers(ledger) for kind, ledger in evaluation.ledgers.items()},
        **({"slices": [slice_numbers(one) for one in evaluation.slices]} if evaluation.slices else {}),
        "contexts": [context_use_numbers(use) for use in evaluation.context_uses],
        "prompt_tokens": [prompt_token_numbers(tokens) for tokens in evaluation.prompt_tokens],
        **({} if evaluation.noise is None else {"noise_floor": noise_numbers(evaluation.noise)}),
        "judge": rounded_tree(evaluation.judge),
        "gates": [gate_numbers(gate) for gate in evaluation.gates],
        "sha256": sha256,
    }


def scores_table(ledgers: Mapping[Kind, KindLedger]) -> str:
    """CSV for plots: a line per kind and arm with score and interval; kinds without a verdict are left out."""
    lines = ["kind,arm,score,low,high,n"]
    for kind, ledger in ledgers.items():
        for arm, counts in ledger.arms.items():
            if counts.estimate is not None:
                low, high = counts.estimate.ci95
                lines.append(f"{kind},{arm},{counts.estimate.mean:.4f},{low:.4f},{high:.4f},{counts.estimate.n}")
    return "\n".join(lines) + "\n"


def letter_pairs(questions: Sequence[Question], grades: Sequence[Grade], arm: str) -> list[tuple[str, str]]:
    """(target, letter read or `unparsed`) of every answer of an arm that is one letter, in benchmark order."""
    read = by_question(grade for grade in grades if grade.arm == arm and grade.kind == "mcq")
    pairs: list[tuple[str, str]] = []
    for question in questions:
        if question.kind != "mcq" or question.answer_kind is not None:
            continue
        for grade in read.get((arm, question.id), {}).values():
            extracted = grade.extracted if grade.reading is Reading.VALUE and grade.extracted is not None else "unparsed"
            pairs.append((question.target, extracted))
    return pairs


def confusion_table(questions: Sequence[Question], grades: Sequence[Grade], arms: Sequence[str]) -> str:
    """CSV for plots: a line per mcq answer with its arm, the right letter and the given letter."""
    lines = [
        "arm,target,answered",
        *(f"{arm},{target},{letter}" for arm in arms for target, letter in letter_pairs(questions, grades, arm)),
    ]
    return "\n".join(lines) + "\n"


def confusion_counts(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str], list[list[int]]]:
    """Rows (targets), columns (letters read, `unparsed` last) and counts."""
    counts = Counter(pairs)
    targets = sorted({target for target, _ in pairs})
    letters = sorted({letter for _, letter in pairs if letter != "unparsed"} | set(targets))
    columns = [*letters, "unparsed"] if any(letter == "unparsed" for _, letter in pairs) else letters
    return targets, columns, [[counts[target, letter] for letter in columns] for target in targets]


def context_use_numbers(use: ContextUse) -> dict[str, object]:
    """How one arm used its passages on one kind."""
    return {
        "arm": use.arm,
        "kind": use.kind,
        "recall": rounded(use.recall),
        "grounded": rounded(use.grounded),
        "with_answer": part_numbers(use.with_answer),
        "without_answer": part_numbers(use.without_answer),
    }


def context_headline(uses: Sequence[ContextUse], tokens: Sequence[PromptTokens]) -> dict[str, object]:
    """Tokens a question of each arm, and how an arm with passages used them, kind by kind: metrics/context.json."""
    told: dict[str, dict[str, object]] = {one.arm: {"prompt_tokens": round(one.mean, 1)} for one in tokens}
    for use in uses:
        told.setdefault(use.arm, {})[use.kind] = {
            "recall": rounded(use.recall),
            "grounded": rounded(use.grounded),
            "with_answer": part_headline(use.with_answer),
            "without_answer": part_headline(use.without_answer),
        }
    return dict(told)


def part_headline(part: Part) -> dict[str, object]:
    """n and score; the intervals are in evaluation.json."""
    return {"n": part.n, "score": None if part.score is None else rounded(part.score.mean)}


def part_numbers(part: Part) -> dict[str, object]:
    """The questions with the answer in their passages, or those without."""
    return {
        "n": part.n,
        "score": None if part.score is None else estimate_numbers(part.score),
        "gain": None if part.gain is None else comparison_numbers(part.gain),
    }


def prompt_token_numbers(tokens: PromptTokens) -> dict[str, object]:
    """Length of an arm's prompts."""
    return {"arm": tokens.arm, "mean": round(tokens.mean, 1), "p90": tokens.p90, "max": tokens.most}
