"""Which runs may be compared, and what the comparison says. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.comparing.bridges import Crossing, JudgeBridge, crossing
from plumbline.reporting.benchmark_parts import questions_of
from plumbline.reporting.ledger import KIND_NAMES, Scored, compare_pairs, join_verdicts
from plumbline.reporting.page import arm_content, change_of, question_content
from plumbline.reporting.words import p_words, points, span
from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, Direction, holm, shown_direction

REFUSED_BY: dict[str, tuple[Kind, ...]] = {"benchmark": KINDS, "part": KINDS, "judge": ("explanation",)}
"""What must be equal, and the kinds that cannot be compared where it is not: other questions, another scale. A bridge spans two judges."""
MARKED_BY = ("prompt", "decoding", "answering code", "grader", "base model")
"""What may differ on purpose, but must then be said: the difference is not the adapter's alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One experiment, commit, or the workspace."""

    name: str
    evaluation: dict[str, Any]
    params: dict[str, Any]
    """params.yaml as it stood."""
    identity: dict[str, str]
    """What makes its scores comparable, each as one line of text."""
    questions: list[Question]
    """Of the part that the run reports."""
    answers: list[Answer]
    grades: list[Grade]
    judgements: list[Judgement]

    def tuned(self) -> dict[str, Scored]:
        """Question id -> the tuned answer with its verdict."""
        rows = join_verdicts(self.questions, self.answers, self.grades, self.judgements)
        return {row.id: row for row in rows if row.arm == "tuned"}


def identity_of(evaluation: Mapping[str, Any], params: Mapping[str, Any], lock: Mapping[str, Any]) -> dict[str, str]:
    """What the scores of a run depend on besides its adapter, from its ledger, its parameters and its dvc.lock."""
    stages = lock["stages"]

    def code(stage: str) -> str:
        deps = {dep["path"]: dep["md5"] for dep in stages[stage]["deps"] if dep["path"].startswith(("plumbline/", "stages/"))}
        return str(sorted(deps.items()))

    def dep(stage: str, path: str) -> str:
        return {entry["path"]: entry["md5"] for entry in stages[stage]["deps"]}[path]

    answering = dict(params["answer"])
    return {
        "benchmark": evaluation["sha256"]["benchmark"],
        "part": f"{evaluation['part']['name']} ({evaluation['part']['num_questions']} questions)",
        "judge": str(evaluation["judge"]["judge_id"]),
        "prompt": f"{answering.pop('instructions', None)} {evaluation['prompt_version']}",
        "decoding": str(sorted(answering.items())),
        "answering code": code("answer_tuned"),
        "grader": f"{params['grade']} {code('grade')}",
        "base model": dep("answer_tuned", "models/base"),
    }


def chosen_questions(evaluation: Mapping[str, Any], questions: Sequence[Question]) -> list[Question]:
    """The questions that a run reported on."""
    part = evaluation["part"]
    return questions_of(questions, part=part["name"], development_fraction=part["development_fraction"])


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested parameters as `section.key` -> value."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        leaves |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return leaves


def differing(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """For each run its values of the parameters that are not the same in all runs."""
    params = [flat(run.params) for run in runs]
    names = [name for name in sorted({name for one in params for name in one}) if len({str(one.get(name)) for one in params}) > 1]
    return [{name: one.get(name) for name in names} for one in params]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run against the reference on one kind."""

    comparison: Comparison | None
    refused: str | None
    """Why there is no comparison; None where there is one, or nothing to compare."""
    across: Crossing | None = None
    """Of a comparison whose two sides were scored by different judges: their bridge. The difference holds the judges' as well."""


def crossed(reference: Run, run: Run, bridges: Sequence[JudgeBridge]) -> Crossing | None:
    """The bridge from the judge of the reference to that of a run; None where they have one judge, or no bridge."""
    return crossing(bridges, here=reference.identity["judge"], there=run.identity["judge"])


def refusal(reference: Run, run: Run, kind: Kind, *, bridges: Sequence[JudgeBridge] = ()) -> str | None:
    """Why comparing two runs on this kind would mean nothing; None where it means something."""
    for name, kinds in REFUSED_BY.items():
        if kind in kinds and reference.identity[name] != run.identity[name]:
            if name == "judge" and crossed(reference, run, bridges) is not None:
                continue
            return f"not comparable: {name} differs"
    if not (reference.evaluation["valid"] and run.evaluation["valid"]):
        return "not comparable: a run is not valid"
    return None


def cell(reference: Run, run: Run, kind: Kind, *, seed: int, num_resamples: int, bridges: Sequence[JudgeBridge] = ()) -> Cell:
    """Compare the tuned answers of two runs, or say why that would mean nothing. Scores stay as each judge gave them: no bridge moves one."""
    refused = refusal(reference, run, kind, bridges=bridges)
    if refused is not None:
        return Cell(comparison=None, refused=refused)
    before, after = reference.tuned(), run.tuned()
    pairs = [(row.score, after[key].score, row.cluster) for key, row in before.items() if row.kind == kind]
    across = crossed(reference, run, bridges) if kind in REFUSED_BY["judge"] else None
    return Cell(comparison=compare_pairs(pairs, seed=seed, num_resamples=num_resamples), refused=None, across=across)


def compare_runs(
    runs: Sequence[Run], *, seed: int, num_resamples: int, bridges: Sequence[JudgeBridge] = ()
) -> dict[tuple[str, Kind], Cell]:
    """(run, kind) -> its comparison with the first run."""
    return {
        (run.name, kind): cell(runs[0], run, kind, seed=seed, num_resamples=num_resamples, bridges=bridges)
        for run in runs[1:]
        for kind in KINDS
    }


def adjusted(cells: Mapping[tuple[str, Kind], Cell]) -> dict[str, float]:
    """`run kind` -> p value adjusted for all comparisons made: looking at many runs finds something by chance.

    Across two judges there is none: it would test answers and judges in one.
    """
    return holm(
        {
            f"{name} {kind}": one.comparison.p_value
            for (name, kind), one in cells.items()
            if one.comparison is not None and one.across is None
        }
    )


def marks(runs: Sequence[Run], *, bridges: Sequence[JudgeBridge] = ()) -> list[str]:
    """What a reader must know before comparing, a sentence each."""
    found: list[str] = []
    reference = runs[0]
    for run in runs[1:]:
        refused = [name for name in REFUSED_BY if run.identity[name] != reference.identity[name]]
        marked = [name for name in MARKED_BY if run.identity[name] != reference.identity[name]]
        across = crossed(reference, run, bridges)
        if refused == ["judge"] and across is not None:
            found.append(
                f"{run.name}: another judge than {reference.name}; explanations stand on two scales, not corrected and without a p value: "
                f"{across.words}"
            )
        elif refused:
            what = "explanations are not" if refused == ["judge"] else "nothing is"
            found.append(f"{run.name}: another {' and another '.join(refused)} than {reference.name}; {what} compared")
        if marked:
            found.append(f"{run.name}: another {', '.join(marked)} than {reference.name}; the difference is not the adapter's alone")
    for run in runs:
        if not run.evaluation["valid"]:
            found.append(f"{run.name} is not valid: {'; '.join(run.evaluation['invalid_because'])}")
        elif not run.evaluation["complete"]:
            found.append(f"{run.name} is not complete: {run.evaluation['incomplete_because']}")
    return found


def run_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The table of runs."""
    rows: list[dict[str, Any]] = []
    for run, values in zip(runs, differing(runs), strict=True):
        cells = []
        for kind in kinds_of(runs):
            numbers = run.evaluation["kinds"].get(kind, {})
            tuned, base = ((numbers.get(arm) or {}).get("score") for arm in ("tuned", "base"))
            cells.append(
                {
                    "tuned": points(tuned["value"]) if tuned else "–",
                    "interval": span(tuple(tuned["ci95"])) if tuned else "",
                    "base": points(base["value"]) if base else "",
                    "n": tuned["n"] if tuned else 0,
                }
            )
        state = "not valid" if not run.evaluation["valid"] else "complete" if run.evaluation["complete"] else "not complete"
        changes = ", ".join(f"{name} = {value}" for name, value in values.items()) or "–"
        rows.append({"name": run.name, "cells": cells, "state": state, "changes": changes})
    return rows


def kinds_of(runs: Sequence[Run]) -> list[Kind]:
    return [kind for kind in KINDS if any(kind in run.evaluation["kinds"] for run in runs)]


def matrix(runs: Sequence[Run], cells: Mapping[tuple[str, Kind], Cell]) -> list[dict[str, Any]]:
    """The table of paired differences."""
    p_values = adjusted(cells)
    rows: list[dict[str, Any]] = []
    for run in runs[1:]:
        shown = []
        for kind in kinds_of(runs):
            one = cells[run.name, kind]
            if one.comparison is None:
                shown.append({"value": "–", "interval": "", "note": one.refused or "no verdicts", "direction": Direction.NONE})
                continue
            found = one.comparison
            if one.across is not None:
                note = f"two judges, n = {found.n}, not corrected, no p value: {one.across.words}"
                shown.append(
                    {
                        "value": points(found.delta, sign=True),
                        "interval": f"{span(found.ci95)} (two judges)",
                        "note": note,
                        "direction": Direction.NONE,
                    }
                )
                continue
            p_value = p_values[f"{run.name} {kind}"]
            way = shown_direction(found.ci95, p_value)
            note = f"p {p_words(p_value)}, n = {found.n}, +{found.num_tuned_only} −{found.num_base_only}"
            if way is Direction.NONE:
                note += f", could have shown {points(found.minimum_detectable_effect)}"
            shown.append({"value": points(found.delta, sign=True), "interval": span(found.ci95), "note": note, "direction": way})
        rows.append({"name": run.name, "cells": shown})
    return rows


def comparable_runs(runs: Sequence[Run]) -> list[Run]:
    """The first run and those that answer the same questions and are valid: only these can stand side by side per question."""
    first = runs[0]
    if not first.evaluation["valid"]:
        return []
    return [
        run for run in runs if run.evaluation["valid"] and all(run.identity[name] == first.identity[name] for name in ("benchmark", "part"))
    ]


def entries(runs: Sequence[Run], instructions: Mapping[str, str]) -> dict[str, Any]:
    """Every question with the tuned answers of all runs, what the reference could and another cannot first."""
    shown = comparable_runs(runs)
    arms = [{"key": f"r{index}", "label": run.name} for index, run in enumerate(shown)]
    if not shown:
        return {"arms": [], "rows": []}
    scored = [run.tuned() for run in shown]
    answered = [{answer.id: answer for answer in run.answers if answer.arm == "tuned"} for run in shown]
    verdicts = [{verdict.id: verdict for verdict in [*run.grades, *run.judgements] if verdict.arm == "tuned"} for run in shown]
    one_judge = len({run.identity["judge"] for run in shown}) == 1
    rows: list[tuple[tuple[float, int], dict[str, object]]] = []
    for index, question in enumerate(shown[0].questions):
        verdict_rows = [one[question.id] for one in scored]
        comparable = one_judge or question.kind != "explanation"
        content = question_content(question, index, instructions)
        content["h"] = overall_change(verdict_rows) if comparable else "open"
        for arm, answers, rows_of_run, verdicts_of_run in zip(arms, answered, scored, verdicts, strict=True):
            content[arm["key"]] = arm_content(answers[question.id], rows_of_run[question.id], verdicts_of_run[question.id])
        reference = verdict_rows[0].score
        change = sum(
            (row.score or 0) - (reference or 0)
            for row in verdict_rows[1:]
            if comparable and row.score is not None and reference is not None
        )
        rows.append(((change, index), content))
    return {"arms": arms, "rows": [content for _, content in sorted(rows, key=lambda entry: entry[0])]}


def overall_change(rows: Sequence[Scored]) -> str:
    """How the others stand to the first: all in one direction, in both (`mixed`), or not at all."""
    changes = {change_of(rows[0], row) for row in rows[1:]}
    moved = changes & {"gained", "lost"}
    if len(moved) == 2:
        return "mixed"
    return next(iter(moved or sorted(changes)), "open")


def text_table(runs: Sequence[Run], cells: Mapping[tuple[str, Kind], Cell]) -> str:
    """The comparison for a terminal."""
    kinds = kinds_of(runs)
    names = [KIND_NAMES[kind] for kind in kinds]
    lines = [["run", *names, "state"]]
    lines += [
        [str(row["name"]), *(f"{one['tuned']} {one['interval']}".strip() for one in row["cells"]), str(row["state"])]
        for row in run_rows(runs)
    ]
    lines.append([])
    lines.append([f"minus {runs[0].name}", *names])
    lines += [
        [
            str(row["name"]),
            *(f"{one['value']} {one['interval']}".strip() if one["value"] != "–" else str(one["note"]) for one in row["cells"]),
        ]
        for row in matrix(runs, cells)
    ]
    return in_columns(lines)


def in_columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, each column as wide as its widest cell."""
    widths = [max((len(line[column]) for line in lines if len(line) > column), default=0) for column in range(max(map(len, lines)))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=False)).rstrip() for line in lines) + "\n"
