"""Which arms `make real` runs: passages come from the embedded corpus, or from one that was given with the user's own questions."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from plumbline.commands.real_request import NotRun, given_files
from plumbline.pipeline.params import read_yaml
from plumbline.planning.profiles import merged, profile_overrides
from plumbline.planning.real_profile import PROFILE, one_by_one, own_in_params, real_overrides, without_passages, without_synthesis
from plumbline.rows.arms import ArmParams, Arms, Comparisons

ROOT = Path(__file__).resolve().parents[2]
MINE = {"clean.source": "data/raw/mine.jsonl", "split.benchmark": "data/raw/my_benchmark.jsonl"}
ROWS, QUESTIONS, CORPUS = Path("rows.jsonl"), Path("questions.jsonl"), Path("notes.md")


def arms_of(overrides: list[str]) -> list[str]:
    added = [line.split("=")[0].removeprefix("++arms.") for line in overrides if line.startswith("++arms.")]
    return ["base", "tuned", *added]


def pairs_of(overrides: list[str]) -> list[list[str]]:
    (line,) = [line for line in overrides if line.startswith("comparisons=")]
    return [pair.split(",") for pair in line.removeprefix("comparisons=[[").removesuffix("]]").split("],[")]


@pytest.mark.parametrize("corpus", [True, False])
def test_every_comparison_of_the_profile_is_of_arms_that_it_has(corpus: bool) -> None:
    profile = profile_overrides(ROOT, PROFILE)
    overrides = profile if corpus else without_passages(profile)
    names = arms_of(overrides)
    assert ("base_passages" in names) is corpus and "base_examples" in names
    arms = Arms(
        {
            name: ArmParams(weights="models/adapter" if "tuned" in name else "models/base", context=f"data/context/{name}.jsonl")
            for name in names
        }
    )
    pairs = Comparisons(pairs_of(overrides)).of(arms)
    assert pairs[0] == ("base", "tuned") and ("base_examples", "tuned") in pairs


def test_a_corpus_goes_with_own_rows_and_questions() -> None:
    assert given_files(None, None, None) == {}
    assert given_files(ROWS, QUESTIONS, None) == {"clean.source": ROWS, "split.benchmark": QUESTIONS}
    assert given_files(ROWS, QUESTIONS, CORPUS)["retrieve.corpus"] == CORPUS
    with pytest.raises(NotRun, match="Give --rows and --questions with it"):
        given_files(None, None, CORPUS)
    with pytest.raises(NotRun, match="--questions is missing"):
        given_files(ROWS, None, None)


def test_a_later_override_of_an_arm_takes_the_place_of_the_profile_s() -> None:
    assert merged(["++arms.few=1"], ["arms.few=2"]) == ["arms.few=2"]


def test_rows_of_the_user_s_own_are_recognised_unless_they_say_what_they_are() -> None:
    own = real_overrides(["train.epochs=1.0", "clean.source=embedded"], MINE)
    assert {"train.epochs=1.0", "clean.source=data/raw/mine.jsonl", "clean.format=auto"} <= set(merged(own))
    assert "clean.format=csv" in merged(own, ["clean.format=csv"]) and "clean.format=auto" not in merged(own, ["clean.format=csv"])


def test_a_value_with_spaces_is_one_override() -> None:
    given = ["clean.columns={instruction: Pupil asks, output: Teacher says} train.epochs=2.0", "++arms.x={weights:a,context:b}"]
    assert one_by_one(given) == [
        "clean.columns={instruction: Pupil asks, output: Teacher says}",
        "train.epochs=2.0",
        "++arms.x={weights:a,context:b}",
    ]


def test_own_files_of_params_yaml_are_both_or_none() -> None:
    embedded = {"clean": {"source": "data/raw/embedded/train.jsonl"}, "split": {"benchmark": "data/raw/my_benchmark.jsonl"}}
    assert own_in_params(embedded) == {}
    assert own_in_params({"clean": {"source": "data/raw/mine.jsonl"}, "split": {"benchmark": "data/raw/my_benchmark.jsonl"}}) == MINE
    assert merged(real_overrides(profile_overrides(ROOT, PROFILE), MINE)).count("clean.source=data/raw/mine.jsonl") == 1


def run_in(workspace: Path, files: dict[str, str], *more: str) -> dict[str, Any]:
    """The parameters of a run of `plumbline real` that starts from a params.yaml."""
    copy = workspace.with_name("run.yaml")
    copy.write_text(workspace.read_text())
    apply_overrides(copy, merged(real_overrides(profile_overrides(ROOT, PROFILE), files), more))
    return read_yaml(copy)


@pytest.fixture
def five_arms(tmp_path: Path) -> Path:
    """A params.yaml after `dvc exp apply real`, in which the user also added an arm, changed one and named files."""
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text())
    changes = [
        "++arms.api={weights:api.jsonl,context:data/context/none.jsonl}",
        "arms.tuned.context=data/context/passages.jsonl",
        "noise_floor.context=data/context/examples.jsonl",
        *("clean.columns={output:a}", "clean.format=csv", "split.benchmark_format=mapped", "split.benchmark_columns={target:a}"),
        "retrieve.corpus=notes.md",
    ]
    apply_overrides(path, [*profile_overrides(ROOT, PROFILE), *changes])
    assert len(read_yaml(path)["arms"]) == 6
    return path


def test_the_arms_are_those_of_the_help_whatever_params_yaml_holds(five_arms: Path) -> None:
    own = run_in(five_arms, MINE)
    assert {name: Path(arm["context"]).stem for name, arm in own["arms"].items()} == {
        "base": "none",
        "base_examples": "examples",
        "tuned": "none",
    }
    assert own["comparisons"] == [["base", "tuned"], ["base_examples", "tuned"], ["base", "base_examples"]]
    assert own["noise_floor"]["context"] == "data/context/none.jsonl"
    assert own["split"]["benchmark_columns"] == {"target": "a"}, "how the user's own questions are read is theirs to say"

    embedded = run_in(five_arms, {})
    assert list(Arms.model_validate(embedded["arms"]).names) == ["base", "base_examples", "base_passages", "tuned", "tuned_passages"]
    (five_arms.parent / "fresh.yaml").write_text((ROOT / "params.yaml").read_text())
    assert embedded == run_in(five_arms.parent / "fresh.yaml", {})

    assert list(run_in(five_arms, MINE | {"retrieve.corpus": "notes.md"})["arms"]) == list(embedded["arms"])
    assert "few" in run_in(five_arms, MINE, "++arms.few={weights:models/base,context:data/context/examples.jsonl}")["arms"]


def test_a_run_with_own_files_makes_no_other_embedded_data_set() -> None:
    profile = profile_overrides(ROOT, PROFILE)
    assert {line.split(".")[0] for line in profile} - {line.split(".")[0] for line in without_synthesis(profile)} == {"synthesize"}
