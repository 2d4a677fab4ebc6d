"""Text of generated token ids: one decoder for all engines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plumbline.model.assistant_turn import assistant_turn
from plumbline.thinking import CHANNEL_MARK, CHANNEL_MARKS, is_mark

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def decode_answer(tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int], *, stops: Sequence[int]) -> str:
    """Text without the end of the turn, control tokens and outer white space. Marks of thinking stay: graders need them."""
    kept = list(ids[:-1] if ids and ids[-1] in stops else ids)
    header = assistant_turn(tokenizer).header
    if header and tuple(kept[: len(header)]) == header:
        kept = kept[len(header) :]
    special = {token_id: token.content for token_id, token in tokenizer.added_tokens_decoder.items() if token.special}
    written = {special[token_id] for token_id in kept if token_id in special}
    marks = {text for text in written if is_mark(text)}
    if CHANNEL_MARK in written:
        marks |= written & CHANNEL_MARKS
    if not marks:
        return str(tokenizer.decode(kept, skip_special_tokens=True)).strip()
    kept = [token_id for token_id in kept if special.get(token_id) is None or special[token_id] in marks]
    return str(tokenizer.decode(kept, skip_special_tokens=False)).strip()
