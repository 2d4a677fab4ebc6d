"""The noise floor: who is asked again, in which batches, what moved, and which claims it forbids."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.noise_floor import CASES, Setting, rates
from plumbline.answering.engine import Prompt
from plumbline.answering.noise_plan import AGAIN, NoisePlan
from plumbline.answering.other_plan import OtherPlan, is_asked_again, other_batch_size
from plumbline.reporting.claims import claimed_direction, is_below_floor, verdict_above
from plumbline.reporting.noise_floor import KindFloor
from plumbline.reporting.noise_words import noise_gates, noise_rows, noise_sentence
from plumbline.reporting.publish_gate import publish_gate
from plumbline.reporting.verdict import evaluation_headline, evaluation_verdict
from plumbline.reporting.words import detectable_words, headline_words, kind_words, resolution, verdict_words
from plumbline.rows.arms import Arms
from plumbline.statistics import Direction, Verdict, paired_comparison
from plumbline.training.forgetting import Forgetting
from tests.fakes.evaluation_world import FORGETTING, TWO_COMPARED
from tests.fakes.second_asking import SortingEngine, asked_again, second_asking
from tests.unit.test_publish_gate import PAIR, required
from tests.unit.test_verdict import ALL, HIGH, LOW, MIDDLE, made


def prompts(number: int, *, groups: int = 1) -> list[Prompt]:
    return [Prompt(id=f"q{place}", ids=[0] * (place + 1), continuations={}, group=f"g{place % groups}") for place in range(number)]


def test_every_prompt_is_in_one_batch_and_short_ones_stand_next_to_long_ones() -> None:
    asked = prompts(40, groups=2)
    units = OtherPlan(SortingEngine(batch_size=8)).units(asked)
    assert sorted(prompt.id for unit in units for prompt in unit) == sorted(prompt.id for prompt in asked)
    assert max(map(len, units)) == 8 and all(len({prompt.group for prompt in unit}) == 1 for unit in units)

    def spreads(batches: list[list[Prompt]]) -> list[int]:
        lengths = [[len(prompt.ids) for prompt in unit] for unit in batches]
        return [max(batch) - min(batch) for batch in lengths]

    assert sum(spreads(units)) > 2 * sum(spreads(SortingEngine(batch_size=8).units([prompt for prompt in asked if prompt.group == "g0"])))


def test_another_prompt_moves_no_other_one() -> None:
    before = [prompt.id for unit in OtherPlan(SortingEngine(batch_size=4)).units(prompts(20)) for prompt in unit]
    after = [prompt.id for unit in OtherPlan(SortingEngine(batch_size=4)).units(prompts(21)) for prompt in unit]
    assert [id for id in after if id != "q20"] == before


def test_the_second_plan_is_part_of_what_answers_are_kept_by() -> None:
    assert OtherPlan(SortingEngine(batch_size=4)).identity != SortingEngine(batch_size=4).identity


def test_a_share_of_the_questions_is_asked_and_none_is_moved_by_another() -> None:
    ids = [f"q{number}" for number in range(2000)]
    assert not any(is_asked_again(id, fraction=0) for id in ids) and all(is_asked_again(id, fraction=1) for id in ids)
    half = {id for id in ids if is_asked_again(id, fraction=0.5)}
    assert 900 < len(half) < 1100 and {id for id in ids if is_asked_again(id, fraction=0.25)} < half


@pytest.mark.parametrize(("size", "other"), [(64, 32), (3, 2), (2, 1), (1, 2)])
def test_the_other_batches_have_another_size(size: int, other: int) -> None:
    assert other_batch_size(size, 0.5) == other != size


def kind_floor(
    first: Sequence[float], again: Sequence[float], *, num_questions: int | None = None, changed: int | None = None
) -> KindFloor:
    moved = sum(one != two for one, two in zip(first, again, strict=True))
    return KindFloor(
        num_questions=num_questions or len(first),
        num_asked=len(first),
        num_changed=moved if changed is None else changed,
        comparison=paired_comparison(first, again, clusters=None, seed=1) if first else None,
    )


def test_the_floor_is_the_far_end_of_what_the_score_may_have_moved_by() -> None:
    still = [1.0] * 50 + [0.0] * 50
    assert kind_floor(still, still).floor == 0.0
    # Texts changed and no outcome did: at most 3.84 / (n + 3.84) by Tango, which is near the rule of three.
    assert kind_floor(still, still, changed=20).floor == pytest.approx(0.037, abs=0.001)
    # A share of the questions cannot say that nothing moves.
    assert kind_floor(still, still, num_questions=200).floor == pytest.approx(0.037, abs=0.001)
    moved = kind_floor(still, [0.0] * 6 + still[6:])
    assert moved.comparison is not None and moved.floor is not None
    assert moved.floor == pytest.approx(-moved.comparison.ci95[0]) and moved.floor > 0.1
    assert kind_floor([], []).floor is None


def test_with_as_many_questions_a_floor_without_flips_forbids_no_claim_on_right_or_wrong() -> None:
    for n in (10, 40, 160, 1000):
        still = [1.0] * (n // 2) + [0.0] * (n - n // 2)
        floor = kind_floor(still, still, changed=1).floor
        assert floor is not None and floor < 6 / n, "six pairs that all disagree one way are the fewest that a test can show"


def held(right: dict[str, int], floor: float, comparisons: Sequence[tuple[str, str]] = TWO_COMPARED) -> tuple[dict, Arms]:
    ledgers, arms = made(right, comparisons)
    return {
        kind: replace(ledger, pairs={pair: replace(found, floor=floor) for pair, found in ledger.pairs.items()})
        for kind, ledger in ledgers.items()
    }, arms


def test_a_shown_difference_within_the_floor_is_not_claimed_and_says_why() -> None:
    claimed, _ = held({"base": LOW, "tuned": MIDDLE}, 0.2)
    refused, _ = held({"base": LOW, "tuned": MIDDLE}, 0.5)
    assert "Tuned is better on multiple choice by 40 points" in verdict_words(claimed)
    words = verdict_words(refused)
    assert words.startswith("On multiple choice the difference (+40 points [")
    assert "within the noise floor (asked again in other batches, the same model may move by up to 50 points): it is not claimed." in words
    (ledger,) = refused.values()
    assert "No difference is claimed" in kind_words(ledger) and headline_words(refused).endswith(
        "is within the noise floor, so it is not claimed."
    )


def test_a_rival_within_the_floor_is_not_beaten() -> None:
    right = {"base": LOW, "base_examples": LOW + 2, "tuned": HIGH}
    refused, arms = held(right, 0.9, ALL)
    assert evaluation_headline(refused, arms, ALL) == "Fine-tuning is not shown to beat base examples on multiple choice."
    assert "by up to 90 points): it is not claimed" in evaluation_verdict(refused, arms, ALL)


def test_publishing_takes_no_claim_within_the_floor_for_better() -> None:
    def requirement(floor: float, wanted: object) -> tuple[bool, Verdict, float, str]:
        refused, _ = held({"base": LOW, "tuned": MIDDLE}, floor)
        gate = publish_gate(required(mcq=wanted), PAIR, refused, Forgetting.model_validate(FORGETTING), None)
        assert gate is not None
        (one,) = gate.requirements
        return one.ok, one.verdict, one.missing, one.text

    assert requirement(0.2, "better")[:2] == (True, Verdict.BETTER)
    ok, verdict, missing, text = requirement(0.45, "better")
    assert not ok and verdict is Verdict.NOT_ENOUGH and missing == pytest.approx(0.05)
    assert "Asked again in other batches, the same model may move by up to 45 points" in text
    assert requirement(0.45, {"not_worse_than": 0.03})[:2] == (True, Verdict.NOT_WORSE), "no loss hides in a gain"


@pytest.mark.parametrize(
    ("ci95", "value", "margin", "verdict"),
    [
        ((0.01, 0.09), 0.05, None, Verdict.NOT_ENOUGH),
        ((0.07, 0.15), 0.11, None, Verdict.BETTER),
        ((-0.09, -0.01), -0.05, None, Verdict.NOT_ENOUGH),
        ((-0.15, -0.07), -0.11, 0.03, Verdict.WORSE),
        ((-0.09, -0.01), -0.05, 0.03, Verdict.NOT_ENOUGH),
        ((-0.02, 0.03), 0.0, 0.03, Verdict.NOT_WORSE),
    ],
)
def test_neither_better_nor_worse_is_said_within_the_floor(
    ci95: tuple[float, float], value: float, margin: float | None, verdict: Verdict
) -> None:
    assert verdict_above(0.06, value, ci95, 0.001, margin) is verdict


def test_only_what_is_shown_can_be_refused() -> None:
    shown = paired_comparison([0.0] * 20, [1.0] * 20, clusters=None, seed=1)
    assert is_below_floor(shown, 0.001, 1.0) and not is_below_floor(shown, 0.2, 1.0) and not is_below_floor(None, None, 1.0)
    assert claimed_direction(shown, 0.001, 0.5) is Direction.BETTER and claimed_direction(shown, 0.001, 1.0) is Direction.NONE
    assert claimed_direction(None, None, 0.5) is Direction.UNSCORED


def test_no_text_changed_is_one_sentence_and_no_table() -> None:
    noise = asked_again(changed=0)
    assert noise_sentence(noise).endswith("No text changed: no difference here comes from how the questions were batched.")
    assert noise_rows(noise) == [] and [gate.ok for gate in noise_gates(noise, "base")] == [True]
    (gate,) = noise_gates(noise, "base_passages")
    assert not gate.ok and "is that of base, but the first comparison is against base_passages: set noise_floor.weights" in gate.text


def test_what_changed_is_counted_per_kind_and_a_paid_judge_is_said() -> None:
    noise = asked_again(changed=7, judged=False)
    words = noise_sentence(noise)
    assert (
        "7 texts changed" in words
        and re.search(r"On multiple choice [1-7] of 60 scores moved \(\+[1-7] −0\)", words)
        and "no difference up to" in words
    )
    assert "On explanations there is no floor: a judge that is a model would have to be paid again." in words
    (mcq, *_) = noise_rows(noise)
    assert mcq["changed"] == 7 and mcq["floor"] != "0"


def test_without_a_second_asking_the_reason_is_said() -> None:
    off = asked_again(plan=NoisePlan(
        weights="models/base", context="data/context/none.jsonl", engine=None, batch_size=None, num_asked=0, num_questions=9,
        reason="noise_floor.fraction is 0",
    ))  # fmt: skip
    assert noise_sentence(off) == "There is no noise floor: noise_floor.fraction is 0." and noise_gates(off, "base") == []
    stranger = asked_again(plan=second_asking().plan.model_copy(update={"weights": "models/adapter2/adapter", "num_asked": 9}))
    assert "set noise_floor.weights" in noise_sentence(stranger) and [gate.ok for gate in noise_gates(stranger, "base")] == [False]
    assert second_asking().answers[0].arm == AGAIN


@pytest.mark.slow
@pytest.mark.parametrize("flip_rate", [0.01, 0.04])
@pytest.mark.parametrize(("n", "num_clusters"), [(80, None), (160, 40)])
def test_a_plan_that_spoils_answers_is_not_claimed_and_a_real_gain_is(n: int, num_clusters: int | None, flip_rate: float) -> None:
    def found(case: str) -> tuple[float, float, float]:
        return rates(Setting(n=n, num_clusters=num_clusters, flip_rate=flip_rate, **CASES[case]), 60)

    alike, spoilt, gain = found("the same model"), found("a plan that spoils 12 %"), found("a gain of 23 points")
    assert alike[1] <= 0.05 and spoilt[0] > 0.1 and spoilt[1] <= 0.05 and gain[1] >= gain[0] - 0.05 and gain[0] > 0.6


def test_what_could_have_been_shown_is_never_below_the_floor() -> None:
    comparison = replace(paired_comparison([0.0] * 40, [0.0] * 39 + [1.0], clusters=None, seed=1), minimum_detectable_effect=0.08)
    assert "could have shown 20 points" in resolution(comparison, 0.2) and detectable_words(comparison, 0.2) == "20 points"
    assert "could have shown 8 points" in resolution(comparison) and detectable_words(comparison, 0.01) == "8 points"


def test_compare_does_not_say_that_less_than_the_floor_could_have_been_shown() -> None:
    """Every place that says what could have been shown counts the floor in."""
    root = Path(__file__).resolve().parents[2] / "plumbline"
    calls = [
        (path.name, call)
        for path in root.rglob("*.py")
        for call in re.findall(r"(?<!def )\b(?:resolution|detectable_words)\(([^()]*)\)", path.read_text(encoding="utf-8"))
    ]
    assert len(calls) >= 6 and all("floor" in call for _, call in calls), calls
