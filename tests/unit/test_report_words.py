"""The verdict claims what the numbers carry, and no more."""

from dataclasses import replace

import pytest

from plumbline.reporting.ledger import KindLedger, ledgers
from plumbline.reporting.tables import kind_card, pair_cell
from plumbline.reporting.verdict import shown_mark
from plumbline.reporting.words import (
    direction_of,
    headline_words,
    kind_words,
    p_words,
    points,
    sentences_of,
    span,
    too_few_words,
    verdict_words,
)
from plumbline.rows.question import Kind
from plumbline.statistics import Direction, IntervalMethod
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


TEN, NINE_TESTS = {"n": 20, "num_units": 10}, 0.05 / 9


def test_where_nothing_could_be_shown_every_place_says_so_and_why_the_interval_says_less(by_kind: dict[Kind, KindLedger]) -> None:
    tiny = with_comparison(
        by_kind["mcq"], p_holm=1.0, delta=0.0, ci95=(-0.31, 0.31), minimum_detectable_effect=1.0, level=NINE_TESTS, **TEN
    )
    why = (
        "too few groups of questions that stand or fall together: with 10 groups even the largest difference would mostly not count as shown "
        "(p must be below 0.0056 after correction for 9 tests); the interval is not corrected."
    )
    assert kind_words(tiny) == f"No detectable difference; {why}"
    assert verdict_words({"mcq": tiny}).endswith(f"(0 points [−31, 31]); {why}")
    assert kind_card(tiny)["detectable"] == "nothing: too few groups"
    cell = pair_cell(tiny.pairs["base", "tuned"])
    assert str(cell["note"]).endswith("could have shown nothing: too few groups"), (
        "the table says of the same comparison what the card says"
    )


@pytest.mark.parametrize(("num_units", "reached"), [(8, False), (9, True)])
def test_the_test_can_reach_a_level_or_the_least_p_value_is_told(num_units: int, reached: bool) -> None:
    words = too_few_words(20, num_units, NINE_TESTS)
    assert (f"with {num_units} groups no result would count as shown by itself" in words) is not reached
    assert ("p can reach 0.0078, and must be below 0.0056 after correction for 9 tests" in words) is not reached
    assert (
        too_few_words(3, 3, 0.05)
        == "too few questions: with 3 questions no result would count as shown (p can reach 0.25, and must be below 0.05)"
    )


def test_an_interval_without_zero_that_is_not_shown_says_why(by_kind: dict[Kind, KindLedger]) -> None:
    shown = with_comparison(by_kind["mcq"], p_holm=0.06, delta=0.15, ci95=(0.04, 0.25), p_value=0.01, level=0.05 / 15)
    assert shown_mark(shown.pairs["base", "tuned"]) == " (not shown after correction for 15 tests)"
    assert kind_words(shown).startswith("No detectable difference after correction for 15 tests; ")
    assert "(+15 points [4, 25]) after correction for 15 tests; " in verdict_words({"mcq": shown})
    by_test = with_comparison(shown, p_value=0.06)
    assert shown_mark(by_test.pairs["base", "tuned"]) == " (not shown by the test, p = 0.06)"
    none = with_comparison(shown, ci95=(-0.04, 0.25))
    assert shown_mark(none.pairs["base", "tuned"]) == " (no difference shown)"
    assert shown_mark(with_comparison(shown, p_holm=0.01).pairs["base", "tuned"]) == ""


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
    assert "so there is no score. This is not a zero" in verdict_words({"explanation": without})
    assert headline_words({"explanation": without}) == "Nothing could be compared."


def test_a_card_says_in_words_how_its_numbers_were_made(by_kind: dict[Kind, KindLedger]) -> None:
    flat = with_comparison(by_kind["mcq"], ci_method=IntervalMethod.UNSEEN_UNITS, level=NINE_TESTS, **TEN)
    assert kind_card(flat)["made"] == (
        "Interval and test count each group of questions that stand or fall together as one. Every group gave the same result, so the interval is a bound "
        "on what other questions could show. The p value is corrected for 9 tests."
    )
    alone = with_comparison(by_kind["mcq"], ci_method=IntervalMethod.TANGO, level=0.05, n=20, num_units=20)
    assert kind_card(alone)["made"] == "Interval and test count each question as one."


def test_a_long_verdict_is_a_line_per_sentence_and_a_short_one_a_paragraph() -> None:
    long = "On numeric problems it is better by 5 points [1, 9]. Examples bring +2 points [−1, 5] (no difference shown). Passages bring −2 points."
    assert sentences_of(long) == [f"{one}." for one in long.removesuffix(".").split(". ")]
    assert " ".join(sentences_of(long)) == long, "no word is lost"
    assert sentences_of("Tuned is better by 3.5 points. It was judged.") == ["Tuned is better by 3.5 points. It was judged."]
    assert sentences_of("") == [""]
