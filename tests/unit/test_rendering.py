"""Training examples and answering prompts come from one renderer."""

import pytest

from plumbline.model.tokenization import render_example, render_prompt
from tests.fakes.tiny_base import TEMPLATE, tiny_tokenizer


def test_an_example_has_one_bos_and_its_prompt_is_what_answering_shows() -> None:
    tokenizer = tiny_tokenizer()
    example = render_example(tokenizer, "What is force?", "Answer: 12 N")
    assert example.ids.count(tokenizer.bos_token_id) == 1 and example.ids[0] == tokenizer.bos_token_id
    assert example.ids[: example.num_prompt_tokens] == render_prompt(tokenizer, "What is force?")


def test_labels_cover_the_completion_and_its_eos_and_nothing_of_the_prompt() -> None:
    tokenizer = tiny_tokenizer()
    example = render_example(tokenizer, "What is force?", "Answer: 12 N")
    assert example.labels[: example.num_prompt_tokens] == [-100] * example.num_prompt_tokens
    assert example.labels[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(example.labels[example.num_prompt_tokens : -1]).strip() == "Answer: 12 N"


def test_rendering_and_reading_back_are_inverse() -> None:
    tokenizer = tiny_tokenizer()
    for text in ("a", "F = m a", "×10⁻³ m/s²\nAnswer: −4", "  spaces  inside  "):
        example = render_example(tokenizer, "q", text)
        assert tokenizer.decode(example.ids[example.num_prompt_tokens : -1]) == f" {text}"


def test_a_template_that_shows_training_another_prompt_is_refused() -> None:
    template = TEMPLATE.replace("{{ bos_token }}", "{{ bos_token }}{% if messages | length > 1 %}(training) {% endif %}")
    with pytest.raises(ValueError, match="renders the prompt differently"):
        render_example(tiny_tokenizer(template), "q", "a")
