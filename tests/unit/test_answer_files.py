"""One file of answers per arm that is declared, and no other."""

import re
from pathlib import Path

import pytest

from plumbline.commands.main import COMMANDS
from plumbline.pipeline.answer_files import answer_files
from plumbline.pipeline.refused import Refused


def test_the_files_come_in_the_order_of_the_arms(tmp_path: Path) -> None:
    for arm in ("tuned", "base", "few"):
        (tmp_path / f"{arm}.jsonl").touch()
    (tmp_path / "few.jsonl.partial").touch()
    assert list(answer_files(tmp_path, ["tuned", "few", "base"]).items()) == [
        (arm, tmp_path / f"{arm}.jsonl") for arm in ("tuned", "few", "base")
    ]


def test_the_file_of_no_arm_is_refused_and_what_clears_it_is_a_command(tmp_path: Path) -> None:
    for arm in ("base", "few", "more"):
        (tmp_path / f"{arm}.jsonl").touch()
    with pytest.raises(Refused, match=r"few\.jsonl, .*more\.jsonl belong to no arm of params\.yaml \(arms: base\)") as found:
        answer_files(tmp_path, ["base"])
    command = re.search(r"`plumbline ([\w-]+)`", str(found.value))
    assert command is not None and command[1] in {name for group in COMMANDS.values() for name in group}
    (tmp_path / "more.jsonl").unlink()
    with pytest.raises(Refused, match=r"few\.jsonl belongs to no arm"):
        answer_files(tmp_path, ["base"])
    assert list(answer_files(tmp_path, ["base", "few"])) == ["base", "few"], "the other remedy: declare it"


def test_an_arm_that_has_not_answered_is_named_with_its_stage(tmp_path: Path) -> None:
    (tmp_path / "base.jsonl").touch()
    with pytest.raises(Refused, match=r"tuned\.jsonl is missing: arm tuned has not answered\. Run `dvc repro answer@tuned`\."):
        answer_files(tmp_path, ["base", "tuned"])
