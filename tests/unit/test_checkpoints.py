"""A checkpoint is whole, or it is not used."""

import shutil
from pathlib import Path

import pytest

from plumbline.training import checkpoints as c


def sealed(folder: Path, step: int, *, num_ranks: int = 1) -> Path:
    writing, final = folder / "writing", folder / f"checkpoint-{step}"
    writing.mkdir(parents=True)
    for name in c.required_files(num_ranks):
        (writing / name).write_bytes(f"{name} of {step}".encode() * 10)
    c.seal(writing, final)
    return final


def test_the_newest_whole_checkpoint_is_the_one_of_the_highest_step(tmp_path: Path) -> None:
    for step in (2, 10, 9):
        sealed(tmp_path, step)
    assert c.newest_whole_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


@pytest.mark.parametrize("name", [*c.required_files(1), c.MANIFEST])
@pytest.mark.parametrize("harm", ["missing", "torn", "flipped"])
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_is_used(tmp_path: Path, name: str, harm: str) -> None:
    older, newer = sealed(tmp_path, 4), sealed(tmp_path, 8)
    file = newer / name
    content = file.read_bytes()
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(content[: len(content) // 2] if harm == "torn" else bytes([content[0] ^ 1]) + content[1:])
    assert c.newest_whole_checkpoint(tmp_path) == older
    assert (tmp_path / "checkpoint-8.bad").is_dir() and not newer.exists()


def test_a_checkpoint_of_two_ranks_needs_the_random_state_of_each(tmp_path: Path) -> None:
    sealed(tmp_path, 2, num_ranks=1)
    assert c.newest_whole_checkpoint(tmp_path, num_ranks=2) is None
    two = sealed(tmp_path, 4, num_ranks=2)
    assert c.newest_whole_checkpoint(tmp_path, num_ranks=2) == two
    assert c.newest_whole_checkpoint(tmp_path, num_ranks=3) is None


def test_a_checkpoint_of_whole_weights_is_none_of_spread_ones(tmp_path: Path) -> None:
    sealed(tmp_path, 2, num_ranks=2)
    assert c.newest_whole_checkpoint(tmp_path, num_ranks=2, sharded=True) is None


def test_a_checkpoint_that_was_never_sealed_is_not_used(tmp_path: Path) -> None:
    checkpoint = sealed(tmp_path, 4)
    (checkpoint / c.MANIFEST).unlink()
    assert c.newest_whole_checkpoint(tmp_path) is None


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (2, 4, 10):
        sealed(tmp_path, step)
    c.keep_newest(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.glob("checkpoint-*")) == ["checkpoint-10", "checkpoint-4"]


def test_a_second_writer_is_refused_and_let_in_afterwards(tmp_path: Path) -> None:
    with c.only_writer(tmp_path), pytest.raises(c.AlreadyRunning), c.only_writer(tmp_path):
        pass
    with c.only_writer(tmp_path):
        pass


def test_runs_live_outside_the_outs_of_whichever_copy_they_run_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert c.run_folder("abc") == tmp_path / ".cache/train/abc"
    shutil.rmtree(tmp_path / ".cache", ignore_errors=True)
