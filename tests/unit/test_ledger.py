"""No answer is lost between the files and the numbers."""

from dataclasses import replace

import pytest

from plumbline.reporting.ledger import arm_ledger, ledgers
from plumbline.reporting.scored import Scored, join_verdicts
from plumbline.rows.outcome import Outcome
from tests.fakes.evaluation_world import TWO_COMPARED, World, make_world


def scored(outcome: Outcome, *, score: float | None, number: int = 0, truncated: bool = False) -> Scored:
    return Scored(
        id=f"q{number}",
        kind="explanation",
        cluster=f"c{number}",
        arm="base",
        outcome=outcome,
        score=score,
        truncated=truncated,
        logprob_correct=None,
        reading="scored",
        tier=None,
        flags=(),
    )


ROWS = [
    scored(Outcome.CORRECT, score=1.0, number=0),
    scored(Outcome.INCORRECT, score=0.25, number=1, truncated=True),
    scored(Outcome.UNPARSED, score=0.0, number=2),
    scored(Outcome.UNJUDGED, score=None, number=3),
]


def joined(world: World) -> list[Scored]:
    return join_verdicts(world.questions, [*world.answers["base"], *world.answers["tuned"]], world.grades, world.judgements)


def test_four_outcomes_add_up_to_n() -> None:
    ledger = arm_ledger(ROWS)
    assert (ledger.num_correct, ledger.num_incorrect, ledger.num_unparsed, ledger.num_unjudged, ledger.n) == (1, 1, 1, 1, 4)


def test_unparsed_is_a_zero_and_unjudged_is_not_in_the_mean() -> None:
    ledger = arm_ledger(ROWS)
    assert ledger.estimate is not None
    assert ledger.estimate.n == 3
    assert ledger.estimate.mean == pytest.approx(1.25 / 3)


def test_bounds_take_every_failure_as_wrong_and_then_as_right() -> None:
    ledger = arm_ledger(ROWS)
    assert (ledger.failures_as_zero, ledger.failures_as_one) == (1.25 / 4, 3.25 / 4)


def test_rates_are_shares_of_all_answers() -> None:
    ledger = arm_ledger(ROWS)
    assert (ledger.unparsed_rate, ledger.truncation_rate, ledger.coverage) == (0.25, 0.25, 0.75)


def test_an_arm_that_nobody_judged_has_no_score() -> None:
    ledger = arm_ledger([ROWS[3]])
    assert ledger.estimate is None
    assert (ledger.failures_as_zero, ledger.failures_as_one) == (0, 1)


@pytest.mark.parametrize(("outcome", "score"), [(Outcome.UNJUDGED, 0.0), (Outcome.CORRECT, None)])
def test_a_score_without_a_verdict_or_a_verdict_without_a_score_is_our_own_error(outcome: Outcome, score: float | None) -> None:
    with pytest.raises(AssertionError):
        arm_ledger([*ROWS, scored(outcome, score=score, number=9)])


def test_each_kind_has_its_own_denominator() -> None:
    world = make_world(num_mcq=19, num_numeric=16, num_explanation=15)
    by_kind = ledgers(world.questions, joined(world), comparisons=TWO_COMPARED, overlapping=[], seed=1, num_resamples=200)
    assert {kind: ledger.n for kind, ledger in by_kind.items()} == {"mcq": 19, "numeric": 16, "explanation": 15}
    right = sum(grade.outcome is Outcome.CORRECT for grade in world.grades if grade.kind == "mcq" and grade.arm == "tuned")
    assert by_kind["mcq"].headline.comparison is not None
    assert by_kind["mcq"].headline.comparison.second_mean == pytest.approx(right / 19)
    assert by_kind["mcq"].chance == pytest.approx(0.25)
    assert by_kind["numeric"].chance is None


def test_a_kind_without_questions_has_no_ledger() -> None:
    world = make_world(num_explanation=0)
    assert set(ledgers(world.questions, joined(world), comparisons=TWO_COMPARED, overlapping=[], seed=1, num_resamples=200)) == {
        "mcq",
        "numeric",
    }


def test_pairs_need_a_score_in_both_arms() -> None:
    world = make_world(num_mcq=0, num_numeric=0, num_explanation=20)
    rows = joined(world)
    rows[0] = replace(rows[0], outcome=Outcome.UNJUDGED, score=None)
    rows[3] = replace(rows[3], outcome=Outcome.UNJUDGED, score=None)
    ledger = ledgers(world.questions, rows, comparisons=TWO_COMPARED, overlapping=[], seed=1, num_resamples=200)["explanation"]
    assert ledger.headline.comparison is not None
    assert ledger.headline.comparison.n == 18


def test_overlapping_questions_are_compared_apart() -> None:
    world = make_world(num_numeric=0, num_explanation=0)
    overlapping = {question.id for question in world.questions[:13]}
    ledger = ledgers(world.questions, joined(world), comparisons=TWO_COMPARED, overlapping=overlapping, seed=1, num_resamples=200)["mcq"]
    assert ledger.headline.without_overlap is not None
    assert ledger.headline.overlap_only is not None
    assert (ledger.num_overlapping, ledger.headline.without_overlap.n, ledger.headline.overlap_only.n) == (13, 47, 13)


def test_letters_by_log_probability_have_a_score_of_their_own() -> None:
    world = make_world()
    ledger = ledgers(world.questions, joined(world), comparisons=TWO_COMPARED, overlapping=[], seed=1, num_resamples=200)["mcq"]
    base = ledger.arms["base"]
    assert base.logprob is not None
    assert base.estimate is not None
    assert base.logprob.mean > base.estimate.mean, "unparsed text hides letters that the model ranked first"
    assert ledger.headline.logprob_comparison is not None


def test_adjusted_p_values_cover_the_kinds_that_were_compared() -> None:
    world = make_world()
    by_kind = ledgers(world.questions, joined(world), comparisons=TWO_COMPARED, overlapping=[], seed=1, num_resamples=200)
    for ledger in by_kind.values():
        assert ledger.headline.comparison is not None
        assert ledger.headline.p_holm is not None
        assert ledger.headline.p_holm >= ledger.headline.comparison.p_value


def test_any_number_of_arms_is_counted_and_the_declared_pairs_are_compared() -> None:
    world = make_world()
    rows = joined(world)
    others = [replace(row, arm="elsewhere") for row in rows if row.arm == "tuned"]
    pairs = [("base", "tuned"), ("base", "elsewhere"), ("tuned", "elsewhere")]
    by_kind = ledgers(world.questions, [*rows, *others], comparisons=pairs, overlapping=[], seed=1, num_resamples=200)
    two = ledgers(world.questions, rows, comparisons=TWO_COMPARED, overlapping=[], seed=1, num_resamples=200)
    for kind, ledger in by_kind.items():
        assert list(ledger.arms) == ["base", "tuned", "elsewhere"] and list(ledger.pairs) == pairs
        assert ledger.arms["elsewhere"] == ledger.arms["tuned"] == two[kind].arms["tuned"]
        found = [one.comparison for one in ledger.pairs.values()]
        alone = two[kind].headline.comparison
        assert found[0] is not None and alone is not None and found[0].minimum_detectable_effect > alone.minimum_detectable_effect
        same = replace(alone, level=found[0].level, minimum_detectable_effect=found[0].minimum_detectable_effect)
        assert found[0] == found[1] == same, "another arm changes no pair but what it could have shown, for more tests are corrected"
        assert found[2] is not None and (found[2].delta, found[2].p_value) == (0, 1)
    smallest = min(one.comparison.p_value for ledger in by_kind.values() for one in ledger.pairs.values() if one.comparison is not None)
    adjusted = [one.p_holm for ledger in by_kind.values() for one in ledger.pairs.values() if one.p_holm is not None]
    assert min(adjusted) == pytest.approx(9 * smallest), "the family is every kind times every pair"


def test_an_arm_that_left_questions_out_is_compared_on_what_both_answered() -> None:
    world = make_world(num_mcq=20, num_numeric=0, num_explanation=0)
    rows = [row for row in joined(world) if row.arm == "base" or int(row.id[-4:]) < 12]
    ledger = ledgers(world.questions, rows, comparisons=TWO_COMPARED, overlapping=[], seed=1, num_resamples=200)["mcq"]
    assert (ledger.n, ledger.arms["base"].n, ledger.arms["tuned"].n) == (20, 20, 12)
    assert ledger.headline.comparison is not None and ledger.headline.comparison.n == 12
