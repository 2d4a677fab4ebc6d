"""Which rows each rank trains on: at every step the ranks share the rows of one process. Also how many ranks have work."""

import os
from collections.abc import Iterator, Sequence

from accelerate.data_loader import SeedableRandomSampler
from datasets import Dataset, concatenate_datasets
from torch.utils.data import Sampler

from plumbline.rows.training_params import TrainParams


def micro_batch_rows(num_rows: int, params: TrainParams) -> int:
    """Rows per forward pass: the largest divisor of a process's rows per step that fits PLUMBLINE_MICRO_BATCH_TOKENS (default 8192)."""
    limit = max(1, int(os.environ.get("PLUMBLINE_MICRO_BATCH_TOKENS", "8192")) // params.max_length)
    return max(size for size in range(1, num_rows + 1) if num_rows % size == 0 and size <= limit)


def rows_per_rank(num_rows_per_step: int, num_ranks: int) -> int:
    """Rows of a step that each rank gets; the last ranks may get a blank row. ValueError if a rank would have nothing to do."""
    if num_ranks > num_rows_per_step:
        raise ValueError(
            f"{num_ranks} processes for {num_rows_per_step} rows a step (train.tokens_per_step / train.max_length, or examples when not "
            f"packing): some would have nothing to do, and a step never grows for them. Start at most {num_rows_per_step} processes."
        )
    return -(-num_rows_per_step // num_ranks)


def with_blank_row(rows: Dataset) -> Dataset:
    """The rows and, after them, one without a label for a rank that has no rows left. It trains nothing, but all ranks must take part."""
    ids = rows[0]["input_ids"][:2]
    blank: dict[str, list[list[int]]] = {"input_ids": [ids], "labels": [[-100] * len(ids)]}
    if "seq_lengths" in rows.column_names:
        blank["seq_lengths"] = [[len(ids)]]
    return concatenate_datasets([rows, Dataset.from_dict(blank, features=rows.features)])


def deal(rows: Sequence[int], *, num_ranks: int, rank: int, num_each: int, blank: int) -> list[int]:
    """This rank's share of a step's rows, filled up with the blank row to `num_each`."""
    share = list(rows[rank::num_ranks])
    return share + [blank] * (num_each - len(share))


class RankBatches(Sampler[list[int]]):
    """Micro-batches of one rank. Every step takes the rows that a single process would take, in the same shuffled order of the epoch.

    accelerate's sharding repeats rows at the end of an epoch so that all ranks have the same number, and needs steps that divide evenly.
    The ranks would then train on other rows than one process, with another loss.
    """

    def __init__(self, *, num_rows: int, num_rows_per_step: int, micro: int, num_ranks: int, rank: int, seed: int) -> None:
        self.num_rows, self.num_rows_per_step, self.micro, self.num_ranks, self.rank = num_rows, num_rows_per_step, micro, num_ranks, rank
        self.num_each = rows_per_rank(num_rows_per_step, num_ranks)
        assert self.num_each % micro == 0
        self.order = SeedableRandomSampler(range(num_rows), data_seed=seed)  # type: ignore[arg-type]  # it needs a length only
        self.batch_size = micro

    @property
    def batch_sampler(self) -> "RankBatches":
        """The Trainer looks here for the object that must know the epoch."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.order.set_epoch(epoch)

    def __len__(self) -> int:
        return -(-self.num_rows // self.num_rows_per_step) * (self.num_each // self.micro)

    def __iter__(self) -> Iterator[list[int]]:
        order = list(self.order)
        for first in range(0, self.num_rows, self.num_rows_per_step):
            step = order[first : first + self.num_rows_per_step]
            mine = deal(step, num_ranks=self.num_ranks, rank=self.rank, num_each=self.num_each, blank=self.num_rows)
            yield from (mine[start : start + self.micro] for start in range(0, self.num_each, self.micro))
