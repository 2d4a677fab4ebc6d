"""The verdict claims what the numbers carry, and no more."""

from dataclasses import replace

import pytest

from plumbline.reporting.ledger import KindLedger, ledgers
from plumbline.reporting.words import direction_of, headline_words, kind_words, p_words, points, span, verdict_words
from plumbline.rows.question import Kind
from plumbline.statistics import Direction
from tests.fakes.evaluation_world import TWO_COMPARED, make_world
from tests.unit.test_ledger import joined


@pytest.fixture(scope="module")
def by_kind() -> dict[Kind, KindLedger]:
    world = make_world()
    return ledgers(world.questions, joined(world), comparisons=TWO_COMPARED, overlapping=[], seed=1, num_resamples=500)


def with_comparison(ledger: KindLedger, *, p_holm: float | None = None, **changes: object) -> KindLedger:
    found = ledger.headline
    assert found.comparison is not None
    changed = replace(found, comparison=replace(found.comparison, **changes), p_holm=found.p_holm if p_holm is None else p_holm)
    return replace(ledger, pairs=dict.fromkeys(ledger.pairs, changed))


def unscored(ledger: KindLedger) -> KindLedger:
    return replace(ledger, pairs=dict.fromkeys(ledger.pairs, replace(ledger.headline, comparison=None, p_holm=None)))


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.214, "21"), (-0.05, "−5"), (0.004, "0.4"), (-0.004, "−0.4"), (0.0, "0"), (0.0001, "0"), (1.0, "100")]
)
def test_points_are_whole_unless_that_would_hide_a_difference(fraction: float, expected: str) -> None:
    assert points(fraction) == expected


def test_points_can_carry_their_sign() -> None:
    assert (points(0.21, sign=True), points(0.0, sign=True), span((-0.05, 0.12))) == ("+21", "0", "[−5, 12]")


@pytest.mark.parametrize(("p_value", "expected"), [(None, "–"), (1e-9, "< 0.0001"), (0.0042, "0.0042"), (0.31, "0.31")])
def test_p_values_are_never_zero(p_value: float | None, expected: str) -> None:
    assert p_words(p_value) == expected


def test_better_needs_the_interval_and_the_adjusted_test(by_kind: dict[Kind, KindLedger]) -> None:
    ledger = with_comparison(by_kind["mcq"], p_holm=0.01, delta=0.2, ci95=(0.1, 0.3))
    assert direction_of(ledger) is Direction.BETTER
    assert direction_of(with_comparison(ledger, p_holm=0.06)) is Direction.NONE
    assert direction_of(with_comparison(ledger, ci95=(-0.01, 0.3))) is Direction.NONE
    assert direction_of(with_comparison(ledger, delta=-0.2, ci95=(-0.3, -0.1))) is Direction.WORSE
    assert direction_of(unscored(ledger)) is Direction.UNSCORED


def test_no_difference_says_what_could_have_been_shown(by_kind: dict[Kind, KindLedger]) -> None:
    ledger = with_comparison(by_kind["mcq"], p_holm=0.6, delta=0.02, ci95=(-0.04, 0.08), minimum_detectable_effect=0.09)
    assert verdict_words({"mcq": ledger}) == (
        "There is no detectable difference on multiple choice (+2 points [−4, 8]); this benchmark could have shown 9 points."
    )
    assert kind_words(ledger) == "No detectable difference; this benchmark could have shown 9 points."
    tiny = with_comparison(ledger, minimum_detectable_effect=1.0)
    assert kind_words(tiny).endswith("no difference could be shown with 60 questions in 10 groups that stand or fall together.")


def test_a_worse_model_is_called_worse(by_kind: dict[Kind, KindLedger]) -> None:
    ledger = with_comparison(by_kind["numeric"], p_holm=0.001, delta=-0.21, ci95=(-0.28, -0.14))
    assert verdict_words({"numeric": ledger}) == "Tuned is worse on numeric problems by 21 points [14, 28]."
    assert headline_words({"numeric": ledger}) == "Tuned is worse on numeric problems."


def test_mixed_results_are_told_apart(by_kind: dict[Kind, KindLedger]) -> None:
    mixed: dict[Kind, KindLedger] = {
        "mcq": with_comparison(by_kind["mcq"], p_holm=0.6, delta=0.02, ci95=(-0.04, 0.08)),
        "numeric": with_comparison(by_kind["numeric"], p_holm=0.001, delta=0.21, ci95=(0.14, 0.28)),
        "explanation": with_comparison(by_kind["explanation"], p_holm=0.001, delta=-0.1, ci95=(-0.15, -0.05)),
    }
    assert (
        headline_words(mixed)
        == "Tuned is better on numeric problems, worse on explanations; no difference was detected on multiple choice."
    )


def test_nobody_judged_is_not_a_zero(by_kind: dict[Kind, KindLedger]) -> None:
    without = unscored(by_kind["explanation"])
    assert "no score, and no zero either" in verdict_words({"explanation": without})
    assert headline_words({"explanation": without}) == "Nothing could be compared."
