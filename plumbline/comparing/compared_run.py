"""A run that is compared: its rows, its parameters, and what makes its scores comparable. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.reporting.benchmark_parts import questions_of
from plumbline.reporting.scored import Scored, join_verdicts
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import decoding_of
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import KINDS, Kind, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One experiment, commit, or the workspace."""

    name: str
    arm: str
    """The arm that is compared: the second arm of its first comparison, unless another one was asked for."""
    evaluation: dict[str, Any]
    params: dict[str, Any]
    """params.yaml of the run."""
    identity: dict[str, str]
    """What makes its scores comparable, each as one line of text."""
    questions: list[Question]
    """Of the part that the run reports."""
    answers: list[Answer]
    grades: list[Grade]
    judgements: list[Judgement]
    answers_gone: str | None = None
    """Why `answers` is empty: they are in neither cache nor remote. Its verdicts can still be compared."""

    @property
    def state(self) -> str:
        """`complete`, or why its numbers are not a result: `not valid` before `not complete`."""
        return "not valid" if not self.evaluation["valid"] else "complete" if self.evaluation["complete"] else "not complete"

    @property
    def is_result(self) -> bool:
        """Whether its numbers may be compared: valid, and of a training that reached its planned end."""
        return self.state == "complete"

    @property
    def reference_arm(self) -> str:
        """The arm that its own report measures against."""
        return first_pair(self.evaluation)[0]

    def score(self, kind: Kind, arm: str) -> dict[str, Any] | None:
        """Score of one of its arms on a kind, as its ledger has it; None without a score."""
        counts = self.evaluation["kinds"].get(kind, {}).get("arms", {}).get(arm)
        return counts["score"] if counts else None

    def floor(self, kind: Kind) -> float | None:
        """Its noise floor on a kind, in 0..1; None if no arm was asked again, or if the ledger is too old to have one."""
        found = self.evaluation.get("noise_floor", {}).get("kinds", {}).get(kind)
        return found["floor"] if found else None

    def scored(self) -> dict[str, Scored]:
        """Question id -> the answer of the compared arm with its verdict."""
        # Of the answer, a row needs only whether it was cut, and no comparison reads that.
        answers = self.answers if self.answers_gone is None else [unread(verdict) for verdict in [*self.grades, *self.judgements]]
        rows = join_verdicts(self.questions, answers, self.grades, self.judgements)
        return {row.id: row for row in rows if row.arm == self.arm}


def first_pair(evaluation: Mapping[str, Any]) -> tuple[str, str]:
    """Reference and arm of the first comparison; the only arm, twice, if nothing was compared."""
    comparisons, arms = evaluation["comparisons"], list(evaluation["arms"])
    return (comparisons[0][0], comparisons[0][1]) if comparisons else (arms[0], arms[0])


def unread(verdict: Grade | Judgement) -> Answer:
    """A placeholder for an answer if its text is gone."""
    return Answer(
        id=verdict.id, sample=verdict.sample, arm=verdict.arm, response="", num_tokens=0, stopped="eos", choice_logprobs={},
        complete=verdict.complete,
    )  # fmt: skip


def identity_of(evaluation: Mapping[str, Any], params: Mapping[str, Any], lock: Mapping[str, Any], *, arm: str) -> dict[str, str]:
    """What the scores of an arm depend on besides its adapter, from its ledger, its parameters and its dvc.lock."""
    stages = lock["stages"]

    def code(stage: str) -> str:
        deps = {dep["path"]: dep["md5"] for dep in stages[stage]["deps"] if dep["path"].startswith(("plumbline/", "stages/"))}
        return str(sorted(deps.items()))

    def dep(stage: str, path: str) -> str:
        return {entry["path"]: entry["md5"] for entry in stages[stage]["deps"]}[path]

    answering, asked = decoding_of(params["answer"]), f"answer@{arm}"
    return {
        "benchmark": evaluation["sha256"]["benchmark"],
        "part": f"{evaluation['part']['name']} ({evaluation['part']['num_questions']} questions)",
        "judge": str(evaluation["judge"]["judge_id"]),
        "prompt": f"{answering.pop('instructions', None)} {evaluation['prompt_version']}",
        "decoding": str(sorted(answering.items())),
        "context": dep(asked, evaluation["arms"][arm]["context"]),
        "answering code": code(asked),
        "grader": f"{params['grade']} {code('grade')}",
        "base model": dep(asked, "models/base"),
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


def told_value(value: object) -> str:
    """A parameter's value for reading: `null` in params.yaml becomes "none"."""
    return "none" if value is None else str(value)


def differing(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """For each run its values of the parameters that are not the same in all runs."""
    params = [flat(run.params) for run in runs]
    names = [name for name in sorted({name for one in params for name in one}) if len({str(one.get(name)) for one in params}) > 1]
    return [{name: one.get(name) for name in names} for one in params]


def kinds_of(runs: Sequence[Run]) -> list[Kind]:
    return [kind for kind in KINDS if any(kind in run.evaluation["kinds"] for run in runs)]
