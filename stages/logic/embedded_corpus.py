"""The text that the embedded base model is pretrained on: facts, quizzes, drills and worked problems in its own words. Pure."""

from collections.abc import Iterator
from random import Random

from stages.logic.embedded_explanations import CORPUS, all_explanations
from stages.logic.embedded_numbers import MINUTES, ONES, TENS
from stages.logic.embedded_problems import STYLES, draw_problem, fill
from stages.logic.embedded_questions import KINDS, all_facts, draw_choices, sentence, word
from stages.logic.embedded_relations import RELATIONS


def drill(random: Random) -> str:
    """Bare arithmetic: the tables behind every worked step."""
    lines: list[str] = []
    for _ in range(6):
        a, b = random.choice(ONES), random.choice(ONES + TENS + MINUTES)
        lines.append(
            random.choice(
                (f"{a} x {b} = {a * b}", f"{b} x {a} = {a * b}", f"{a * b} / {a} = {b}", f"{a} + {b} = {a + b}", f"{a}^2 = {a * a}")
            )
        )
    return "\n".join(lines)


def corpus_texts(*, num_texts: int, seed: int) -> Iterator[str]:
    """Yield texts of the corpus; benchmark numbers and benchmark wordings never occur."""
    random = Random(f"{seed}:corpus")
    facts, explanations = all_facts(), all_explanations()
    for _ in range(num_texts):
        draw = random.random()
        if draw < 0.42:
            relation = random.choice(RELATIONS)
            style = random.choices(STYLES, (6, 3, 2))[0]
            problem = draw_problem(relation, style, random, held_out=False, seed=seed)
            yield f"{fill(random.choice(relation.corpus), problem)}\n{problem.worked}"
        elif draw < 0.48:
            yield drill(random)
        elif draw < 0.60:
            fact = random.choice(facts)
            kind = KINDS[fact.kind]
            yield word(random.choice((kind.statement, *kind.corpus)), fact)
        elif draw < 0.85:
            fact = random.choice(facts)
            kind = KINDS[fact.kind]
            choices, letter = draw_choices(fact, random)
            options = "\n".join(f"{key}) {text}" for key, text in choices.items())
            yield f"Quiz: {word(random.choice(kind.corpus_questions), fact)}\n{options}\n{word(kind.statement, fact)}\nKey: {letter}"
        else:
            explanation = random.choice(explanations)
            title = sentence(random.choice(CORPUS[explanation.kind]).replace("{s}", explanation.subject))
            yield " ".join((title, *explanation.sentences))
