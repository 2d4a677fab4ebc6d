"""Count tokens with the base model's tokenizer, without loading torch or the model. Touches tokenizer.json."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer

NUM_TEXTS_AT_ONCE = 2048


class TokenLengths(NamedTuple):
    """Tokens of each row, without those that the chat template adds."""

    question: list[int]
    answer: list[int]

    @property
    def total(self) -> list[int]:
        """Of question and answer together."""
        return [question + answer for question, answer in zip(self.question, self.answer, strict=True)]


def token_lengths(tokenizer: Path, rows: Iterable[tuple[str, str]]) -> TokenLengths:
    """Tokenise (question, answer) pairs; memory is bounded by the counts."""
    loaded = Tokenizer.from_file(str(tokenizer))
    loaded.no_truncation()
    lengths = TokenLengths([], [])
    iterator = iter(rows)
    while batch := list(islice(iterator, NUM_TEXTS_AT_ONCE)):
        for part, counts in enumerate(lengths):
            encoded = loaded.encode_batch([row[part] for row in batch], add_special_tokens=False)
            counts.extend(len(one.ids) for one in encoded)
    return lengths
