"""The one renderer: training examples and answering prompts become token ids here, through the chat template, and nowhere else."""

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # rows are read and refused before transformers is loaded
    from transformers import PreTrainedTokenizerBase


class PromptDiffers(ValueError):
    """The template renders a prompt otherwise in training than in answering."""


class Example(NamedTuple):
    """One conversation as the model sees it in training."""

    ids: list[int]
    num_prompt_tokens: int
    """The first so many ids are the prompt: no loss on them."""

    @property
    def labels(self) -> list[int]:
        """-100 on the prompt, the ids themselves on the completion, end of sequence included."""
        return [-100] * self.num_prompt_tokens + self.ids[self.num_prompt_tokens :]


def eos_id(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Id of the end of sequence. ValueError for a tokenizer without one: nothing could teach its model to stop."""
    if not isinstance(tokenizer.eos_token_id, int):
        raise ValueError("the tokenizer of the base model has no end-of-sequence token: name a base model that has one.")
    return tokenizer.eos_token_id


def pad_id(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Id that fills short rows; the end of sequence where the tokenizer has no padding of its own (it is masked anyway)."""
    return tokenizer.pad_token_id if isinstance(tokenizer.pad_token_id, int) else eos_id(tokenizer)


def decode_answer(tokenizer: "PreTrainedTokenizerBase", ids: list[int]) -> str:
    """Text of generated ids, without control tokens and outer white space: one decoder, whichever engine wrote them."""
    return str(tokenizer.decode(ids, skip_special_tokens=True)).strip()


def template_sha256(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Identify the chat template: an adapter is only used with the template it was trained with."""
    if not isinstance(tokenizer.chat_template, str):
        raise ValueError("the tokenizer of the base model has no chat template: name a base model that has one.")
    return hashlib.sha256(tokenizer.chat_template.encode()).hexdigest()


def _render(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]], *, add_generation_prompt: bool) -> list[int]:
    ids: Any = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, add_generation_prompt=add_generation_prompt)
    return list(ids)


def render_prompt(tokenizer: "PreTrainedTokenizerBase", user: str) -> list[int]:
    """Token ids after which the model is to answer; begins with one BOS, which the template writes."""
    return _render(tokenizer, [{"role": "user", "content": user}], add_generation_prompt=True)


def render_example(tokenizer: "PreTrainedTokenizerBase", user: str, assistant: str) -> Example:
    """Token ids of a whole exchange. PromptDiffers where the prompt is no exact prefix of it: the model would then be
    trained on a context that answering never shows it."""
    prompt = render_prompt(tokenizer, user)
    ids = _render(tokenizer, [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}], add_generation_prompt=False)
    if ids[: len(prompt)] != prompt:
        raise PromptDiffers(
            f"the chat template renders the prompt differently in training and in answering, for the message {user[:80]!r}."
        )
    return Example(ids=ids, num_prompt_tokens=len(prompt))
