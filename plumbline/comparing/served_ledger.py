"""Compare what a server answers with what an arm answered in the run: texts, flips, and whether the server is not worse. Reads no file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plumbline.grading.run import Tolerance, grade_answer
from plumbline.judging.items import Asked, item_of
from plumbline.judging.key_points_judge import KeyPointsJudge
from plumbline.number_text import signed
from plumbline.reporting.scored import score_of
from plumbline.reporting.words import KIND_NAMES
from plumbline.rows.answer import Answer
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, Verdict, paired_comparison, verdict_at

SEED = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class KindServed:
    """One kind of question, served and in the run."""

    kind: Kind
    n: int
    num_same: int
    """Answers with the same text, outer white space aside."""
    comparison: Comparison | None
    """Served minus stored; None where no answer has a score by rule."""
    verdict: Verdict | None

    @property
    def ok(self) -> bool:
        """Whether this kind is what was measured: every text the same, or shown to be not worse."""
        return self.num_same == self.n or self.verdict in (Verdict.BETTER, Verdict.NOT_WORSE)

    @property
    def words(self) -> str:
        """One line."""
        said = f"{KIND_NAMES[self.kind]}: {self.num_same} of {self.n} texts the same"
        found = self.comparison
        if found is None:
            return f"{said}; not scored here (no key points)"
        flips = found.num_first_only + found.num_second_only
        low, high = found.ci95
        amount = f"{signed(100 * found.delta, 1)} points [{signed(100 * low, 1)}, {signed(100 * high, 1)}]"
        return f"{said}; {flips} flips, {found.num_first_only} lost and {found.num_second_only} gained; {amount}: {self.verdict}"


def rule_score(question: Question, answer: Answer, tolerance: Tolerance) -> float | None:
    """The score by rule: explanations by their key points, whoever judged the run; None without any."""
    if question.kind != "explanation":
        grade = grade_answer(answer, question, tolerance)
        return score_of(grade.outcome, grade.score)
    (verdict,) = KeyPointsJudge().judge([Asked(item_of(question, answer.response))]).verdicts
    return verdict.score


def served_kinds(
    questions: Sequence[Question], stored: Mapping[str, Answer], served: Mapping[str, Answer], tolerance: Tolerance, *, margin: float
) -> list[KindServed]:
    """Every kind that was asked, each with its verdict at the margin."""
    found: list[KindServed] = []
    for kind in KINDS:
        mine = [question for question in questions if question.kind == kind]
        if not mine:
            continue
        scores = [
            (before, after, question.cluster)
            for question in mine
            if (before := rule_score(question, stored[question.id], tolerance)) is not None
            and (after := rule_score(question, served[question.id], tolerance)) is not None
        ]
        comparison = (
            paired_comparison(
                [before for before, _, _ in scores], [after for _, after, _ in scores], clusters=[c for _, _, c in scores], seed=SEED
            )
            if scores
            else None
        )
        found.append(
            KindServed(
                kind=kind,
                n=len(mine),
                num_same=sum(stored[question.id].response.strip() == served[question.id].response.strip() for question in mine),
                comparison=comparison,
                verdict=None if comparison is None else verdict_at(comparison.ci95, comparison.p_value, margin),
            )
        )
    return found


def difference_of(ours: Sequence[object], theirs: Sequence[object]) -> int | None:
    """Place of the first difference of two prompts; None where they are the same."""
    same = next((place for place, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), None)
    return min(len(ours), len(theirs)) if same is None and len(ours) != len(theirs) else same
