"""If a context held nothing for a kind, the report says that nothing was compared, and ascribes no difference to the context."""

import dataclasses
import json
from pathlib import Path

from plumbline.rows.context import Context, ContextTurn
from stages.report import main
from tests.fakes.evaluation_world import ANSWERING, FIVE, JUDGING, PARAMS, make_world, read_outputs, write_lines, write_world

PAIRS = (("base", "tuned"), ("base_examples", "tuned"), ("base", "base_examples"))
THREE = {name: FIVE[name] for name in ("base", "base_examples", "tuned")}
TURN = ContextTurn(user="What is 2 m + 2 m?", assistant="Answer: 4 m")


def reported(folder: Path, *, without: str) -> tuple[dict, str]:
    """evaluation.json and the page of a run with no examples for one kind; both arms answer the same there."""
    world = make_world(num_mcq=24, num_numeric=24, num_explanation=16, num_clusters=24, arms=THREE, comparisons=PAIRS)
    silent = {question.id for question in world.questions if question.kind == without}
    base = {answer.id: answer for answer in world.answers["base"]}
    world.answers["base_examples"] = [
        base[one.id].model_copy(update={"arm": "base_examples"}) if one.id in silent else one for one in world.answers["base_examples"]
    ]
    graded = {grade.id: grade for grade in world.grades if grade.arm == "base"}
    world.grades = [
        graded[one.id].model_copy(update={"arm": "base_examples"}) if one.arm == "base_examples" and one.id in silent else one
        for one in world.grades
    ]
    contexts = [
        Context(id=question.id, turns=() if question.id in silent else (TURN,), passages=(), recall=None) for question in world.questions
    ]
    files = dataclasses.replace(write_world(world, folder), contexts={"examples": folder / "examples.jsonl"})
    write_lines(folder / "examples.jsonl", contexts)
    main(PARAMS, ANSWERING, JUDGING, world.compared, files)
    return read_outputs(files)[1], files.page.read_text(encoding="utf-8")


def test_an_arm_without_an_example_for_a_kind_is_no_second_arm_there(tmp_path: Path) -> None:
    evaluation, page = reported(tmp_path, without="mcq")
    said = "base examples had no example for multiple choice: same prompts as base, nothing to compare"
    assert said in [gate["text"] for gate in evaluation["gates"]] and said.capitalize() in page
    verdict = evaluation["verdict"]
    assert "Base examples had no example for multiple choice: same prompts as base, nothing to compare." in verdict
    alone = verdict[verdict.index("Examples alone") : verdict.index("Answers that could not be read")]
    assert "on multiple choice" not in alone and "on numeric problems" in alone
    assert "On multiple choice fine-tuning beats base by" in verdict, "the same prompts are not one more arm that was beaten"
    assert "same prompts: nothing to compare" in page
    told = {kind: [pair.get("same_prompts") for pair in ledger["comparisons"]] for kind, ledger in evaluation["kinds"].items()}
    assert told == {"mcq": [None, None, True], "numeric": [None] * 3, "explanation": [None] * 3}
    assert "beats every arm without it" in page


def test_contexts_that_hold_something_are_told_as_before(tmp_path: Path) -> None:
    evaluation, page = reported(tmp_path, without="nothing")
    assert "same prompts" not in json.dumps(evaluation) + page and "points [" in evaluation["verdict"].split("Examples alone")[1]
