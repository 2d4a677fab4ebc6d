"""The one renderer: training examples and answering prompts become token ids here, through the chat template, and nowhere else."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from plumbline.model.assistant_turn import Turn, as_messages, assistant_turn, render_ids
from plumbline.pipeline.refused import Refused

if TYPE_CHECKING:  # rows are read and refused before transformers is loaded
    from transformers import PreTrainedTokenizerBase


class PromptDiffers(Refused):
    """The template renders a prompt differently in training and in answering."""


class Example(NamedTuple):
    """One conversation as the model sees it in training."""

    ids: list[int]
    """Up to the token that ends the assistant's turn: what the template writes after it is left out."""
    num_prompt_tokens: int
    """This many ids at the start are the prompt: no loss is computed on them."""

    @property
    def labels(self) -> list[int]:
        """-100 on the prompt, the ids themselves on the completion, the end of the turn included."""
        return [-100] * self.num_prompt_tokens + self.ids[self.num_prompt_tokens :]


def stop_ids(tokenizer: "PreTrainedTokenizerBase", named: Iterable[int]) -> list[int]:
    """Ids that stop generation, in order: the end of the assistant's turn, the tokenizer's end of sequence, and those of the generation config.

    `named`: of models/base/generation_config.json; some models name their end of turn only there.
    """
    eos = tokenizer.eos_token_id
    return sorted({assistant_turn(tokenizer).end, *([eos] if isinstance(eos, int) else []), *named})


def named_stops(generation_config: Any) -> list[int]:
    """Ids of `eos_token_id` in a generation config, which has one, several or none."""
    named = getattr(generation_config, "eos_token_id", None)
    return [] if named is None else [named] if isinstance(named, int) else list(named)


def pad_id(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Id that fills short rows; the end of the turn if the tokenizer has no padding token (padding is masked by place, not by id)."""
    return tokenizer.pad_token_id if isinstance(tokenizer.pad_token_id, int) else assistant_turn(tokenizer).end


def template_sha256(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Identify the chat template: an adapter is only used with the template it was trained with."""
    if not isinstance(tokenizer.chat_template, str):
        raise Refused("the tokenizer of the base model has no chat template. Name one in base.chat_template, then run `dvc repro base`.")
    return hashlib.sha256(tokenizer.chat_template.encode()).hexdigest()


def render_prompt(tokenizer: "PreTrainedTokenizerBase", user: str, earlier: Sequence[Turn] = ()) -> list[int]:
    """Token ids after which the model should answer; BOS and system turn are as the template writes them.

    `earlier`: exchanges before this message, the oldest first.
    """
    return render_ids(tokenizer, as_messages(earlier, user), add_generation_prompt=True)


def render_example(tokenizer: "PreTrainedTokenizerBase", user: str, assistant: str) -> Example:
    """Token ids of a whole exchange.

    PromptDiffers if the prompt is not an exact prefix of it: the model would then be trained on a context that answering never shows it.
    NoEndOfTurn if nothing can end a turn.
    """
    turn, prompt = assistant_turn(tokenizer), render_prompt(tokenizer, user)
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    ids = render_ids(tokenizer, messages, add_generation_prompt=False)
    if ids[: len(prompt)] != prompt:
        raise PromptDiffers(
            f"the chat template renders the prompt differently in training and in answering, for the message {user[:80]!r}. Set base.chat_template to another template."
        )
    ids = ids[: len(ids) - turn.num_after_end]
    return Example(ids=ids if turn.is_end_written else [*ids, turn.end], num_prompt_tokens=len(prompt))
