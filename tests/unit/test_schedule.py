"""Steps are counted before anything is spent."""

from pathlib import Path

import pytest

from plumbline.pipeline.params import read_yaml
from plumbline.rows.training_params import TrainParams
from plumbline.training.schedule import Schedule, fewest_packed_rows, plan_schedule, plan_training

TRAIN = TrainParams.model_validate(read_yaml(Path(__file__).resolve().parents[2] / "params.yaml")["train"])
PLAN = {"num_rows": 100, "num_rows_per_step": 8, "epochs": 2.0, "max_steps": None, "evaluations_per_epoch": 4, "warmup_fraction": 0.05}


def test_the_last_step_of_an_epoch_may_be_smaller() -> None:
    schedule = plan_schedule(**PLAN)
    assert (schedule.num_steps_per_epoch, schedule.num_planned_steps, schedule.num_steps) == (13, 26, 26)
    assert schedule.num_steps_per_evaluation == 3


def test_a_lowered_max_steps_changes_what_is_done_and_not_what_is_planned() -> None:
    full, dry = plan_schedule(**PLAN), plan_schedule(**{**PLAN, "max_steps": 5})
    assert (dry.num_steps, dry.num_planned_steps, dry.num_warmup_steps) == (5, full.num_planned_steps, full.num_warmup_steps)


@pytest.mark.parametrize("change", [{"max_steps": 1}, {"num_rows": 3, "epochs": 1.0}])
def test_a_single_step_has_no_warm_up_whose_first_rate_is_zero(change: dict[str, float]) -> None:
    schedule = plan_schedule(**{**PLAN, **change})
    assert (schedule.num_steps, schedule.num_warmup_steps) == (1, 0)


def test_a_max_steps_above_the_plan_adds_nothing() -> None:
    assert plan_schedule(**{**PLAN, "max_steps": 1000}).num_steps == 26


@pytest.mark.parametrize("change", [{"num_rows": 0}, {"max_steps": 0}])
def test_nothing_to_train_is_an_error(change: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        plan_schedule(**{**PLAN, **change})


@pytest.mark.parametrize(
    ("packing", "num_rows", "num_tokens", "expected"),
    [(True, 100, 10_000, 2), (False, 100, 10_000, 3), (False, 100, 100_000, 1), (False, 100, 100, 256)],
)
def test_a_step_sees_about_its_tokens_whether_packed_or_not(packing: bool, num_rows: int, num_tokens: int, expected: int) -> None:
    params = TRAIN.model_copy(update={"packing": packing, "tokens_per_step": 256, "max_length": 128})
    assert plan_training(num_rows=num_rows, num_tokens=num_tokens, params=params).num_rows_per_step == expected


def test_full_rows_are_the_fewest() -> None:
    assert [fewest_packed_rows(num_tokens, 128) for num_tokens in (0, 1, 128, 129)] == [1, 1, 1, 2]


def test_a_schedule_of_steps_is_one_epoch_that_is_evaluated_at_its_end() -> None:
    assert Schedule.of_steps(7, num_rows_per_step=2) == Schedule(2, 7, 7, 7, 7, 0)
