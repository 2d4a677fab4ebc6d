"""The verdict over several arms claims only what its comparisons show, and names the arms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from plumbline.reporting.care import unread_clause
from plumbline.reporting.contrasts import squares_of
from plumbline.reporting.ledger import KindLedger, ledgers
from plumbline.reporting.scored import Scored
from plumbline.reporting.verdict import evaluation_headline, evaluation_verdict, overall, tuned_arm
from plumbline.rows.arms import Arms, Pair
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Kind, Question
from plumbline.statistics import Direction
from tests.fakes.evaluation_world import FIVE, make_question

N = 60
HIGH, MIDDLE, LOW = 54, 36, 12
"""How many of 60 are right."""


def made(right: Mapping[str, int | None], comparisons: Sequence[Pair], kind: Kind = "mcq") -> tuple[dict[Kind, KindLedger], Arms]:
    """The ledger of arms with this many right answers; None: no verdicts. Errors are spread, so that pairs disagree both ways."""
    arms = Arms({name: FIVE[name] for name in right})
    questions = [make_question(kind, number, num_clusters=N) for number in range(N)]
    rows = [scored(question, place, arm, count) for arm, count in right.items() for place, question in enumerate(questions)]
    found = ledgers(
        questions, rows, comparisons=comparisons, squares=squares_of(arms, comparisons), overlapping=(), seed=1, num_resamples=200
    )
    return found, arms


def scored(question: Question, place: int, arm: str, count: int | None) -> Scored:
    shift = 7 * sorted(FIVE).index(arm)
    is_right = count is not None and (place + shift) % N < count
    score = None if count is None else float(is_right)
    outcome = Outcome.UNJUDGED if count is None else Outcome.CORRECT if is_right else Outcome.INCORRECT
    return Scored(
        id=question.id, kind=question.kind, cluster=question.cluster, arm=arm, outcome=outcome, score=score, truncated=False,
        logprob_correct=None, reading="value", tier=None, flags=(),
    )  # fmt: skip


ALL: tuple[Pair, ...] = (("base", "tuned"), ("base_examples", "tuned"))


def test_a_claim_against_every_arm_needs_every_arm() -> None:
    right = {"base": LOW, "base_examples": LOW + 2, "tuned": HIGH}
    found, arms = made(right, ALL)
    assert evaluation_headline(found, arms, ALL) == "Fine-tuning beats every arm without it on multiple choice."
    assert "beats the best of 2 arms without it (base examples) by" in evaluation_verdict(found, arms, ALL)
    part: tuple[Pair, ...] = (("base", "tuned"), ("base", "base_examples"))
    found, arms = made(right | {"base_examples": HIGH}, part)
    assert evaluation_headline(found, arms, part) == "Fine-tuning beats base on multiple choice."
    assert "best of" not in evaluation_verdict(found, arms, part)


def test_a_rival_counts_whichever_way_the_pair_is_declared() -> None:
    right = {"base": LOW, "base_examples": HIGH, "tuned": MIDDLE}
    turned: tuple[Pair, ...] = (("base", "tuned"), ("tuned", "base_examples"))
    found, arms = made(right, turned)
    straight, _ = made(right, ALL)
    assert evaluation_headline(found, arms, turned) == evaluation_headline(straight, arms, ALL)
    assert evaluation_headline(found, arms, turned) == "Fine-tuning loses to an arm without it on multiple choice."
    worse = evaluation_verdict(found, arms, turned)
    assert worse == evaluation_verdict(straight, arms, ALL) and "fine-tuning is worse than base examples by 30 points" in worse
    assert overall(found, arms, turned) is Direction.WORSE, "the colour of the headline is that of its words"


def test_the_gain_of_a_context_is_not_booked_on_tuning() -> None:
    pairs: tuple[Pair, ...] = (("base", "tuned_passages"), ("base", "tuned"))
    found, arms = made({"base": LOW, "tuned": MIDDLE, "tuned_passages": HIGH}, pairs)
    assert tuned_arm(arms, pairs) == "tuned"
    assert "fine-tuning beats base by 40 points" in evaluation_verdict(found, arms, pairs)
    alone: tuple[Pair, ...] = (("base", "tuned_passages"), ("base_examples", "tuned_passages"))
    found, arms = made({"base": LOW, "base_examples": LOW + 1, "tuned_passages": HIGH}, alone)
    assert evaluation_headline(found, arms, alone) == "Tuned passages beats every arm without it on multiple choice."


def test_the_best_is_the_one_with_the_highest_score() -> None:
    # base is shown to be worse and has the higher score; base_examples disagrees with tuned more often, so that nothing is shown of it.
    found, arms = made({"base": MIDDLE + 6, "base_examples": MIDDLE - 4, "tuned": HIGH}, ALL)
    for ledger in found.values():
        assert ledger.pairs["base", "tuned"].comparison is not None
    text = evaluation_verdict(found, arms, ALL)
    scores = {arm: counts.estimate.mean for arm, counts in found["mcq"].arms.items() if counts.estimate is not None}
    best = max(("base", "base_examples"), key=lambda arm: scores[arm])
    assert ("the best of 2 arms without it" not in text) or f"({best.replace('_', ' ')})" in text


def test_what_is_not_shown_is_said_with_what_could_have_been() -> None:
    found, arms = made({"base": MIDDLE, "base_examples": MIDDLE + 1, "tuned": MIDDLE + 2}, ALL)
    assert evaluation_headline(found, arms, ALL) == "Fine-tuning is not shown to beat base examples on multiple choice."
    assert "could have shown" in evaluation_verdict(found, arms, ALL)
    assert overall(found, arms, ALL) is Direction.NONE


def test_an_arm_alone_and_kinds_without_a_verdict_are_told_as_they_are() -> None:
    found, arms = made({"base": MIDDLE}, ())
    assert evaluation_verdict(found, arms, ()) == "No two arms are compared."
    assert evaluation_headline(found, arms, ()) == "Nothing could be compared."
    found, arms = made({"base": None, "base_examples": None, "tuned": None}, ALL, kind="explanation")
    assert evaluation_verdict(found, arms, ALL) == "Nothing could be compared on explanations: a score is missing. This is not a zero."
    assert evaluation_headline(found, arms, ALL) == "Nothing could be compared."


def test_contexts_alone_are_said_of_whose_weights_they_are() -> None:
    pairs: tuple[Pair, ...] = (("base", "tuned"), ("base", "base_examples"), ("tuned", "tuned_passages"))
    found, arms = made({"base": LOW, "base_examples": MIDDLE, "tuned": MIDDLE, "tuned_passages": HIGH}, pairs)
    text = evaluation_verdict(found, arms, pairs)
    assert "Examples alone bring base +40 points" in text and "Passages bring the tuned model +30 points" in text


SQUARE: tuple[Pair, ...] = (("base", "tuned"), ("base", "base_passages"), ("tuned", "tuned_passages"))


def test_a_contrast_is_the_difference_of_two_gains_by_hand() -> None:
    right = {"base": LOW, "base_passages": MIDDLE, "tuned": MIDDLE, "tuned_passages": MIDDLE + 6}
    found, _ = made(right, SQUARE)
    ((square, contrast),) = found["mcq"].contrasts.items()
    assert square.formula == "(tuned_passages - tuned) - (base_passages - base)"
    assert contrast.comparison.delta == pytest.approx((6 - (MIDDLE - LOW)) / N)
    assert (contrast.comparison.first_mean, contrast.comparison.second_mean) == pytest.approx(((MIDDLE - LOW) / N, 6 / N))
    low, high = contrast.comparison.ci95
    assert low < contrast.comparison.delta < high and contrast.p_holm is not None and contrast.p_holm >= contrast.comparison.p_value


@pytest.mark.parametrize("left_out", [1, 2])
def test_no_contrast_is_tested_that_was_not_declared(left_out: int) -> None:
    right = {"base": LOW, "base_passages": MIDDLE, "tuned": MIDDLE, "tuned_passages": HIGH}
    pairs = tuple(pair for place, pair in enumerate(SQUARE) if place != left_out)
    found, _ = made(right, pairs)
    assert not found["mcq"].contrasts
    bare, _ = made({"base": LOW, "tuned": MIDDLE}, SQUARE[:1])
    again, _ = made(right, SQUARE[:1])
    assert again["mcq"].pairs == bare["mcq"].pairs, "arms that are in no declared comparison move no p value"


def test_a_shown_difference_names_the_answers_behind_it_that_could_not_be_read() -> None:
    """Base may know as much as tuned: of what it said, nothing could be read, and that counts as wrong."""
    found, _ = made({"base": LOW, "tuned": HIGH}, (("base", "tuned"),))
    assert unread_clause(found) == ""

    def with_unread(ledger: KindLedger, arm: str, num_unparsed: int) -> dict[Kind, KindLedger]:
        return {"mcq": replace(ledger, arms={**ledger.arms, arm: replace(ledger.arms[arm], num_unparsed=num_unparsed)})}

    assert unread_clause(with_unread(found["mcq"], "base", 48)) == (
        "Answers that could not be read count as wrong (on multiple choice 48 of 60 from base), so the differences there measure the answer format "
        "as well."
    )
    assert unread_clause(with_unread(found["mcq"], "base", 12)) == "", "a fifth is allowed, as in the warning"
    alike, _ = made({"base": LOW, "tuned": LOW}, (("base", "tuned"),))
    assert unread_clause(with_unread(alike["mcq"], "base", 48)) == "", "nothing is claimed"
