"""A law for every evaluation, whatever its arms: no arm changes the numbers of another."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.answering.elsewhere import read_elsewhere
from plumbline.grading.run import grade_answer
from plumbline.grading.tolerance import Tolerance
from plumbline.judging.canaries import is_retested
from plumbline.reporting.contrasts import squares_of
from plumbline.reporting.ledger import KindLedger, ledgers
from plumbline.reporting.numbers import kind_numbers
from plumbline.reporting.scored import join_verdicts
from plumbline.rows.arms import Arms, Pair
from plumbline.rows.question import Kind
from tests.fakes.evaluation_world import FIVE, PAIRS_OF_FIVE, SEVEN, World, arm, make_world, write_lines

SEEDS = st.integers(min_value=0, max_value=10_000)
FEW = settings(max_examples=12, deadline=None)
RETESTED = {"base": [0, 16, 23, 42, 45, 46, 48, 52], "tuned": [17, 20, 33]}
SMALL: dict[str, Any] = {"num_mcq": 12, "num_numeric": 12, "num_explanation": 8, "num_clusters": 5}


def ledgers_of(world: World, *, comparisons: tuple[Pair, ...] | None = None) -> dict[Kind, KindLedger]:
    answers = [answer for rows in world.answers.values() for answer in rows]
    scored = join_verdicts(world.questions, answers, world.grades, world.judgements)
    pairs = world.comparisons if comparisons is None else comparisons
    copies = {name: arm("examples/copy.jsonl") for name in world.answers if name not in world.arms}
    squares = squares_of(Arms(world.arms | copies), pairs)
    return ledgers(world.questions, scored, comparisons=pairs, squares=squares, overlapping=world.overlapping, seed=11, num_resamples=120)


@FEW
@given(seed=SEEDS, others=st.sets(st.sampled_from(sorted(set(SEVEN) - {"base", "tuned"})), min_size=1))
def test_another_arm_changes_no_score_no_interval_and_no_comparison(seed: int, others: set[str]) -> None:
    two = ledgers_of(make_world(**SMALL, seed=seed))
    arms = {name: arm for name, arm in SEVEN.items() if name in {"base", "tuned", *others}}
    more = ledgers_of(make_world(**SMALL, seed=seed, arms=arms))
    for kind, ledger in two.items():
        assert list(more[kind].arms) == list(arms)
        assert {arm: more[kind].arms[arm] for arm in ledger.arms} == ledger.arms
        assert more[kind].pairs == ledger.pairs, "nor p by Holm: the family is what is declared, not who answered"


@FEW
@given(seed=SEEDS, order=st.permutations(list(FIVE)))
def test_the_order_of_the_arms_changes_no_score_and_no_comparison(seed: int, order: list[str]) -> None:
    world = make_world(**SMALL, seed=seed, arms=FIVE, comparisons=PAIRS_OF_FIVE)
    before = ledgers_of(world)
    world.arms = {name: FIVE[name] for name in order}
    world.answers = {name: world.answers[name] for name in order}
    for kind, ledger in ledgers_of(world).items():
        assert list(ledger.arms) == order and ledger.arms == before[kind].arms
        assert list(ledger.pairs.items()) == list(before[kind].pairs.items())


@FEW
@given(seed=SEEDS)
def test_a_file_with_the_answers_of_base_differs_from_base_by_exactly_nothing(seed: int, tmp_path_factory: Any) -> None:
    world = make_world(**SMALL, seed=seed)
    path: Path = tmp_path_factory.mktemp("elsewhere") / "base.jsonl"
    write_lines(path, world.answers["base"])
    world.answers["copy"] = read_elsewhere(path, world.questions, arm="copy")
    ruled = {question.id: question for question in world.questions if question.kind != "explanation"}
    tolerance = Tolerance(relative=0.05, absolute=None)
    world.grades = [
        grade_answer(answer, ruled[answer.id], tolerance) for rows in world.answers.values() for answer in rows if answer.id in ruled
    ]
    world.judgements += [row.model_copy(update={"arm": "copy"}) for row in world.judgements if row.arm == "base"]
    for ledger in ledgers_of(world, comparisons=(("base", "copy"), ("base", "tuned"))).values():
        assert ledger.arms["copy"] == ledger.arms["base"]
        comparison = ledger.pairs["base", "copy"].comparison
        assert comparison is not None and (comparison.delta, comparison.p_value) == (0, 1)
        assert comparison.ci95[0] == -comparison.ci95[1] and (comparison.num_first_only, comparison.num_second_only) == (0, 0)
        assert ledger.pairs["base", "copy"].p_holm == 1


@FEW
@given(seed=SEEDS)
def test_renaming_an_arm_changes_its_name_and_nothing_else(seed: int) -> None:
    world = make_world(**SMALL, seed=seed)
    before = json.dumps({kind: kind_numbers(ledger) for kind, ledger in ledgers_of(world).items()})
    world.arms = {"base": world.arms["base"], "night_owl": world.arms["tuned"]}
    renamed = {"base": "base", "tuned": "night_owl"}
    world.answers = {
        renamed[arm]: [answer.model_copy(update={"arm": renamed[arm]}) for answer in rows] for arm, rows in world.answers.items()
    }
    world.grades = [grade.model_copy(update={"arm": renamed[grade.arm]}) for grade in world.grades]
    world.judgements = [row.model_copy(update={"arm": renamed[row.arm]}) for row in world.judgements]
    after = json.dumps({kind: kind_numbers(ledger) for kind, ledger in ledgers_of(world, comparisons=(("base", "night_owl"),)).items()})
    assert after == before.replace('"tuned"', '"night_owl"') and '"tuned"' in before


def test_which_answers_are_asked_about_twice_is_as_it_was_with_two_arms() -> None:
    """As drawn before there were other arms: another draw would pay for every retest again."""
    drawn = {arm: [number for number in range(60) if is_retested(f"q{number:03d}", arm, fraction=0.1)] for arm in ("base", "tuned")}
    assert drawn == RETESTED
    assert len({tuple(is_retested(f"q{number}", arm, fraction=0.5) for number in range(40)) for arm in SEVEN}) == len(SEVEN)
