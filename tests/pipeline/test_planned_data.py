"""A plan counts the rows and questions of the run that it plans, whatever was split last, and leaves nothing behind."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import section_of
from plumbline.pipeline.refused import Refused
from plumbline.planning.planned_data import is_of_last_split, num_general_prompts, planned_data
from plumbline.planning.planned_params import planned_params
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from stages import clean, split, synthesize
from tests.conftest import ROOT
from tests.fakes import tiny_training
from tests.fakes.split_lock import lock_the_split

SMALL = ["synthesize.num_training_rows=300", "synthesize.num_mcq=12", "synthesize.num_numeric=12", "synthesize.num_explanation=6"]
OWN = ["clean.source=mine.jsonl", "split.benchmark=asked.jsonl"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A clone before any run, with the bread files under other names."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    shutil.copyfile(ROOT / "examples/messy_rows.jsonl", tmp_path / "mine.jsonl")
    shutil.copyfile(ROOT / "examples/benchmark.jsonl", tmp_path / "asked.jsonl")
    return tmp_path


def split_by_the_stages(root: Path, params: dict[str, Any], folder: Path) -> tuple[list[InstructionRow], list[Question]]:
    """What the stages make, run one after another as DVC runs them."""
    if params["clean"]["source"].startswith("data/raw/embedded/"):
        names = ("train", "benchmark", "corpus", "general")
        files = {name: root / f"data/raw/embedded/{name}.jsonl" for name in names}
        synthesize.main(section_of(params, "synthesize", synthesize.SynthesizeParams), **files)
    names = ("kept", "quarantined", "train", "validation", "benchmark", "overlap")
    made = {name: folder / f"{name}.jsonl" for name in names}
    clean.main(
        section_of(params, "clean", clean.CleanParams),
        source=root / params["clean"]["source"],
        kept=made["kept"],
        quarantined=made["quarantined"],
        metrics=folder / "data.json",
    )
    split.main(
        section_of(params, "split", split.SplitParams),
        kept=made["kept"],
        benchmark=root / params["split"]["benchmark"],
        train=made["train"],
        validation=made["validation"],
        questions=made["benchmark"],
        overlap=made["overlap"],
    )
    return list(read_jsonl(made["train"], InstructionRow)), list(read_jsonl(made["benchmark"], Question))


@pytest.mark.parametrize("overrides", [SMALL, OWN, [*SMALL, "clean.source=mine.jsonl"], [*SMALL, "split.benchmark=asked.jsonl"]])
def test_a_plan_in_a_new_clone_counts_what_the_stages_will_make(
    root: Path, tmp_path_factory: pytest.TempPathFactory, overrides: list[str]
) -> None:
    params = planned_params(root, overrides)
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    found = planned_data(root, params)
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before, "nothing is left behind"
    assert found.known == f"of {params['clean']['source']}, cleaned and split for this plan"
    if "clean.source=mine.jsonl" in overrides:  # the stages of a project make the whole embedded set if one of its files is named
        synthesize.main(
            section_of(params, "synthesize", synthesize.SynthesizeParams),
            **{name: root / f"data/raw/embedded/{name}.jsonl" for name in ("train", "benchmark", "corpus", "general")},
        )
    rows, questions = split_by_the_stages(root, params, tmp_path_factory.mktemp("stages"))
    assert found.questions == questions
    # Only the path of the file that was read may differ.
    assert [one.model_dump(exclude={"origin": {"file"}}) for one in found.rows] == [
        one.model_dump(exclude={"origin": {"file"}}) for one in rows
    ]


@pytest.fixture
def after_a_run(root: Path) -> Path:
    """A clone whose params.yaml names the user's files, after a split of them."""
    text = (root / "params.yaml").read_text()
    for name, own in (("train", "mine"), ("benchmark", "asked")):
        text = text.replace(f"data/raw/embedded/{name}.jsonl", f"{own}.jsonl")
    (root / "params.yaml").write_text(text)
    (root / "data/split").mkdir(parents=True)
    shutil.copyfile(root / "asked.jsonl", root / "data/split/benchmark.jsonl")
    write_jsonl(root / "data/split/train.jsonl", tiny_training.rows(3, "t"))
    lock_the_split(root)
    return root


def test_a_split_of_the_same_files_and_settings_is_used(after_a_run: Path) -> None:
    found = planned_data(after_a_run, planned_params(after_a_run, ["train.epochs=3.0", "lora.r=8"]))
    assert found.known == "of the last split" and len(found.rows) == 3


@pytest.mark.parametrize("override", ["clean.standardize=false", "split.seed=8", "clean.source=other.jsonl", "split.benchmark=other.jsonl"])
def test_a_split_with_other_settings_is_not_used(after_a_run: Path, override: str) -> None:
    assert is_of_last_split(after_a_run, planned_params(after_a_run, []))
    assert not is_of_last_split(after_a_run, planned_params(after_a_run, [override]))


@pytest.mark.parametrize("changed", ["mine.jsonl", "asked.jsonl", "data/split/train.jsonl", "data/split/benchmark.jsonl"])
def test_a_split_of_files_that_changed_since_is_not_used(after_a_run: Path, changed: str) -> None:
    params = planned_params(after_a_run, [])
    with (after_a_run / changed).open("a") as stream:
        stream.write("\n")
    assert not is_of_last_split(after_a_run, params)


def test_without_the_raw_files_the_last_split_is_used(after_a_run: Path) -> None:
    """As in a clone that pulled the split alone."""
    for name in ("mine.jsonl", "asked.jsonl"):
        (after_a_run / name).unlink()
    assert is_of_last_split(after_a_run, planned_params(after_a_run, []))
    (after_a_run / "data/split/train.jsonl").unlink()
    assert not is_of_last_split(after_a_run, planned_params(after_a_run, []))


@pytest.mark.parametrize("lock", ["", "schema: '2.0'\n", "stages:\n", "<<<<<<< HEAD\nstages: {}\n=======\n"])
def test_a_lock_that_says_nothing_is_no_split(after_a_run: Path, lock: str) -> None:
    (after_a_run / "dvc.lock").write_text(lock)
    assert not is_of_last_split(after_a_run, planned_params(after_a_run, []))


def test_general_prompts_are_counted(root: Path) -> None:
    assert num_general_prompts(root, planned_params(root, ["synthesize.num_general=7"])) == 7
    (root / "prompts.jsonl").write_text('{"id": "a", "prompt": "?"}\n\n{"id": "b", "prompt": "!"}\n')
    assert num_general_prompts(root, planned_params(root, ["general.prompts=prompts.jsonl"])) == 2
    assert num_general_prompts(root, planned_params(root, ["general.prompts=absent.jsonl"])) == 0


def test_other_amounts_of_embedded_rows_are_another_split(root: Path) -> None:
    (root / "data/split").mkdir(parents=True)
    for name in ("train", "benchmark"):
        (root / f"data/split/{name}.jsonl").write_text("")
    lock_the_split(root)
    assert is_of_last_split(root, planned_params(root, []))
    assert not is_of_last_split(root, planned_params(root, ["synthesize.num_training_rows=3000"]))


def test_files_that_no_stage_would_read_are_refused_in_the_words_of_the_stage(root: Path) -> None:
    with pytest.raises(Refused, match=r"absent\.jsonl is not a file"):
        planned_data(root, planned_params(root, ["clean.source=absent.jsonl", "split.benchmark=asked.jsonl"]))
    question = json.loads((root / "asked.jsonl").read_text().splitlines()[0])
    (root / "asked.jsonl").write_text(json.dumps(question | {"kind": "essay"}) + "\n")
    with pytest.raises(Refused, match="essay"):
        planned_data(root, planned_params(root, OWN))
    with pytest.raises(Refused, match=r"^absent\.jsonl is not a file\. Set split\.benchmark .* or run `dvc pull`\.$"):
        planned_data(root, planned_params(root, ["clean.source=mine.jsonl", "split.benchmark=absent.jsonl"]))
    with pytest.raises(Refused, match=r" data/raw/embedded/trian\.jsonl is not a file"):  # not in a folder that is gone
        planned_data(root, planned_params(root, [*SMALL, "clean.source=data/raw/embedded/trian.jsonl"]))
    with pytest.raises(Refused, match=r"params\.yaml: clean\.standardize is 'maybe'"):
        planned_data(root, planned_params(root, [*OWN, "clean.standardize=maybe"]))
