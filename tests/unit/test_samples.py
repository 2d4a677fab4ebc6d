"""Several answers to a question: each is graded and judged, the question counts once, with their mean."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import plumbline
from plumbline.answering.elsewhere import read_elsewhere
from plumbline.commands.plan_lines import judge_lines
from plumbline.comparing.compared_run import Run
from plumbline.comparing.question_changes import entries
from plumbline.comparing.settings import settings_of
from plumbline.comparing.uncertainty import uncertainty_numbers, uncertainty_of, uncertainty_table
from plumbline.grading.run import GradeFiles, answers_by_id, grade_files
from plumbline.grading.tolerance import Tolerance
from plumbline.judging.agreement import answer_key
from plumbline.judging.items import DueAnswers, item_of
from plumbline.judging.params import JudgeParams
from plumbline.judging.run import JudgeFiles, judge_explanations
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused
from plumbline.planning.judged_answers import JudgedAnswers
from plumbline.planning.resolution_lines import last_differences
from plumbline.reporting.calibration import calibrated_by_people
from plumbline.reporting.human_label import HumanLabel
from plumbline.reporting.ledger import ledgers
from plumbline.reporting.numbers import SCHEMA, kind_numbers
from plumbline.reporting.scored import Scored, join_verdicts
from plumbline.reporting.validity import item_problems
from plumbline.rows.answer import Answer
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import KINDS
from plumbline.statistics import paired_comparison
from stages.report import main as report
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, ROOT, World, make_world, write_lines, write_world
from tests.fakes.sampled_world import sampled_world
from tests.unit.test_comparing import IDENTITY

TOLERANCE = Tolerance(relative=0.05, absolute=None)
JUDGE = JudgeParams.model_validate(read_yaml(ROOT / "params.yaml")["judge"])


def scored_of(world: World) -> list[Scored]:
    return join_verdicts(world.questions, [row for rows in world.answers.values() for row in rows], world.grades, world.judgements)


def ledgers_of(world: World) -> dict[Any, Any]:
    return ledgers(world.questions, scored_of(world), comparisons=world.comparisons, overlapping=(), seed=1, num_resamples=500)


def test_a_question_counts_once_with_the_mean_of_its_samples() -> None:
    world = sampled_world()
    rows = scored_of(world)
    assert len(rows) == 2 * 90 and all(len(row.samples) == 4 and row.sample is None for row in rows)
    for row in rows:
        assert row.score == math.fsum(one.score or 0.0 for one in row.samples) / 4
    by_kind = ledgers_of(world)
    for kind in KINDS:
        comparison = by_kind[kind].headline.comparison
        of_kind = [row for row in rows if row.kind == kind]
        first, second = ([row for row in of_kind if row.arm == arm] for arm in ("base", "tuned"))
        assert comparison == paired_comparison(
            [row.score or 0.0 for row in first], [row.score or 0.0 for row in second], clusters=[row.cluster for row in first],
            seed=1, num_resamples=500, level=comparison.level,
        )  # fmt: skip
        assert comparison.n == 30 and comparison.test == "sign_flip_permutation_clustered", "means of samples are graded scores"


def test_outcomes_of_samples_are_counted_and_add_up() -> None:
    world = sampled_world()
    counts = ledgers_of(world)["numeric"].arms["base"]
    found = Counter(grade.outcome for grade in world.grades if grade.arm == "base" and grade.kind == "numeric")
    assert (counts.n, counts.num_answers) == (30, 120) == (counts.estimate.n, found.total())
    assert (counts.num_correct, counts.num_incorrect, counts.num_unparsed) == tuple(
        found[one] for one in (Outcome.CORRECT, Outcome.INCORRECT, Outcome.UNPARSED)
    )
    assert counts.unparsed_rate == counts.num_unparsed / 120 and counts.failures_as_zero == pytest.approx(counts.num_correct / 120)
    assert counts.failures_as_one == pytest.approx((counts.num_correct + counts.num_unparsed) / 120)
    assert ledgers_of(world)["mcq"].arms["base"].logprob.n == 30, "the likeliest choice is one to a question"


def test_a_sample_that_the_judge_failed_at_is_left_out_and_is_no_zero() -> None:
    world = sampled_world()
    place = next(place for place, row in enumerate(world.judgements) if row.arm == "tuned")
    name = world.judgements[place].id
    failed = {"outcome": Outcome.UNJUDGED, "score": None, "cause": "refused"}
    world.judgements[place] = world.judgements[place].model_copy(update=failed)
    others = [row.score or 0.0 for row in world.judgements if (row.arm, row.id) == ("tuned", name) and row.score is not None]
    (row,) = (row for row in scored_of(world) if (row.arm, row.id) == ("tuned", name))
    assert len(others) == 3 and row.score == pytest.approx(sum(others) / 3)
    world.judgements = [row.model_copy(update=failed) if row.id == name and row.arm == "tuned" else row for row in world.judgements]
    (row,) = (row for row in scored_of(world) if (row.arm, row.id) == ("tuned", name))
    assert row.score is None and row.outcome is Outcome.UNJUDGED
    assert ledgers_of(world)["explanation"].headline.comparison.n == 29


def test_an_arm_with_one_answer_is_compared_with_one_that_has_several() -> None:
    world = sampled_world(sampled=("tuned",))
    ledger = ledgers_of(world)["numeric"]
    assert ledger.arms["base"].num_answers == 30 and ledger.arms["tuned"].num_answers == 120
    assert ledger.arm_splits["base"].sampling is None and ledger.arm_splits["tuned"].sampling > 0
    split = ledger.pair_splits["base", "tuned"]
    assert split.sampling == pytest.approx(ledger.arm_splits["tuned"].sampling), "a greedy arm adds nothing that is drawn"


def test_a_greedy_evaluation_says_nothing_of_samples() -> None:
    numbers = kind_numbers(ledgers_of(make_world())["mcq"])
    assert "uncertainty" not in numbers and "num_answers" not in json.dumps(numbers)


def test_each_sample_is_graded_in_order_and_doubled_ones_are_refused(tmp_path: Path) -> None:
    world = sampled_world()
    files = write_world(world, tmp_path)
    write_lines(tmp_path / "base.jsonl", reversed(world.answers["base"]))
    grades = grade_files(
        GradeFiles(benchmark=files.benchmark, answers={"base": tmp_path / "base.jsonl"}, graded=tmp_path / "graded.jsonl"), TOLERANCE
    )
    asked = [question.id for question in world.questions if question.kind != "explanation"]
    assert [(grade.id, grade.sample) for grade in grades] == [(id, sample) for id in asked for sample in (1, 2, 3, 4)]
    questions = {question.id: question for question in world.questions}
    first = world.answers["base"][0]
    for doubled, said in ((first, "sample 1 twice of mcq-0000"), (first.model_copy(update={"sample": None}), "two answers to mcq-0000")):
        write_lines(tmp_path / "twice.jsonl", [first, doubled])
        with pytest.raises(ValueError, match=said):
            answers_by_id(tmp_path / "twice.jsonl", "base", questions)


def test_each_sample_is_judged_and_equal_texts_have_one_verdict(tmp_path: Path) -> None:
    world = sampled_world()
    files = write_world(world, tmp_path)
    judge_explanations(JUDGE, JudgeFiles(questions=files.benchmark, answers=files.answers, judged=tmp_path / "judged.jsonl"))
    judged = list(read_jsonl(tmp_path / "judged.jsonl", Judgement))
    asked = [question.id for question in world.questions if question.kind == "explanation"]
    assert [(row.id, row.arm, row.sample) for row in judged] == [
        (id, arm, sample) for id in asked for arm in ("base", "tuned") for sample in (1, 2, 3, 4)
    ]
    due = DueAnswers(world.questions, world.answers)
    assert len(due) == 240 and {due.answer(number).sample for number in range(4)} == {1, 2, 3, 4}
    with pytest.raises(ValueError, match="base gives sample 1 of question mcq-0000 twice"):
        DueAnswers(world.questions, {"base": [world.answers["base"][0]] * 2})


def problems(world: World) -> list[str]:
    answers = [row for rows in world.answers.values() for row in rows]
    return item_problems(world.questions, list(world.arms), answers, world.grades, world.judgements)


def test_every_sample_needs_one_verdict() -> None:
    world = sampled_world()
    assert problems(world) == []
    lost = sampled_world()
    lost.grades = [row for row in lost.grades if (row.arm, row.id, row.sample) != ("base", "mcq-0003", 2)]
    assert problems(lost) == ["base grades: there is not one for each sample of mcq-0003"]
    twice = sampled_world()
    twice.answers["tuned"].append(twice.answers["tuned"][0])
    assert problems(twice) == ["tuned answers: more than one for mcq-0000 (sample 1)"]
    mixed = sampled_world()
    mixed.answers["tuned"].append(mixed.answers["tuned"][0].model_copy(update={"sample": None}))
    assert "tuned answers: answers with and without a sample number for mcq-0000" in problems(mixed)


def test_answers_made_elsewhere_may_be_several_if_they_are_numbered(tmp_path: Path) -> None:
    questions = make_world(num_mcq=2, num_numeric=1, num_explanation=1).questions
    path = tmp_path / "api.jsonl"
    lines = [{"id": one.id, "sample": sample, "response": f"{one.id} {sample}"} for sample in (2, 1) for one in questions]

    def taken(rows: list[dict[str, object]]) -> list[Answer]:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return read_elsewhere(path, questions, arm="api_model")

    assert [(row.id, row.sample) for row in taken(lines)] == [(one.id, sample) for one in questions for sample in (1, 2)]
    uneven = [(row.id, row.sample) for row in taken(lines[1:])]
    assert uneven[:2] == [(questions[0].id, 1), (questions[1].id, 1)], "not all questions need as many"
    assert {row.sample for row in taken(lines[4:])} == {None}, "one answer to each question has no number"
    with pytest.raises(Refused, match=r"line 9: a second sample 2 of 'mcq-0000'\. Keep one"):
        taken([*lines, lines[0]])
    with pytest.raises(Refused, match=r"a second answer to 'mcq-0000'.*number all answers"):
        taken([{"id": one.id, "response": ""} for one in [*questions, questions[0]]])


def test_the_page_and_the_numbers_show_the_samples_and_where_the_uncertainty_comes_from(tmp_path: Path) -> None:
    world = sampled_world()
    files = write_world(world, tmp_path)
    report(PARAMS, ANSWERING, JUDGING, world.compared, files)
    evaluation = json.loads(files.evaluation.read_text())
    assert evaluation["schema"] == SCHEMA and evaluation["valid"]
    said = evaluation["decoding"]
    assert (said["engine"], said["max_new_tokens"], said["num_samples"], said["temperature"]) == ("transformers", 96, 1, 0.0)
    assert said["instructions"] == ANSWERING.instructions.model_dump() and "seed" not in said, "nothing is drawn"
    drawn = ANSWERING.model_copy(update={"num_samples": 4, "temperature": 0.7, "seed": 3})
    report(PARAMS, drawn, JUDGING, world.compared, files)
    said = json.loads(files.evaluation.read_text())["decoding"]
    assert (said["num_samples"], said["temperature"], said["seed"]) == (4, 0.7, 3)
    numbers = evaluation["kinds"]["numeric"]
    assert (numbers["arms"]["tuned"]["n"], numbers["arms"]["tuned"]["num_answers"]) == (30, 120)
    parts = numbers["uncertainty"]["comparisons"][0]
    assert (parts["reference"], parts["arm"], parts["num_samples"]) == ("base", "tuned", 4.0)
    every = [one for kind in KINDS for one in evaluation["kinds"][kind]["uncertainty"]["comparisons"] if one["questions"] > 0]
    assert every
    for one in every:
        assert one["standard_error"] ** 2 == pytest.approx(one["questions"] ** 2 + one["sampling"] ** 2, abs=3e-5)
    page = files.page.read_text(encoding="utf-8")
    assert "Where the uncertainty comes from" in page and "By sampling" in page and "By seeds" not in page
    assert files.mcq_confusion.read_text().count("\n") == 1 + 2 * 120
    entry = json.loads(page.split('id="entries">')[1].split("</script>")[0])["rows"][0]
    assert len(entry["r1"]["many"]) == 4 and "t" not in entry["r1"] and "[3]" in entry["r1"]["many"][2]["t"]


def test_a_page_of_greedy_answers_has_no_such_section(tmp_path: Path) -> None:
    world = make_world(num_mcq=12, num_numeric=12, num_explanation=12)
    files = write_world(world, tmp_path)
    report(PARAMS, ANSWERING, JUDGING, world.compared, files)
    assert "Where the uncertainty comes from" not in files.page.read_text(encoding="utf-8")


def test_tables_for_notebooks_have_a_row_per_sample_and_scores_per_question(tmp_path: Path) -> None:
    world = sampled_world(sampled=("tuned",))
    files = write_world(world, tmp_path)
    report(PARAMS, ANSWERING, JUDGING, world.compared, files)
    (tmp_path / ".dvc").mkdir()
    run = plumbline.load_run("workspace", root=tmp_path)
    assert len(run.answers) == 90 + 4 * 90 and set(run.answers["sample"]) == {1, 2, 3, 4}
    scores = {(row.id, row.arm): row.score for row in scored_of(world)}
    assert all(run.scores.loc[id, arm] == pytest.approx(score) for (id, arm), score in scores.items())
    assert run.comparisons()["n"].tolist() == [30, 30, 30]
    assert len(run.export(tmp_path / "out.csv").read_text().splitlines()) > 450


def test_labels_correct_samples_within_their_questions() -> None:
    world = sampled_world()
    answers = [row for rows in world.answers.values() for row in rows]
    question_ids = [question.id for question in world.questions]
    bare = calibrated_by_people(
        world.questions, answers, world.judgements, [], comparisons=world.comparisons, reported=question_ids, seed=1
    )
    assert bare.num_labels == 0
    asked = {question.id: question for question in world.questions}
    said = {(row.arm, row.id, row.sample): row for row in answers}
    labels = [
        HumanLabel(
            answer_key=answer_key(item_of(asked[row.id], said[row.arm, row.id, row.sample].response)),
            labeller="a",
            score=row.score or 0.0,
            note="",
        )
        for row in world.judgements[::2]
    ]
    found = calibrated_by_people(
        world.questions, answers, world.judgements, labels, comparisons=world.comparisons, reported=question_ids, seed=1
    )
    (one,) = found.corrections
    comparison = ledgers_of(world)["explanation"].headline.comparison
    assert one.judged == pytest.approx(comparison.delta), "the mean over samples is the mean over questions"


def test_the_plan_counts_every_sample_and_differences_of_means(tmp_path: Path) -> None:
    world = sampled_world()
    write_world(world, tmp_path)
    rows = {(row.arm, row.id): row.score or 0.0 for row in scored_of(world)}
    found = last_differences(tmp_path, ("base", "tuned"))
    assert found == pytest.approx({id: rows["tuned", id] - rows["base", id] for _, id in rows})
    sampling = ANSWERING.model_copy(update={"num_samples": 5, "temperature": 0.7})
    (line,) = judge_lines(JUDGE, world.questions, sampling, JudgedAnswers(num_arms=2, num_samples=5))
    assert line.value == "300 answers of 2 arms with 5 samples, no cost"


def made_run(world: World, name: str, *, train_seed: int = 1, alpha: int = 32) -> Run:
    numbers = {kind: kind_numbers(ledger) for kind, ledger in ledgers_of(world).items()}
    evaluation = {
        "valid": True, "complete": True, "invalid_because": [], "incomplete_because": None, "kinds": numbers,
        "arms": {arm: one.model_dump() for arm, one in world.arms.items()}, "comparisons": [list(pair) for pair in world.comparisons],
    }  # fmt: skip
    return Run(
        name=name, arm="tuned", evaluation=evaluation, params={"train": {"seed": train_seed}, "lora": {"alpha": alpha}},
        identity=dict(IDENTITY), questions=world.questions, answers=[row for rows in world.answers.values() for row in rows],
        grades=world.grades, judgements=world.judgements,
    )  # fmt: skip


def test_compare_tells_questions_sampling_and_seeds_apart_for_settings_and_their_difference() -> None:
    runs = [
        made_run(sampled_world(seed=10 * alpha + seed), f"{alpha}-{seed}", train_seed=seed, alpha=alpha)
        for alpha in (32, 128)
        for seed in (1, 2, 3)
    ]
    found = uncertainty_of(runs, settings_of(runs))
    assert [name for name, kind in found if kind == "numeric"] == [
        "lora.alpha = 32", "lora.alpha = 128", "lora.alpha = 128 minus lora.alpha = 32",
    ]  # fmt: skip
    split = found["lora.alpha = 128", "numeric"]
    assert (split.n, split.num_seeds, split.num_samples) == (30, 3, 4.0) and split.seeds is not None and split.sampling is not None
    table = uncertainty_table(found)
    assert "by seeds" in table and "numeric problems" in table and "trainings" in table
    assert all(len(row) == 12 for row in uncertainty_numbers(found))
    others = [run for run in runs if run.name != "128-3"]
    assert all("minus" not in name for name, _ in uncertainty_of(others, settings_of(others))), "other seeds are not set against each other"


def test_compare_shows_samples_of_single_runs_and_nothing_for_greedy_ones() -> None:
    runs = [made_run(sampled_world(seed=seed), f"run-{seed}", alpha=seed) for seed in (1, 2)]
    found = uncertainty_of(runs, settings_of(runs))
    assert {name for name, _ in found} == {"run-1", "run-2", "run-2 minus run-1"}
    shown = entries(runs, ANSWERING.instructions.model_dump())
    assert all(len(row["r0"]["many"]) == 4 for row in shown["rows"])
    greedy = [made_run(make_world(seed=seed), f"run-{seed}", alpha=seed) for seed in (1, 2)]
    assert uncertainty_of(greedy, []) == {} and uncertainty_table({}) == ""
