"""What a model thinks is known by marks that are special tokens: these stay in the text, and all other control tokens go."""

from typing import Any

import pytest

from plumbline.answering.decoding import decode_answer
from plumbline.model.tokenization import stop_ids
from plumbline.thinking import spoken
from tests.fakes.chat_families import FAMILIES


def decoded(name: str, text: str) -> str:
    tokenizer: Any = FAMILIES[name].tokenizer()
    stops = stop_ids(tokenizer, tokenizer.convert_tokens_to_ids(list(FAMILIES[name].stops)))
    return decode_answer(tokenizer, tokenizer(text, add_special_tokens=False).input_ids, stops=stops)


@pytest.mark.parametrize(
    ("name", "written", "kept", "said"),
    [
        (
            "gptoss",
            "<|channel|>analysis<|message|>Is it B? No.<|end|><|start|>assistant<|channel|>final<|message|>Answer: 12 N<|return|>",
            "<|channel|>analysis<|message|>Is it B? No.<|end|><|start|>assistant<|channel|>final<|message|>Answer: 12 N",
            "Answer: 12 N",
        ),
        ("gptoss", "<|channel|>final<|message|>Answer: 12 N<|return|>", "Answer: 12 N", "Answer: 12 N"),
        ("gptoss", "<|channel|>analysis<|message|>Is it", "<|channel|>analysis<|message|>Is it", ""),
        ("gptoss", "Answer:<|startoftext|> 12 N<|end|>", "Answer: 12 N", "Answer: 12 N"),
        ("gemma4", "<|channel>thought\nIs it B?<channel|>Answer: 12 N<turn|>", "<|channel>thought\nIs it B?<channel|>Answer: 12 N", "Answer: 12 N"),
        ("gemma4", "<|channel>thought\nIs it B?", "<|channel>thought\nIs it B?", ""),
        ("gemma4", "<|think|><|channel>a<channel|><|tool>Answer: 12 N<turn|>", "<|channel>a<channel|>Answer: 12 N", "Answer: 12 N"),
        ("gemma4", "<|turn>model\nAnswer: 12 N<turn|>", "model\nAnswer: 12 N", "model\nAnswer: 12 N"),
        ("phi3", "Answer:<|user|> 12 N<|end|>", "Answer: 12 N", "Answer: 12 N"),
        ("qwen3", "<think>\nIs it B?\n</think>\n\nAnswer: 12 N<|im_end|>", "<think>\nIs it B?\n</think>\n\nAnswer: 12 N", "Answer: 12 N"),
    ],
)  # fmt: skip
def test_marks_of_thinking_stay_and_other_control_tokens_go(name: str, written: str, kept: str, said: str) -> None:
    assert decoded(name, written) == kept
    assert spoken(kept).text.strip() == said
    assert spoken(kept).is_cut == (not said)
