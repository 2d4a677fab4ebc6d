"""What must be read with care is one sentence for each cause, and a run without readable answers claims nothing."""

import json
from pathlib import Path

from plumbline.reporting.care import steps_gates
from plumbline.rows.outcome import Outcome, Reading
from stages.report import main
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, World, explanation, make_world, read_outputs, rule_answer, write_world

ROWS = "0% of training rows end in a line `Answer: ...` as mcq asks"


def small() -> World:
    return make_world(num_mcq=20, num_numeric=20, num_explanation=10, num_clusters=20)


def unread(world: World, kinds: dict[str, tuple[str, ...]]) -> None:
    """Make all answers of these arms, on these kinds, unreadable by rule; explanations score the same."""
    questions = {question.id: question for question in world.questions}
    for arm, answers in world.answers.items():
        for place, answer in enumerate(answers):
            question = questions[answer.id]
            if question.kind == "explanation":
                answers[place], judgement = explanation(question, arm, 0.0)
                world.judgements = [judgement if (one.id, one.arm) == (answer.id, arm) else one for one in world.judgements]
            elif arm in kinds.get(question.kind, ()):
                answers[place], grade = rule_answer(question, arm, right=False, unparsed=True)
                world.grades = [grade if (one.id, one.arm) == (answer.id, arm) else one for one in world.grades]
    assert {grade.reading for grade in world.grades if grade.outcome is Outcome.UNPARSED} == {Reading.NONE}


def run(world: World, folder: Path, **checks: str) -> tuple[dict, str]:
    files = write_world(world, folder)
    preflight = json.loads(files.preflight.read_text())
    preflight["checks"] |= checks
    files.preflight.write_text(json.dumps(preflight))
    main(PARAMS, ANSWERING, JUDGING, world.compared, files)
    return read_outputs(files)[1], files.page.read_text(encoding="utf-8")


def test_a_run_whose_answers_could_not_be_read_cannot_tell(tmp_path: Path) -> None:
    world = small()
    unread(world, {"mcq": ("base", "tuned"), "numeric": ("base", "tuned")})
    evaluation, page = run(world, tmp_path, answer_format=f"warn: {ROWS}", num_steps="warn: 19 of 19 planned steps")
    said = "Most answers could not be read (40 of 40 on multiple choice, 40 of 40 on numeric problems): this run cannot tell whether tuning helped."
    assert f'class="none">{said}</h1>' in page and evaluation["verdict"].startswith(said)
    care = page[page.index("Read with care") : page.index('class="cards"')]
    assert (
        "Answers that could not be read: on multiple choice 20 of 20 (base), 20 of 20 (tuned); on numeric problems 20 of 20 (base), 20 of 20 "
        f"(tuned): the scores measure the format as well. Likely reason: {ROWS}; few training steps." in care
    )
    assert care.count("could not be read") == 1, "one sentence for one cause"
    assert "Training had only 19 steps, few to learn from" in care
    assert "All scores of an arm alike: on explanations all 0 (base), all 0 (tuned)" in care, "that all are unread is no second cause"
    assert "unparsed_numeric_tuned" in [gate["name"] for gate in evaluation["gates"] if not gate["ok"]], "the ledger keeps each"


def test_half_unread_or_a_difference_shown_keeps_the_headline(tmp_path: Path) -> None:
    world = small()
    unread(world, {"mcq": ("tuned",)})
    assert "cannot tell" not in run(world, tmp_path / "half")[1], "more than half could be read"
    world = small()
    unread(world, {"mcq": ("base", "tuned"), "numeric": ("base",)})
    evaluation, page = run(world, tmp_path / "shown")
    assert "cannot tell" not in page and evaluation["verdict"].startswith("Tuned is better on numeric problems"), "what is shown is told"


def test_enough_steps_and_a_dry_run_are_no_warning_of_few() -> None:
    def steps(text: str, *, is_trained: bool = True) -> list[str]:
        return [gate.text for gate in steps_gates({"checks": {"num_steps": text}}, is_trained=is_trained)]

    assert steps("warn: 1 of 1 planned steps") == [
        "training had only 1 step, few to learn from: lower train.tokens_per_step or raise train.epochs"
    ]
    assert not steps("pass: 120 of 120 planned steps") and not steps("warn: 8 of 120 planned steps")
    assert not steps("warn: 19 of 19 planned steps", is_trained=False) and not steps_gates({}, is_trained=True)
