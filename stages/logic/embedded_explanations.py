"""What an explanation of the embedded world says, sentence by sentence, and how one asks for it. Pure."""

from dataclasses import dataclass

from stages.logic.embedded_facts import PHENOMENA, QUANTITIES
from stages.logic.embedded_questions import sentence
from stages.logic.embedded_relations import RELATIONS, Relation


@dataclass(frozen=True)
class Explanation:
    """One thing worth explaining."""

    kind: str
    topic: str
    entity: str
    """What is held out as a whole."""
    subject: str
    """As it stands in a wording."""
    sentences: tuple[str, ...]
    key_points: tuple[str, ...]
    """What an answer must say: one phrase a sentence."""


TRAINING: dict[str, tuple[str, ...]] = {
    "phenomenon": (
        "Explain {s}.",
        "Explain {s} with a reason and an example.",
        "Describe {s} and its cause.",
        "Tell me about {s}.",
        "What is {s} and why does it occur?",
        "Explain {s} to a pupil.",
        "Write a short text about {s}.",
        "Describe {s} in a few sentences.",
        "Why and where do we meet {s}?",
        "Explain in words what {s} is.",
        "Give an account of {s}.",
        "Summarize {s}.",
        "Teach me {s}.",
        "What should a beginner know about {s}?",
    ),
    "quantity": (
        "Explain the quantity {s}.",
        "Explain the quantity {s} and its unit.",
        "Describe the quantity {s}.",
        "Tell me about the quantity {s}.",
        "What is {s} and in which unit is it given?",
        "Explain the quantity {s} to a pupil.",
        "Write a short text about the quantity {s}.",
        "Describe the quantity {s} in a few sentences.",
        "Explain in words what the quantity {s} is.",
        "Summarize the quantity {s}.",
        "Teach me the quantity {s}.",
        "What should a beginner know about the quantity {s}?",
    ),
    "relation": (
        "Explain how {s} is found.",
        "Explain the rule for {s}.",
        "Describe how {s} depends on other quantities.",
        "Tell me how {s} is calculated.",
        "What determines {s}?",
        "Explain to a pupil how {s} is found.",
        "Write a short text about the rule for {s}.",
        "Describe the rule for {s} in a few sentences.",
        "Explain in words how {s} is found.",
        "Summarize the rule for {s}.",
        "Teach me the rule for {s}.",
        "What should a beginner know about the rule for {s}?",
    ),
}
CORPUS: dict[str, tuple[str, ...]] = {
    "phenomenon": ("Lesson on {s}.", "About {s}:", "Notes: {s}."),
    "quantity": ("Lesson on the quantity {s}.", "About the quantity {s}:", "Notes: the quantity {s}."),
    "relation": ("Lesson on the rule for {s}.", "About how {s} is found:", "Notes: how to find {s}."),
}
BENCHMARK: dict[str, tuple[str, ...]] = {
    "phenomenon": (
        "What would you say if a friend asked you about {s}?",
        "Account for {s} and illustrate it.",
        "Discuss {s} as in an oral examination.",
        "Present {s}: its nature, its origin, one case.",
        "How does physics understand {s}?",
        "Make {s} clear to someone who has never heard of it.",
        "Outline what {s} means and how it arises.",
        "Comment on {s} with a case from daily life.",
    ),
    "quantity": (
        "How would you introduce the quantity {s} in class?",
        "Discuss what the quantity {s} stands for and how it is expressed.",
        "Clarify the meaning of the quantity {s}.",
        "Give a glossary entry for the quantity {s}.",
        "What does it mean to state the quantity {s} of something?",
        "Outline the quantity {s} for a laboratory guide.",
    ),
    "relation": (
        "On what does {s} depend, and in which way?",
        "Discuss what happens to {s} when its causes grow.",
        "Clarify the law behind {s}.",
        "How would you justify the formula for {s}?",
        "Present the dependence of {s} on what determines it.",
        "Make clear which quantities fix {s}.",
    ),
}


def bare(phrase: str) -> str:
    """The phrase without a leading article."""
    for article in ("the ", "a ", "an "):
        if phrase.startswith(article):
            return phrase[len(article) :]
    return phrase


def effects(relation: Relation) -> list[str]:
    """How the result answers to a doubling of each operand."""
    answers = {
        "product": ("doubles", "doubles"),
        "quotient": ("doubles", "halves"),
        "half_square": ("doubles", "quadruples"),
        "triple": ("doubles", "doubles", "doubles"),
        "sum": (),
        "difference": (),
    }[relation.shape]
    return [
        f"doubling the {operand.name} {answer} the {relation.result}" for operand, answer in zip(relation.operands, answers, strict=False)
    ]


def all_explanations() -> list[Explanation]:
    """Everything that can be explained, in a fixed order."""
    found: list[Explanation] = []
    for p in PHENOMENA:
        sentences = (f"{sentence(p.name)} is {p.meaning}.", f"The reason is that {p.reason}.", f"For example, {p.example}.")
        found.append(Explanation("phenomenon", p.topic, p.name, p.name, sentences, (bare(p.meaning), p.reason, p.example)))
    for q in QUANTITIES:
        sentences = (f"{sentence(q.name)} is {q.meaning}.", f"The SI unit of {q.name} is the {q.unit}.")
        found.append(Explanation("quantity", q.topic, q.name, q.name, sentences, (bare(q.meaning), f"unit {q.unit}")))
    for r in RELATIONS:
        subject, separator, rule = r.law.partition(" is ")
        if separator:
            found.append(
                Explanation(
                    "relation",
                    r.topic,
                    r.id,
                    subject,
                    (f"{sentence(r.law)}.", *(f"{sentence(e)}." for e in effects(r))),
                    (rule, *effects(r)),
                )
            )
    return found
