"""Which arms `make real` runs: passages come from the embedded corpus, or from one that was given with the user's own questions."""

from pathlib import Path

import pytest

from plumbline.commands.real import NotRun, given_files, own_settings
from plumbline.laptop.own_files import OwnFiles
from plumbline.planning.profiles import merged, profile_overrides
from plumbline.planning.real_profile import PROFILE, one_by_one, own_in_params, with_own_files, without_passages, without_synthesis
from plumbline.rows.arms import ArmParams, Arms, Comparisons

ROOT = Path(__file__).resolve().parents[2]
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
    own = own_settings(OwnFiles(["clean.source=real/inputs/rows.csv"], None))
    assert merged(["train.epochs=1.0"], own) == ["train.epochs=1.0", "clean.source=real/inputs/rows.csv", "clean.format=auto"]
    assert "clean.format=csv" in merged(own, ["clean.format=csv"]) and "clean.format=auto" not in merged(own, ["clean.format=csv"])
    assert own_settings(OwnFiles([], None)) == []


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
    mine = {"clean.source": "data/raw/mine.jsonl", "split.benchmark": "data/raw/my_benchmark.jsonl"}
    assert own_in_params({"clean": {"source": "data/raw/mine.jsonl"}, "split": {"benchmark": "data/raw/my_benchmark.jsonl"}}) == mine
    profile = profile_overrides(ROOT, PROFILE)
    assert arms_of(with_own_files(profile, mine)) == ["base", "tuned", "base_examples"]
    assert "base_passages" in arms_of(with_own_files(profile, mine | {"retrieve.corpus": "notes.md"}))
    assert merged(with_own_files(profile, mine)).count("clean.source=data/raw/mine.jsonl") == 1


def test_a_run_with_own_files_makes_no_other_embedded_data_set() -> None:
    profile = profile_overrides(ROOT, PROFILE)
    assert {line.split(".")[0] for line in profile} - {line.split(".")[0] for line in without_synthesis(profile)} == {"synthesize"}
