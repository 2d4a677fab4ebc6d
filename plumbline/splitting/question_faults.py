"""Say which questions no one could grade, and which settings questions need in later stages. Pure."""

import re
from collections.abc import Sequence

from plumbline.grading.answer_targets import is_pair, parse_formula, parse_letters, parse_numbers
from plumbline.grading.numeric_target import parse_target
from plumbline.grading.option_labels import read_labels
from plumbline.grading.tolerance import needs_absolute_tolerance
from plumbline.judging.key_points import judge_key_points
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import KIND_OF, Question
from plumbline.splitting.fault import Fault
from plumbline.splitting.fault_lines import fault_words

LETTER = re.compile(r"[A-Z]")
SEVERAL = re.compile(r"\s*[,;&/]\s*|\s+and\s+|\s+|(?<=[A-Z])(?=[A-Z])")
"""What stands between letters, if a target names several."""


def checked(questions: Sequence[Question], places: Sequence[str]) -> list[Question]:
    """The questions themselves. Refused with those that no one could grade: a bad gold answer spoils every run."""
    if not questions:
        raise Refused("the benchmark holds no question. Give at least one.")
    refuse_faults(faults_of(questions, places))
    return list(questions)


def refuse_faults(faults: Sequence[Fault]) -> None:
    """Refused with the first problems, if there are any."""
    if faults:
        raise Refused(fault_words(faults))


def faults_of(questions: Sequence[Question], places: Sequence[str]) -> list[Fault]:
    """Each question that no one could grade, or that has the id of another."""
    faults: list[Fault] = []
    seen: dict[str, tuple[str, Question]] = {}
    for question, where in zip(questions, places, strict=True):
        if question.id in seen:
            faults.append(Fault(where, question.id, same_id_words(question, *seen[question.id])))
            continue
        seen[question.id] = where, question
        if problem := fault_of(question):
            faults.append(Fault(where, question.id, problem))
    return faults


def same_id_words(question: Question, where: str, earlier: Question) -> str:
    """What is wrong with a question if another one has its id. Without an id in the file, the same words give the same id."""
    if (question.question, question.choices) == (earlier.question, earlier.choices) and question.target != earlier.target:
        return (
            f"the id {question.id!r} is also at {where}, which asks the same with another answer: {question.target!r:.60} here, "
            f"{earlier.target!r:.60} there. Remove the wrong one, or say in the question what differs."
        )
    return f"the id {question.id!r} is also at {where}. Give each question its own."


def fault_of(question: Question) -> str | None:
    """What makes a question impossible to grade, and what would be accepted."""
    if not question.question.strip():
        return "the question is empty. Write what is asked."
    if question.answer_kind is not None and KIND_OF[question.answer_kind] != question.kind:
        kind = KIND_OF[question.answer_kind]
        return f"answer_kind {question.answer_kind} on a question of kind {question.kind}. Use it on questions of kind {kind}."
    if question.partial_credit is not None and question.answer_kind != "letters":
        return "partial_credit on a question with one right answer. Only answer_kind letters may have it."
    if question.tolerance is not None and (
        question.kind != "numeric" or question.tolerance.relative is question.tolerance.absolute is None
    ):
        return "tolerance without a number, or on a question that asks for none. Write relative, absolute or both on a numeric question."
    if any(not tag.strip() for tag in question.tags):
        return "a tag is empty. Fill it in, or remove it."
    return {"mcq": mcq_fault, "numeric": numeric_fault, "explanation": explanation_fault}[question.kind](question)


def mcq_fault(question: Question) -> str | None:
    """What is wrong with choices and target."""
    if question.answer_kind == "yes_no" and not is_pair(question.choices):
        return f"choices {list(question.choices.values())!r} of a yes_no question. Use Yes and No, or True and False."
    if len(question.choices) < 2:
        number = "1 choice" if len(question.choices) == 1 else f"{len(question.choices)} choices"
        return f"found {number}. Give at least two under choices. The shape study takes them from the text of the question, as `(A) ... (B) ...`."
    is_set = question.answer_kind == "letters"
    if odd := next(
        (label for label in question.choices if not LETTER.fullmatch(label) and (is_set or read_labels(question.choices) is None)), None
    ):
        numbers = "" if is_set else ", or numbers from 1, or small roman numerals from i, 26 at most"
        return f"a choice is called {odd!r}. Use capital letters{numbers}."
    if is_set:
        try:
            parse_letters(question.target, question.choices)
        except ValueError as error:
            return str(error)
    elif question.target not in question.choices:
        several = [label for label in SEVERAL.split(question.target.strip()) if label]
        are_labels = len(several) > 1 and all(label in question.choices for label in several)
        remedy = " If several are right, set answer_kind to letters (docs/formats.md)." if are_labels else ""
        return f"target {question.target!r} is not among the choices {sorted(question.choices)}. Give one of these labels.{remedy}"
    if any(not text.strip() for text in question.choices.values()):
        return "a choice is empty. Fill it in."
    return equal_choices_fault(question)


def equal_choices_fault(question: Question) -> str | None:
    """What is wrong if two choices say the same: no rule can tell which one is meant."""
    seen: dict[str, str] = {}
    for label, text in question.choices.items():
        if (earlier := seen.setdefault(" ".join(text.split()), label)) != label:
            return f"choices {earlier} and {label} both say {text!r:.80}. Remove or correct one."
    return None


def numeric_fault(question: Question) -> str | None:
    """What is wrong with a number, a list of numbers or a formula as target."""
    if question.choices:
        return f"choices on a question of kind {question.kind}. Only mcq may have them."
    try:
        if question.answer_kind == "expression":
            parse_formula(question.target)
            return None
        if question.answer_kind is not None:
            parse_numbers(question.target, question.unit)
        else:
            # Without the unit, so that any text after the number shows: `grade` would take it for a unit.
            target = parse_target(question.target, None)
            parse_target(question.target, question.unit)
            if not target.open_unit:
                return f"target {question.target!r}: more than a number. Give the number alone, its unit under unit."
        if question.tolerance is not None and needs_absolute_tolerance(question):
            return "target 0 with only a relative tolerance, which allows nothing. Write tolerance.absolute, in the unit of the target."
    except ValueError as error:
        return str(error)
    return None


def explanation_fault(question: Question) -> str | None:
    """What is wrong with a reference or its key points."""
    if question.choices:
        return f"choices on a question of kind {question.kind}. Only mcq may have them."
    if not question.target.strip():
        return "the reference answer is empty. Write what a full answer says."
    if (empty := next((point for point in question.key_points if not may_be_judged(point)), None)) is not None:
        return f"key point {empty!r} holds no content word. Write what an answer must say, or remove the point."
    return None


def later_needs(questions: Sequence[Question]) -> list[str]:
    """What questions need from the settings of `grade` and `judge`: these stages would refuse only after all answers were paid for."""
    needs = [
        f"question {question.id} has target 0, for which a relative tolerance allows nothing. "
        f"Set grade.absolute_tolerance, in {question.unit or 'the unit of the target'}, since grade refuses the question without it."
        for question in questions
        if needs_absolute_tolerance(question)
    ]
    for question in questions:
        if point := next((point for point in question.key_points if question.kind == "explanation" and not is_judged_by_rule(point)), None):
            needs.append(
                f"question {question.id} has key point {point!r}, in which judge.backend key_points finds no word: it reads English. "
                "Set judge.backend to claude, or write key points in English."
            )
    return needs


def is_judged_by_rule(point: str) -> bool:
    """Whether the key-point judge finds a content word in a point: it refuses a point without one, since any answer would state it."""
    try:
        judge_key_points("", [point], question="", reference="")
    except ValueError:
        return False
    return True


def may_be_judged(point: str) -> bool:
    """Whether some judge can look for a point: in another script, the key-point judge finds no word, but a model does."""
    return is_judged_by_rule(point) or any(character.isalpha() and not character.isascii() for character in point)
