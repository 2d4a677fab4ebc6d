"""A tiny base and adapter whose greedy texts differ from prompt to prompt, some ending by themselves and some cut: made in seconds."""

from pathlib import Path

import torch
from peft import get_peft_model, get_peft_model_state_dict
from transformers import AutoModelForCausalLM, AutoTokenizer

from plumbline.model.adapter import save_adapter
from plumbline.model.base_files import base_fingerprint, read_manifest, write_manifest
from plumbline.model.tokenization import render_prompt, template_sha256
from plumbline.pipeline.files import sha256_of
from plumbline.rows.manifest import Manifest
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams
from plumbline.rows.training_record import TrainingRecord
from plumbline.training.lora import lora_config
from tests.fakes.tiny_base import save_tiny_model
from tests.fakes.tiny_training import LORA, TRAIN

SPREAD = 6.0
"""Random weights of the usual size repeat one token for every prompt; larger ones do not."""
THINGS = ("force", "energy", "momentum", "mass", "time", "charge", "power", "heat", "length", "speed")


def questions() -> list[Question]:
    """Questions of two kinds and several lengths; choices make a question longer and are scored."""
    return [
        Question(
            id=f"q{number:02d}",
            kind="mcq" if number % 3 == 0 else "explanation",
            question=f"What is the unit of {' and of '.join(THINGS[: number % 4 + 1])} {number}?",
            choices={"A": "newton", "B": "joule per second", "C": "12"} if number % 3 == 0 else {},
            target="A",
            unit=None,
            key_points=(),
            cluster=f"c{number}",
        )
        for number in range(18)
    ]


def save_models(folder: Path, *, rank: int = 24, quantization: str = "none") -> None:
    """Fill `folder/base` and `folder/adapter`, in the form that the stages read."""
    base = folder / "base"
    base.mkdir(parents=True)
    save_tiny_model(base)
    tokenizer = AutoTokenizer.from_pretrained(str(base))
    model = AutoModelForCausalLM.from_pretrained(str(base))
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() == 2:
                weights.mul_(SPREAD)
        # The end of sequence replaces a token that some text holds.
        prompt = torch.tensor([render_prompt(tokenizer, questions()[0].question)])
        rows = model.generate(  # pyright: ignore[reportAttributeAccessIssue]
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=6, do_sample=False
        )
        common = int(rows[0, -1])
        head = model.lm_head.weight
        head[[common, tokenizer.eos_token_id]] = head[[tokenizer.eos_token_id, common]].clone()
    model.save_pretrained(base)
    write_manifest(
        base,
        Manifest(
            source="embedded", repo=None, revision=None, dtype="float32", quantization=quantization,  # type: ignore[arg-type]
            files={path.name: sha256_of(path) for path in sorted(base.iterdir())}, hub_files={},
        ),
    )  # fmt: skip
    lora = LoraParams.model_validate(LORA.model_dump() | {"r": rank})
    torch.manual_seed(1)
    tuned = get_peft_model(model, lora_config(lora))
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.normal_(std=0.3)
    record = TrainingRecord(
        complete=True, stop_reason="planned_end", num_planned_steps=1, num_done_steps=1, best_step=1, base_fingerprint=base_fingerprint(base),
        template_sha256=template_sha256(tokenizer), train_sha256="0", validation_sha256="0", replay_sha256=None, lora=lora, train=TRAIN,
    )  # fmt: skip
    save_adapter(folder / "adapter", model=tuned, weights=get_peft_model_state_dict(tuned), record=record, base=read_manifest(base))
