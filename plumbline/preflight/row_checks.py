"""The checks that need only the texts of the rows and their tokens."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.model.assistant_turn import control_ids
from plumbline.model.tokenization import render_example, render_prompt
from plumbline.preflight.check import Check
from plumbline.preflight.gathered import Gathered
from plumbline.preflight.readiness import (
    check_answer_format,
    check_general_prompts,
    check_no_truncation,
    check_one_bos,
    check_same_prompt,
    check_special_tokens,
)
from plumbline.preflight.settings import Settings
from plumbline.rows.instruction_row import Exchange
from plumbline.rows.question import KINDS
from plumbline.training.dialogues import Trainable, render_dialogue

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NO_INSTRUCTIONS: dict[str, str] = dict.fromkeys(KINDS, "")


def checks_of_rows(
    gathered: Gathered, rendered: Sequence[Sequence[Trainable]], tokenizer: "PreTrainedTokenizerBase", settings: Settings
) -> list[Check]:
    """What the texts and their tokens show. `rendered`: the examples of each row."""
    examples = [example for row in rendered for example in row]
    questions, special = gathered.questions, control_ids(tokenizer)
    exam_prompts = [render_prompt(tokenizer, exam_prompt(question, settings.instructions)) for question in questions]
    template = render_example(tokenizer, "x", "x").ids
    bos = tokenizer.bos_token_id
    assert bos is None or isinstance(bos, int)
    return [
        check_same_prompt(0, len(rendered)),
        check_one_bos([*(example.ids for example in examples), *exam_prompts], bos, has_template_bos=template[0] == bos),
        check_no_truncation([len(example.ids) for example in examples], settings.training.max_length),
        check_special_tokens(
            {name: row[-1].ids for name, row in zip(gathered.names, rendered, strict=True)},
            special,
            sum(token in special for token in template),
            control_tokens_of_longer(gathered, tokenizer, special),
        ),
        check_answer_format(gathered.row_texts, {question.kind for question in questions}),
        check_general_prompts(
            [answer.prompt for answer in gathered.answers],
            asked=[text for question in questions for text in (question.question, exam_prompt(question, NO_INSTRUCTIONS))],
            taught=[prompt for prompt, _ in gathered.row_texts],
        ),
    ]


def control_tokens_of_longer(gathered: Gathered, tokenizer: "PreTrainedTokenizerBase", special: Collection[int]) -> dict[str, int]:
    """How many control tokens the template writes into each row of several exchanges."""
    lengths = {name: len(exchanges) for name, exchanges in zip(gathered.names, gathered.dialogues, strict=True) if len(exchanges) > 1}
    plain = Exchange(user="x", assistant="x", is_trained=True)
    written = {number: render_dialogue(tokenizer, [plain] * number)[-1].ids for number in set(lengths.values())}
    return {name: sum(token in special for token in written[number]) for name, number in lengths.items()}
