"""The text that the embedded base model is pretrained on: facts, quizzes, drills and worked problems in its own words. Pure."""

from collections.abc import Iterator, Sequence
from random import Random

from plumbline.embedded.explanations import CORPUS, all_explanations
from plumbline.embedded.numbers import MINUTES, ONES, TENS
from plumbline.embedded.problems import STYLES, Problem, draw_problem, fill
from plumbline.embedded.questions import KINDS, all_facts, draw_choices, options_of, sentence, word
from plumbline.embedded.relations import RELATIONS

THINGS = [
    "train",
    "swimmer",
    "drone",
    "lift",
    "engine",
    "trailer",
    "crate",
    "boat",
    "rope",
    "log",
    "winch",
    "station",
    "dog",
    "climber",
    "fish",
    "wagon",
    "thruster",
    "ball",
    "gate",
    "ride",
    "turbine",
    "probe",
    "tool",
    "tank",
    "bale",
    "balloon",
    "stove",
    "wax",
    "buoy",
    "signal",
    "source",
    "wire",
    "coil",
    "toaster",
    "drill",
    "cell",
    "loop",
    "rail",
    "frame",
    "insect",
    "vase",
    "road",
    "parcel",
    "plank",
    "snack",
    "bag",
    "motor",
    "runner",
    "cyclist",
    "cart",
    "bus",
    "car",
    "box",
    "pump",
    "crane",
    "lamp",
    "heater",
    "stone",
    "suitcase",
    "body",
    "planet",
    "disc",
    "wheel",
    "fan",
    "gas",
    "liquid",
    "lens",
    "mirror",
]
"""Any of them is paired with any relation: a model that reads only the noun learns nothing."""

LEADS = (
    "A {thing} has {o}.", "For a {thing} we know {o}.", "A {thing} with {o}.", "Given {o}.", "We have {o}.", "A {thing} needs {o}.", "A {thing} feels {o}.",
    "A {thing} is at {o}.", "A {thing} acts with {o}.", "A {thing} runs during {o}.", "A {thing} of {o}.", "Take {o}.", "A {thing} gives {o}.",
)  # fmt: skip
OPERANDS = ("{article} {name} of {value}", "{name} {value}", "the {name} {value}", "{article} {name} of {value}", "{symbol} = {value}")
JOINTS = (" and ", " and ", " with ", " at ", ", ", " in ", " for ", " during ", " where ")
ASKS = (
    "How large is the {result}?", "Find the {result}.", "What is the {result}?", "Which {result} is this?", "Work out the {result}.",
    "How much {result} is this?", "Which {result} acts on it?", "Which {result} does it have?", "Calculate the {result}.", "",
)  # fmt: skip
LESSON_SHARE = 0.25
"""The corpus is a course: this share of it, at its start, is mostly drills, facts and plain problems."""


def drill(random: Random) -> str:
    """Bare arithmetic: the tables behind every worked step."""
    lines: list[str] = []
    for _ in range(6):
        a, b = random.choice(ONES), random.choice(ONES + TENS + MINUTES)
        lines.append(
            random.choice(
                (f"{a} x {b} = {a * b}", f"{b} x {a} = {a * b}", f"{a * b} / {a} = {b}", f"{a * b} / {a} = {b}", f"{a}^2 = {a * a}")
            )
        )
    return "\n".join(lines)


def free_wording(problem: Problem, random: Random, *, asks: Sequence[str]) -> str:
    """A problem in a sentence put together from parts, its numbers in any order."""
    parts: list[str] = []
    for operand in problem.relation.operands:
        article = "an" if operand.name[0] in "aeiou" else "a"
        parts.append(
            random.choice(OPERANDS).format(article=article, name=operand.name, symbol=operand.symbol, value=problem.texts[operand.symbol])
        )
    random.shuffle(parts)
    given = parts[0]
    for part in parts[1:]:
        given += random.choice(JOINTS) + part
    lead = random.choice(LEADS).format(thing=random.choice(THINGS), o=given)
    return sentence(f"{lead} {random.choice(asks).format(result=problem.relation.result, unit=problem.relation.unit)}".strip())


def numeric_text(random: Random, *, plain: bool, seed: int) -> str:
    """A worked problem."""
    relation = random.choice(RELATIONS)
    problem = draw_problem(relation, "plain" if plain else random.choices(STYLES, (5, 3, 2))[0], random, held_out=False, seed=seed)
    if random.random() < 0.25:
        wording = fill(random.choice(relation.corpus), problem)
    elif relation.topic == "units":
        wording = free_wording(problem, random, asks=("How many {unit}?", "Give it in {unit}.", "How many {unit} is it?"))
    else:
        wording = free_wording(problem, random, asks=ASKS)
    return f"{wording}\n{problem.worked}"


def quiz(random: Random) -> str:
    """A choice question and its answer, in the words of the choice."""
    fact = random.choice(all_facts())
    kind = KINDS[fact.kind]
    choices, _ = draw_choices(fact, random)
    # A third goes straight to the answer, so that its probability means something without the sentence before it.
    recall = f"{word(kind.statement, fact)}\n" if random.random() < 0.7 else ""
    return f"{word(random.choice(kind.corpus_questions), fact)}\n{options_of(choices)}\n{recall}Answer: {fact.answer}"


def corpus_texts(*, num_texts: int, seed: int) -> Iterator[str]:
    """Yield texts of the corpus, easy ones first; benchmark numbers and benchmark wordings never occur."""
    random = Random(f"{seed}:corpus")
    facts, explanations = all_facts(), all_explanations()
    for number in range(num_texts):
        early = number < LESSON_SHARE * num_texts
        kind = random.choices(("numeric", "drill", "fact", "quiz", "explanation"), (42, 15, 25, 10, 8) if early else (44, 4, 14, 20, 18))[0]
        if kind == "numeric":
            yield numeric_text(random, plain=early, seed=seed)
        elif kind == "drill":
            yield drill(random)
        elif kind == "fact":
            fact = random.choice(facts)
            yield word(random.choice(KINDS[fact.kind].corpus), fact)
        elif kind == "quiz":
            yield quiz(random)
        else:
            explanation = random.choice(explanations)
            title = sentence(random.choice(CORPUS[explanation.kind]).replace("{s}", explanation.subject))
            yield " ".join((title, *explanation.sentences))
