"""Base answers a second time in other batches, the answers are graded as the first were, and the report claims nothing smaller than what moved."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from plumbline.answering.again import AgainFiles
from plumbline.answering.noise_plan import AGAIN, NoisePlan
from plumbline.comparing.comparison_tables import matrix, text_table
from plumbline.comparing.differences import compare_runs
from plumbline.grading.params import GradeParams
from plumbline.judging.params import JudgeParams
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.rows.answer import Answer
from plumbline.rows.arms import ArmParams
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question
from plumbline.statistics import Direction
from stages.answer_again import NoiseFloorParams
from stages.answer_again import main as answer_again
from stages.grade_again import main as grade_again
from stages.report import main as report
from tests.fakes.answering import answer_arm
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, make_world, read_outputs, write_world
from tests.fakes.second_asking import second_asking, write_second
from tests.fakes.tiny_models import questions, save_models
from tests.unit.test_comparing import made_run

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = GradeParams(relative_tolerance=0.05, absolute_tolerance=1.0)
SMALL = ANSWERING.model_copy(update={"max_new_tokens": 12, "batch_size": 4})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_models(folder)
    write_jsonl(folder / "benchmark.jsonl", questions())
    return folder


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("PLUMBLINE_DEVICE", "cpu")


def files_in(folder: Path, benchmark: Path) -> AgainFiles:
    return AgainFiles(
        benchmark=benchmark, asked=folder / "noise/benchmark.jsonl", answers=folder / "noise/answers.jsonl", plan=folder / "noise/plan.json"
    )


def ask(folder: Path, models: Path, **changes: object) -> tuple[NoisePlan, AgainFiles]:
    (folder / "none.jsonl").touch()
    (folder / "noise").mkdir()
    given = {"weights": "models/base", "context": str(folder / "none.jsonl"), "fraction": 1.0, "batch_fraction": 0.5, "engine": None}
    params, files = NoiseFloorParams.model_validate(given | changes), files_in(folder, models / "benchmark.jsonl")
    return answer_again(params, SMALL, files, base=models / "base", templates=ROOT / "examples/chat_templates"), files


def judging(backend: str) -> JudgeParams:
    return JudgeParams.model_validate(read_yaml(ROOT / "params.yaml")["judge"] | {"backend": backend})


def test_base_is_asked_again_in_float32_and_says_the_same(tmp_path: Path, models: Path) -> None:
    first = answer_arm(SMALL, benchmark=models / "benchmark.jsonl", base=models / "base", answers=tmp_path / "base.jsonl")
    plan, files = ask(tmp_path, models)
    again = list(read_jsonl(files.answers, Answer))
    assert (plan.num_asked, plan.num_questions, plan.batch_size, plan.reason) == (len(questions()), len(questions()), 2, None)
    assert [(one.id, one.response) for one in again] == [(one.id, one.response) for one in first]
    assert {one.arm for one in again} == {AGAIN} and list(read_jsonl(files.asked, Question)) == list(questions())
    assert len(list((tmp_path / ".cache/answers").iterdir())) == 2, "the first answers were not handed out again"


def test_a_share_of_the_questions_is_asked_and_graded(tmp_path: Path, models: Path) -> None:
    plan, files = ask(tmp_path, models, fraction=0.5)
    asked = [question.id for question in read_jsonl(files.asked, Question)]
    assert 0 < plan.num_asked == len(asked) < len(questions()) and [one.id for one in read_jsonl(files.answers, Answer)] == asked
    graded, judged = tmp_path / "noise/graded.jsonl", tmp_path / "noise/judged.jsonl"
    grade_again(TOLERANCE, judging("key_points"), asked=files.asked, answers={AGAIN: files.answers}, graded=graded, judged=judged)
    verdicts = [row.id for row in read_jsonl(graded, Grade)] + [row.id for row in read_jsonl(judged, Judgement)]
    assert sorted(verdicts) == sorted(asked)
    # A judge that is a model is not asked, and needs no key.
    grade_again(TOLERANCE, judging("claude"), asked=files.asked, answers={AGAIN: files.answers}, graded=graded, judged=judged)
    assert judged.read_text() == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fraction": 0.0}, "noise_floor.fraction is 0"),
        ({"weights": "answers/api.jsonl"}, "the answers of answers/api.jsonl were made elsewhere, so they cannot be made again here"),
    ],
)
def test_where_no_one_can_be_asked_again_that_is_said_and_nothing_is_loaded(
    changes: dict[str, object], reason: str, tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "benchmark.jsonl", questions())
    plan, files = ask(tmp_path, tmp_path, **changes)
    assert (plan.reason, plan.num_asked, plan.engine, plan.batch_size) == (reason, 0, None, None)
    graded, judged = tmp_path / "noise/graded.jsonl", tmp_path / "noise/judged.jsonl"
    grade_again(TOLERANCE, judging("key_points"), asked=files.asked, answers={AGAIN: files.answers}, graded=graded, judged=judged)
    assert graded.read_text() == judged.read_text() == files.answers.read_text() == ""


def told(folder: Path, *, changed: int) -> tuple[dict, str]:
    """evaluation.json and the page."""
    world = make_world()
    files = dataclasses.replace(write_world(world, folder), noise=write_second(second_asking(world, changed=changed), folder))
    report(PARAMS, ANSWERING, JUDGING, world.compared, files)
    (evaluation,) = read_outputs(files, ["evaluation"])
    return evaluation, files.page.read_text(encoding="utf-8")


def test_the_report_claims_nothing_smaller_than_what_moved(tmp_path: Path) -> None:
    still, page = told(tmp_path / "still", changed=0)
    assert "Tuned is better on multiple choice" in still["verdict"] and still["noise_floor"]["kinds"]["mcq"]["floor"] == 0
    assert "No text changed" in page and "Texts changed" not in page and "<dt>noise floor</dt>" not in page
    moved, page = told(tmp_path / "moved", changed=60)
    mcq = moved["noise_floor"]["kinds"]["mcq"]
    assert (mcq["num_asked"], mcq["num_texts_changed"], mcq["n"]) == (60, 60, 60)
    wrong = moved["kinds"]["mcq"]["arms"]["base"]["n"] - moved["kinds"]["mcq"]["arms"]["base"]["correct"]
    assert (mcq["num_first_only"], mcq["num_again_only"]) == (0, wrong) and mcq["floor"] == pytest.approx(max(map(abs, mcq["ci95"])))
    assert mcq["floor"] > moved["kinds"]["mcq"]["comparisons"][0]["delta"]["value"] > 0
    assert "On multiple choice the difference (" in moved["verdict"] and "it is not claimed" in moved["verdict"]
    assert "better on multiple choice" not in moved["verdict"] and "Texts changed" in page and "<dt>noise floor</dt>" in page
    assert moved["kinds"] == still["kinds"], "the numbers stay; what is said of them does not"


def test_an_arm_that_was_not_asked_again_leaves_a_warning(tmp_path: Path) -> None:
    world = make_world(arms={"other": ArmParams(weights="examples/model.yaml", context="data/context/none.jsonl"), **make_world().arms})
    del world.arms["base"]
    world = dataclasses.replace(world, comparisons=(("other", "tuned"),), grades=[one for one in world.grades if one.arm != "base"])
    world.judgements = [one for one in world.judgements if one.arm != "base"]
    files = dataclasses.replace(write_world(world, tmp_path), noise=write_second(second_asking(), tmp_path))
    report(PARAMS, ANSWERING, JUDGING, world.compared, files)
    (evaluation,) = read_outputs(files, ["evaluation"])
    assert json.dumps(evaluation["gates"]).count("set noise_floor.weights and noise_floor.context") == 1 and evaluation["valid"]


def test_compare_shows_the_floor_and_claims_nothing_below_it() -> None:
    floors = {"noise_floor": {"kinds": {"mcq": {"floor": 0.9}, "numeric": {"floor": 0.0}, "explanation": {"floor": None}}}}
    runs = [made_run("one", seed=5), made_run("two", seed=6), made_run("three", seed=6, evaluation=floors)]
    for run, outcome in zip(runs, (Outcome.INCORRECT, Outcome.CORRECT, Outcome.CORRECT), strict=True):
        # A few differ, so that the difference is 80 points and not all of the scale.
        ruled = [one for one in run.grades if one.arm == "tuned"]
        changed = {(one.kind, one.id) for one in ruled if int(one.id[-2:]) >= 4}
        run.grades[:] = [
            one.model_copy(update={"outcome": outcome if (one.kind, one.id) in changed else Outcome.CORRECT}) if one.arm == "tuned" else one
            for one in run.grades
        ]
    cells = compare_runs(runs, seed=1, num_resamples=200)
    without, with_floor = (row["cells"] for row in matrix(runs, cells))
    assert [cell["direction"] for cell in without[:2]] == [Direction.BETTER, Direction.BETTER]
    assert not any("noise floor" in cell["note"] for cell in without)
    assert with_floor[0]["direction"] is Direction.NONE and with_floor[0]["note"].endswith(", not claimed, noise floor 90")
    assert with_floor[0]["value"] == without[0]["value"] and with_floor[1]["direction"] is Direction.BETTER
    assert re.search(r"^noise floor +90 +0 +–$", text_table(runs, cells), re.MULTILINE)
    assert "noise floor" not in text_table(runs[:2], cells)
