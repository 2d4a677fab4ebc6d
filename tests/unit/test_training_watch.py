"""When training stops by patience: at an evaluation that the full run would have made, and at no other."""

from pathlib import Path

import pytest
import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from plumbline.training.checkpoint_choice import Evaluated
from plumbline.training.watch import Watch
from tests.unit.test_lean_steps import adapted


def stopped_after(folder: Path, losses: dict[int, float], *, num_steps: int, num_planned_steps: int, patience: int) -> list[int]:
    """The steps after which the watch asks to stop, evaluated every 100 steps and at the end."""
    watch = Watch(folder, patience=patience, num_steps=num_steps, num_planned_steps=num_planned_steps, tokens_per_step=1)
    state = TrainerState(eval_steps=100, max_steps=num_steps)
    model, args = adapted(alpha=4), TrainingArguments(output_dir=str(folder / "args"), use_cpu=True)
    asked = []
    for step, loss in losses.items():
        state.global_step = step
        state.log_history.append({"step": step, "eval_loss": loss})
        control = TrainerControl()
        watch.on_evaluate(args, state, control, metrics={"eval_loss": loss}, model=model)
        assert control.should_training_stop == watch.stopped_early
        if watch.stopped_early:
            asked.append(step)
    return asked


def test_a_dry_run_that_ends_between_two_evaluations_has_not_stopped_by_patience(tmp_path: Path) -> None:
    """Else it would count as complete: what stops by patience is as long as its run was meant to be."""
    assert not stopped_after(tmp_path, {0: 3.0, 100: 0.40, 150: 0.41}, num_steps=150, num_planned_steps=400, patience=1)


@pytest.mark.parametrize(("num_steps", "num_planned_steps", "last"), [(400, 400, 200), (150, 150, 150), (200, 400, 200)])
def test_no_better_loss_at_an_evaluation_of_the_full_run_stops_it(
    tmp_path: Path, num_steps: int, num_planned_steps: int, last: int
) -> None:
    losses = {0: 3.0, 100: 0.40, last: 0.41}
    assert stopped_after(tmp_path, losses, num_steps=num_steps, num_planned_steps=num_planned_steps, patience=1) == [last]


def test_patience_counts_evaluations_since_the_best(tmp_path: Path) -> None:
    losses = {0: 3.0, 100: 0.5, 200: 0.6, 300: 0.4, 400: 0.5, 500: 0.45}
    assert stopped_after(tmp_path, losses, num_steps=900, num_planned_steps=900, patience=2) == [500]


def test_the_best_adapter_is_never_the_one_before_the_first_rate_above_zero(tmp_path: Path) -> None:
    """If all later losses are worse than base's, it would be published, and answering would refuse it."""
    watch = Watch(tmp_path, patience=None, num_steps=400, num_planned_steps=400, tokens_per_step=1)
    state, model, args = (
        TrainerState(eval_steps=1, max_steps=4),
        adapted(alpha=4),
        TrainingArguments(output_dir=str(tmp_path), use_cpu=True),
    )
    trained = {name: weights for name, weights in model.named_parameters() if "lora_B" in name}
    for step, loss, is_moved in ((0, 0.4, False), (1, 0.4, False), (2, 0.6, True), (3, 0.5, True), (4, 0.7, True)):
        with torch.no_grad():
            for weights in trained.values():
                weights.fill_(0.1 * is_moved)
        state.global_step = step
        watch.on_evaluate(args, state, TrainerControl(), metrics={"eval_loss": loss}, model=model)
    assert watch.best() == Evaluated(step=3, validation_loss=0.5)
