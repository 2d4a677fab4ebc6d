"""Time and memory of a run, line by line, each with how it is known. Touches the device and, for a measured step, models/base."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.model.base_files import BaseRefused, weights_folder
from plumbline.number_text import size_text
from plumbline.pipeline.heartbeat import duration
from plumbline.planning.device_probe import NUM_TIMED_STEPS, matrix_speed, seconds_per_step
from plumbline.planning.line import WHOLE, Line
from plumbline.planning.model_size import Counted
from plumbline.planning.planning import (
    NUM_CHECKPOINTS,
    SECONDS_PER_DECODING_STEP_ON_GPU,
    activation_bytes,
    base_bytes,
    decoding_flops_per_token,
    training_flops_per_token,
)
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.device_readiness import free_bytes
from plumbline.training.dialogues import Trainable, num_trained_tokens
from plumbline.training.rank_batches import micro_batch_rows
from plumbline.training.schedule import Schedule
from plumbline.training.training_arguments import recomputes_activations
from plumbline.training.weight_bytes import BYTES_PER_TRAINED_WEIGHT

ASSUMED_SHARE_OF_MATRIX_SPEED = {"cpu": 0.45, "cuda": 0.5}
"""Of the speed of plain matrix products on the same device. A step of SmolLM2 in bfloat16 reached 0.47 on two processors without other work.
On one H200 a step reached 406 TFLOP/s (docs/benchmarks.md), products about 790."""
ASSUMED_DECODING_SHARE_ON_CPU = 0.25
"""Of the same speed: a step of a batch multiplies few rows with all weights, and reads everything before it."""
ASSUMED_READING_SHARE = 0.5
"""Of the same speed: a prompt is read in one pass, many rows at a time."""
LONGEST_TRIAL_SECONDS = 60.0
"""Real steps are measured if they take no longer."""

ASSUMED_SECONDS_TO_START = 5.0
"""A stage that loads torch takes so long on two cores before its work begins."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What the estimates rest on."""

    counted: Counted
    known: str
    """Where its config.json is from."""
    examples: Sequence[Trainable]
    schedule: Schedule
    lora: LoraParams
    training: TrainParams
    answering: AnswerParams
    dtype: str
    quantization: str
    device: str

    @property
    def labelled_fraction(self) -> float:
        """Share of the tokens that have a label, 0-1."""
        return sum(map(num_trained_tokens, self.examples)) / sum(len(one.ids) for one in self.examples)


def training_line(planned: Planned, base: Path, *, here: bool) -> Line:
    """How long the training takes: measured if the weights are here and a few steps are short, else estimated. `here`: the base is in models/base."""
    schedule, tokens_per_step = planned.schedule, planned.training.tokens_per_step
    flops = training_flops_per_token(
        planned.counted.size,
        num_lora_weights=planned.counted.num_lora_weights,
        labelled_fraction=planned.labelled_fraction,
        attended_tokens=sum(len(one.ids) ** 2 for one in planned.examples) / sum(len(one.ids) for one in planned.examples),
    )
    speed = matrix_speed(planned.device, planned.dtype)
    share = ASSUMED_SHARE_OF_MATRIX_SPEED["cuda" if planned.device.startswith("cuda") else "cpu"]
    step = tokens_per_step * flops / (speed * share)
    known = f"estimated: {share:.0%} of matrix products on {planned.device}, measured at {speed / 1e12:.2f} TFLOP/s; {flops / 1e9:.2f} GFLOP a token"
    if here and step * (NUM_TIMED_STEPS + 1) <= LONGEST_TRIAL_SECONDS and are_at_hand(base):
        fitting = [one for one in planned.examples if len(one.ids) <= planned.training.max_length]
        step = seconds_per_step(base, fitting, planned.lora, planned.training, schedule)
        known = f"measured: {NUM_TIMED_STEPS} real steps on {planned.device}, without start and validation"
    num_tokens, seconds = schedule.num_steps * tokens_per_step, step * schedule.num_steps
    return Line("training", f"{duration(seconds)} for {num_tokens:,} tokens", known, seconds)


def are_at_hand(base: Path) -> bool:
    """Whether the weights can be loaded without fetching anything."""
    try:
        weights_folder(base)
    except BaseRefused:
        return False
    return True


def answering_seconds(planned: Planned, num_tokens: int, num_answers: int, *, max_new_tokens: int, batch_size: int) -> tuple[float, str]:
    """How long so many answers take if none ends before its limit, and how that is known."""
    if planned.device.startswith("cuda"):
        seconds = -(-num_answers // batch_size) * max_new_tokens * SECONDS_PER_DECODING_STEP_ON_GPU
        return seconds, f"assumed: {SECONDS_PER_DECODING_STEP_ON_GPU * 1000:.0f} ms a step of a batch"
    rate = matrix_speed(planned.device, planned.dtype) * ASSUMED_DECODING_SHARE_ON_CPU / decoding_flops_per_token(planned.counted.size)
    return num_tokens / rate, f"estimated: {ASSUMED_DECODING_SHARE_ON_CPU:.0%} of matrix products, {rate:,.0f} tokens/s"


def answer_lines(planned: Planned, num_questions: int, *, num_arms: int) -> list[Line]:
    """How much is answered, and how long an arm takes if no answer ends before its limit."""
    answering = planned.answering
    num_answers = num_questions * answering.num_samples
    largest = num_answers * answering.max_new_tokens
    samples = f" x {answering.num_samples} samples" if answering.num_samples > 1 else ""
    seconds, known = answering_seconds(
        planned, largest, num_answers, max_new_tokens=answering.max_new_tokens, batch_size=answering.batch_size
    )
    return [
        Line("answers", f"{num_arms} arms, {num_questions} questions{samples}, at most {largest:,} tokens an arm", "computed"),
        Line("", f"at most {duration(seconds)} an arm", known, seconds * num_arms),
    ]


def probe_lines(planned: Planned, limits: Mapping[int, int], *, batch_size: int) -> list[Line]:
    """How long base and tuned together take for the probes. `limits`: most tokens of an answer -> probes with it."""
    count, largest = sum(limits.values()), sum(limit * number for limit, number in limits.items())
    if not count:
        return []
    taken = [
        answering_seconds(planned, limit * number, number, max_new_tokens=limit, batch_size=batch_size) for limit, number in limits.items()
    ]
    both = 2 * sum(seconds for seconds, _ in taken)
    return [
        Line("probes", f"{count} small tasks for base and for tuned, at most {largest:,} tokens each", "computed"),
        Line("", f"at most {duration(both)} for both", taken[0][1], both),
    ]


def general_lines(planned: Planned, num_prompts: int, general: Mapping[str, Any]) -> list[Line]:
    """How long base takes for the prompts by which forgetting is measured. `general`: that section of params.yaml."""
    if not num_prompts:
        return []
    limit, batch_size = int(general["max_new_tokens"]), int(general["batch_size"])
    seconds, known = answering_seconds(planned, num_prompts * limit, num_prompts, max_new_tokens=limit, batch_size=batch_size)
    return [Line("general", f"{num_prompts} prompts for base, at most {duration(seconds)}", known, seconds)]


def context_lines(planned: Planned, num_questions: int, before: Mapping[str, float], *, read_once: Collection[str] = ()) -> list[Line]:
    """What is read besides the questions. `before`: arm -> the most tokens before a question, as a mean; `read_once`: arms that read them once a kind."""
    if not before:
        return []
    named = ", ".join(f"{arm} {tokens:,.0f}" for arm, tokens in before.items())
    lines = [
        Line("contexts", f"at most {named} tokens before a question, on average", "computed from retrieve.k, chunk_tokens and examples")
    ]
    each = [tokens * num_questions for arm, tokens in before.items() if arm not in read_once]
    once = f"{' and '.join(sorted(read_once))}: read once a kind of question, which takes seconds" if read_once else ""
    if not each:
        return [*lines, Line("", once, "each kind has the same examples")]
    rate = matrix_speed(planned.device, planned.dtype) * ASSUMED_READING_SHARE / decoding_flops_per_token(planned.counted.size)
    return [
        *lines,
        Line(
            "",
            f"reading takes at most {duration(max(each) / rate)} an arm{f'; {once}' if once else ''}",
            f"estimated: {ASSUMED_READING_SHARE:.0%} of matrix products, {rate:,.0f} tokens/s",
            sum(each) / rate,
        ),
    ]


def whole_line(lines: Sequence[Line], *, num_stages: int) -> Line:
    """How long all lines together take, and the stages to start."""
    seconds = sum(line.seconds for line in lines) + num_stages * ASSUMED_SECONDS_TO_START
    return Line(
        WHOLE,
        f"about {duration(seconds)} if nothing else uses this machine",
        f"the sum, and {ASSUMED_SECONDS_TO_START:g} s to start each of {num_stages} stages; less if answers end before their limit; "
        "without validation, preflight, a base that is trained here, and a judge over a network",
    )


def memory_lines(planned: Planned, *, free_disk_bytes: int) -> list[Line]:
    """What is held at once in training, and what is left on the disk."""
    size, num_lora, where = planned.counted.size, planned.counted.num_lora_weights, planned.device
    weights = base_bytes(size, dtype=planned.dtype, quantization=planned.quantization)
    micro = micro_batch_rows(planned.schedule.num_rows_per_step, planned.training) * planned.training.max_length
    held = activation_bytes(
        size, num_tokens=micro, dtype=planned.dtype, checkpointing=recomputes_activations(), labelled_fraction=planned.labelled_fraction
    )
    trained = BYTES_PER_TRAINED_WEIGHT * num_lora
    needed, free = weights + trained + held, free_bytes(where)
    verdict = (
        "fits"
        if needed < free
        else "does NOT fit: lower PLUMBLINE_MICRO_BATCH_TOKENS, or set PLUMBLINE_GRADIENT_CHECKPOINTING=1 or base.quantization=nf4"
    )
    return [
        Line(
            "memory",
            f"{size_text(needed)} of {size_text(free)} free on {where}: {verdict}",
            "weights and adapter counted, the rest estimated",
        ),
        Line(
            "",
            f"base {size_text(weights)}, adapter with Adam {size_text(trained)}, activations {size_text(held)}",
            f"{micro:,} tokens at once",
        ),
        Line(
            "disk",
            f"base {size_text(base_bytes(size, dtype=planned.dtype, quantization='none'))}, adapter {size_text(4 * num_lora)}, "
            f"checkpoints {size_text(NUM_CHECKPOINTS * 12 * num_lora)}; free {size_text(free_disk_bytes)}",
            "computed; DVC's cache holds one more adapter for each run that is kept",
        ),
    ]
