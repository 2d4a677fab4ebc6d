"""The plan counts what the run will do, names what it assumes, and changes nothing."""

import shutil
from pathlib import Path

import pytest

from plumbline.commands.plan import Line, NotPlanned, plan, planned_params, profile_overrides, table
from plumbline.model.tokenization import render_example
from plumbline.model.weights import load_tokenizer
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.question import Question
from plumbline.rows.training_params import TrainParams
from plumbline.training.packing import pack
from plumbline.training.prompt import training_prompt
from plumbline.training.schedule import plan_training
from tests.fakes import tiny_training

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """params.yaml, profiles, rows, a benchmark and a tiny base model."""
    root = tmp_path_factory.mktemp("plan")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(ROOT / name, root / name)
    shutil.copytree(ROOT / "profiles", root / "profiles")
    tiny_training.save_tiny_base(root / "models/base")
    (root / "data/split").mkdir(parents=True)
    write_jsonl(root / "data/split/train.jsonl", tiny_training.rows(60, "t"))
    questions = [
        Question(
            id=f"q{i}",
            kind="explanation",
            question=f"Why {i}?",
            choices={},
            target="Because.",
            unit=None,
            key_points=("because",),
            cluster="c",
        )
        for i in range(5)
    ]
    write_jsonl(root / "data/split/benchmark.jsonl", questions)
    return root


def line(lines: list[Line], what: str) -> Line:
    return next(one for one in lines if one.what == what)


def test_rows_of_another_file_are_said_to_be(project: Path) -> None:
    assert not [one for one in plan(project, []) if "not of" in one.value], "without a lock nothing is known"
    lock = project / "dvc.lock"
    lock.write_text("stages:\n  clean:\n    deps:\n    - path: data/raw/old.jsonl\n    - path: stages/clean.py\n")
    try:
        told = [one.value for one in plan(project, ["clean.source=data/raw/mine.jsonl"]) if "not of" in one.value]
        assert told == [
            "these are rows of data/raw/old.jsonl, not of data/raw/mine.jsonl: set clean.source in params.yaml, `dvc repro split`, then plan again"
        ]
        assert not [one for one in plan(project, ["clean.source=data/raw/old.jsonl"]) if "not of" in one.value]
    finally:
        lock.unlink()


def test_steps_are_those_that_train_plans(project: Path) -> None:
    overrides = ["train.tokens_per_step=256", "train.max_length=128"]
    tokenizer = load_tokenizer(project / "models/base")
    examples = [render_example(tokenizer, training_prompt(row.instruction, row.input), row.output) for row in tiny_training.rows(60, "t")]
    params = TrainParams.model_validate(planned_params(project, overrides)["train"])
    packed = pack(examples, max_length=128, packing=True, seed=params.seed)
    schedule = plan_training(num_rows=len(packed), num_tokens=sum(len(one.ids) for one in examples), params=params)
    lines = plan(project, overrides)
    assert line(lines, "steps").value.startswith(f"{schedule.num_steps:,},")
    assert "counted" in line(lines, "steps").known
    assert "measured" in line(lines, "training").known
    assert line(lines, "judge").value == "10 answers, no cost"


def test_a_profile_is_planned_without_its_weights_and_says_so(project: Path) -> None:
    before = (project / "params.yaml").read_bytes()
    lines = plan(project, profile_overrides(project, "mistral_7b"))
    told = table(lines)
    assert all(len(one) <= 110 for one in told.splitlines())
    told = " ".join(told.split())
    assert "assumed: as Mistral-7B" in told and "estimated, 4 characters a token" in told
    assert "base 14.5 GB" in told
    assert "calls to claude-sonnet-5-5" in told and "at most" in told
    assert (project / "params.yaml").read_bytes() == before


def test_a_dry_run_and_rows_that_do_not_fit_are_said(project: Path) -> None:
    told = " ".join(table(plan(project, ["train.max_steps=2", "train.max_length=52", "train.tokens_per_step=104"])).split())
    assert "a dry run of" in told and "longer than train.max_length 52" in told
    with pytest.raises(NotPlanned, match=r"none of the 60 rows is as short as train\.max_length, 16"):
        plan(project, ["train.max_length=16"])


def test_without_a_split_the_command_to_run_is_named(tmp_path: Path) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    with pytest.raises(NotPlanned, match="dvc repro split"):
        plan(tmp_path, [])


def test_a_profile_that_is_not_there_names_those_that_are(project: Path) -> None:
    with pytest.raises(NotPlanned, match="mistral_7b"):
        profile_overrides(project, "nonsense")


def test_a_section_that_no_stage_reads_is_not_planned(project: Path) -> None:
    with pytest.raises(NotPlanned, match=r"no stage reads section 'lorra' \(did you mean 'lora'\?\)"):
        plan(project, ["+lorra.alpha=128"])
