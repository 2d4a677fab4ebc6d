"""Read benchmarks of problems as they are published: SciBench, JEEBench, TheoremQA, UGPhysics. Pure."""

import re
from collections.abc import Mapping

from plumbline.grading.choices import parse_choices
from plumbline.rows.question import AnswerKind, Question, QuestionTolerance
from plumbline.splitting.row_values import (
    LeftOut,
    Row,
    choice_question,
    digest_id,
    letters_in,
    number_question,
    tags_of,
    yes_no_question,
)

PART = re.compile(r"\s*\(?[a-z]\)?\s*$")
JEE_TOLERANCE = QuestionTolerance(absolute=0.01)
"""As in JEEBench's own score: 0.01, whatever the size of the answer."""
BOXED = re.compile(r"\\boxed\s*\{(.*)\}", re.DOTALL)
UG_KINDS: dict[str, AnswerKind | None] = {"NV": None, "EX": "expression"}


def without_choices(row: Row, name: str, choices: Mapping[str, str]) -> LeftOut | None:
    """A LeftOut for a question if its choices cannot be taken out of its text, else None."""
    if len(choices) > 1:
        return None
    return LeftOut(
        where=row.where, id=name, reason="choices_not_found", detail="no choices (A) ... (B) ... could be taken out of the question"
    )


def read_scibench(row: Row) -> Question:
    """SciBench: a number and its unit. Parts of one problem, `1.3(a)` and `1.3(b)`, share a cluster."""
    source, problem = row.optional("source") or "scibench", row.optional("problemid")
    question = row.text("problem_text")
    name = problem.strip() if problem else digest_id("scibench", question)
    unit = row.optional("unit")
    return number_question(
        id=f"{source}-{name}".replace(" ", ""),
        question=question,
        target=row.text("answer_number"),
        unit=unit.strip("$ ") if unit else None,
        cluster=f"{source}-{PART.sub('', name)}".replace(" ", ""),
        tags=(f"source: {source}",),
    )


def read_jeebench(row: Row) -> Question | LeftOut:
    """JEEBench: one letter, several letters with JEE's partial credit, an integer or a number within 0.01."""
    sort, question, gold = row.text("type"), row.text("question"), row.text("gold")
    name = f"{row.text('description')}-{row.text('index')}".replace(" ", "-")
    tags = (*tags_of(row, {"subject": "subject"}), f"type: {sort}")
    if sort in ("Integer", "Numeric"):
        return number_question(id=name, question=question, target=gold, tolerance=JEE_TOLERANCE, tags=tags)
    if sort not in ("MCQ", "MCQ(multiple)"):
        raise row.refused(f"type is {sort!r}. Accepted are MCQ, MCQ(multiple), Integer and Numeric.")
    stem, choices = parse_choices(question, numbers=True)
    if missing := without_choices(row, name, choices):
        return missing
    if sort == "MCQ":
        return choice_question(id=name, question=stem, choices=choices, target=gold, tags=tags)
    return choice_question(
        id=name, question=stem, choices=choices, target=",".join(sorted(gold)), answer_kind="letters", partial_credit="jee", tags=tags
    )


def read_theoremqa(row: Row) -> Question | LeftOut:
    """TheoremQA: a number, a list of them, true or false, or an option; a question that needs its picture is left out."""
    question, sort = row.text("Question"), row.text("Answer_type")
    name = row.optional("id") or digest_id("theoremqa", question)
    answer = row.content.get("Answer")
    if row.content.get("Picture"):
        return LeftOut(where=row.where, id=name, reason="needs_picture", detail="the question is asked with a picture, which no arm sees")
    tags = tags_of(row, {"field": "field", "subfield": "subfield"})
    if sort == "bool":
        said = str(answer).strip().lower()
        if said not in ("true", "false"):
            raise row.refused(f"Answer is {answer!r} for Answer_type bool. Give True or False.")
        return yes_no_question(id=name, question=question, is_yes=said == "true", words=("True", "False"), tags=tags)
    if sort in ("integer", "float"):
        return number_question(id=name, question=question, target=row.as_text(answer, "Answer"), tags=tags)
    if sort.startswith("list of"):
        if "[" in str(answer).strip()[1:]:
            return LeftOut(where=row.where, id=name, reason="answer_kind_not_read", detail="a list of lists is not read by a rule")
        numbers = answer if isinstance(answer, list) else re.split(r"\s*,\s*", str(answer).strip("[]() "))
        target = "; ".join(row.as_text(number, "Answer") for number in numbers)
        return number_question(id=name, question=question, target=target, answer_kind="numbers", tags=tags)
    if sort == "option":
        stem, choices = parse_choices(question)
        if missing := without_choices(row, name, choices):
            return missing
        return choice_question(id=name, question=stem, choices=choices, target=str(answer).strip("() ").upper(), tags=tags)
    raise row.refused(f"Answer_type is {sort!r}. Accepted are integer, float, list of integer, list of float, bool and option.")


def read_ugphysics(row: Row) -> Question | LeftOut:
    """UGPhysics: numbers, formulas, letters, true or false. Equations, intervals and open answers are left out: no rule reads them."""
    sorts = [sort.strip() for sort in row.text("answer_type").split(",")]
    question, answer = row.text("problem"), bare(row.text("answers"))
    name = f"{row.optional('domain') or 'ugphysics'}-{row.text('index')}-{row.optional('language') or 'en'}".replace(" ", "")
    tags = tags_of(row, {"domain": "domain", "topic": "topic", "level": "level"})
    unit = row.optional("unit")
    shared = {"id": name, "question": question, "tags": tags}
    if sorts == ["TF"]:
        said = answer.strip("$. ").lower()
        if said not in ("true", "false", "yes", "no"):
            raise row.refused(f"answers is {answer!r} for answer_type TF. Give True or False.")
        return yes_no_question(**shared, is_yes=said in ("true", "yes"), words=("True", "False"))
    if sorts == ["MC"]:
        stem, choices = parse_choices(question)
        if missing := without_choices(row, name, choices):
            return missing
        letters = letters_in(answer)
        if not letters:
            return LeftOut(where=row.where, id=name, reason="target_not_read", detail=f"answers is {answer!r:.80}, which names no choices")
        several = len(letters) > 1
        return choice_question(
            id=name,
            question=stem,
            choices=choices,
            target=",".join(sorted(letters)),
            answer_kind="letters" if several else None,
            tags=tags,
        )
    if len(set(sorts)) == 1 and sorts[0] in UG_KINDS:
        is_several = len(sorts) > 1 or row.content.get("is_multiple_answer") is True
        if is_several and sorts[0] == "NV" and not (unit and "," in unit):
            target = "; ".join(bare(part) for part in re.split(r",(?!\d{3}(?!\d))|;", answer))
            return number_question(**shared, target=target, unit=clean_unit(unit), answer_kind="numbers")
        if not is_several:
            return number_question(
                **shared, target=answer, unit=clean_unit(unit) if sorts[0] == "NV" else None, answer_kind=UG_KINDS[sorts[0]]
            )
    return LeftOut(
        where=row.where,
        id=name,
        reason="answer_kind_not_read",
        detail=f"answer_type {row.text('answer_type')!r}{' with several answers' if len(sorts) > 1 else ''} is not read by a rule",
    )


def bare(answer: str) -> str:
    """An answer without the box and the dollar signs around it."""
    boxed = BOXED.search(answer)
    return (boxed[1] if boxed else answer).strip().strip("$").strip()


def clean_unit(unit: str | None) -> str | None:
    """A unit without the marks of LaTeX around it."""
    return unit.strip().strip("$").strip() or None if unit else None
