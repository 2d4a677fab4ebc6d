"""Facts as statements and questions: wordings of the corpus, of training rows and of the benchmark, kept apart. Pure."""

import re
from dataclasses import dataclass
from functools import cache
from random import Random

from plumbline.embedded.facts import DEVICES, INSTRUMENTS, LAWS, PHENOMENA, PREFIXES, QUANTITIES
from plumbline.embedded.relations import RELATIONS
from plumbline.hash_place import place_of


@dataclass(frozen=True)
class Fact:
    """One thing that a multiple-choice question can ask."""

    kind: str
    topic: str
    entity: str
    """The thing that is held out as a whole: no training row has the entity of a benchmark fact."""
    subject: str
    answer: str


@dataclass(frozen=True)
class Kind:
    """How facts of one kind are stated and asked. `{s}` is the subject, `{a}` the answer."""

    statement: str
    """The sentence before the letter."""
    answer: str
    """The answer to an open question."""
    corpus: tuple[str, ...]
    corpus_questions: tuple[str, ...]
    training: tuple[str, ...]
    """Open questions."""
    training_choice: tuple[str, ...]
    benchmark: tuple[str, ...]
    """Each is its own template, and so its own cluster."""


KINDS: dict[str, Kind] = {
    "unit": Kind(
        statement="The unit of {s} is {a}.",
        answer="The SI unit of {s} is the {a}.",
        corpus=("{s} is measured in {a}.", "The unit of {s} is {a}.", "We give {s} in {a}."),
        corpus_questions=("What is the unit of {s}?", "Which unit has {s}?", "{s} is measured in what?", "Name the unit for {s}."),
        training=("What is the SI unit of {s}?", "Name the SI unit of {s}.", "State the unit of {s}."),
        training_choice=("Which of these is the SI unit of {s}?", "Choose the unit of {s}.", "Pick the unit that belongs to {s}."),
        benchmark=(
            "In which unit is {s} measured?",
            "Which unit do we give for {s}?",
            "What is the right unit for {s}?",
            "Which unit is used for {s}?",
            "Name the right unit when {s} is measured.",
        ),
    ),
    "name": Kind(
        statement="This is {a}.",
        answer="{a} is {s}.",
        corpus=("{a} is {s}.", "By {a} we mean {s}.", "{s} is called {a}."),
        corpus_questions=("What is the name for {s}?", "Which word means {s}?", "{s}: what is this called?", "Name {s}."),
        training=("What is {a}?", "Define {a}.", "What does {a} mean?"),
        training_choice=("What do we call {s}?", "Choose the name of {s}.", "Which of these is {s}?"),
        benchmark=(
            "Which name do we give to {s}?",
            "By which word do we mean {s}?",
            "What is called {s}?",
            "Which of the words is the name for {s}?",
            "In physics, which word means {s}?",
            "What is the right word for {s}?",
        ),
    ),
    "example": Kind(
        statement="This is {a}.",
        answer="This is {a}.",
        corpus=("{s}. This is {a}.", "An example of {a}: {s}.", "With {a}, {s}."),
        corpus_questions=(
            "{s}. What is this?",
            "Which effect is at work when {s}?",
            "{s}: which effect is this?",
            "Name the effect when {s}.",
        ),
        training=("What is at work here: {s}?", "Name the effect: {s}.", "Which effect do we see when {s}?"),
        training_choice=("Which effect is this: {s}?", "Choose the effect behind this: {s}.", "Which of these is at work when {s}?"),
        benchmark=(
            "We see this: {s}. Which effect is it?",
            "What is the name of the effect when {s}?",
            "An example: {s}. What is at work?",
            "What is this effect called: {s}?",
            "When {s}, which effect is at work?",
        ),
    ),
    "instrument": Kind(
        statement="A {s} measures {a}.",
        answer="A {s} measures {a}.",
        corpus=("With a {s} we measure {a}.", "A {s} measures {a}.", "{a} is measured with a {s}."),
        corpus_questions=("What is measured with a {s}?", "A {s} measures what?", "Name what a {s} measures."),
        training=("What does a {s} measure?", "What is a {s} used for?", "State the use of a {s}."),
        training_choice=("Which of these does a {s} measure?", "Choose what a {s} is used for.", "What do we measure with a {s}?"),
        benchmark=("What is a {s} used to measure?", "Which quantity does a {s} give?", "We use a {s}. What is measured?"),
    ),
    "law": Kind(
        statement="This is {a}.",
        answer="{a} is about {s}.",
        corpus=("{a} is about {s}.", "{s}: this is {a}.", "For {s} we use {a}."),
        corpus_questions=("What is the law about {s}?", "Which law is about {s}?", "Name the law for {s}."),
        training=("What is {a} about?", "State what {a} is used for.", "Tell what {a} means."),
        training_choice=("Which of these is about {s}?", "Choose the law for {s}.", "Which law do we use for {s}?"),
        benchmark=("Which is the right law for {s}?", "What do we call the law about {s}?", "In physics, which law is used for {s}?"),
    ),
    "prefix": Kind(
        statement="The prefix {s} means {a}.",
        answer="The prefix {s} means {a}.",
        corpus=("{s} means {a}.", "The prefix {s} gives {a}.", "{a} is called {s}."),
        corpus_questions=("What is {s}?", "Which number is the prefix {s}?", "Name the number for {s}."),
        training=("What does the prefix {s} mean?", "State the number for the prefix {s}.", "How much is the prefix {s}?"),
        training_choice=(
            "Which of these is the prefix {s}?",
            "Choose the number for the prefix {s}.",
            "Which number do we mean by the prefix {s}?",
        ),
        benchmark=("The prefix {s} is used for which number?", "What is the right number for the prefix {s}?"),
    ),
    "device": Kind(
        statement="This is a {a}.",
        answer="A {a} turns {s}.",
        corpus=("A {a} turns {s}.", "To turn {s}, use a {a}.", "{s}: this is what a {a} does."),
        corpus_questions=("What turns {s}?", "Which device turns {s}?", "Name what turns {s}."),
        training=("What does a {a} do?", "State what a {a} does.", "Tell what a {a} does with energy."),
        training_choice=("Which of these turns {s}?", "Choose the device that turns {s}.", "What do we use to turn {s}?"),
        benchmark=(
            "Which device do we use to turn {s}?",
            "By what is it done: to turn {s}?",
            "What is the name of a device that turns {s}?",
        ),
    ),
    "rule": Kind(
        statement="This gives {a}.",
        answer="{a} is {s}.",
        corpus=("{s} gives {a}.", "{a} is {s}.", "To get {a}, take {s}."),
        corpus_questions=("What is {s}?", "Which quantity is {s}?", "Name the quantity we get as {s}."),
        training=("How is {a} found?", "State the rule for {a}.", "How do we get {a}?"),
        training_choice=("Which of these is {s}?", "Choose what we get as {s}.", "What do we get from {s}?"),
        benchmark=(
            "Which quantity do we get when we take {s}?",
            "What is the name of the quantity that is {s}?",
            "We take {s}. Which quantity is this?",
        ),
    ),
}


@cache
def all_facts() -> tuple[Fact, ...]:
    """Every fact, in a fixed order."""
    facts = [Fact("unit", q.topic, q.name, q.name, q.unit) for q in QUANTITIES]
    facts += [Fact("name", entry.topic, entry.name, entry.meaning, entry.name) for entry in (*QUANTITIES, *PHENOMENA)]
    facts += [Fact("example", p.topic, p.name, p.example, p.name) for p in PHENOMENA]
    facts += [Fact("instrument", pair.topic, pair.subject, pair.subject, pair.answer) for pair in INSTRUMENTS]
    facts += [Fact("law", pair.topic, pair.subject, pair.answer, pair.subject) for pair in LAWS]
    facts += [Fact("prefix", pair.topic, pair.subject, pair.subject, pair.answer) for pair in PREFIXES]
    facts += [Fact("device", pair.topic, pair.subject, pair.answer, pair.subject) for pair in DEVICES]
    for relation in RELATIONS:
        if relation.law.startswith(f"{relation.result} is "):
            facts.append(Fact("rule", relation.topic, relation.id, relation.law.partition(" is ")[2], relation.result))
    return tuple(facts)


ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou])")


def sentence(text: str) -> str:
    """First letter in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def word(wording: str, fact: Fact) -> str:
    """Put a fact into a wording, with the article that its first letter asks for."""
    text = wording.replace("{s}", fact.subject).replace("{a}", fact.answer)
    return sentence(ARTICLE.sub(r"\1n ", text))


@cache
def is_benchmark_entity(entity: str, *, seed: int, fraction: float = 0.5) -> bool:
    """Whether the benchmark asks about this entity."""
    return place_of(f"{seed}:entity:{entity}") < fraction


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


def options_of(choices: dict[str, str]) -> str:
    """One line `A) text` per option, as the exam shows them."""
    return "\n".join(f"{letter}) {text}" for letter, text in choices.items())
