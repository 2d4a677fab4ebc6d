"""Lay examples out as the rows that the trainer reads; a packed row holds several."""

import random
from collections.abc import Sequence

from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from trl import pack_dataset

from plumbline.training.dialogues import Trainable

disable_progress_bar()


def pack(examples: Sequence[Trainable], *, max_length: int, packing: bool, seed: int) -> Dataset:
    """Lay examples out as rows of `input_ids` and `labels`. Packed rows hold whole examples and their `seq_lengths`.

    The order is shuffled first, since best-fit packing looks at a thousand examples at a time.
    """
    order = list(examples)
    random.Random(seed).shuffle(order)
    rows = Dataset.from_dict({"input_ids": [example.ids for example in order], "labels": [example.labels for example in order]})
    return pack_dataset(rows, seq_length=max_length, strategy="bfd") if packing else rows
