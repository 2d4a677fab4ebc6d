"""Answering speed on one GPU: new tokens per second and peak memory of each rung, on a random model of Mistral-7B's shape. Offline.

python -m bench.gpu_answering                             G0, G1 and G2, in less than 10 minutes
python -m bench.gpu_answering --shape tiny --device cpu   the same code on a processor: shows that it runs, but measures nothing useful

G0  the generation of the answer stages: batches of prompts of similar length, left-padded, finished rows dropped, eager
G1  `generate` with transformers' static cache. On a GPU transformers compiles its decoding step, during the warm-up. All batches are
    equally wide, so one compilation serves all.
G2  transformers' continuous batching, `generate_batch`; the time that it takes to start is reported separately
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import plumbline.model.quiet  # noqa: F401

# isort: split
import torch
from transformers import ContinuousBatchingConfig, GenerationConfig, PreTrainedModel

from bench.arms import common_flags, peak_memory_bytes, run_arms
from bench.random_model import SHAPES, plain_tokenizer, random_examples, random_model
from plumbline.answering.engine import Prompt, by_length
from plumbline.answering.generation import TransformersEngine
from plumbline.model.runtime import prepare_torch
from plumbline.model.tokenization import pad_id, stop_ids
from plumbline.number_text import size_text
from plumbline.pipeline.files import write_json
from plumbline.planning.planning import Shape

ARMS = ("G0", "G1", "G2")


class Timing(NamedTuple):
    """The timed answers of one rung, without the warm-up."""

    num_answers: int
    num_new_tokens: int
    """End of sequence included; what comes after it in a batch is not counted."""
    seconds: float
    start_seconds: float | None
    """G2: from the call until the first prompt is taken up."""


def random_prompts(num: int, shape: Shape) -> list[Prompt]:
    """Prompts of random ids in the lengths of the training rows' prompts."""
    examples = random_examples(num, shape)
    return [Prompt(id=f"{i:06}", ids=example.ids[: example.num_prompt_tokens], continuations={}) for i, example in enumerate(examples)]


def equally_wide(prompts: Sequence[Prompt], batch_size: int) -> list[list[Prompt]]:
    """Whole batches, with the longest prompts spread over all of them; the remainder is left out."""
    ordered = sorted(prompts, key=lambda prompt: (-len(prompt.ids), prompt.id))
    num_batches = len(ordered) // batch_size
    return [ordered[start : num_batches * batch_size : num_batches] for start in range(num_batches)]


def time_batches(
    answer: Callable[[Sequence[Prompt]], int], batches: Sequence[Sequence[Prompt]], *, budget_seconds: float
) -> tuple[int, int, float]:
    """Answer batch after batch until the budget is spent: answers, new tokens, seconds. The first batch is answered once before that."""
    deadline = time.perf_counter() + budget_seconds
    answer(batches[0])
    begin = time.perf_counter()
    num_answers = num_new_tokens = 0
    for batch in batches:  # each ends in ids on the CPU: no event is pending
        num_new_tokens += answer(batch)
        num_answers += len(batch)
        if time.perf_counter() > deadline:
            break
    return num_answers, num_new_tokens, time.perf_counter() - begin


def by_the_pipeline(model: PreTrainedModel, *, batch_size: int, max_new_tokens: int) -> Callable[[Sequence[Prompt]], int]:
    """New tokens of a batch, by the engine of the answer stages."""
    engine = TransformersEngine(model, plain_tokenizer(), batch_size=batch_size)
    return lambda batch: sum(one.num_tokens for done in engine.answer([batch], max_new_tokens=max_new_tokens) for one in done)


def by_a_static_cache(model: PreTrainedModel, *, max_new_tokens: int) -> Callable[[Sequence[Prompt]], int]:
    """New tokens of a batch, by `generate` with a static cache: a compiled decoding step needs its shapes."""
    tokenizer = plain_tokenizer()
    stops, pad = stop_ids(tokenizer, []), pad_id(tokenizer)
    config = GenerationConfig(
        max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=stops, pad_token_id=pad, use_cache=True, cache_implementation="static"
    )

    def answer(batch: Sequence[Prompt]) -> int:
        width = max(len(prompt.ids) for prompt in batch)
        ids = torch.tensor([[pad] * (width - len(prompt.ids)) + prompt.ids for prompt in batch], device=model.device)
        mask = torch.tensor([[0] * (width - len(prompt.ids)) + [1] * len(prompt.ids) for prompt in batch], device=model.device)
        rows = model.generate(  # pyright: ignore[reportCallIssue]
            input_ids=ids, attention_mask=mask, generation_config=config
        )[:, width:].tolist()
        return sum(next((place + 1 for place, token in enumerate(row) if token in stops), len(row)) for row in rows)

    return answer


def time_continuous(model: PreTrainedModel, prompts: Sequence[Prompt], *, max_new_tokens: int) -> Timing:
    """Give all prompts to `generate_batch`. RuntimeError if it does not answer them all."""
    tokenizer = plain_tokenizer()
    config = GenerationConfig(
        max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=stop_ids(tokenizer, []), pad_token_id=pad_id(tokenizer), use_cache=True
    )
    # Its cache takes most of the free memory, which on a CPU all programs share.
    memory = ContinuousBatchingConfig(max_memory_percent=0.05, max_batch_tokens=512) if model.device.type == "cpu" else None
    called = time.perf_counter()
    outputs = model.generate_batch(  # pyright: ignore[reportCallIssue]
        [prompt.ids for prompt in prompts], generation_config=config, continuous_batching_config=memory
    )
    answers = list(outputs.values())  # pyright: ignore[reportCallIssue]
    failed = [answer.error for answer in answers if answer.error is not None]
    if failed or len(answers) != len(prompts):
        raise RuntimeError(f"generate_batch answered {len(answers) - len(failed)} of {len(prompts)} prompts: {failed[:1]}")
    begin, end = min(answer.lifespan[0] for answer in answers), max(answer.lifespan[1] for answer in answers)
    return Timing(len(answers), sum(len(answer.generated_tokens) for answer in answers), end - begin, begin - called)


def time_rung(
    arm: str, shape: Shape, *, device: str, num_prompts: int, batch_size: int, max_new_tokens: int, budget_seconds: float
) -> Timing:
    """Make the model and the prompts, warm up, and time."""
    prepare_torch()
    model = random_model(shape, device=device)
    prompts = random_prompts(num_prompts, shape)
    if arm == "G2":
        return time_continuous(model, prompts, max_new_tokens=max_new_tokens)
    if arm == "G1":
        answer, batches = by_a_static_cache(model, max_new_tokens=max_new_tokens), equally_wide(prompts, batch_size)
    else:
        answer = by_the_pipeline(model, batch_size=batch_size, max_new_tokens=max_new_tokens)
        ordered = by_length(prompts)
        batches = [ordered[start : start + batch_size] for start in range(0, len(ordered), batch_size)]
    return Timing(*time_batches(answer, batches, budget_seconds=budget_seconds), None)


def row(arm: dict[str, Any]) -> str:
    """A measured rung, in one line."""
    memory = "unknown" if arm["peak_memory_bytes"] is None else size_text(arm["peak_memory_bytes"])
    start = "" if arm["start_seconds"] is None else f", {arm['start_seconds']:.1f} s to start"
    return f"{arm['tokens_per_second']:,.0f} new tokens/s, peak memory {memory}, {arm['num_answers']} answers{start}"


def main(arguments: list[str] | None = None) -> None:
    """Run the rungs, or the one that this process is for."""
    parser = common_flags(__doc__, arms=ARMS, default=ARMS, out=Path("gpu_answering.json"))
    parser.add_argument("--prompts", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-new-tokens", type=int, default=128)
    chosen = parser.parse_args(arguments)
    if chosen.prompts < chosen.batch_size:
        parser.error(f"--prompts {chosen.prompts} do not fill one batch of {chosen.batch_size}.")
    if chosen.only is None:
        sizes = {"--prompts": chosen.prompts, "--batch-size": chosen.batch_size, "--max-new-tokens": chosen.max_new_tokens}
        forwarded = [word for flag, value in sizes.items() for word in (flag, str(value))]
        run_arms(chosen, module="bench.gpu_answering", forwarded=forwarded, row=row)
        return
    timing = time_rung(
        chosen.only,
        SHAPES[chosen.shape],
        device=chosen.device,
        num_prompts=chosen.prompts,
        batch_size=chosen.batch_size,
        max_new_tokens=chosen.max_new_tokens,
        budget_seconds=chosen.budget_seconds,
    )
    write_json(
        chosen.out,
        {
            "status": "measured",
            "tokens_per_second": timing.num_new_tokens / timing.seconds,
            "peak_memory_bytes": peak_memory_bytes(),
            **timing._asdict(),
            "batch_size": None if chosen.only == "G2" else chosen.batch_size,
            "max_new_tokens": chosen.max_new_tokens,
        },
    )


if __name__ == "__main__":
    sys.exit(main())
