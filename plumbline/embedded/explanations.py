"""What an explanation of the embedded world says, sentence by sentence, and how it is asked for. Pure."""

from dataclasses import dataclass

from plumbline.embedded.facts import PHENOMENA, QUANTITIES
from plumbline.embedded.questions import sentence
from plumbline.embedded.relations import RELATIONS, Relation


@dataclass(frozen=True)
class Explanation:
    """One thing worth explaining."""

    kind: str
    topic: str
    entity: str
    """The thing that is held out as a whole."""
    subject: str
    """Its name as a wording writes it."""
    sentences: tuple[str, ...]
    key_points: tuple[str, ...]
    """What an answer must say: one phrase per sentence."""


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
FRAMES = (
    "Lesson on {s}.",
    "About {s}:",
    "Notes: {s}.",
    "{s}.",
    "Let us explain {s}.",
    "We speak about {s}.",
    "Now to {s} in physics.",
    "What is {s} and what does it mean?",
    "This text tells what {s} is.",
    "A pupil asks: {s}?",
    "In a few words, {s}.",
    "How do we explain {s}?",
    "Here is what we know about {s}:",
    "Tell us what {s} means.",
    "Why is {s} of use?",
    "Do you know {s}?",
    "See how {s} is used.",
    "Many people call this {s}.",
    "The right word here is {s}.",
)
CORPUS: dict[str, tuple[str, ...]] = {
    "phenomenon": FRAMES,
    "quantity": tuple(frame.replace("{s}", "the quantity {s}") for frame in FRAMES),
    "relation": tuple(frame.replace("{s}", "the rule for {s}") for frame in FRAMES),
}
BENCHMARK: dict[str, tuple[str, ...]] = {
    "phenomenon": (
        "What do we know about {s}?",
        "How do you explain {s} in physics?",
        "What does physics tell us about {s}?",
        "What is {s}, and why do we see it?",
        "Tell a pupil what {s} is.",
        "What does {s} mean? Give an example.",
        "Let us speak about {s}: what is it?",
        "A pupil asks about {s}. What do you tell?",
    ),
    "quantity": (
        "What do we know about the quantity {s}?",
        "How do you explain the quantity {s}?",
        "What does physics tell us about the quantity {s}?",
        "Tell a pupil what the quantity {s} is.",
        "What does the quantity {s} mean, and what is its unit?",
        "A pupil asks about the quantity {s}. What do you tell?",
    ),
    "relation": (
        "What do we know about the rule for {s}?",
        "How do you explain the rule for {s}?",
        "What does physics tell us about the rule for {s}?",
        "Tell a pupil what the rule for {s} is.",
        "What does the rule for {s} mean?",
        "A pupil asks about the rule for {s}. What do you tell?",
    ),
}


def bare(phrase: str) -> str:
    """The phrase without a leading article."""
    for article in ("the ", "a ", "an "):
        if phrase.startswith(article):
            return phrase[len(article) :]
    return phrase


def effects(relation: Relation) -> list[str]:
    """How the result changes if each operand is doubled."""
    answers = {
        "product": ("doubles", "doubles"),
        "quotient": ("doubles", "halves"),
        "half_square": ("doubles", "quadruples"),
        "triple": ("doubles", "doubles", "doubles"),
    }.get(relation.shape, ())
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
        subject, _, rule = r.law.partition(" is ")
        if effects(r):
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
