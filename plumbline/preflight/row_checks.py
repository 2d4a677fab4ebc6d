"""The checks that need only the texts of the rows and their tokens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.model.assistant_turn import control_ids
from plumbline.model.tokenization import Example, render_example, render_prompt
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
from plumbline.rows.question import KINDS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NO_INSTRUCTIONS: dict[str, str] = dict.fromkeys(KINDS, "")


def checks_of_rows(
    gathered: Gathered, examples: Sequence[Example], tokenizer: "PreTrainedTokenizerBase", settings: Settings
) -> list[Check]:
    """What the texts and their tokens show."""
    questions, special = gathered.questions, control_ids(tokenizer)
    exam_prompts = [render_prompt(tokenizer, exam_prompt(question, settings.instructions)) for question in questions]
    template = render_example(tokenizer, "x", "x").ids
    bos = tokenizer.bos_token_id
    assert bos is None or isinstance(bos, int)
    return [
        check_same_prompt(0, len(gathered.texts)),
        check_one_bos([*(example.ids for example in examples), *exam_prompts], bos, has_template_bos=template[0] == bos),
        check_no_truncation([len(example.ids) for example in examples], settings.training.max_length),
        check_special_tokens(
            dict(zip(gathered.names, (example.ids for example in examples), strict=True)),
            special,
            sum(token in special for token in template),
        ),
        check_answer_format(gathered.row_texts, {question.kind for question in questions}),
        check_general_prompts(
            [answer.prompt for answer in gathered.answers],
            asked=[text for question in questions for text in (question.question, exam_prompt(question, NO_INSTRUCTIONS))],
            taught=[prompt for prompt, _ in gathered.row_texts],
        ),
    ]
