"""What publishing requires: the four verdicts, what is missing for each, and what params.yaml may ask for."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from plumbline.judging.calibration import Corrected
from plumbline.pipeline.params import load_params
from plumbline.pipeline.refused import Refused
from plumbline.reporting.calibration import Calibration, Correction
from plumbline.reporting.publish_gate import Requirement, publish_gate
from plumbline.reporting.publish_params import PublishParams, deciding_pair
from plumbline.reporting.publish_words import questions_needed
from plumbline.rows.arms import Arms
from plumbline.statistics import Comparison, Verdict, paired_comparison, verdict_at
from plumbline.training.forgetting import Forgetting
from tests.fakes.evaluation_world import FIVE, FORGETTING, TWO, TWO_COMPARED
from tests.unit.test_verdict import made

PAIR = ("base", "tuned")


def required(**require: object) -> PublishParams:
    return PublishParams.model_validate({"against": "base", "require": require})


def found(right: tuple[int, int], *, kind: str = "mcq", calibration: Calibration | None = None, **changes: object) -> Requirement:
    """The one requirement on a kind, of arms of which so many of 60 answers are right."""
    ledgers, _ = made({"base": right[0], "tuned": right[1]}, TWO_COMPARED, kind=kind)  # type: ignore[arg-type]
    gate = publish_gate(required(**changes), PAIR, ledgers, Forgetting.model_validate(FORGETTING), calibration)
    assert gate is not None
    return gate.requirements[0]


@pytest.mark.parametrize(
    ("ci95", "p", "margin", "verdict"),
    [
        ((0.01, 0.09), 0.01, None, Verdict.BETTER),
        ((0.01, 0.09), 0.06, None, Verdict.NOT_ENOUGH),
        ((0.01, 0.09), 0.06, 0.03, Verdict.NOT_WORSE),
        ((-0.02, 0.09), 0.3, 0.03, Verdict.NOT_WORSE),
        ((-0.03, 0.09), 0.3, 0.03, Verdict.NOT_ENOUGH),
        ((-0.02, -0.005), 0.01, 0.03, Verdict.NOT_WORSE),
        ((-0.05, -0.005), 0.01, 0.03, Verdict.WORSE),
        ((-0.05, -0.005), 0.2, 0.03, Verdict.NOT_ENOUGH),
        ((-0.05, -0.005), 0.01, None, Verdict.WORSE),
    ],
)
def test_the_verdict_is_read_from_the_bound(ci95: tuple[float, float], p: float, margin: float | None, verdict: Verdict) -> None:
    assert verdict_at(ci95, p, margin) is verdict


def test_each_verdict_has_its_sentence_and_says_what_is_missing() -> None:
    better = found((12, 54), mcq="better")
    assert better.ok and better.text.startswith("On multiple choice tuned is better than base: +70 points [")
    alike = found((36, 36), mcq={"not_worse_than": 0.6})
    assert alike.verdict is Verdict.NOT_WORSE and alike.ok
    assert "tuned is not worse than base by 60 points or more: 0 points [" in alike.text
    unsure = found((36, 36), mcq={"not_worse_than": 0.03})
    assert unsure.verdict is Verdict.NOT_ENOUGH and not unsure.ok
    assert unsure.ci95 is not None and unsure.missing == pytest.approx(-unsure.ci95[0] - 0.03)
    assert "not enough evidence that tuned is not worse than base" in unsure.text and "questions like these would show it" in unsure.text
    worse = found((54, 12), mcq={"not_worse_than": 0.03})
    assert worse.verdict is Verdict.WORSE and "tuned is worse than base: −70 points" in worse.text and "too many" in worse.text
    undecided = found((36, 38), mcq="better")
    assert undecided.verdict is Verdict.NOT_ENOUGH and "lower bound is" in undecided.text and "could have shown" in undecided.text


def test_a_kind_that_nothing_is_known_of_is_not_shown() -> None:
    nothing = found((12, 54), numeric="better")
    assert (nothing.verdict, nothing.ok, nothing.text) == (
        Verdict.NOT_ENOUGH, False, "On numeric problems there is not enough evidence: the benchmark has no such questions.",
    )  # fmt: skip


def general(low: float | None, high: float | None, wanted: object) -> Requirement:
    forgetting = Forgetting.model_validate(FORGETTING | {"increase_low": low, "increase_high": high})
    gate = publish_gate(PublishParams.model_validate({"against": None, "require": {"general": wanted}}), None, {}, forgetting, None)
    assert gate is not None and gate.pair is None
    return gate.requirements[0]


def test_general_prompts_are_measured_in_nats_and_more_is_worse() -> None:
    assert general(0.01, 0.05, {"not_worse_than": 0.06}).verdict is Verdict.NOT_WORSE
    lost = general(0.01, 0.05, {"not_worse_than": 0.04})
    assert lost.verdict is Verdict.WORSE and "must lie below 0.04, and is 0.010 too high" in lost.text
    assert general(-0.01, 0.05, {"not_worse_than": 0.04}).verdict is Verdict.NOT_ENOUGH
    assert general(-0.03, -0.01, "better").verdict is Verdict.BETTER
    assert not general(None, None, {"not_worse_than": 0.9}).ok, "no interval is no evidence"


def labelled(corrected: float, low: float, high: float) -> Calibration:
    bounds = {"first": 0.2, "first_ci95": (0.1, 0.3), "second": 0.9, "second_ci95": (0.8, 1.0), "num_labels": 80, "unlabelled": ()}
    one = Correction(
        first="base", second="tuned", judged=0.7, num_labels=80, why_not=None,
        corrected=Corrected(delta=corrected, ci95=(low, high), **bounds),  # type: ignore[arg-type]
    )  # fmt: skip
    return Calibration(
        num_labels=80, agreement=None, corrections=(one,), labellers=(), error_on_length=None, score_on_length=None, parts={}
    )


def test_what_people_do_not_confirm_is_not_shown() -> None:
    by_judge = found((12, 54), kind="explanation", explanation="better")
    assert by_judge.ok
    doubted = found((12, 54), kind="explanation", calibration=labelled(0.1, -0.05, 0.25), explanation="better")
    assert not doubted.ok and doubted.value == 0.1 and "as corrected by 80 human labels" in doubted.text
    assert found((12, 54), kind="explanation", calibration=labelled(0.6, 0.5, 0.7), explanation="better").text == by_judge.text


def test_the_pair_counts_whichever_way_it_is_declared() -> None:
    turned, _ = made({"base": 12, "tuned": 54}, (("tuned", "base"),))
    gate = publish_gate(required(mcq="better"), PAIR, turned, Forgetting.model_validate(FORGETTING), None)
    assert gate is not None and gate.ok and gate.requirements[0].text == found((12, 54), mcq="better").text


def test_the_questions_that_it_would_take_shrink_the_interval_to_the_margin() -> None:
    def compared(n: int) -> Comparison:
        first = [float(place % 10 < 6) for place in range(n)]
        second = [float((place + 1) % 10 < 6) for place in range(n)]
        return paired_comparison(first, second, clusters=None, seed=1)

    needed = questions_needed(compared(100), 0.05)
    # The usual formula: a fifth of the pairs differ, so the variance of a difference is 0.2.
    assert needed == pytest.approx((1.96 + 0.8416) ** 2 * 0.2 / 0.05**2, rel=0.15)
    assert compared(needed).ci95[0] == pytest.approx(-0.05 * 1.96 / 2.8, rel=0.1)
    assert questions_needed(compared(100), 0.9) == 100


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"against": "base", "require": {"mqc": "better"}},
            "'mqc' cannot be required; write mcq, numeric, explanation, general",
        ),
        ({"against": "base", "require": {"mcq": "best"}}, "mcq: write better, or {not_worse_than: 0.03}"),
        ({"against": "base", "require": {"mcq": {"not_worse_than": 3}}}, "mcq: 3 is not a margin"),
        ({"against": "base", "require": {"mcq": {"not_worse_than": 0}}}, "mcq: 0 is not a margin"),
        ({"against": "base", "require": {"mcq": {"not_worse_than": True}}}, "mcq: write better"),
        ({"against": None, "require": {"mcq": "better"}}, "require names mcq, so against must name an arm, such as base"),
        ({"against": None, "require": None}, "write {} to require nothing"),
    ],
)
def test_what_cannot_be_required_says_what_can(section: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PublishParams.model_validate(section)
    assert said in str(refused.value)


def test_the_example_of_params_yaml_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[2]
    (line,) = [line for line in (root / "params.yaml").read_text().splitlines() if line.strip().startswith("require:")]
    example = line.split("for instance ")[1].split(": docs/")[0]
    (tmp_path / "params.yaml").write_text(f"publish:\n  against: base\n  require: {example}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    assert len(load_params("publish", PublishParams).require) == 3


def test_the_arm_that_is_published_is_one_that_is_declared_against_the_other() -> None:
    arms, pairs = Arms(FIVE), (("base", "tuned_passages"), ("base", "tuned"), ("base", "base_examples"))
    assert deciding_pair(required(mcq="better"), arms, pairs) == ("base", "tuned")
    assert deciding_pair(required(mcq="better"), arms, pairs[:1]) == ("base", "tuned_passages")
    for against, said in (("bsae", "not an arm"), ("tuned", "the adapter itself"), ("base_passages", r"\[base_passages, tuned\]")):
        with pytest.raises(Refused, match=said):
            deciding_pair(PublishParams.model_validate({"against": against, "require": {"mcq": "better"}}), arms, pairs)
    with pytest.raises(Refused, match=r"\[base, tuned\]"):
        deciding_pair(required(mcq="better"), Arms(TWO), ())
