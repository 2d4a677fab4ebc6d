"""How a chat template writes an assistant's turn: what comes before the answer, and which token ends it. Read from the template itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from plumbline.pipeline.refused import Refused

if TYPE_CHECKING:  # rows are read and refused before transformers is loaded
    from transformers import PreTrainedTokenizerBase

PROBES = ("Yes.", "no", "7")
"""Answers that begin and end in different characters: what their renderings share comes from the template."""


class Turn(Protocol):
    """An exchange: a row of a context is one."""

    @property
    def user(self) -> str: ...
    @property
    def assistant(self) -> str: ...


class NoEndOfTurn(Refused):
    """Neither template nor tokenizer has a token that ends an answer, so nothing could teach the model to stop."""


class AssistantTurn(NamedTuple):
    """The parts of an assistant's turn that do not depend on the answer."""

    header: tuple[int, ...]
    """Ids between the prompt that answering shows and the answer: an empty thinking block, for example."""
    end: int
    """Id that ends the turn: it is trained, and it stops generation."""
    num_after_end: int
    """Ids that the template writes after it: a line break, or a second end. Neither trained nor generated."""
    is_end_written: bool
    """False if the template writes no control token after an answer: training then adds the tokenizer's end of sequence."""


_known: "WeakKeyDictionary[Any, tuple[object, AssistantTurn]]" = WeakKeyDictionary()


def control_ids(tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    """Ids of special tokens. Added tokens that stand for text (`<think>`, runs of spaces, HTML tags) are not special."""
    added = {token_id for token_id, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(tokenizer.all_special_ids) | added


def as_messages(earlier: Sequence[Turn], user: str) -> list[dict[str, str]]:
    """A conversation that ends with what the user says now."""
    before = [{"role": role, "content": text} for turn in earlier for role, text in (("user", turn.user), ("assistant", turn.assistant))]
    return [*before, {"role": "user", "content": user}]


def render_ids(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]], *, add_generation_prompt: bool) -> list[int]:
    """Token ids of a conversation, as the template writes it and with nothing that the tokenizer would add."""
    ids: Any = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, add_generation_prompt=add_generation_prompt)
    return list(ids)


def assistant_turn(tokenizer: "PreTrainedTokenizerBase") -> AssistantTurn:
    """Find the parts of an assistant's turn. NoEndOfTurn if nothing can end it."""
    known = _known.get(tokenizer)
    if known is None or known[0] != tokenizer.chat_template:
        known = (tokenizer.chat_template, _find_turn(tokenizer))
        _known[tokenizer] = known
    return known[1]


def _find_turn(tokenizer: "PreTrainedTokenizerBase") -> AssistantTurn:
    user = {"role": "user", "content": "?"}
    num_prompt = len(render_ids(tokenizer, [user], add_generation_prompt=True))
    exchanges = [[user, {"role": "assistant", "content": answer}] for answer in PROBES]
    rendered = [render_ids(tokenizer, messages, add_generation_prompt=False)[num_prompt:] for messages in exchanges]
    header, after = _common_start(rendered), _common_start([ids[::-1] for ids in rendered])[::-1]
    controls = control_ids(tokenizer)
    for place, token in enumerate(after):
        if token in controls:
            return AssistantTurn(header, token, num_after_end=len(after) - place - 1, is_end_written=True)
    # Some templates end a turn only by opening the next one (GLM-4).
    if not isinstance(tokenizer.eos_token_id, int):
        raise NoEndOfTurn(
            "the chat template writes no control token after an answer, and the tokenizer has no end-of-sequence token, so nothing could teach "
            "the model to stop. Set base.chat_template to a template that ends an assistant's turn with a control token, or name another base model."
        )
    return AssistantTurn(header, tokenizer.eos_token_id, num_after_end=len(after), is_end_written=False)


def _common_start(rows: list[list[int]]) -> tuple[int, ...]:
    """The longest start that all rows share."""
    shared: list[int] = []
    for tokens in zip(*rows, strict=False):
        if len(set(tokens)) > 1:
            break
        shared.append(tokens[0])
    return tuple(shared)
