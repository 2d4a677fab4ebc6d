"""Every question with its answers, as the script of a page reads them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.reporting.entry_contexts import Contexts, page_contexts
from plumbline.reporting.fitting import longest_that_fits
from plumbline.reporting.scored import Scored, by_question
from plumbline.reporting.words import arm_title, arm_words
from plumbline.rows.answer import Answer
from plumbline.rows.arms import ArmParams, Arms, Pair
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Reading
from plumbline.rows.question import Question

MAX_ANSWER_CHARACTERS = 12_000_000
"""Of all answers on the page together."""
CONTEXT_STYLES = frozenset({"none", "examples", "passages", "shuffled"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One question on the page."""

    content: dict[str, object]
    """What the page's script reads; keys are short, because there are thousands."""
    order: tuple[float, float, int]
    """Worst first: lost before unchanged before gained, and within each the lower score of the second arm first."""


def utf16_offset(text: str, index: int) -> int:
    """Position of a character as a browser counts: a character beyond U+FFFF takes two places there."""
    return index + sum(ord(character) > 0xFFFF for character in text[:index])


def arm_content(answer: Answer, scored: Scored, verdict: Grade | Judgement, *, longest: int | None = None) -> dict[str, object]:
    """One arm's answer, cut after `longest` characters and what was read in it; keys without a value are left out."""
    content: dict[str, object] = {"t": answer.response, "o": scored.outcome.value, "s": scored.score}
    if longest is not None:
        end = max(longest, verdict.span[1] if isinstance(verdict, Grade) and verdict.span is not None else 0)
        if end < len(answer.response):
            content |= {"t": answer.response[:end], "more": len(answer.response) - end}
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


Numbered = Mapping[int | None, Grade] | Mapping[int | None, Judgement]
"""Sample -> its verdict."""


def question_answer(
    answers: Mapping[int | None, Answer], scored: Scored, verdicts: Numbered, *, longest: int | None = None
) -> dict[str, object]:
    """One arm on one question: its answer, or its samples (`many`) below their mean."""
    if not scored.samples:
        return arm_content(answers[None], scored, verdicts[None], longest=longest)
    samples = [arm_content(answers[row.sample], row, verdicts[row.sample], longest=longest) for row in scored.samples]
    return {"o": scored.outcome.value, "s": scored.score, "many": samples}


def change_of(first: Scored, second: Scored) -> str:
    """`gained`, `lost`, `right` (both), `wrong` (neither), `same` (equal partial scores), or `open` if a score is missing."""
    if first.score is None or second.score is None:
        return "open"
    if second.score != first.score:
        return "gained" if second.score > first.score else "lost"
    return {0.0: "wrong", 1.0: "right"}.get(second.score, "same")


def arm_style(arm: ArmParams) -> str:
    """Classes of the page's style: the colour says who answers, the shape says what stands before the question."""
    return f"w-{arm.weights_kind} c-{arm.context_name if arm.context_name in CONTEXT_STYLES else 'other'}"


def arm_labels(arms: Arms) -> list[dict[str, object]]:
    """Key, label and style of each arm; keys by place, so that no name of an arm meets a key of the entry."""
    return [
        {"key": f"r{place}", "label": arm_title(name), "name": arm_words(name), "style": arm_style(arm)}
        for place, (name, arm) in enumerate(arms.root.items())
    ]


def without_repeats(contents: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """The arms' answers to one question. If an earlier arm has the same text (t) or judge's words (w), the place of that arm is given instead."""
    first: dict[tuple[str, object], int] = {}
    return [
        {
            key: value if key not in ("t", "w") or first.setdefault((key, value), place) == place else first[key, value]
            for key, value in content.items()
        }
        for place, content in enumerate(contents)
    ]


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
    if question.answer_kind == "letters":
        content["a"] = "; ".join(f"{letter}) {question.choices[letter]}" for letter in question.target.split(","))
    elif question.answer_kind == "yes_no":
        content["a"] = question.choices[question.target]
    elif question.kind == "mcq" and question.target in question.choices:
        content["a"] = f"{question.target}) {question.choices[question.target]}"
    if question.key_points:
        content["p"] = list(question.key_points)
    return content


def answers_left_out(longest: int | None) -> list[str]:
    """A sentence if answers are cut."""
    return (
        [] if longest is None else [f"Answers longer than {longest} characters are cut here; the files under data/answers have them whole."]
    )


def page_entries(
    questions: Sequence[Question],
    answers: Sequence[Answer],
    scored: Sequence[Scored],
    grades: Sequence[Grade],
    judgements: Sequence[Judgement],
    *,
    arms: Arms,
    pairs: Sequence[Pair],
    contexts: Contexts,
    instructions: Mapping[str, str],
    overlapping: Collection[str],
) -> dict[str, object]:
    """Every question with all answers, as the page's script reads them. What the first arm of the first pair could answer and the second cannot comes first.

    `pairs`: the declared comparisons, at least one; the reader may order and filter by them.
    """
    answered, verdicts = by_question(answers), {**by_question(grades), **by_question(judgements)}
    rows = {(row.arm, row.id): row for row in scored}
    near = frozenset(overlapping)
    names = arms.names
    labels = arm_labels(arms)
    shown = page_contexts(contexts, [question.id for question in questions])
    for label, arm in zip(labels, arms.root.values(), strict=True):
        if arm.context_name in shown.names:
            label["context"] = list(shown.names).index(arm.context_name)
    longest = longest_that_fits(
        [len(answer.response) for question in questions for arm in names for answer in answered[arm, question.id].values()],
        MAX_ANSWER_CHARACTERS,
    )
    entries: list[Entry] = []
    for index, question in enumerate(questions):
        first, second = (rows[arm, question.id] for arm in pairs[0])
        content = question_content(question, index, instructions)
        content["h"] = change_of(first, second)
        if question.id in near:
            content["near"] = 1
        if any(shown.by_question[question.id]):
            content["x"] = shown.by_question[question.id]
        keys = [(arm, question.id) for arm in names]
        given = without_repeats([question_answer(answered[key], rows[key], verdicts[key], longest=longest) for key in keys])
        content |= {str(label["key"]): one for label, one in zip(labels, given, strict=True)}
        delta = 0.0 if first.score is None or second.score is None else second.score - first.score
        entries.append(Entry(content, (delta, 2.0 if second.score is None else second.score, index)))
    return {
        "arms": labels,
        "pairs": [[names.index(first), names.index(second)] for first, second in pairs if first != second],
        **shown.content,
        "left_out": [*answers_left_out(longest), *shown.left_out],
        "rows": [entry.content for entry in sorted(entries, key=lambda entry: entry.order)],
    }
