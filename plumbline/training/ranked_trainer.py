"""TRL's trainer as one of several ranks, with the rows, losses and checkpoints of one process. Alone, only its validation loss differs."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from trl import SFTTrainer

from plumbline.training.rank_batches import RankBatches, with_blank_row
from plumbline.training.ranks import from_all, in_group
from plumbline.training.which_rank import num_ranks, rank


class RankedTrainer(SFTTrainer):
    """RankBatches deals the rows, and validation batches go round. The mean loss is over all their tokens, and rank 0 writes for all."""

    num_rows_per_step: int

    def get_train_dataloader(self) -> DataLoader[Any]:
        if not in_group():
            return super().get_train_dataloader()
        assert isinstance(self.train_dataset, Dataset)
        batches = RankBatches(
            num_rows=len(self.train_dataset),
            num_rows_per_step=self.num_rows_per_step,
            micro=self.args.per_device_train_batch_size,
            num_ranks=num_ranks(),
            rank=rank(),
            seed=self.args.data_seed or 0,
        )
        return self._loader(with_blank_row(self.train_dataset), batches)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Any]:
        if not in_group():
            return super().get_eval_dataloader(eval_dataset)
        assert isinstance(self.eval_dataset, Dataset)
        order, size = range(len(self.eval_dataset)), self.args.per_device_eval_batch_size
        batches = [list(order[first : first + size]) for first in range(0, len(order), size)]
        mine = batches[rank() :: num_ranks()]
        self._num_own_batches = len(mine)
        # All ranks must take part equally often; the batches that fill up are not counted.
        num_each = math.ceil(len(batches) / num_ranks())
        return self._loader(self.eval_dataset, mine + batches[:1] * (num_each - len(mine)))

    def _loader(self, rows: Dataset, batches: Any) -> DataLoader[Any]:
        columns = self._remove_unused_columns(rows)
        pin = self.args.dataloader_pin_memory
        return DataLoader(columns, batch_sampler=batches, collate_fn=self.data_collator, pin_memory=pin)  # type: ignore[arg-type]

    def prediction_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        num_tokens = int((inputs["labels"][..., 1:] != -100).sum())
        loss, logits, labels = super().prediction_step(model, inputs, *args, **kwargs)
        self._batch_losses.append((loss, num_tokens))
        return loss, logits, labels

    def evaluation_loop(self, dataloader: DataLoader[Any], *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> Any:
        """The mean loss of all tokens with a label, for any micro-batch and number of ranks. The Trainer's own is a mean over rows."""
        self._batch_losses: list[tuple[torch.Tensor, int]] = []
        output = super().evaluation_loop(dataloader, *args, metric_key_prefix=metric_key_prefix, **kwargs)
        own = self._batch_losses[: self._num_own_batches] if in_group() else self._batch_losses
        found = [pair for of_rank in from_all([(float(loss), num) for loss, num in own if num > 0]) for pair in of_rank]
        assert output.metrics is not None
        output.metrics[f"{metric_key_prefix}_loss"] = math.fsum(loss * num for loss, num in found) / sum(num for _, num in found)
        return output

    def _save_rng_state(self, output_dir: str) -> None:
        """Each rank's random state, as the Trainer saves it; rank 0 gathers and writes them."""
        if not in_group():
            super()._save_rng_state(output_dir)
            return
        with TemporaryDirectory() as scratch:
            super()._save_rng_state(scratch)
            mine = {file.name: file.read_bytes() for file in Path(scratch).iterdir()}
        states = from_all(mine)
        if rank() == 0:
            for name, content in (pair for of_rank in states for pair in of_rank.items()):
                (Path(output_dir) / name).write_bytes(content)
