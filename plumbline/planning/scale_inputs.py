"""What the plan of docs/scale.md is computed from: each number measured, sourced or assumed, with its source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from plumbline.answering.engine_advice import START_UP_SECONDS, TRANSFORMERS_TOKENS_PER_SECOND, VLLM_TOKENS_PER_SECOND
from plumbline.judging.claude_judge import TRIAL_BATCH, TRIAL_FROM
from plumbline.judging.prices import BATCH_FACTOR, PRICES
from plumbline.planning.planning import MISTRAL_7B, activation_bytes, base_bytes

JUDGE = "claude-sonnet-5-5"
KINDS = ("measured", "sourced", "assumed")
Known = Literal["measured", "sourced", "assumed"]


@dataclass(frozen=True)
class Input:
    """A number that is put in."""

    value: float
    what: str
    """With its unit."""
    known: Known
    source: str


OURS = "docs/experiments.md, a million rows (2 cores)"
NEMO = "NVIDIA NeMo Automodel, performance summary: Llama-3-70B LoRA, 8 x H100, BF16"
INPUTS: dict[str, Input] = {
    "tokens_per_row": Input(120, "tokens a row", "measured", "bench/random_model.py: 4,397 short physics questions, 3 characters a token"),
    "labelled_fraction": Input(0.7, "share of them with a label", "measured", "the same rows"),
    "epochs": Input(2, "epochs", "assumed", "profiles/mistral_7b"),
    "lora_r": Input(16, "rank of the adapter", "assumed", "profiles/mistral_7b"),
    "tokens_per_step": Input(4096, "tokens an optimiser step", "assumed", "profiles/mistral_7b"),
    "clean_seconds": Input(107.7e-6, "s a row to clean, near-duplicates included", "measured", OURS),
    "row_seconds": Input(50.3e-6, "s of these that more machines could take over, at most", "measured", OURS),
    "clean_bytes": Input(999 * 2**20 / 1e6, "bytes a row in `clean`", "measured", OURS),
    "split_seconds": Input(159e-6, "processor s a row in `split`", "measured", "docs/experiments.md, cleaning and Ray (100,000 rows)"),
    "split_bytes": Input(2.7e3, "bytes a row in `split`", "measured", "docs/experiments.md, cleaning and Ray (10,000 and 100,000 rows)"),
    "peak_flops": Input(989e12, "dense bf16 operations/s of an H100 or H200", "sourced", "NVIDIA's data sheets"),
    "train_mfu": Input(
        0.16, "share of the peak in bf16 LoRA", "sourced", "Hugging Face PEFT, method comparison of July 2026: 3B LoRA, L40S"
    ),
    "nf4_mfu": Input(
        0.16 * 0.78, "share of the peak on an nf4 base", "sourced", "the same x 0.78 (torchtune README: 8B QLoRA against LoRA)"
    ),
    "checkpointing_work": Input(
        1.5, "times the work with gradient checkpointing", "assumed", "the forward pass once more: 6N operations for 4N"
    ),
    "train_bytes": Input(
        base_bytes(MISTRAL_7B, dtype="bfloat16", quantization="none") + activation_bytes(MISTRAL_7B, num_tokens=8192, checkpointing=False),
        "bytes on the card, 7B in bf16",
        "assumed",
        "plumbline/planning/planning.py, 8,192 tokens a micro-batch without checkpointing",
    ),
    "sharded_tokens_per_second": Input(608, "tokens/s a card, 70B in bf16 over 8 cards", "sourced", NEMO),
    "fewest_steps": Input(
        100, "optimiser steps that a fine-tune wants at least", "sourced", "LoRA Without Regret (Thinking Machines, 2025)"
    ),
    "tokens_per_answer": Input(150, "tokens an answer", "assumed", "a short explanation"),
    "generate_tokens_per_second": Input(
        TRANSFORMERS_TOKENS_PER_SECOND, "tokens/s of `generate`, 7B on one card", "assumed", "plumbline/answering/engine_advice.py"
    ),
    "vllm_tokens_per_second": Input(
        VLLM_TOKENS_PER_SECOND,
        "tokens/s of vLLM with LoRA, 7B on one card",
        "sourced",
        "about 12,500 published for an 8B, less a third: vLLM PR 11267",
    ),
    "vllm_start_seconds": Input(START_UP_SECONDS, "s until vLLM answers", "assumed", "plumbline/answering/engine_advice.py"),
    "judge_retests": Input(0.1, "of the answers are judged a second time", "assumed", "judge.retest_fraction in params.yaml"),
    "judge_canaries": Input(70, "answers of known worth, judged besides", "assumed", "judge.num_canary_questions in params.yaml, 7 each"),
    "judge_input_tokens": Input(1_200, "tokens in, a judged answer", "assumed", "rubric, question, key points, answer"),
    "judge_output_tokens": Input(500, "tokens out, a judged answer", "assumed", "plumbline/commands/plan.py"),
    "judge_input_usd": Input(PRICES[JUDGE].input, f"USD a million tokens in, {JUDGE}", "sourced", "Anthropic's price page, 2026-11-23"),
    "judge_output_usd": Input(PRICES[JUDGE].output, f"USD a million tokens out, {JUDGE}", "sourced", "Anthropic's price page, 2026-11-23"),
    "batch_factor": Input(BATCH_FACTOR, "price of a batch", "sourced", "Anthropic's price page, 2026-11-23"),
    "batch_bytes": Input(64e6, "bytes a batch", "assumed", "PLUMBLINE_JUDGE_BATCH_MEGABYTES; the API takes 256 MB"),
    "bytes_per_token": Input(4, "bytes a token of English", "assumed", "plumbline/commands/plan.py"),
    "batch_requests": Input(10_000, "requests a batch", "assumed", "PLUMBLINE_JUDGE_BATCH_REQUESTS; the API takes 100,000"),
    "batch_hours": Input(24, "h until a batch ends, at most", "sourced", "Anthropic's documentation of Message Batches"),
    "trial_requests": Input(TRIAL_BATCH, "requests of a trial batch, awaited alone", "assumed", "stages/judge.py"),
    "trial_from": Input(TRIAL_FROM, "calls from which on there is a trial", "assumed", "stages/judge.py"),
    "reply_seconds": Input(5, "s a reply of the judge", "assumed", "a few hundred tokens"),
    "judge_concurrency": Input(8, "calls at a time", "assumed", "PLUMBLINE_JUDGE_CONCURRENCY"),
    "judge_overhead": Input(1.02, "times calls x latency / concurrency", "measured", "docs/benchmarks.md, judging (16 at a time)"),
    "judge_cap_usd": Input(10, "USD that judging may cost as set", "assumed", "judge.max_cost_usd in params.yaml"),
    "memory_bytes": Input(16e9, "bytes of memory of the machine", "assumed", "a small server"),
}


class Facts:
    """The inputs, remembering which were looked at since the last line was written."""

    def __init__(self, inputs: Mapping[str, Input]) -> None:
        self.inputs, self.used = inputs, list[str]()

    def __getitem__(self, name: str) -> float:
        self.used.append(name)
        return self.inputs[name].value

    def rests_on(self) -> str:
        """What the numbers asked for since the last call rest on, by kind; forgets them."""
        named = {kind: [f"`{name}`" for name in dict.fromkeys(self.used) if self.inputs[name].known == kind] for kind in KINDS}
        self.used.clear()
        return "; ".join(f"**{kind}** {', '.join(names)}" for kind, names in named.items() if names)


def with_measurements(inputs: Mapping[str, Input], read: Callable[[str], Any]) -> dict[str, Input]:
    """The inputs with speeds of our own where a run on a GPU left them; `read` gives the object of a file in docs/runs, or None."""
    found = dict(inputs)
    train, answering = read("gpu_train.json"), read("gpu_answering.json")
    for name, arm, field, run, unit in (
        ("train_mfu", "N3", "mfu", train, "training arm"),
        ("nf4_mfu", "Q2", "mfu", train, "training arm"),
        ("train_bytes", "N3", "peak_memory_bytes", train, "training arm"),
        ("generate_tokens_per_second", "G0", "tokens_per_second", answering, "answering arm"),
    ):
        result = run["arms"].get(arm, {}) if run and run["shape"] == "mistral-7b" else {}
        if result.get("status") == "measured" and result.get(field):
            found[name] = replace(
                found[name], value=result[field], known="measured", source=f"docs/runs, {unit} {arm} on {run['device']}, a 7B shape"
            )
    if train and train.get("peak_dense_bf16_flops"):
        found["peak_flops"] = replace(
            found["peak_flops"], value=train["peak_dense_bf16_flops"], what=f"dense bf16 operations/s of {train['device']}"
        )
    return found
