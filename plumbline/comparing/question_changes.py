"""Every question with the compared answers of all runs, ordered by how much the others lose against the first. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.comparing.comparability import comparable_runs
from plumbline.comparing.compared_run import Run
from plumbline.reporting.entries import change_of, question_answer, question_content
from plumbline.reporting.scored import Scored, by_question


def entries(runs: Sequence[Run], instructions: Mapping[str, str]) -> dict[str, Any]:
    """Every question with the compared answers of all runs. What the reference could answer and another cannot comes first."""
    shown = comparable_runs(runs)
    arms = [{"key": f"r{index}", "label": run.name} for index, run in enumerate(shown)]
    if not shown:
        return {"arms": [], "rows": []}
    scored = [run.scored() for run in shown]
    answered = [by_question(run.answers) for run in shown]
    verdicts = [{**by_question(run.grades), **by_question(run.judgements)} for run in shown]
    one_judge = len({run.identity["judge"] for run in shown}) == 1
    rows: list[tuple[tuple[float, int], dict[str, object]]] = []
    for index, question in enumerate(shown[0].questions):
        verdict_rows = [one[question.id] for one in scored]
        comparable = one_judge or question.kind != "explanation"
        content = question_content(question, index, instructions)
        content["h"] = overall_change(verdict_rows) if comparable else "open"
        for run, arm, answers, rows_of_run, verdicts_of_run in zip(shown, arms, answered, scored, verdicts, strict=True):
            key = run.arm, question.id
            content[arm["key"]] = question_answer(answers[key], rows_of_run[question.id], verdicts_of_run[key])
        reference = verdict_rows[0].score
        change = sum(
            (row.score or 0) - (reference or 0)
            for row in verdict_rows[1:]
            if comparable and row.score is not None and reference is not None
        )
        rows.append(((change, index), content))
    return {"arms": arms, "rows": [content for _, content in sorted(rows, key=lambda entry: entry[0])]}


def overall_change(rows: Sequence[Scored]) -> str:
    """How the others differ from the first: all in one direction, in both (`mixed`), or not at all."""
    changes = {change_of(rows[0], row) for row in rows[1:]}
    moved = changes & {"gained", "lost"}
    if len(moved) == 2:
        return "mixed"
    return next(iter(moved or sorted(changes)), "open")
