"""Facts as statements and questions: wordings of the corpus, of training rows and of the benchmark, kept apart. Pure."""

import hashlib
from dataclasses import dataclass
from functools import cache
from random import Random

from stages.logic.embedded_facts import DEVICES, INSTRUMENTS, LAWS, PHENOMENA, PREFIXES, QUANTITIES
from stages.logic.embedded_relations import RELATIONS


@dataclass(frozen=True)
class Fact:
    """One thing that a multiple-choice question can ask."""

    kind: str
    topic: str
    entity: str
    """What is held out as a whole: a benchmark fact shares its entity with no training row."""
    subject: str
    answer: str


@dataclass(frozen=True)
class Kind:
    """How facts of one kind are stated and asked. `{s}` is the subject, `{a}` the answer."""

    statement: str
    """The sentence that training rows give before the letter."""
    corpus: tuple[str, ...]
    corpus_questions: tuple[str, ...]
    training: tuple[str, ...]
    """Open questions."""
    training_choice: tuple[str, ...]
    benchmark: tuple[str, ...]
    """Each is a template, hence a cluster, of its own."""


KINDS: dict[str, Kind] = {
    "unit": Kind(
        "The SI unit of {s} is the {a}.",
        ("The {a} is the SI unit of {s}.", "We measure {s} in the unit {a}.", "{s} has the unit {a}."),
        ("which unit has {s}?", "which unit belongs to {s}?"),
        ("What is the SI unit of {s}?", "Name the SI unit of {s}.", "State the unit of {s}."),
        ("Which of these is the SI unit of {s}?", "Choose the unit of {s}.", "Pick the SI unit that belongs to {s}."),
        (
            "In which unit is {s} measured?",
            "A student notes a value of {s}. Which unit should stand behind it?",
            "Values of {s} are given in which SI unit?",
            "What does SI use as the unit for {s}?",
            "Select the proper unit when {s} is reported.",
        ),
    ),
    "meaning": Kind(
        "{s} is {a}.",
        ("By {s} we mean {a}.", "{a} is called {s}.", "Call it {s}: {a}."),
        ("what is {s}?", "what do we mean by {s}?"),
        ("What is {s}?", "Define {s}.", "What does the word {s} mean in physics?"),
        ("What is meant by {s}?", "Choose the definition of {s}.", "Which of these defines {s}?"),
        (
            "How would a physicist describe {s}?",
            "Select the statement that tells what {s} is.",
            "The term {s} stands for what?",
            "Which description fits {s}?",
        ),
    ),
    "term": Kind(
        "{s} is {a}.",
        ("By {s} we mean {a}.", "{a} is called {s}.", "Call it {s}: {a}."),
        ("what is {s}?", "what do we mean by {s}?"),
        ("What is {s}?", "Define {s}.", "What does the word {s} mean in physics?"),
        ("What is meant by {s}?", "Choose the definition of {s}.", "Which of these defines {s}?"),
        (
            "How would a physicist describe {s}?",
            "Select the statement that tells what {s} is.",
            "The term {s} stands for what?",
            "Which description fits {s}?",
            "A text speaks of {s}. What is it about?",
        ),
    ),
    "example": Kind(
        "This is {a}: {s}.",
        ("{s}. This is {a}.", "Think of {a}: {s}.", "{a} shows when {s}."),
        ("what is at work when {s}?", "{s}: what is this?"),
        ("What is at work here: {s}?", "Name the effect: {s}.", "Which effect do we see when {s}?"),
        ("Which effect is this: {s}?", "Choose the effect behind this: {s}.", "Which of these is at work when {s}?"),
        (
            "Observation: {s}. Select the name of the effect.",
            "You notice that {s}. What explains it best?",
            "What lies behind the fact that {s}?",
            "A child asks why {s}. Which word answers the question?",
            "Which idea accounts for this: {s}?",
        ),
    ),
    "reason": Kind(
        "{s} comes about because {a}.",
        ("The reason for {s}: {a}.", "Why {s}? Because {a}.", "{a}, and so we get {s}."),
        ("why is there {s}?", "what causes {s}?"),
        ("What is the reason for {s}?", "Why does {s} come about?", "Give the cause of {s}."),
        ("What causes {s}?", "Choose the reason for {s}.", "Which of these is the cause of {s}?"),
        (
            "What makes {s} happen?",
            "Select the best account of how {s} arises.",
            "{s} can be traced back to what?",
            "What lies at the root of {s}?",
        ),
    ),
    "instrument": Kind(
        "A {s} measures {a}.",
        ("With a {s} we read the {a}.", "To find {a}, use a {s}.", "The {s} shows {a}."),
        ("what does a {s} show?", "what can a {s} read?"),
        ("What does a {s} measure?", "What is a {s} used for?", "State the purpose of a {s}."),
        ("Which of these does a {s} measure?", "Choose what a {s} is made for.", "What can be read from a {s}?"),
        ("A laboratory buys a {s}. What will it determine?", "Which property is found with a {s}?", "What does the scale of a {s} tell?"),
    ),
    "law": Kind(
        "{s} is about {a}.",
        ("{a}: that is {s}.", "We use {s} for {a}.", "{s} links {a}."),
        ("what does {s} link?", "what is {s} for?"),
        ("What is {s} about?", "State what {s} deals with.", "Tell what {s} describes."),
        ("Which of these is {s} about?", "Choose what {s} deals with.", "What is described by {s}?"),
        ("{s} treats which matter?", "An exercise quotes {s}. What does it concern?", "Which subject does {s} cover?"),
    ),
    "prefix": Kind(
        "The prefix {s} means {a}.",
        ("{s} stands for {a}.", "In front of a unit {s} gives {a}.", "{a} is written as {s}."),
        ("what is {s}?", "how much is {s}?"),
        ("What does the prefix {s} mean?", "State the factor of the prefix {s}.", "How much is {s} in front of a unit?"),
        ("Which of these is the prefix {s}?", "Choose the factor of the prefix {s}.", "By which factor does {s} change a unit?"),
        ("A unit begins with {s}. What does that part tell?", "Which multiple is meant by {s}?"),
    ),
    "device": Kind(
        "A {s} turns {a}.",
        ("The job of a {s} is turning {a}.", "In a {s} nature turns {a}.", "A {s} changes {a}."),
        ("what does a {s} turn?", "what does a {s} change?"),
        ("What does a {s} do with energy?", "Which change of energy happens in a {s}?", "Describe the energy change in a {s}."),
        ("Which of these does a {s} do?", "Choose the energy change of a {s}.", "How does a {s} change energy?"),
        (
            "What becomes of the energy inside a {s}?",
            "Select the conversion that a {s} performs.",
            "A {s} is studied. Which form of energy becomes which?",
        ),
    ),
    "law_in_words": Kind(
        "{s} is {a}.",
        ("We find {s} as {a}.", "{a} gives {s}.", "To get {s}, take {a}."),
        ("how do we get {s}?", "what gives {s}?"),
        ("How is {s} calculated?", "State the rule for {s}.", "How do you find {s}?"),
        ("Which of these gives {s}?", "Choose the rule for {s}.", "How can {s} be worked out?"),
        ("You want to know {s}. What must you compute?", "Which computation leads to {s}?", "What is the recipe for {s}?"),
    ),
}


@cache
def all_facts() -> tuple[Fact, ...]:
    """Every fact, in a fixed order."""
    facts = [Fact("unit", q.topic, q.name, q.name, q.unit) for q in QUANTITIES]
    facts += [Fact("meaning", q.topic, q.name, q.name, q.meaning) for q in QUANTITIES]
    facts += [Fact("term", p.topic, p.name, p.name, p.meaning) for p in PHENOMENA]
    facts += [Fact("example", p.topic, p.name, p.example, p.name) for p in PHENOMENA]
    facts += [Fact("reason", p.topic, p.name, p.name, p.reason) for p in PHENOMENA]
    for kind, pairs in (("instrument", INSTRUMENTS), ("law", LAWS), ("prefix", PREFIXES), ("device", DEVICES)):
        facts += [Fact(kind, pair.topic, pair.subject, pair.subject, pair.answer) for pair in pairs]
    for relation in RELATIONS:
        subject, separator, rule = relation.law.partition(" is ")
        if separator:
            facts.append(Fact("law_in_words", relation.topic, relation.id, subject, rule))
    return tuple(facts)


def sentence(text: str) -> str:
    """First letter in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def word(wording: str, fact: Fact) -> str:
    """Put a fact into a wording."""
    return sentence(wording.replace("{s}", fact.subject).replace("{a}", fact.answer))


def is_benchmark_entity(entity: str, *, seed: int, fraction: float = 0.5) -> bool:
    """Whether everything about this entity is kept out of the training rows."""
    digest = hashlib.sha256(f"{seed}:entity:{entity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < fraction


@cache
def answers_of(kind: str) -> frozenset[str]:
    """All answers that facts of a kind have."""
    return frozenset(fact.answer for fact in all_facts() if fact.kind == kind)


def draw_choices(fact: Fact, random: Random) -> tuple[dict[str, str], str]:
    """Four options of the fact's own kind, one of them right, and the letter of that one."""
    others = sorted(answers_of(fact.kind) - {fact.answer})
    options = [fact.answer, *random.sample(others, 3)]
    random.shuffle(options)
    choices = dict(zip("ABCD", options, strict=True))
    return choices, next(letter for letter, option in choices.items() if option == fact.answer)
