"""Prove in seconds that training can succeed, before it costs hours: the real tokenizer, template and rows, a tiny random model."""

import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.model.orphans import die_with_parent
from plumbline.model.tokenization import Example, PromptDiffers, eos_id, pad_id, render_example, render_prompt
from plumbline.pages.html_page import write_page
from plumbline.pipeline.files import write_json
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.preflight.check import Check
from plumbline.preflight.readiness import (
    check_adapter_dtype,
    check_answer_format,
    check_eos_trained,
    check_general_prompts,
    check_heat,
    check_lora_modules,
    check_no_truncation,
    check_num_steps,
    check_one_bos,
    check_overfit,
    check_packed_gradients,
    check_prompt_masked,
    check_rows_fed,
    check_same_prompt,
    check_special_tokens,
    check_warmup,
)
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import KINDS, Question
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.general_prompts import replay_rows
from plumbline.training.prompt import training_prompt
from plumbline.training.schedule import plan_training

log = logging.getLogger("preflight")

NO_INSTRUCTIONS: dict[str, str] = dict.fromkeys(KINDS, "")


class PreflightParams(Params):
    """Limits of the checks."""

    num_overfit_rows: int
    max_heat: float
    """alpha / r x train.learning_rate above which a warning is given."""
    max_gradient_difference: float
    """Relative, packed against padded, fp32."""
    num_shown_rows: int


def main(
    params: PreflightParams,
    lora: LoraParams,
    training: TrainParams,
    answer: AnswerParams,
    *,
    train: Path,
    validation: Path,
    benchmark: Path,
    general: Path,
    base: Path,
    ready: Path,
    metrics: Path,
    page: Path,
) -> None:
    """Write the checks and the page; write `ready` (always the same bytes) only when nothing fails, else exit 1."""
    ready.unlink(missing_ok=True)  # of an earlier run by hand; DVC has removed it already
    rows = list(read_jsonl(train, InstructionRow))
    num_training_rows = len(rows)
    rows += read_jsonl(validation, InstructionRow)
    questions = list(read_jsonl(benchmark, Question))
    answers = list(read_jsonl(general, GeneralAnswer))
    replayed = replay_rows(answers, num_training_rows=num_training_rows, replay_fraction=training.replay_fraction, seed=training.seed)
    texts = [(training_prompt(row.instruction, row.input), row.output) for row in rows]
    texts += [(row.prompt, row.response) for row in replayed]
    # Imported here: a row that cannot be used is refused before torch, TRL and PEFT are waited for (5 s).
    from plumbline.model.runtime import prepare_torch
    from plumbline.model.weights import load_tokenizer
    from plumbline.preflight.readiness_probe import adapted_modules, overfit, packed_gradient_difference
    from plumbline.training.trainer import pack

    prepare_torch()
    tokenizer = load_tokenizer(base)
    examples: list[Example] = []
    for prompt, output in texts:
        with suppress(PromptDiffers):  # counted below: every such row is one example less
            examples.append(render_example(tokenizer, prompt, output))
    if len(examples) < len(texts):
        finish([check_same_prompt(len(texts) - len(examples), len(texts))], [], metrics=metrics, page=page, num_rows=num_training_rows)
    truncation = check_no_truncation([len(example.ids) for example in examples], training.max_length)
    trained_on = examples[:num_training_rows] + examples[len(rows) :]
    num_tokens = sum(len(example.ids) for example in trained_on)
    packable = [example for example in trained_on if len(example.ids) <= training.max_length]
    if not packable:
        finish([truncation], [], metrics=metrics, page=page, num_rows=len(trained_on), num_tokens=num_tokens)
    exam_prompts = [render_prompt(tokenizer, exam_prompt(question, answer.instructions.model_dump())) for question in questions]
    template_only = render_example(tokenizer, "x", "x")
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    few = spread_out(examples, params.num_overfit_rows, training.max_length)
    bos, eos, pad = tokenizer.bos_token_id, eos_id(tokenizer), pad_id(tokenizer)
    assert bos is None or isinstance(bos, int)
    fitting = [example for example in examples if len(example.ids) <= training.max_length]
    packed = pack(packable, max_length=training.max_length, packing=training.packing, seed=training.seed)
    schedule = plan_training(num_rows=len(packed), num_tokens=num_tokens, params=training)
    adapted = adapted_modules(base, lora, training, tokenizer, fitting, num_rows_per_step=schedule.num_rows_per_step)
    # Measured anew, not taken from the examples: a renderer that miscounts would agree with itself.
    num_prompt_tokens = {
        tuple(example.ids): len(render_prompt(tokenizer, prompt)) for (prompt, _), example in zip(texts, examples, strict=True)
    }
    labels = [document.labels for document in adapted.fed]
    learnt = overfit(base, few, pad=pad, eos=eos)
    scale = lora.alpha / (lora.r**0.5 if lora.use_rslora else lora.r)
    checks = [
        check_same_prompt(0, len(texts)),
        check_rows_fed(sum(tuple(document.ids) in num_prompt_tokens for document in adapted.fed), len(adapted.fed), len(fitting)),
        check_one_bos([*(example.ids for example in examples), *exam_prompts], bos),
        check_eos_trained(labels, eos),
        check_prompt_masked(labels, [num_prompt_tokens.get(tuple(document.ids), 0) for document in adapted.fed]),
        truncation,
        check_special_tokens([example.ids for example in examples], special, sum(token in special for token in template_only.ids)),
        check_lora_modules(adapted.num_adapted, adapted.num_expected, adapted.unmatched, adapted.num_linear),
        check_adapter_dtype(adapted.dtypes),
        check_packed_gradients(packed_gradient_difference(base, few, pad=pad), params.max_gradient_difference),
        check_overfit(learnt.loss, learnt.num_exact, len(few), learnt.num_stopped),
        check_num_steps(schedule.num_planned_steps, training.max_steps),
        check_warmup(schedule.num_warmup_steps),
        check_heat(scale, training.learning_rate, params.max_heat),
        check_answer_format(
            [(training_prompt(row.instruction, row.input), row.output) for row in rows], {question.kind for question in questions}
        ),
        check_general_prompts(
            [answer.prompt for answer in answers],
            asked=[text for question in questions for text in (question.question, exam_prompt(question, NO_INSTRUCTIONS))],
            taught=[training_prompt(row.instruction, row.input) for row in rows],
        ),
    ]
    shown = [index * len(rows) // params.num_shown_rows for index in range(params.num_shown_rows)]
    finish(
        checks,
        [{"id": rows[index].id, "tokens": tokens_shown(tokenizer, examples[index], special)} for index in shown],
        metrics=metrics,
        page=page,
        num_rows=len(trained_on),
        num_tokens=num_tokens,
    )
    write_json(ready, {"ready": True})


def finish(
    checks: list[Check], shown: list[dict[str, object]], *, metrics: Path, page: Path, num_rows: int, num_tokens: int | None = None
) -> None:
    """Write the checks and the page, say what does not pass, and exit 1 where a check fails."""
    failed = [check for check in checks if check.status == "fail"]
    warned = [check for check in checks if check.status == "warn"]
    verdict = (
        "Not ready: " + ", ".join(check.name for check in failed)
        if failed
        else f"Ready to train, {len(warned)} warning{'' if len(warned) == 1 else 's'}"
    )
    write_json(
        metrics,
        {
            "ready": not failed,
            "num_failed": len(failed),
            "num_warned": len(warned),
            "num_examples": num_rows,
            "num_tokens": num_tokens,
            "checks": {check.name: f"{check.status}: {check.found}" for check in checks},
        },
    )
    write_page(
        page,
        template=Path("plumbline/pages/templates/preflight.html.j2"),
        context={"verdict": verdict, "num_rows": num_rows, "num_tokens": num_tokens, "checks": checks, "rows": shown},
    )
    for check in checks:
        if check.status != "pass":
            log.warning("%s %s: %s. %s", check.status, check.name, check.found, check.remedy)
    log.info("%s", verdict)
    if failed:
        sys.exit(1)


def spread_out(examples: list[Example], num: int, max_length: int) -> list[Example]:
    """Take examples of different prompts and short enough to be learnt by heart, evenly over the data."""
    distinct = {tuple(example.ids[: example.num_prompt_tokens]): example for example in examples if len(example.ids) <= max_length}
    short = sorted(distinct.values(), key=lambda example: (len(example.ids), example.ids))[: max(num, len(distinct) // 2)]
    return [short[index * len(short) // num] for index in range(min(num, len(short)))]


def tokens_shown(tokenizer: Any, example: Example, special: set[int]) -> list[dict[str, object]]:
    """One entry per token: its text, whether it is trained, whether it is a control token."""
    return [
        {"text": tokenizer.decode([token]), "trained": label != -100, "control": token in special}
        for token, label in zip(example.ids, example.labels, strict=True)
    ]


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent()
    with inputs_unchanged():
        main(
            load_params("preflight", PreflightParams),
            load_params("lora", LoraParams),
            load_params("train", TrainParams),
            load_params("answer", AnswerParams),
            train=Path("data/split/train.jsonl"),
            validation=Path("data/split/validation.jsonl"),
            benchmark=Path("data/split/benchmark.jsonl"),
            general=Path("data/answers/general.jsonl"),
            base=Path("models/base"),
            ready=Path("data/preflight/ready.json"),
            metrics=Path("metrics/preflight.json"),
            page=Path("metrics/preflight.html"),
        )
