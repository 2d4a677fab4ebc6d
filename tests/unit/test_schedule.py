"""Steps are counted before anything is spent."""

import pytest

from stages.logic.schedule import plan_schedule

PLAN = {"num_rows": 100, "num_rows_per_step": 8, "epochs": 2.0, "max_steps": None, "evaluations_per_epoch": 4, "warmup_fraction": 0.05}


def test_the_last_step_of_an_epoch_may_be_smaller() -> None:
    schedule = plan_schedule(**PLAN)
    assert (schedule.num_steps_per_epoch, schedule.num_planned_steps, schedule.num_steps) == (13, 26, 26)
    assert schedule.num_steps_per_evaluation == 3


def test_a_lowered_max_steps_changes_what_is_done_and_not_what_is_planned() -> None:
    full, dry = plan_schedule(**PLAN), plan_schedule(**{**PLAN, "max_steps": 5})
    assert (dry.num_steps, dry.num_planned_steps, dry.num_warmup_steps) == (5, full.num_planned_steps, full.num_warmup_steps)


def test_a_max_steps_above_the_plan_adds_nothing() -> None:
    assert plan_schedule(**{**PLAN, "max_steps": 1000}).num_steps == 26


@pytest.mark.parametrize("change", [{"num_rows": 0}, {"max_steps": 0}])
def test_nothing_to_train_is_an_error(change: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        plan_schedule(**{**PLAN, **change})
