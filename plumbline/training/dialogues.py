"""Rows of one or several exchanges as examples: only the answers that are trained on have labels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from plumbline.model.assistant_turn import as_messages, assistant_turn, render_ids
from plumbline.model.tokenization import Example, PromptDiffers, render_example, render_prompt
from plumbline.rows.instruction_row import Exchange, InstructionRow
from plumbline.training.prompt import training_prompt

if TYPE_CHECKING:  # rows are read and refused before transformers is loaded
    from transformers import PreTrainedTokenizerBase


class Trainable(Protocol):
    """What training reads from an example, which is one exchange or a conversation of several."""

    @property
    def ids(self) -> list[int]: ...
    @property
    def num_prompt_tokens(self) -> int: ...
    @property
    def labels(self) -> list[int]: ...


class Conversation(NamedTuple):
    """Several exchanges as the model sees them in training, in one sequence."""

    ids: list[int]
    """Up to and with the token that ends the last answer."""
    answers: tuple[tuple[int, int], ...]
    """Start and end of each answer that is trained, with the end of its turn."""

    @property
    def num_prompt_tokens(self) -> int:
        """Ids before the first answer that is trained."""
        return self.answers[0][0]

    @property
    def labels(self) -> list[int]:
        """The ids themselves in the answers that are trained, -100 everywhere else."""
        labels = [-100] * len(self.ids)
        for start, end in self.answers:
            labels[start:end] = self.ids[start:end]
        return labels


def answers_in(example: Trainable) -> tuple[tuple[int, int], ...]:
    """Start and end of each answer that is trained."""
    return example.answers if isinstance(example, Conversation) else ((example.num_prompt_tokens, len(example.ids)),)


def num_trained_tokens(example: Trainable) -> int:
    """Tokens with a label."""
    return sum(end - start for start, end in answers_in(example))


def dialogue_of(row: InstructionRow) -> list[Exchange]:
    """The exchanges of a row, the oldest first. Most rows have one."""
    return [*row.earlier, Exchange(user=training_prompt(row.instruction, row.input), assistant=row.output, is_trained=True)]


def render_dialogue(tokenizer: "PreTrainedTokenizerBase", exchanges: Sequence[Exchange]) -> list[Trainable]:
    """The examples of a row: one, unless the template shows an answer differently when another turn follows.

    Then each answer is a separate example, after the text that answering would show before it. One reason: the template removes
    thinking from earlier turns. Another: only the next turn ends a turn. Raises PromptDiffers and NoEndOfTurn, as `render_example` does.
    """
    if len(exchanges) == 1:
        return [render_example(tokenizer, exchanges[0].user, exchanges[0].assistant)]
    trained = [place for place, exchange in enumerate(exchanges) if exchange.is_trained]
    apart = [render_answer(tokenizer, exchanges[: place + 1]) for place in trained]
    if len(apart) == 1:
        return [*apart]
    whole = apart[-1].ids
    if any(whole[: len(one.ids)] != one.ids for one in apart):
        return [*apart]
    return [Conversation(whole, tuple((one.num_prompt_tokens, len(one.ids)) for one in apart))]


def render_answer(tokenizer: "PreTrainedTokenizerBase", exchanges: Sequence[Exchange]) -> Example:
    """The last answer after everything before it, as answering would show it.

    PromptDiffers if the template renders this differently in training.
    """
    *earlier, last = exchanges
    if not earlier:
        return render_example(tokenizer, last.user, last.assistant)
    prompt = render_prompt(tokenizer, last.user, earlier)
    messages = [*as_messages(earlier, last.user), {"role": "assistant", "content": last.assistant}]
    ids = render_ids(tokenizer, messages, add_generation_prompt=False)
    if ids[: len(prompt)] != prompt:
        raise PromptDiffers(f"The chat template renders a conversation differently in training and in answering, for {last.user[:80]!r}.")
    turn = assistant_turn(tokenizer)
    ids = ids[: len(ids) - turn.num_after_end]
    return Example(ids=ids if turn.is_end_written else [*ids, turn.end], num_prompt_tokens=len(prompt))
