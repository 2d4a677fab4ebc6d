"""Questions, answers, scores and comparisons as tables of pandas, for notebooks. Writes the files that are named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from plumbline.comparing.slices import compare_slices, slice_numbers
from plumbline.pipeline.refused import Refused
from plumbline.reporting.ledger import KindLedger, ledgers
from plumbline.reporting.numbers import comparison_numbers, rounded_p
from plumbline.reporting.scored import Scored
from plumbline.rows.arms import Pair
from plumbline.rows.question import Kind, Question

SEED = 11
NUM_RESAMPLES = 10_000
"""Both are as in section `report` of params.yaml, so that the same answers get the same intervals."""
WRITERS = (".parquet", ".csv", ".jsonl")


@dataclass(frozen=True, kw_only=True)
class Frames:
    """A run, or logs of other tools, as tables. You may change the tables: the run stays as it is."""

    name: str
    questions: pd.DataFrame
    """Index `id`: kind, question, target, unit, cluster, and a column for each tag or field of the questions."""
    answers: pd.DataFrame
    """A row per question and arm: id, arm, kind, response, outcome, score, and how the answer was read. If an arm of a run gave several
    answers to a question, there is a row per answer, with its number in the column `sample`."""
    training: pd.DataFrame
    """The loss curve: step, train_loss, validation_loss, and development_score if it chose the checkpoint; empty for logs."""
    pairs: tuple[Pair, ...]
    """The declared comparisons; for logs, each log against the first."""
    rows: Sequence[Question] = field(repr=False)
    scored: Sequence[Scored] = field(repr=False)
    told: tuple[str, ...] = ()
    """What a reader must know about these tables."""

    @property
    def arms(self) -> list[str]:
        """In the order of the run."""
        return list(dict.fromkeys(row.arm for row in self.scored))

    @property
    def scores(self) -> pd.DataFrame:
        """Questions x arms: scores in 0..1, the mean of several samples; missing if there is no verdict."""
        if "sample" in self.answers.columns:
            found = self.answers.astype({"score": float}).pivot_table(index="id", columns="arm", values="score", aggfunc="mean")
        else:
            found = self.answers.pivot(index="id", columns="arm", values="score")
        return found.reindex(index=self.questions.index, columns=self.arms)

    def summary(self) -> pd.DataFrame:
        """The ledger: a row per kind and arm with counts, score and 95 % interval."""
        found: list[dict[str, object]] = []
        for kind, ledger in self._ledgers().items():
            for arm, counts in ledger.arms.items():
                row: dict[str, object] = {"kind": kind, "arm": arm, "n": counts.n, "score": None, "low": None, "high": None}
                if counts.estimate is not None:
                    row |= {"score": counts.estimate.mean, "low": counts.estimate.ci95[0], "high": counts.estimate.ci95[1]}
                row |= {"correct": counts.num_correct, "incorrect": counts.num_incorrect}
                found.append(row | {"unparsed": counts.num_unparsed, "unjudged": counts.num_unjudged})
        return pd.DataFrame(found)

    def comparisons(self) -> pd.DataFrame:
        """The declared comparisons, a row per kind and pair, p values adjusted by Holm over all of them."""
        return pd.DataFrame(
            [
                {
                    "kind": kind,
                    "reference": pair[0],
                    "arm": pair[1],
                    **comparison_numbers(found.comparison),
                    "p_holm": rounded_p(found.p_holm),
                }
                for kind, ledger in self._ledgers().items()
                for pair, found in ledger.pairs.items()
                if found.comparison is not None
            ]
        )

    def compare(self, first: str, second: str, *, by: str | pd.Series | Mapping[str, object] = "kind") -> pd.DataFrame:
        """Two arms within each slice, a row each: second minus first, interval, exact test, Holm over the slices.

        `by`: a column of `questions`, or a series or dict from id to slice. Questions without a value are left out. Refused if an arm or
        column does not exist, or if no question has a value.
        """
        for arm in (first, second):
            if arm not in self.arms:
                raise Refused(f"{self.name} has no arm {arm!r}; the arms are {', '.join(self.arms)}.")
        slice_of = self._slices(by)
        if not any(row.id in slice_of for row in self.scored):
            raise Refused(
                f"`by` has no value for any question of {self.name}. Give a column of questions, or a series or dict by id, "
                f"such as {self.scored[0].id!r}."
            )
        found = compare_slices(self.scored, slice_of, [(first, second)], seed=SEED, num_resamples=NUM_RESAMPLES)
        return pd.DataFrame([slice_numbers(one) for one in found]).set_index("slice")

    def _slices(self, by: str | pd.Series | Mapping[str, object]) -> dict[str, str]:
        """Id -> slice."""
        if isinstance(by, str):
            if by not in self.questions.columns:
                raise Refused(f"{self.name} has no column {by!r}; the columns of its questions are {', '.join(self.questions.columns)}.")
            pairs = zip(self.questions.index, self.questions[by], strict=True)
        else:
            pairs = by.items()
        return {str(key): str(value) for key, value in pairs if value is not None and value == value}  # NaN is not equal to itself

    def export(self, path: str | Path) -> Path:
        """Write answers with their questions, grades and scores: .parquet, .csv or .jsonl. Refused for another ending.

        A column of questions with the name of a column of answers is written as `field NAME`.
        """
        path = Path(path)
        if path.suffix not in WRITERS:
            raise Refused(f"{path} has another ending than {', '.join(WRITERS)}. Give one of these: it decides the format.")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        questions = self.questions.drop(columns="kind")
        questions = questions.rename(columns={name: field_name(name) for name in questions.columns if name in self.answers.columns})
        table = self.answers.merge(questions, left_on="id", right_index=True, how="left")
        try:
            if path.suffix == ".parquet":
                table.to_parquet(partial, index=False)
            elif path.suffix == ".csv":
                table.to_csv(partial, index=False)
            else:
                table.to_json(partial, orient="records", lines=True, force_ascii=False)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    def _ledgers(self) -> dict[Kind, KindLedger]:
        return ledgers(self.rows, self.scored, comparisons=self.pairs, overlapping=(), seed=SEED, num_resamples=NUM_RESAMPLES)


def question_table(questions: Sequence[Question], fields: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """The questions by id; `fields`: id -> further columns, as `field NAME` if a column of ours has the same name and another meaning."""
    rows: list[dict[str, object]] = []
    for question in questions:
        ours: dict[str, object] = {
            "id": question.id,
            "kind": question.kind,
            "question": question.question,
            "choices": dict(question.choices) or None,
            "target": question.target,
            "unit": question.unit,
            "cluster": question.cluster,
        }
        given = fields.get(question.id, {})
        further = {field_name(name) if name in ours else name: value for name, value in given.items() if ours.get(name) != value}
        rows.append({**ours, **further})
    return pd.DataFrame(rows).set_index("id")


def field_name(name: str) -> str:
    """The column of a field or tag that has the name of a column of ours."""
    return f"field {name}"


def verdict_columns(row: Scored) -> dict[str, object]:
    """What every verdict says, whoever gave it."""
    return {
        "id": row.id,
        "arm": row.arm,
        "kind": row.kind,
        "outcome": str(row.outcome),
        "score": row.score,
        "reading": str(row.reading),
        "tier": row.tier,
        "flags": " ".join(row.flags),
    }
