"""The checks that need the schedule, the trainer and a tiny model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.model.assistant_turn import assistant_turn
from plumbline.model.tokenization import pad_id, render_prompt
from plumbline.preflight.check import Check
from plumbline.preflight.model_checks import Share, check_lora_modules, check_packed_gradients
from plumbline.preflight.readiness import (
    check_adapter_dtype,
    check_eos_trained,
    check_heat,
    check_num_steps,
    check_overfit,
    check_prompt_masked,
    check_rows_fed,
    check_warmup,
)
from plumbline.preflight.settings import Settings
from plumbline.rows.instruction_row import Exchange
from plumbline.rows.training_params import LoraParams
from plumbline.training.dialogues import Trainable, answers_in
from plumbline.training.schedule import plan_training

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def checks_of_training(
    examples: Sequence[Trainable],
    trained_on: Sequence[Trainable],
    dialogues: Sequence[Sequence[Exchange]],
    tokenizer: "PreTrainedTokenizerBase",
    settings: Settings,
    *,
    base: Path,
) -> list[Check]:
    """What the schedule, the trainer and a tiny model show. `dialogues`: exchanges of each example, up to its last answer."""
    from plumbline.preflight.adapted import adapted_modules
    from plumbline.preflight.gradients import gradient_difference
    from plumbline.preflight.readiness_probe import overfit
    from plumbline.training.packing import pack

    limits, lora, training = settings.limits, settings.lora, settings.training
    end, pad = assistant_turn(tokenizer).end, pad_id(tokenizer)
    few = spread_out(examples, limits.num_overfit_rows, training.max_length)
    fitting = [example for example in examples if len(example.ids) <= training.max_length]
    packable = [example for example in trained_on if len(example.ids) <= training.max_length]
    packed = pack(packable, max_length=training.max_length, packing=training.packing, seed=training.seed)
    schedule = plan_training(num_rows=len(packed), num_tokens=sum(len(example.ids) for example in trained_on), params=training)
    adapted = adapted_modules(base, lora, training, tokenizer, fitting, num_rows_per_step=schedule.num_rows_per_step)
    # Measured again: if the renderer miscounts, its own numbers would not show it.
    num_prompt_tokens = {
        tuple(example.ids): num_before_first_answer(tokenizer, dialogue, example)
        for dialogue, example in zip(dialogues, examples, strict=True)
    }
    num_answers = {tuple(example.ids): len(answers_in(example)) for example in examples}
    labels = [document.labels for document in adapted.fed]
    gradients = gradient_difference(base, few, pad=pad, packing=training.packing)
    learnt = overfit(base, few, pad=pad, end=end)
    return [
        check_rows_fed(sum(tuple(document.ids) in num_prompt_tokens for document in adapted.fed), len(adapted.fed), len(fitting)),
        check_eos_trained(labels, end, [num_answers.get(tuple(document.ids), 1) for document in adapted.fed]),
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


def num_before_first_answer(tokenizer: "PreTrainedTokenizerBase", dialogue: Sequence[Exchange], example: Trainable) -> int:
    """Tokens that answering would show before the first answer that is trained."""
    trained = [place for place, exchange in enumerate(dialogue) if exchange.is_trained]
    first = trained[0] if len(answers_in(example)) > 1 else len(dialogue) - 1
    return len(render_prompt(tokenizer, dialogue[first].user, dialogue[:first]))


def share_of(base: Path, lora: LoraParams) -> Share:
    """The share of weights that is adapted, counted on the base's architecture at its full size."""
    from plumbline.training.adapted_weights import adapted_weights

    counted = adapted_weights(base, lora)
    return Share(
        num_weights=counted.num_weights,
        num_adapted=counted.num_adapted,
        experts_left_out=counted.experts_left_out,
        towers=counted.towers,
    )


def spread_out(examples: Sequence[Trainable], num: int, max_length: int) -> list[Trainable]:
    """Take examples with different prompts, short enough to be learnt by heart, evenly over the data."""
    distinct = {tuple(example.ids[: example.num_prompt_tokens]): example for example in examples if len(example.ids) <= max_length}
    short = sorted(distinct.values(), key=lambda example: (len(example.ids), example.ids))[: max(num, len(distinct) // 2)]
    return [short[index * len(short) // num] for index in range(min(num, len(short)))]
