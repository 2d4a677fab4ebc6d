"""The last MLP and the head that see label positions only give the loss and the gradients that TRL gives."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def trainer_for(folder: Path, packed: Any, params: Any, *, num_rows_per_step: int) -> Any:
    """The stage's trainer of one step on the tiny base in `folder`, trained and watched on the same rows."""
    from plumbline.model.weights import load_model, load_tokenizer
    from plumbline.training.schedule import Schedule
    from plumbline.training.trainer import build_trainer
    from tests.fakes.tiny_training import LORA

    return build_trainer(
        model=load_model(folder / "base", device="cpu"),
        tokenizer=load_tokenizer(folder / "base"),
        train=packed,
        validation=packed,
        lora=LORA,
        params=params,
        folder=folder / "run",
        schedule=Schedule.of_steps(1, num_rows_per_step=num_rows_per_step),
    )


def test_the_label_only_head_agrees_with_trl(tmp_path: Path) -> None:
    import torch
    from trl import SFTTrainer

    from plumbline.model.runtime import prepare_torch
    from plumbline.model.tokenization import render_example
    from plumbline.model.weights import load_tokenizer
    from plumbline.training.packing import pack
    from tests.fakes.tiny_training import TRAIN, rows, save_tiny_base

    prepare_torch()
    save_tiny_base(tmp_path / "base")
    tokenizer = load_tokenizer(tmp_path / "base")
    examples = [render_example(tokenizer, row.instruction, row.output) for row in rows(24, "t")]
    packed = pack(examples, max_length=TRAIN.max_length, packing=True, seed=1)
    trainer = trainer_for(tmp_path, packed, TRAIN, num_rows_per_step=2)
    batch = trainer.data_collator([packed[0], packed[1]])
    trainer.model.train()
    num_labels, num_tokens = int((batch["labels"][:, 1:] != -100).sum()), batch["labels"].numel()
    widths: list[int] = []
    trainer.last_mlp.gate_proj.register_forward_hook(lambda module, inputs, output: widths.append(inputs[0].shape[1]))
    results = []
    for compute in (trainer.compute_loss, super(type(trainer), trainer).compute_loss):
        trainer.model.zero_grad()
        loss = compute(trainer.model, dict(batch), num_items_in_batch=torch.tensor(37))
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])
        results.append((float(loss), gradient))
    (ours, our_gradient), (theirs, their_gradient) = results
    assert widths == [num_labels, num_tokens] and num_labels < num_tokens
    assert isinstance(trainer, SFTTrainer) and ours == pytest.approx(theirs, rel=1e-5)
    assert float(torch.linalg.norm(our_gradient - their_gradient) / torch.linalg.norm(their_gradient)) < 1e-5


@pytest.mark.parametrize("setting", ["rows side by side", "gradient checkpointing"])
def test_every_mlp_is_whole_where_rows_are_padded_or_the_gradient_computes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    from plumbline.model.tokenization import render_example
    from plumbline.model.weights import load_tokenizer
    from plumbline.training.packing import pack
    from tests.fakes.tiny_training import TRAIN, rows, save_tiny_base

    save_tiny_base(tmp_path / "base")
    tokenizer = load_tokenizer(tmp_path / "base")
    examples = [render_example(tokenizer, row.instruction, row.output) for row in rows(4, "t")]
    packing = setting == "gradient checkpointing"
    if packing:
        monkeypatch.setenv("PLUMBLINE_GRADIENT_CHECKPOINTING", "1")
    packed = pack(examples, max_length=TRAIN.max_length, packing=packing, seed=1)
    assert trainer_for(tmp_path, packed, TRAIN.model_copy(update={"packing": packing}), num_rows_per_step=1).last_mlp is None


@pytest.mark.parametrize("packing", [True, False])
def test_the_validation_loss_is_the_mean_over_tokens_whatever_the_micro_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: bool
) -> None:
    import torch

    from plumbline.model.runtime import prepare_torch
    from plumbline.model.tokenization import render_example
    from plumbline.model.weights import load_model, load_tokenizer
    from plumbline.training.packing import pack
    from tests.fakes.tiny_training import TRAIN, rows, save_tiny_base

    prepare_torch()
    save_tiny_base(tmp_path / "base")
    tokenizer = load_tokenizer(tmp_path / "base")
    answers = ["12 N", "Explanation: F = m a, so it is 3 x 4 = 12 N, and so on and so on", "It is 6 N."]
    examples = [render_example(tokenizer, row.instruction, answers[i % 3]) for i, row in enumerate(rows(11, "v"))]
    model = load_model(tmp_path / "base", device="cpu")
    total, num_tokens = 0.0, 0
    with torch.inference_mode():
        for example in examples:
            logits = model(input_ids=torch.tensor([example.ids])).logits[0, :-1]
            labels = torch.tensor(example.labels[1:])
            total += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
            num_tokens += int((labels != -100).sum())
    packed = pack(examples, max_length=TRAIN.max_length, packing=packing, seed=1)
    found = []
    for micro_batch_tokens in (TRAIN.max_length, 3 * TRAIN.max_length):
        monkeypatch.setenv("PLUMBLINE_MICRO_BATCH_TOKENS", str(micro_batch_tokens))
        trainer = trainer_for(tmp_path, packed, TRAIN.model_copy(update={"packing": packing}), num_rows_per_step=3)
        found.append(trainer.evaluate()["eval_loss"])
    assert found == pytest.approx([total / num_tokens] * 2, rel=1e-5)
