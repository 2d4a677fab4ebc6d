"""Every question with its answers, as the script of a page reads them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.reporting.ledger import Scored
from plumbline.rows.answer import ARMS, Answer, Arm
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Reading
from plumbline.rows.question import Question

ARM_LABELS = [{"key": "base", "label": "Base"}, {"key": "tuned", "label": "Tuned"}]


@dataclass(frozen=True, slots=True)
class Entry:
    """One question on the page."""

    content: dict[str, object]
    """What the page's script reads; short keys, since there are thousands."""
    order: tuple[float, float, int]
    """Worst first: lost before unchanged before gained, and within each the lower tuned score first."""


def utf16_offset(text: str, index: int) -> int:
    """Position of a character as a browser counts: a character beyond U+FFFF takes two places there."""
    return index + sum(ord(character) > 0xFFFF for character in text[:index])


def arm_content(answer: Answer, scored: Scored, verdict: Grade | Judgement) -> dict[str, object]:
    """One arm's answer; keys without a value are left out."""
    content: dict[str, object] = {"t": answer.response, "o": scored.outcome.value, "s": scored.score}
    if scored.truncated:
        content["cut"] = 1
    if isinstance(verdict, Grade):
        if verdict.extracted is not None:
            content["x"] = verdict.extracted
        if verdict.span is not None:
            content["m"] = [utf16_offset(answer.response, position) for position in verdict.span]
        if verdict.tier is not None:
            content["r"] = verdict.tier
        if verdict.reading is not Reading.VALUE:
            content["rd"] = verdict.reading
        if verdict.flags:
            content["f"] = list(verdict.flags)
        if verdict.logprob_choice is not None:
            content["l"] = verdict.logprob_choice
    else:
        content["w"] = verdict.reasoning
        content["c"] = verdict.cause
        if verdict.points:
            content["p"] = [[one.point, one.finding.value, one.quote] for one in verdict.points]
    return content


def change_of(base: Scored, tuned: Scored) -> str:
    """`gained`, `lost`, `right` (both), `wrong` (neither), `same` (equal partial scores), or `open` where a score is missing."""
    if base.score is None or tuned.score is None:
        return "open"
    if tuned.score != base.score:
        return "gained" if tuned.score > base.score else "lost"
    return {0.0: "wrong", 1.0: "right"}.get(tuned.score, "same")


def question_content(question: Question, index: int, instructions: Mapping[str, str]) -> dict[str, object]:
    """What the page's script shows of a question besides the answers; `index`: its place in the benchmark, from 0."""
    content: dict[str, object] = {
        "i": question.id,
        "n": index + 1,
        "k": question.kind,
        "g": question.cluster,
        "q": exam_prompt(question, instructions),
        "a": f"{question.target} {question.unit}" if question.unit else question.target,
    }
    if question.kind == "mcq" and question.target in question.choices:
        content["a"] = f"{question.target}) {question.choices[question.target]}"
    if question.key_points:
        content["p"] = list(question.key_points)
    return content


def page_entries(
    questions: Sequence[Question],
    answers: Sequence[Answer],
    scored: Sequence[Scored],
    grades: Sequence[Grade],
    judgements: Sequence[Judgement],
    *,
    instructions: Mapping[str, str],
    overlapping: Collection[str],
) -> dict[str, object]:
    """Every question with both answers, worst first, as the page's script reads them."""
    answered = {(answer.arm, answer.id): answer for answer in answers}
    verdicts: dict[tuple[Arm, str], Grade | Judgement] = {(grade.arm, grade.id): grade for grade in grades}
    verdicts |= {(judgement.arm, judgement.id): judgement for judgement in judgements}
    rows = {(row.arm, row.id): row for row in scored}
    near = frozenset(overlapping)
    entries: list[Entry] = []
    for index, question in enumerate(questions):
        base, tuned = rows["base", question.id], rows["tuned", question.id]
        content = question_content(question, index, instructions)
        content["h"] = change_of(base, tuned)
        if question.id in near:
            content["near"] = 1
        for arm in ARMS:
            key = (arm, question.id)
            content[arm] = arm_content(answered[key], rows[key], verdicts[key])
        delta = 0.0 if base.score is None or tuned.score is None else tuned.score - base.score
        entries.append(Entry(content, (delta, 2.0 if tuned.score is None else tuned.score, index)))
    return {"arms": ARM_LABELS, "rows": [entry.content for entry in sorted(entries, key=lambda entry: entry.order)]}
