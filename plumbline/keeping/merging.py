"""Merge base and adapter into one set of weights, and prove that it answers the same. Writes a folder of safetensors; loads it back from disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from plumbline.answering.engine import Prompt
from plumbline.answering.generation import TransformersEngine
from plumbline.model.runtime import device

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.5, "float16": 0.1}
"""Largest allowed difference of a logit. One more rounding costs about 1e-5 with 24 bits of fraction, and a few tenths with the 8 of bfloat16."""
OF_LARGEST_LOGIT = {"float32": 2e-5, "bfloat16": 0.05, "float16": 0.01}
"""The same as a fraction of the largest logit, for models with large ones: rounding is relative.

For the real SmolLM2 the largest logit is 48. Base and adapter differ by 2.6 between bfloat16 and float32. From the merged model they differ by 1.9 in
bfloat16, and by 0.0001 in float32 (3 prompts, all positions).
"""
MIN_SAME = {"float32": 1.0, "bfloat16": 0.6, "float16": 0.85}
"""Least share of equal greedy answers. In 16 bits a near-tie may fall the other way; in 32 bits none is allowed to.

For the real SmolLM2 in bfloat16, 84 of 100 answers of 32 tokens are equal; a limit of 0.9 refused three of four merges with 24 questions. With a wrong
tokenizer or a wrong end token hardly any are equal, and a wrong scale shows in the logits.
"""


class MergedDiffers(ValueError):
    """The merged model does not answer as base plus adapter do."""


class Reference(NamedTuple):
    """What base plus adapter answer."""

    responses: dict[str, str]
    logits: dict[str, torch.Tensor]
    """Prompt id -> (V,), after the prompt, on the CPU."""


class Agreement(NamedTuple):
    """How the merged model compares."""

    num_same: int
    largest_difference: float
    tolerance: float
    problem: str | None


@torch.inference_mode()
def reference_answers(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    *,
    batch_size: int,
    max_new_tokens: int,
) -> Reference:
    """Greedy answers and the logits of their first token."""
    engine = TransformersEngine(model, tokenizer, batch_size=batch_size)  # type: ignore[arg-type]
    answered = engine.answer(engine.units(prompts), max_new_tokens=max_new_tokens)
    responses = {answer.id: answer.response for batch in answered for answer in batch}
    logits = {
        prompt.id: model(input_ids=torch.tensor([prompt.ids], device=model.device)).logits[0, -1].float().cpu()  # type: ignore[operator]
        for prompt in prompts
    }
    return Reference(responses, logits)


def merge_and_save(tuned: PeftModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Add the adapter to the weights and write them with configuration and tokenizer. The model passed in is merged afterwards."""
    merged = tuned.merge_and_unload(safe_merge=True)
    merged.save_pretrained(folder)  # type: ignore[operator]
    tokenizer.save_pretrained(str(folder))


def agreement(
    folder: Path, expected: Reference, prompts: Sequence[Prompt], *, dtype: str, batch_size: int, max_new_tokens: int
) -> Agreement:
    """Load the folder as anyone would and compare answers and logits with those of base plus adapter."""
    loaded = AutoModelForCausalLM.from_pretrained(
        str(folder),
        dtype=getattr(torch, dtype),
        device_map={"": device()},
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    found = reference_answers(loaded, tokenizer, prompts, batch_size=batch_size, max_new_tokens=max_new_tokens)
    num_same = sum(found.responses[id] == response for id, response in expected.responses.items())
    difference = max(float((found.logits[id] - logits).abs().max()) for id, logits in expected.logits.items())
    largest = max(float(logits.abs().max()) for logits in expected.logits.values())
    tolerance, least = max(TOLERANCE[dtype], OF_LARGEST_LOGIT[dtype] * largest), MIN_SAME[dtype]
    problem = None
    # Written so that NaN, which compares false with everything, is a problem.
    if not (difference <= tolerance):
        problem = (
            f"the merged model's logits differ by {difference:.3g}; the limit is {tolerance:g} for {dtype} and logits up to {largest:.3g}"
        )
    elif num_same < least * len(prompts):
        problem = f"the merged model gives {num_same} of {len(prompts)} answers as base + adapter do; {dtype} needs at least {least:.0%}"
    return Agreement(num_same, difference, tolerance, problem)
