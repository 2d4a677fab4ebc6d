"""Preflight from its files to its files: gather what training would see, check it on a tiny model, write what was found."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.model.tokenization import Example, PromptDiffers, eos_id, pad_id, render_example, render_prompt
from plumbline.pages.html_page import write_page
from plumbline.pipeline.files import write_json
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.preflight.check import Check
from plumbline.preflight.model_checks import Share, check_lora_modules, check_packed_gradients
from plumbline.preflight.readiness import (
    check_adapter_dtype,
    check_answer_format,
    check_eos_trained,
    check_general_prompts,
    check_heat,
    check_no_truncation,
    check_num_steps,
    check_one_bos,
    check_overfit,
    check_prompt_masked,
    check_rows_fed,
    check_same_prompt,
    check_special_tokens,
    check_warmup,
)
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import KINDS, Question
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.general_prompts import replay_rows
from plumbline.training.prompt import training_prompt
from plumbline.training.schedule import plan_training

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger("preflight")

NO_INSTRUCTIONS: dict[str, str] = dict.fromkeys(KINDS, "")


class Limits(Protocol):
    """Limits of the checks, as the stage's section of params.yaml holds them."""

    @property
    def num_overfit_rows(self) -> int: ...
    @property
    def max_heat(self) -> float: ...
    @property
    def max_gradient_difference(self) -> float: ...
    @property
    def num_shown_rows(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class PreflightFiles:
    """What preflight reads and writes."""

    train: Path
    validation: Path
    benchmark: Path
    general: Path
    base: Path
    template: Path
    """Of the page."""
    ready: Path
    metrics: Path
    page: Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The training that is to be proven."""

    limits: Limits
    lora: LoraParams
    training: TrainParams
    instructions: dict[str, str]
    """Kind of question -> closing instruction."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The rows, as read."""

    rows: list[InstructionRow]
    """Of training, then of validation."""
    num_training_rows: int
    questions: list[Question]
    answers: list[GeneralAnswer]
    replayed: list[GeneralAnswer]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Prompt and output of each row, replay rows last."""
        return self.row_texts + [(row.prompt, row.response) for row in self.replayed]

    @property
    def row_texts(self) -> list[tuple[str, str]]:
        return [(training_prompt(row.instruction, row.input), row.output) for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is written down."""

    checks: list[Check]
    shown: list[dict[str, object]]
    """Rows of the page: id and tokens."""
    num_rows: int
    num_tokens: int | None
    """None where the rows could not be rendered."""

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if check.status == "fail"]

    @property
    def verdict(self) -> str:
        warned = sum(check.status == "warn" for check in self.checks)
        if self.failed:
            return "Not ready: " + ", ".join(check.name for check in self.failed)
        return f"Ready to train, {warned} warning{'' if warned == 1 else 's'}"


def run(settings: Settings, files: PreflightFiles) -> Findings:
    """Write the checks and the page; write `ready` (always the same bytes) only where nothing fails."""
    files.ready.unlink(missing_ok=True)  # of an earlier run by hand; DVC has removed it already
    findings = find(gather(files, settings.training), settings, base=files.base)
    write(findings, files)
    if not findings.failed:
        write_json(files.ready, {"ready": True})
    return findings


def gather(files: PreflightFiles, training: TrainParams) -> Gathered:
    """Read all rows. ValueError names a line that cannot be used."""
    rows = list(read_jsonl(files.train, InstructionRow))
    num_training_rows = len(rows)
    rows += read_jsonl(files.validation, InstructionRow)
    questions = list(read_jsonl(files.benchmark, Question))
    answers = list(read_jsonl(files.general, GeneralAnswer))
    return Gathered(
        rows=rows,
        num_training_rows=num_training_rows,
        questions=questions,
        answers=answers,
        replayed=replay_rows(answers, num_training_rows=num_training_rows, replay_fraction=training.replay_fraction, seed=training.seed),
    )


def find(gathered: Gathered, settings: Settings, *, base: Path) -> Findings:
    """Render the rows and check them. Where a prompt differs, or no row fits, nothing else can be checked."""
    # Imported here: a row that cannot be used is refused before torch, TRL and PEFT are waited for (5 s).
    from plumbline.model.runtime import prepare_torch
    from plumbline.model.weights import load_tokenizer

    prepare_torch()
    tokenizer = load_tokenizer(base)
    texts, training = gathered.texts, settings.training
    examples: list[Example] = []
    for prompt, output in texts:
        with suppress(PromptDiffers):  # counted below: every such row is one example less
            examples.append(render_example(tokenizer, prompt, output))
    if len(examples) < len(texts):
        differs = check_same_prompt(len(texts) - len(examples), len(texts))
        return Findings(checks=[differs], shown=[], num_rows=gathered.num_training_rows, num_tokens=None)
    trained_on = examples[: gathered.num_training_rows] + examples[len(gathered.rows) :]
    num_tokens = sum(len(example.ids) for example in trained_on)
    if any(len(example.ids) <= training.max_length for example in trained_on):
        checks = [
            *checks_of_rows(gathered, examples, tokenizer, settings),
            *checks_of_training(examples, trained_on, [prompt for prompt, _ in texts], tokenizer, settings, base=base),
        ]
        by_name = {check.name: check for check in checks}
        assert len(by_name) == len(ORDER)
        checks, num_shown = [by_name[name] for name in ORDER], settings.limits.num_shown_rows
    else:
        checks, num_shown = [check_no_truncation([len(example.ids) for example in examples], training.max_length)], 0
    special = control_tokens(tokenizer)
    shown = [index * len(gathered.rows) // num_shown for index in range(num_shown)]
    return Findings(
        checks=checks,
        shown=[{"id": gathered.rows[index].id, "tokens": tokens_shown(tokenizer, examples[index], special)} for index in shown],
        num_rows=len(trained_on),
        num_tokens=num_tokens,
    )


ORDER = (
    "same_prompt",
    "rows_fed",
    "one_bos",
    "eos_trained",
    "prompt_masked",
    "no_truncation",
    "special_tokens",
    "lora_modules",
    "adapter_dtype",
    "packed_gradients",
    "overfit",
    "num_steps",
    "warmup",
    "heat",
    "answer_format",
    "general_prompts",
)
"""Of the checks, as they are written."""


def checks_of_rows(
    gathered: Gathered, examples: Sequence[Example], tokenizer: "PreTrainedTokenizerBase", settings: Settings
) -> list[Check]:
    """What the texts and their tokens show."""
    questions, special = gathered.questions, control_tokens(tokenizer)
    exam_prompts = [render_prompt(tokenizer, exam_prompt(question, settings.instructions)) for question in questions]
    num_of_template = sum(token in special for token in render_example(tokenizer, "x", "x").ids)
    bos = tokenizer.bos_token_id
    assert bos is None or isinstance(bos, int)
    return [
        check_same_prompt(0, len(gathered.texts)),
        check_one_bos([*(example.ids for example in examples), *exam_prompts], bos),
        check_no_truncation([len(example.ids) for example in examples], settings.training.max_length),
        check_special_tokens([example.ids for example in examples], special, num_of_template),
        check_answer_format(gathered.row_texts, {question.kind for question in questions}),
        check_general_prompts(
            [answer.prompt for answer in gathered.answers],
            asked=[text for question in questions for text in (question.question, exam_prompt(question, NO_INSTRUCTIONS))],
            taught=[prompt for prompt, _ in gathered.row_texts],
        ),
    ]


def checks_of_training(
    examples: Sequence[Example],
    trained_on: Sequence[Example],
    prompts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    settings: Settings,
    *,
    base: Path,
) -> list[Check]:
    """What the schedule, the trainer and a tiny model show. `prompts`: of each example, as text."""
    from plumbline.preflight.adapted import adapted_modules
    from plumbline.preflight.gradients import gradient_difference
    from plumbline.preflight.readiness_probe import overfit
    from plumbline.training.trainer import pack

    limits, lora, training = settings.limits, settings.lora, settings.training
    eos, pad = eos_id(tokenizer), pad_id(tokenizer)
    few = spread_out(examples, limits.num_overfit_rows, training.max_length)
    fitting = [example for example in examples if len(example.ids) <= training.max_length]
    packable = [example for example in trained_on if len(example.ids) <= training.max_length]
    packed = pack(packable, max_length=training.max_length, packing=training.packing, seed=training.seed)
    schedule = plan_training(num_rows=len(packed), num_tokens=sum(len(example.ids) for example in trained_on), params=training)
    adapted = adapted_modules(base, lora, training, tokenizer, fitting, num_rows_per_step=schedule.num_rows_per_step)
    # Measured again, not taken from the examples: a renderer that miscounts would agree with itself.
    num_prompt_tokens = {
        tuple(example.ids): len(render_prompt(tokenizer, prompt)) for prompt, example in zip(prompts, examples, strict=True)
    }
    labels = [document.labels for document in adapted.fed]
    gradients = gradient_difference(base, few, pad=pad, packing=training.packing)
    learnt = overfit(base, few, pad=pad, eos=eos)
    return [
        check_rows_fed(sum(tuple(document.ids) in num_prompt_tokens for document in adapted.fed), len(adapted.fed), len(fitting)),
        check_eos_trained(labels, eos),
        check_prompt_masked(labels, [num_prompt_tokens.get(tuple(document.ids), 0) for document in adapted.fed]),
        check_lora_modules(
            adapted.num_adapted,
            adapted.num_expected,
            adapted.unmatched,
            adapted.num_linear,
            num_layers=adapted.num_layers,
            num_fused=adapted.num_fused_adapted,
            num_left_to_experts=adapted.num_left_to_experts,
            problem=adapted.problem,
            share=share_of(base, lora) if adapted.num_adapted or adapted.num_fused_adapted else None,
        ),
        check_adapter_dtype(adapted.dtypes),
        check_packed_gradients(gradients.difference, limits.max_gradient_difference, packed=gradients.packed, problem=gradients.problem),
        check_overfit(learnt.loss, learnt.num_exact, len(few), learnt.num_stopped),
        check_num_steps(schedule.num_planned_steps, training.max_steps),
        check_warmup(schedule.num_warmup_steps),
        check_heat(lora.scale, training.learning_rate, limits.max_heat),
    ]


def share_of(base: Path, lora: LoraParams) -> Share:
    """Counted on the base's architecture at its full size."""
    from plumbline.training.adapted_weights import adapted_weights

    counted = adapted_weights(base, lora)
    return Share(
        num_weights=counted.num_weights,
        num_adapted=counted.num_adapted,
        experts_left_out=counted.experts_left_out,
        towers=counted.towers,
    )


def write(findings: Findings, files: PreflightFiles) -> None:
    """Write the checks and the page, and say what does not pass."""
    checks = findings.checks
    write_json(
        files.metrics,
        {
            "ready": not findings.failed,
            "num_failed": len(findings.failed),
            "num_warned": sum(check.status == "warn" for check in checks),
            "num_examples": findings.num_rows,
            "num_tokens": findings.num_tokens,
            "checks": {check.name: f"{check.status}: {check.found}" for check in checks},
        },
    )
    write_page(
        files.page,
        template=files.template,
        context={
            "verdict": findings.verdict,
            "num_rows": findings.num_rows,
            "num_tokens": findings.num_tokens,
            "checks": checks,
            "rows": findings.shown,
        },
    )
    for check in checks:
        if check.status != "pass":
            log.warning("%s %s: %s. %s", check.status, check.name, check.found, check.remedy)


def control_tokens(tokenizer: "PreTrainedTokenizerBase") -> set[int]:
    return set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)


def spread_out(examples: Sequence[Example], num: int, max_length: int) -> list[Example]:
    """Take examples of different prompts and short enough to be learnt by heart, evenly over the data."""
    distinct = {tuple(example.ids[: example.num_prompt_tokens]): example for example in examples if len(example.ids) <= max_length}
    short = sorted(distinct.values(), key=lambda example: (len(example.ids), example.ids))[: max(num, len(distinct) // 2)]
    return [short[index * len(short) // num] for index in range(min(num, len(short)))]


def tokens_shown(tokenizer: "PreTrainedTokenizerBase", example: Example, special: set[int]) -> list[dict[str, object]]:
    """One entry per token: its text, whether it is trained, whether it is a control token."""
    return [
        {"text": tokenizer.decode([token]), "trained": label != -100, "control": token in special}
        for token, label in zip(example.ids, example.labels, strict=True)
    ]
