"""The cards and tables of the report page: every number already worded. Pure."""

from collections.abc import Mapping, Sequence

from plumbline.number_text import counted
from plumbline.reporting.claims import claimed_direction, is_below_floor
from plumbline.reporting.context_use import ContextUse, PromptTokens
from plumbline.reporting.contrasts import Contrast, Square
from plumbline.reporting.ledger import KIND_NAMES, KindLedger, PairLedger
from plumbline.reporting.numbers import confusion_counts, letter_pairs
from plumbline.reporting.scored import Scored
from plumbline.reporting.slices import Slice
from plumbline.reporting.variance_words import split_row
from plumbline.reporting.verdict import contrast_words
from plumbline.reporting.words import (
    arm_words,
    detectable_words,
    direction_of,
    kind_words,
    num_tests_of,
    p_words,
    pair_direction,
    points,
    span,
)
from plumbline.rows.arms import Pair
from plumbline.rows.grade import Grade
from plumbline.rows.question import Kind, Question
from plumbline.statistics import Comparison, Direction, Estimate, IntervalMethod, PairedTest

MAX_TOPICS_LISTED = 400
"""With more topics than this a topic is a question, and a list of topics helps no one."""

MAX_PAIRS_DRAWN = 8
"""Comparisons in the figure; more would be hard to read. The table has all."""


def pair_words(pair: Pair) -> str:
    """A comparison as the difference that it is."""
    return f"{arm_words(pair[1])} − {arm_words(pair[0])}"


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


SAME_PROMPTS: Mapping[str, object] = {**comparison_cell(None), "direction": Direction.UNSCORED, "note": "same prompts: nothing to compare"}
"""The cell of two arms between which no prompt differed."""
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


def made_words(comparison: Comparison) -> str:
    """How interval and p value were made, for a reader who knows neither name; docs/reading-results.md says more."""
    unit = "group of questions that stand or fall together" if comparison.num_units < comparison.n else "question"
    said = f"Interval and test count each {unit} as one."
    if comparison.ci_method in (IntervalMethod.UNSEEN_UNITS, IntervalMethod.WILSON_UNITS):
        said += f" Every {unit.split()[0]} gave the same result, so the interval is a bound on what other questions could show."
    tests = num_tests_of(comparison.level)
    return said + (f" The p value is corrected for {tests} tests." if tests > 1 else "")


def kind_card(ledger: KindLedger) -> dict[str, object]:
    """The card of one kind: its verdict and the numbers behind it."""
    comparison = ledger.headline.comparison if ledger.headline is not None else None
    card: dict[str, object] = {
        "kind": ledger.kind,
        "name": KIND_NAMES[ledger.kind],
        "direction": direction_of(ledger),
        "sentence": kind_words(ledger),
        "n": ledger.n,
        "delta": None,
    }
    if ledger.headline is not None and ledger.headline_pair is not None and comparison is not None:
        first, second = ledger.headline_pair
        card |= {
            "first": arm_words(first),
            "second": arm_words(second),
            "delta": points(comparison.delta, sign=True),
            "interval": span(comparison.ci95),
            "before": points(comparison.first_mean),
            "after": points(comparison.second_mean),
            "pairs": comparison.n,
            "units": comparison.num_units,
            "clustered": comparison.num_units < comparison.n,
            "p": p_words(comparison.p_value),
            "p_holm": p_words(ledger.headline.p_holm),
            "test": TESTS[comparison.test],
            "method": METHODS[comparison.ci_method],
            "made": made_words(comparison),
            "lost": comparison.num_first_only,
            "gained": comparison.num_second_only,
            "floor": points(ledger.headline.floor) if ledger.headline.floor else "",
            "detectable": detectable_words(comparison, ledger.headline.floor),
        }
    return card


def comparison_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """The declared comparisons: a line per pair, a cell per kind; the p values are adjusted for all of them together."""
    pairs = list(dict.fromkeys(pair for ledger in ledgers.values() for pair in ledger.pairs))
    return [
        {
            "first": arm_words(first),
            "second": arm_words(second),
            "cells": [
                SAME_PROMPTS if ledger.is_alike((first, second)) else pair_cell(ledger.pairs[first, second]) for ledger in ledgers.values()
            ],
        }
        for first, second in pairs
    ]


def contrast_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """Whether a context helps the tuned model as it helps base: a line per context, a cell and a sentence per kind."""
    squares = list(dict.fromkeys(square for ledger in ledgers.values() for square in ledger.contrasts))
    return [
        {
            "name": square.formula,
            "sentence": " ".join(
                contrast_words(kind, square, ledger.contrasts[square])
                for kind, ledger in ledgers.items()
                if square in ledger.contrasts and not alike_in(ledger, square)
            ),
            "cells": [
                SAME_PROMPTS if alike_in(ledger, square) else contrast_cell(ledger.contrasts.get(square)) for ledger in ledgers.values()
            ],
        }
        for square in squares
    ]


def alike_in(ledger: KindLedger, square: Square) -> bool:
    """Whether the context of a contrast held nothing for this kind."""
    return ledger.is_alike((square.base, square.base_with)) or ledger.is_alike((square.tuned, square.tuned_with))


def contrast_cell(found: Contrast | None) -> dict[str, object]:
    """One contrast on one kind."""
    if found is None or found.p_holm is None:
        return {**comparison_cell(None), "direction": Direction.UNSCORED, "note": "no verdicts"}
    direction = claimed_direction(found.comparison, found.p_holm, found.floor)
    return {
        **comparison_cell(found.comparison),
        "direction": direction,
        "note": f"p {p_words(found.p_holm)}, n = {found.comparison.n}{floor_note(found.floor)}",
    }


def context_rows(uses: Sequence[ContextUse]) -> list[dict[str, object]]:
    """How each arm used its passages: a line per arm and kind."""
    return [
        {
            "arm": arm_words(use.arm),
            "kind": KIND_NAMES[use.kind],
            "recall": percent(use.recall),
            "grounded": percent(use.grounded),
            "parts": [
                {"n": part.n, "score": estimate_cell(part.score), "gain": comparison_cell(part.gain)}
                for part in (use.with_answer, use.without_answer)
            ],
        }
        for use in uses
    ]


def prompt_rows(tokens: Sequence[PromptTokens]) -> list[dict[str, str]]:
    """Length of the prompts of each arm, in tokens."""
    return [{"arm": arm_words(one.arm), "mean": f"{one.mean:,.0f}", "p90": f"{one.p90:,}", "max": f"{one.most:,}"} for one in tokens]


def floor_note(floor: float) -> str:
    """The noise floor as part of a note; empty if nothing moved."""
    return f", noise floor {points(floor)}" if floor else ""


def pair_cell(pair: PairLedger) -> dict[str, object]:
    """One comparison on one kind."""
    found = pair.comparison
    if found is None:
        return {**comparison_cell(None), "direction": Direction.UNSCORED, "note": "no verdicts"}
    direction = pair_direction(pair)
    note = f"p {p_words(pair.p_holm)}, n = {found.n}, +{found.num_second_only} −{found.num_first_only}"
    if direction is Direction.NONE and not is_below_floor(found, pair.p_holm, pair.floor):
        note += f", could have shown {detectable_words(found, pair.floor)}"
    note += floor_note(pair.floor)
    return {**comparison_cell(found), "direction": direction, "note": note}


def bounds_words(low: float, high: float) -> str:
    """The score with every failure as wrong, then as right; one number if nothing failed."""
    return points(low) if points(low) == points(high) else f"{points(low)}–{points(high)}"


def score_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """The table of scores: a line per kind and arm."""
    rows: list[dict[str, object]] = []
    for kind, ledger in ledgers.items():
        for place, (arm, counts) in enumerate(ledger.arms.items()):
            rows.append(
                {
                    "kind": KIND_NAMES[kind],
                    "arm": arm_words(arm),
                    "place": place,
                    "num_arms": len(ledger.arms),
                    "score": estimate_cell(counts.estimate),
                    "n": counts.num_answers,
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


def uncertainty_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """Where the uncertainty comes from: a line per kind and arm, then per kind and difference; empty without several samples."""
    rows = [
        split_row(KIND_NAMES[kind], arm_words(arm), split) for kind, ledger in ledgers.items() for arm, split in ledger.arm_splits.items()
    ]
    return rows + [
        split_row(KIND_NAMES[kind], pair_words(pair), split)
        for kind, ledger in ledgers.items()
        for pair, split in ledger.pair_splits.items()
    ]


def confusions(questions: Sequence[Question], grades: Sequence[Grade], arms: Sequence[str]) -> list[dict[str, object]]:
    """Given letters against right letters, a table per arm; `share`: of the row, for its shade."""
    tables: list[dict[str, object]] = []
    for place, arm in enumerate(arms):
        targets, letters, counts = confusion_counts(letter_pairs(questions, grades, arm))
        rows = [
            {"target": target, "cells": [{"count": count, "share": f"{count / max(1, sum(line)):.2f}"} for count in line]}
            for target, line in zip(targets, counts, strict=True)
        ]
        tables.append(
            {
                "arm": arm_words(arm),
                "place": place,
                "letters": ["none" if letter == "unparsed" else letter for letter in letters],
                "rows": rows,
            }
        )
    return tables


def overlap_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """Differences on all questions, without those near the training rows, and on those alone."""
    return [
        {
            "kind": KIND_NAMES[kind],
            "num_overlapping": ledger.num_overlapping,
            "all": comparison_cell(ledger.headline.comparison),
            "without": comparison_cell(ledger.headline.without_overlap),
            "only": comparison_cell(ledger.headline.overlap_only),
        }
        for kind, ledger in ledgers.items()
        if ledger.num_overlapping and ledger.headline is not None
    ]


def slice_rows(slices: Sequence[Slice]) -> list[dict[str, object]]:
    """A line per comparison, kind and tag."""
    return [{"pair": pair_words(one.pair), "kind": KIND_NAMES[one.kind], "tag": one.tag, **slice_cell(one)} for one in slices]


def slice_cell(one: Slice) -> dict[str, object]:
    """The difference on one slice, or that there are too few questions."""
    if one.comparison is None or one.p_holm is None:
        clusters = f" in {counted(one.num_clusters, 'cluster')}" if one.num_clusters < one.n else ""
        return {**comparison_cell(None), "n": one.n, "direction": Direction.UNSCORED, "note": f"too few questions{clusters}"}
    direction = claimed_direction(one.comparison, one.p_holm, one.floor)
    note = f"p {p_words(one.p_holm)}, +{one.comparison.num_second_only} −{one.comparison.num_first_only}"
    if direction is Direction.NONE and not is_below_floor(one.comparison, one.p_holm, one.floor):
        note += f", could have shown {detectable_words(one.comparison, one.floor)}"
    note += floor_note(one.floor)
    return {**comparison_cell(one.comparison), "direction": direction, "note": note}


def topic_rows(scored: Sequence[Scored], pair: Pair) -> list[dict[str, object]]:
    """Mean scores of two arms per cluster, the greatest loss first; empty if each question is its own topic, or if there are too many to read."""
    clusters: dict[str, dict[str, list[float | None]]] = {}
    first, second = pair
    for row in scored:
        if row.arm in pair:
            clusters.setdefault(row.cluster, {arm: [] for arm in pair})[row.arm].append(row.score)
    if len(clusters) > MAX_TOPICS_LISTED or all(len(scores[first]) == 1 for scores in clusters.values()):
        return []
    rows: list[tuple[float, str, dict[str, object]]] = []
    for name, scores in clusters.items():
        both = [(low, high) for low, high in zip(scores[first], scores[second], strict=True) if low is not None and high is not None]
        if both:
            before, after = (sum(values) / len(both) for values in zip(*both, strict=True))
            row = {
                "topic": name,
                "n": len(both),
                "before": points(before),
                "after": points(after),
                "delta": points(after - before, sign=True),
                "direction": Direction.BETTER if after > before else Direction.WORSE if after < before else Direction.NONE,
            }
            rows.append((after - before, name, row))
    return [row for _, _, row in sorted(rows, key=lambda entry: entry[:2])]
