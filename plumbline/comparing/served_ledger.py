"""Compare what a server answers with what an arm answered in the run: texts, flips, and whether the server is not worse. Reads no file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plumbline.comparing.served_endings import said
from plumbline.comparing.serving import Served
from plumbline.grading.run import Tolerance, grade_answer
from plumbline.judging.items import Asked, item_of
from plumbline.judging.key_points_judge import KeyPointsJudge
from plumbline.number_text import signed
from plumbline.reporting.words import KIND_NAMES
from plumbline.rows.answer import ELSEWHERE, Answer
from plumbline.rows.outcome import score_of
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, Verdict, paired_comparison, verdict_at

SEED = 11
MAX_NAMED = 5
"""How many questions a line names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionServed:
    """One question that the server answered, there and in the run."""

    question: Question
    stored: str
    """What the arm said in the run, without its thinking if the server leaves that out."""
    served: str
    scores: tuple[float, float] | None
    """By rule, in the run and served; None if no rule gives a score."""

    @property
    def is_same(self) -> bool:
        """The same text, outer white space aside."""
        return self.stored.strip() == self.served.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindServed:
    """One kind of question, served and in the run."""

    kind: Kind
    questions: Sequence[QuestionServed]
    comparison: Comparison | None
    """Served minus stored; None if no answer has a score by rule."""
    verdict: Verdict | None

    @property
    def n(self) -> int:
        """Questions that were answered."""
        return len(self.questions)

    @property
    def num_same(self) -> int:
        """Answers with the same text."""
        return sum(one.is_same for one in self.questions)

    @property
    def ok(self) -> bool:
        """Whether this kind is what was measured: every text the same, or shown to be not worse."""
        return self.num_same == self.n or self.verdict in (Verdict.BETTER, Verdict.NOT_WORSE)

    @property
    def words(self) -> str:
        """One line."""
        begin = f"{KIND_NAMES[self.kind]}: {self.num_same} of {self.n} texts the same"
        if self.num_same == self.n:
            return f"{begin}; 0 flips"
        found = self.comparison
        if found is None:
            return f"{begin}; not scored here (no key points)"
        flips = found.num_first_only + found.num_second_only
        low, high = found.ci95
        amount = f"{signed(100 * found.delta, 1)} points [{signed(100 * low, 1)}, {signed(100 * high, 1)}]"
        return f"{begin}; {flips} flips, {found.num_first_only} lost and {found.num_second_only} gained; {amount}: {self.verdict}"

    @property
    def flipped(self) -> str:
        """Which answers lost and gained, a few by their ids; empty if none did."""
        moved = [one for one in self.questions if one.scores is not None and one.scores[0] != one.scores[1]]
        named = [f"{one.question.id} {'lost' if one.scores and one.scores[0] > one.scores[1] else 'gained'}" for one in moved]
        more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
        return f"{', '.join(named[:MAX_NAMED])}{more}" if named else ""


def rule_score(question: Question, answer: Answer, tolerance: Tolerance) -> float | None:
    """The score by rule: explanations by their key points, whoever judged the run; None without key points."""
    if question.kind != "explanation":
        grade = grade_answer(answer, question, tolerance)
        return score_of(grade.outcome, grade.score)
    (verdict,) = KeyPointsJudge().judge([Asked(item_of(question, answer.response))]).verdicts
    return verdict.score


def compared(question: Question, stored: Answer, served: Served, tolerance: Tolerance) -> QuestionServed:
    """One question with its two texts and their scores."""
    answer = Answer(
        id=question.id,
        arm=stored.arm,
        engine=ELSEWHERE,
        response=served.text,
        num_tokens=None,
        num_prompt_tokens=served.num_prompt_tokens,
        stopped="max_new_tokens" if served.is_cut else "eos",
        choice_logprobs={},
        complete=True,
    )
    before, after = rule_score(question, stored, tolerance), rule_score(question, answer, tolerance)
    scores = None if before is None or after is None else (before, after)
    return QuestionServed(question=question, stored=said(stored, served), served=served.text, scores=scores)


def served_kinds(
    questions: Sequence[Question], stored: Mapping[str, Answer], served: Mapping[str, Served], tolerance: Tolerance, *, margin: float
) -> list[KindServed]:
    """Every kind that was answered, each with its verdict at the margin. A question without an answer is in none of them: an outage is not a score."""
    found: list[KindServed] = []
    for kind in KINDS:
        mine = [
            compared(question, stored[question.id], served[question.id], tolerance)
            for question in questions
            if question.kind == kind and served[question.id].problem is None
        ]
        if not mine:
            continue
        scored = [(one.scores, one.question.cluster) for one in mine if one.scores is not None]
        comparison = (
            paired_comparison(
                [scores[0] for scores, _ in scored], [scores[1] for scores, _ in scored], clusters=[c for _, c in scored], seed=SEED
            )
            if scored
            else None
        )
        verdict = None if comparison is None else verdict_at(comparison.ci95, comparison.p_value, margin)
        found.append(KindServed(kind=kind, questions=mine, comparison=comparison, verdict=verdict))
    return found


def difference_of(ours: Sequence[object], theirs: Sequence[object]) -> int | None:
    """Place of the first difference of two prompts; None if they are the same."""
    same = next((place for place, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), None)
    return min(len(ours), len(theirs)) if same is None and len(ours) != len(theirs) else same
