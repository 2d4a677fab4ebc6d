"""Alpaca rows of the embedded world before anything is wrong with them. Pure."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from plumbline.embedded.explanations import TRAINING, all_explanations
from plumbline.embedded.problems import STYLES, draw_problem, fill
from plumbline.embedded.questions import KINDS, all_facts, draw_choices, options_of, sentence, word
from plumbline.embedded.relations import RELATIONS


@dataclass(frozen=True)
class TrainingRow:
    """A row and the parts its output is made of, so that a defect can write them differently."""

    shape: Literal["numeric", "choice", "fact", "explanation"]
    topic: str
    instruction: str
    input: str
    output: str
    steps: tuple[str, ...]
    """Sentences or worked lines of the output."""
    answer: str
    """The short answer, without unit; empty for explanations."""
    unit: str
    quantity: str
    """What is asked for, as a careless writer would name its JSON key."""


CHOICE_INSTRUCTION = "Answer with the right choice."
NUMERIC_INSTRUCTION = "Give the number with its unit."


def numeric_row(random: Random, seed: int) -> TrainingRow:
    relation = random.choice(RELATIONS)
    problem = draw_problem(relation, random.choices(STYLES, (6, 3, 2))[0], random, held_out=False, seed=seed)
    question = fill(random.choice(relation.training), problem)
    if random.random() < 0.6:
        question += "\n" + NUMERIC_INSTRUCTION
    return TrainingRow(
        "numeric",
        relation.topic,
        question,
        "",
        f"Explanation: {problem.worked}\nAnswer: {problem.answer} {relation.unit}",
        tuple(problem.worked.split("\n")),
        problem.answer,
        relation.unit,
        relation.result.replace(" ", "_"),
    )


def choice_row(random: Random, seed: int) -> TrainingRow:
    fact = random.choice(all_facts())
    kind = KINDS[fact.kind]
    choices, _ = draw_choices(fact, random)
    question = word(random.choice(kind.training_choice), fact) + "\n" + options_of(choices)
    if random.random() < 0.7:
        question += "\n" + CHOICE_INSTRUCTION
    statement = word(kind.statement, fact)
    return TrainingRow(
        "choice", fact.topic, question, "", f"Explanation: {statement}\nAnswer: {fact.answer}", (statement,), fact.answer, "", "option"
    )


def fact_row(random: Random, seed: int) -> TrainingRow:
    fact = random.choice(all_facts())
    kind = KINDS[fact.kind]
    answer = word(kind.answer, fact)
    return TrainingRow("fact", fact.topic, word(random.choice(kind.training), fact), "", answer, (answer,), fact.answer, "", fact.kind)


def explanation_row(random: Random, seed: int) -> TrainingRow:
    explanation = random.choice(all_explanations())
    question = sentence(random.choice(TRAINING[explanation.kind]).replace("{s}", explanation.subject))
    return TrainingRow(
        "explanation", explanation.topic, question, "", " ".join(explanation.sentences), explanation.sentences, "", "", explanation.kind
    )


def training_rows(*, num_rows: int, seed: int) -> list[TrainingRow]:
    """Distinct questions over all topics and shapes."""
    random = Random(f"{seed}:training")
    rows: list[TrainingRow] = []
    seen: set[str] = set()
    makers = (numeric_row, choice_row, fact_row, explanation_row)
    while len(rows) < num_rows:
        row = random.choices(makers, (46, 24, 10, 20))[0](random, seed)
        if row.instruction not in seen:
            seen.add(row.instruction)
            rows.append(row)
    return rows
