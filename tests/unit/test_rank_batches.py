"""However many ranks there are: at each step the rows of one process, each once, and no rank without a micro-batch."""

import pytest
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from plumbline.training.rank_batches import RankBatches, micro_batch_rows, rows_per_rank, with_blank_row
from tests.fakes.tiny_training import TRAIN


def batches(
    *, num_rows: int, num_rows_per_step: int, num_ranks: int, micro: int = 1, epoch: int = 0, seed: int = 5
) -> list[list[list[int]]]:
    """Micro-batches of each rank in one epoch."""
    found = []
    for rank in range(num_ranks):
        mine = RankBatches(num_rows=num_rows, num_rows_per_step=num_rows_per_step, micro=micro, num_ranks=num_ranks, rank=rank, seed=seed)
        mine.set_epoch(epoch)
        found.append(list(mine))
        assert len(found[-1]) == len(mine)
    return found


@given(num_rows=st.integers(1, 60), num_rows_per_step=st.integers(1, 12), num_ranks=st.integers(1, 12), epoch=st.integers(0, 3))
def test_every_step_of_all_ranks_is_the_step_of_one_process(num_rows: int, num_rows_per_step: int, num_ranks: int, epoch: int) -> None:
    if num_ranks > num_rows_per_step:
        return
    several = batches(num_rows=num_rows, num_rows_per_step=num_rows_per_step, num_ranks=num_ranks, epoch=epoch)
    alone = batches(num_rows=num_rows, num_rows_per_step=num_rows_per_step, num_ranks=1, epoch=epoch)[0]
    blank, num_each = num_rows, rows_per_rank(num_rows_per_step, num_ranks)
    num_steps = len(alone) // num_rows_per_step
    assert {len(of_rank) for of_rank in several} == {num_steps * num_each}, "a rank would wait for another for ever"
    for step in range(num_steps):
        mine = [row for of_rank in several for [row] in of_rank[step * num_each : (step + 1) * num_each] if row != blank]
        its = [row for [row] in alone[step * num_rows_per_step : (step + 1) * num_rows_per_step] if row != blank]
        assert sorted(mine) == sorted(its)
    assert sorted(row for of_rank in several for [row] in of_rank if row != blank) == list(range(num_rows))


@pytest.mark.parametrize("epoch", [0, 1, 3])
def test_the_order_is_that_of_the_trainer_with_one_process(epoch: int) -> None:
    accelerator = Accelerator(cpu=True, dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True, data_seed=5))
    loader = accelerator.prepare(DataLoader(list(range(23)), batch_size=4, shuffle=True))  # type: ignore[arg-type]
    loader.set_epoch(epoch)
    expected = [row for batch in loader for row in batch.tolist()]
    found = batches(num_rows=23, num_rows_per_step=4, num_ranks=1, epoch=epoch)[0]
    assert [row for [row] in found if row != 23] == expected != sorted(expected)


def test_epochs_differ_and_micro_batches_cut_a_share_without_changing_it() -> None:
    first, second = (batches(num_rows=20, num_rows_per_step=8, num_ranks=2, epoch=epoch) for epoch in (0, 1))
    assert first != second
    in_twos = batches(num_rows=20, num_rows_per_step=8, num_ranks=2, micro=2)
    assert [[row for batch in of_rank for row in batch] for of_rank in in_twos] == [
        [row for batch in of_rank for row in batch] for of_rank in first
    ]


def test_the_blank_row_has_no_label_and_the_form_of_the_others() -> None:
    rows = Dataset.from_dict({"input_ids": [[5, 6, 7], [8, 9, 10]], "labels": [[5, 6, 7], [-100, 9, 10]], "seq_lengths": [[2, 1], [3]]})
    found = with_blank_row(rows)
    assert len(found) == 3 and found[0] == rows[0] and found[1] == rows[1] and found.features == rows.features
    assert found[2] == {"input_ids": [5, 6], "labels": [-100, -100], "seq_lengths": [2]}


def test_more_ranks_than_rows_of_a_step_are_refused_with_both_numbers() -> None:
    assert [rows_per_rank(8, ranks) for ranks in (1, 2, 3, 8)] == [8, 4, 3, 1]
    with pytest.raises(ValueError, match=r"3 processes for 2 rows a step .* Start at most 2"):
        rows_per_rank(2, 3)


def test_the_micro_batch_divides_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_MICRO_BATCH_TOKENS", str(TRAIN.max_length * 4))
    assert [micro_batch_rows(rows, TRAIN) for rows in (1, 4, 6, 8, 7)] == [1, 4, 3, 4, 1]
