"""The cards and tables of the report page: every number already worded. Pure."""

from collections.abc import Mapping, Sequence

from plumbline.reporting.ledger import KIND_NAMES, KindLedger, Scored
from plumbline.reporting.numbers import confusion_counts, letter_pairs
from plumbline.reporting.words import direction_of, kind_words, p_words, points, span
from plumbline.rows.answer import ARMS
from plumbline.rows.grade import Grade
from plumbline.rows.question import Kind, Question
from plumbline.statistics import Comparison, Direction, Estimate, IntervalMethod, PairedTest

MAX_TOPICS_LISTED = 400
"""Past this a topic is a question, and a list of topics helps no one."""


def percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %".replace(".0 %", " %")


def estimate_cell(estimate: Estimate | None) -> dict[str, str]:
    if estimate is None:
        return {"value": "–", "interval": ""}
    return {"value": points(estimate.mean), "interval": span(estimate.ci95)}


def comparison_cell(comparison: Comparison | None) -> dict[str, object]:
    if comparison is None:
        return {"value": "–", "interval": "", "n": 0}
    return {"value": points(comparison.delta, sign=True), "interval": span(comparison.ci95), "n": comparison.n}


TESTS = {
    PairedTest.MCNEMAR: "exact McNemar test",
    PairedTest.MCNEMAR_CLUSTERED: "exact sign-flip test over clusters",
    PairedTest.SIGN_FLIP: "sign-flip permutation test",
    PairedTest.SIGN_FLIP_CLUSTERED: "sign-flip permutation test over clusters",
}
METHODS = {
    IntervalMethod.WILSON: "Wilson interval",
    IntervalMethod.WILSON_UNITS: "Wilson interval over clusters (no spread seen)",
    IntervalMethod.TANGO: "Tango score interval",
    IntervalMethod.TILTED: "tilted score interval",
    IntervalMethod.TILTED_UNITS: "tilted score interval over clusters",
    IntervalMethod.UNSEEN_UNITS: "bound for units not seen (no spread seen)",
}


def kind_card(ledger: KindLedger) -> dict[str, object]:
    """The card of one kind: its verdict and the numbers behind it."""
    comparison = ledger.headline.comparison
    card: dict[str, object] = {
        "kind": ledger.kind,
        "name": KIND_NAMES[ledger.kind],
        "direction": direction_of(ledger),
        "sentence": kind_words(ledger),
        "n": ledger.n,
        "delta": None,
    }
    if comparison is not None:
        card |= {
            "delta": points(comparison.delta, sign=True),
            "interval": span(comparison.ci95),
            "base": points(comparison.base_mean),
            "tuned": points(comparison.tuned_mean),
            "pairs": comparison.n,
            "units": comparison.num_units,
            "clustered": comparison.num_units < comparison.n,
            "p": p_words(comparison.p_value),
            "p_holm": p_words(ledger.headline.p_holm),
            "test": TESTS[comparison.test],
            "method": METHODS[comparison.ci_method],
            "lost": comparison.num_base_only,
            "gained": comparison.num_tuned_only,
            "detectable": f"{points(comparison.minimum_detectable_effect)} points"
            if comparison.minimum_detectable_effect < 1
            else "no difference",
        }
    return card


def bounds_words(low: float, high: float) -> str:
    """The score with every failure as wrong, then as right; one number where nothing failed."""
    return points(low) if points(low) == points(high) else f"{points(low)}–{points(high)}"


def score_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """The table of scores: a line per kind and arm."""
    rows: list[dict[str, object]] = []
    for kind, ledger in ledgers.items():
        for arm, counts in ledger.arms.items():
            rows.append(
                {
                    "kind": KIND_NAMES[kind],
                    "arm": arm,
                    "score": estimate_cell(counts.estimate),
                    "n": counts.n,
                    "chance": points(ledger.chance) if ledger.chance is not None else "–",
                    "correct": counts.num_correct,
                    "incorrect": counts.num_incorrect,
                    "unparsed": counts.num_unparsed,
                    "unjudged": counts.num_unjudged,
                    "unparsed_rate": percent(counts.unparsed_rate),
                    "bounds": bounds_words(counts.failures_as_zero, counts.failures_as_one),
                    "truncated": counts.num_truncated,
                    "logprob": estimate_cell(counts.logprob) if counts.logprob is not None else None,
                }
            )
    return rows


def confusions(questions: Sequence[Question], grades: Sequence[Grade]) -> list[dict[str, object]]:
    """Letters given against letters right, a table per arm; `share`: of the row, for its shade."""
    tables: list[dict[str, object]] = []
    for arm in ARMS:
        targets, letters, counts = confusion_counts(letter_pairs(questions, grades, arm))
        rows = [
            {"target": target, "cells": [{"count": count, "share": f"{count / max(1, sum(line)):.2f}"} for count in line]}
            for target, line in zip(targets, counts, strict=True)
        ]
        tables.append({"arm": arm, "letters": ["none" if letter == "unparsed" else letter for letter in letters], "rows": rows})
    return tables


def overlap_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """Differences with all questions, without those near the training rows, and on those alone."""
    return [
        {
            "kind": KIND_NAMES[kind],
            "num_overlapping": ledger.num_overlapping,
            "all": comparison_cell(ledger.headline.comparison),
            "without": comparison_cell(ledger.headline.without_overlap),
            "only": comparison_cell(ledger.headline.overlap_only),
        }
        for kind, ledger in ledgers.items()
        if ledger.num_overlapping
    ]


def topic_rows(scored: Sequence[Scored]) -> list[dict[str, object]]:
    """Mean scores per cluster, the greatest loss first; empty where topics are as many as questions, or too many to read."""
    clusters: dict[str, dict[str, list[float | None]]] = {}
    for row in scored:
        clusters.setdefault(row.cluster, {arm: [] for arm in ARMS})[row.arm].append(row.score)
    if len(clusters) > MAX_TOPICS_LISTED or all(len(scores["base"]) == 1 for scores in clusters.values()):
        return []
    rows: list[tuple[float, str, dict[str, object]]] = []
    for name, scores in clusters.items():
        both = [(low, high) for low, high in zip(scores["base"], scores["tuned"], strict=True) if low is not None and high is not None]
        if both:
            base, tuned = (sum(values) / len(both) for values in zip(*both, strict=True))
            row = {
                "topic": name,
                "n": len(both),
                "base": points(base),
                "tuned": points(tuned),
                "delta": points(tuned - base, sign=True),
                "direction": Direction.BETTER if tuned > base else Direction.WORSE if tuned < base else Direction.NONE,
            }
            rows.append((tuned - base, name, row))
    return [row for _, _, row in sorted(rows, key=lambda entry: entry[:2])]
