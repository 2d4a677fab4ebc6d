"""Which runs may be compared, and how seeds are distinguished from settings."""

import re
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from plumbline.comparing.bridges import JudgeBridge
from plumbline.comparing.comparability import marks
from plumbline.comparing.compared_run import Run, identity_of
from plumbline.comparing.comparison_tables import matrix, text_table
from plumbline.comparing.differences import adjusted, compare_runs
from plumbline.comparing.question_changes import entries, overall_change
from plumbline.comparing.settings import compare_settings, setting_rows, settings_numbers, settings_of, settings_table
from plumbline.pipeline.params import read_yaml
from plumbline.reporting.ledger import ledgers
from plumbline.reporting.numbers import kind_numbers
from plumbline.reporting.scored import join_verdicts
from plumbline.statistics import Direction
from tests.fakes.evaluation_world import make_world

IDENTITY = {
    "benchmark": "b",
    "part": "all",
    "judge": "j",
    "prompt": "p",
    "decoding": "d",
    "context": "n",
    "answering code": "c",
    "grader": "g",
    "base model": "m",
}


def made_run(name: str, *, seed: int, train_seed: int = 1, alpha: int = 32, **changes: Any) -> Run:
    world = make_world(num_mcq=24, num_numeric=24, num_explanation=16, num_clusters=12)
    other = make_world(num_mcq=24, num_numeric=24, num_explanation=16, num_clusters=12, seed=seed)
    answers = [*world.answers["base"], *other.answers["tuned"]]
    scored = join_verdicts(world.questions, answers, other.grades, other.judgements)
    by_kind = ledgers(world.questions, scored, comparisons=world.comparisons, overlapping=[], seed=1, num_resamples=200)
    evaluation = {
        "valid": True,
        "complete": True,
        "invalid_because": [],
        "incomplete_because": None,
        "arms": {arm: one.model_dump() for arm, one in world.arms.items()},
        "comparisons": [list(pair) for pair in world.comparisons],
        "kinds": {kind: kind_numbers(ledger) for kind, ledger in by_kind.items()},
        **changes.pop("evaluation", {}),
    }
    return Run(
        name=name,
        arm="tuned",
        evaluation=evaluation,
        params={"train": {"seed": train_seed}, "lora": {"alpha": alpha}},
        identity={**IDENTITY, **changes},
        questions=world.questions,
        answers=answers,
        grades=other.grades,
        judgements=other.judgements,
    )


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ("benchmark", {"mcq", "numeric", "explanation"}),
        ("part", {"mcq", "numeric", "explanation"}),
        ("judge", {"explanation"}),
        ("grader", set()),
    ],
)
def test_what_differs_decides_what_is_refused(changed: str, refused: set[str]) -> None:
    runs = [made_run("one", seed=1), made_run("two", seed=2, **dict[str, Any]({changed: "other"}))]
    cells = compare_runs(runs, seed=1, num_resamples=200)
    assert {kind for (_, kind), cell in cells.items() if cell.refused} == refused
    assert any(changed in text for text in marks(runs)), "whatever differs is said"


def made_bridge(old: str, new: str) -> JudgeBridge:
    return JudgeBridge(
        old=old, new=new, num_answers=120, mean_shift=0.05, ci95=(0.02, 0.09), shift_by_arm={"base": 0.0, "tuned": 0.1},
        exact_agreement=0.75, weighted_kappa=None, confusion=(),
    )  # fmt: skip


@pytest.mark.parametrize("bridge", [made_bridge("j", "other"), made_bridge("other", "j")])
def test_a_bridge_lets_two_judges_be_compared_without_moving_a_score_or_claiming_anything(bridge: JudgeBridge) -> None:
    one, two = made_run("one", seed=1), made_run("two", seed=2, judge="other")
    cells = compare_runs([one, two], seed=1, num_resamples=200, bridges=[bridge])
    same_judge = compare_runs([one, made_run("two", seed=2)], seed=1, num_resamples=200)
    found = cells["two", "explanation"]
    assert found.comparison == same_judge["two", "explanation"].comparison is not None, "the bridge corrects nothing"
    assert found.across is not None and found.across.shift == (0.05 if bridge.old == "j" else -0.05)
    assert set(adjusted(cells)) == {"two mcq", "two numeric"}, "no p value tests answers and judges in one"
    shown = {cell["note"]: cell for row in matrix([one, two], cells) for cell in row["cells"]}
    [across] = [cell for note, cell in shown.items() if found.across.words in note]
    assert across["direction"] is Direction.NONE and "(two judges)" in across["interval"] and "p value" in across["note"]
    assert [found.across.words in text for text in marks([one, two], bridges=[bridge])] == [True]


def test_a_bridge_between_other_judges_is_none_and_mends_no_other_difference() -> None:
    runs = [made_run("one", seed=1), made_run("two", seed=2, judge="other")]
    assert compare_runs(runs, seed=1, num_resamples=200, bridges=[made_bridge("j", "third")])["two", "explanation"].refused
    runs = [made_run("one", seed=1), made_run("two", seed=2, judge="other", benchmark="other")]
    assert all(cell.refused for cell in compare_runs(runs, seed=1, num_resamples=200, bridges=[made_bridge("j", "other")]).values())
    assert "nothing is compared" in marks(runs, bridges=[made_bridge("j", "other")])[0]


def test_an_invalid_run_is_compared_with_nothing() -> None:
    runs = [made_run("one", seed=1), made_run("two", seed=2, evaluation={"valid": False, "invalid_because": ["broken"]})]
    assert all(cell.comparison is None for cell in compare_runs(runs, seed=1, num_resamples=200).values())
    assert marks(runs) == ["two is not valid: broken"]


SHORT = {"complete": False, "incomplete_because": "training ended after 5 of 120 planned steps"}


@pytest.mark.parametrize("place", [0, 1], ids=["the reference", "the other"])
def test_a_dry_run_is_compared_with_nothing_and_the_way_out_is_said(place: int) -> None:
    runs = [made_run(name, seed=seed, evaluation=SHORT if seed == place else {}) for seed, name in enumerate(("one", "two"))]
    cells = compare_runs(runs, seed=1, num_resamples=200)
    dry = runs[place].name
    assert {cell.refused for cell in cells.values()} == {f"not comparable: {dry} is not complete"} and adjusted(cells) == {}
    text = text_table(runs, cells)
    assert f"not comparable: {dry} is not complete" in text and not re.search(r"[+−]\d+ \[", text), "no difference stands anywhere"
    shown = entries(runs, {"mcq": "", "numeric": "", "explanation": ""})
    assert [arm["label"] for arm in shown["arms"]] == ([] if place == 0 else ["one"]), "no question is won or lost by a dry run"
    [mark] = marks(runs)
    assert mark.startswith(f"{dry} is not complete: training ended after 5 of 120 planned steps; a dry run is not compared")
    assert "`dvc exp run -S train.max_steps=null`" in mark


def test_a_run_whose_checkpoint_these_questions_chose_is_marked() -> None:
    chosen = {"part": {"chose_checkpoint": {"num_reported": 64, "num_evaluations": 9}}}
    [mark] = marks([made_run("one", seed=1), made_run("two", seed=2, evaluation=chosen)])
    assert mark.startswith(
        "two: 64 of these questions chose its checkpoint, the best of 9 evaluations; it looks better on this part than it is"
    )
    unseen = {"part": {"chose_checkpoint": {"num_reported": 0, "num_evaluations": 9}}}
    assert not marks([made_run("one", seed=1), made_run("two", seed=2, evaluation=unseen)]), "on the final part it is like any other"


def test_the_way_out_of_a_dry_run_trains_to_the_end(tmp_path: Path) -> None:
    [mark] = marks([made_run("one", seed=1), made_run("two", seed=2, evaluation=SHORT)])
    override = re.search(r"`dvc exp run -S ([^`]+)`", mark)
    assert override is not None
    path = tmp_path / "params.yaml"
    path.write_text("train:\n  max_steps: 5\n  epochs: 2.0\n")
    apply_overrides(path, [override[1]])
    assert read_yaml(path) == {"train": {"max_steps": None, "epochs": 2.0}}


def test_a_dry_seed_gives_its_setting_no_numbers() -> None:
    runs = [
        made_run(
            f"{alpha}-{seed}", seed=10 * alpha + seed, train_seed=seed, alpha=alpha, evaluation=SHORT if (alpha, seed) == (128, 2) else {}
        )
        for alpha in (32, 128)
        for seed in (1, 2)
    ]
    settings = settings_of(runs)
    assert compare_settings(settings, seed=1, num_resamples=200) == {}
    assert "128-2 is not complete" in settings_table(settings, {})


def test_many_comparisons_make_each_harder_to_believe() -> None:
    runs = [made_run("one", seed=1), *(made_run(f"run {seed}", seed=seed) for seed in range(2, 6))]
    cells = compare_runs(runs, seed=1, num_resamples=200)
    p_values = adjusted(cells)
    assert len(p_values) == 12
    for (name, kind), cell in cells.items():
        assert cell.comparison is not None
        assert p_values[f"{name} {kind}"] >= min(1.0, cell.comparison.p_value)


def test_seeds_of_one_setting_are_one_line_and_settings_are_apart() -> None:
    runs = [made_run(f"{alpha}-{seed}", seed=10 * alpha + seed, train_seed=seed, alpha=alpha) for alpha in (32, 128) for seed in (1, 2, 3)]
    settings = settings_of(runs)
    comparisons = compare_settings(settings, seed=1, num_resamples=200)
    rows = setting_rows(settings, comparisons)
    assert [(row["name"], row["seeds"]) for row in rows] == [("lora.alpha = 32", "1, 2, 3"), ("lora.alpha = 128", "1, 2, 3")]
    assert "sd over seeds" in rows[0]["cells"][0]["spread"]
    assert rows[0]["cells"][0]["difference"] == "" != rows[1]["cells"][0]["difference"]
    assert "minus lora.alpha = 32" in settings_table(settings, comparisons)
    assert settings_of(runs[:1]) == [] and settings_table([], {}) == ""


def test_the_difference_of_settings_is_the_mean_of_the_differences_of_their_seeds() -> None:
    runs = [made_run(f"{alpha}-{seed}", seed=10 * alpha + seed, train_seed=seed, alpha=alpha) for alpha in (32, 128) for seed in (1, 2)]
    found = compare_settings(settings_of(runs), seed=1, num_resamples=200)["lora.alpha = 128", "numeric"]
    by_seed = [compare_runs([runs[i], runs[i + 2]], seed=1, num_resamples=200)[runs[i + 2].name, "numeric"].comparison for i in (0, 1)]
    assert all(one is not None for one in by_seed)
    numbers = settings_numbers(settings_of(runs), compare_settings(settings_of(runs), seed=1, num_resamples=200))
    assert numbers["settings"][1]["differs"] == {"lora.alpha": 128}
    assert numbers["settings"][1]["kinds"]["numeric"]["delta"] == round(found.delta, 4)
    assert found.delta == pytest.approx(sum(one.delta for one in by_seed if one is not None) / 2)


@pytest.mark.parametrize("place", [0, 1])
def test_an_invalid_seed_gives_its_setting_no_numbers(place: int) -> None:
    """The first run of each setting is valid: it is another seed that is not."""
    broken = {"valid": False, "invalid_because": ["broken"]}
    runs = [
        made_run(
            f"{alpha}-{seed}", seed=10 * alpha + seed, train_seed=seed, alpha=alpha, evaluation=broken if (at, seed) == (place, 2) else {}
        )
        for at, alpha in enumerate((32, 128))
        for seed in (1, 2)
    ]
    settings = settings_of(runs)
    assert compare_settings(settings, seed=1, num_resamples=200) == {}
    rows = setting_rows(settings, {})
    assert {cell["mean"] for cell in rows[place]["cells"]} == {"–"} and "–" not in {cell["mean"] for cell in rows[1 - place]["cells"]}
    assert f"{runs[2 * place + 1].name} is not valid" in settings_table(settings, {})
    assert settings_numbers(settings, {})["settings"][place]["kinds"]["mcq"]["mean"] is None


def test_settings_under_different_judges_are_not_compared_on_explanations() -> None:
    runs = [made_run(f"{judge}-{seed}", seed=seed, train_seed=seed, judge=judge) for judge in ("j", "other") for seed in (1, 2)]
    assert [one.name for one in settings_of(runs)] == ["as they stand (j-1 ...)", "as they stand (other-1 ...)"]
    assert {kind for _, kind in compare_settings(settings_of(runs), seed=1, num_resamples=200)} == {"mcq", "numeric"}


def test_directions_that_disagree_are_mixed() -> None:
    runs = [made_run(str(seed), seed=seed) for seed in range(1, 9)]
    found = {overall_change([run.scored()[key] for run in runs]) for key in runs[0].scored()}
    assert "mixed" in found
    assert found <= {"gained", "lost", "mixed", "right", "wrong", "same", "open"}


def test_identity_comes_from_the_ledger_the_parameters_and_the_lock() -> None:
    lock = {
        "stages": {
            "answer@base": {"deps": [{"path": "models/base", "md5": "m1"}, {"path": "data/context/none.jsonl", "md5": "n0"}]},
            "answer@tuned": {
                "deps": [
                    {"path": "models/base", "md5": "m1"},
                    {"path": "plumbline/answering", "md5": "e1"},
                    {"path": "data/context/passages.jsonl", "md5": "p1"},
                ]
            },
            "grade": {"deps": [{"path": "plumbline/grading/mcq.py", "md5": "g1"}, {"path": "data/x", "md5": "d"}]},
        }
    }
    evaluation = {
        "sha256": {"benchmark": "b1"},
        "prompt_version": "e1",
        "part": {"name": "all", "num_questions": 3},
        "judge": {"judge_id": "j1"},
        "arms": {"base": {"context": "data/context/none.jsonl"}, "tuned": {"context": "data/context/passages.jsonl"}},
    }
    params = {"answer": {"max_new_tokens": 9, "instructions": {"mcq": "go"}}, "grade": {"relative_tolerance": 0.05}}
    identity = identity_of(evaluation, params, lock, arm="tuned")
    assert identity["benchmark"] == "b1"
    assert "e1" in identity["prompt"]
    assert "go" in identity["prompt"]
    assert identity["decoding"] == "[('max_new_tokens', 9)]"
    assert "g1" in identity["grader"]
    assert "'d'" not in identity["grader"]
    assert identity["base model"] == "m1"
    assert (identity["context"], identity["answering code"]) == ("p1", "[('plumbline/answering', 'e1')]")
    assert identity_of(evaluation, params, lock, arm="base")["context"] == "n0"
