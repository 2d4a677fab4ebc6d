"""The benchmark of the embedded world: its own wordings and numbers, and three kinds of questions. Pure."""

from collections.abc import Sequence
from random import Random

from plumbline.embedded.explanations import BENCHMARK, all_explanations
from plumbline.embedded.problems import STYLES, can_show, draw_problem, fill
from plumbline.embedded.questions import KINDS, Fact, all_facts, draw_choices, is_benchmark_entity, sentence, word
from plumbline.embedded.relations import RELATIONS
from plumbline.rows.question import Question


def next_id(cluster: str, questions: Sequence[Question]) -> str:
    """The id of the next question of a cluster."""
    return f"{cluster}-{sum(question.cluster == cluster for question in questions) + 1:02d}"


def choice_questions(*, num_questions: int, seed: int) -> list[Question]:
    """Multiple choice, spread evenly over templates that no training row and no corpus text shares."""
    random = Random(f"{seed}:mcq")
    facts = all_facts()
    templates = [(kind, number, wording) for kind in KINDS for number, wording in enumerate(KINDS[kind].benchmark)]
    random.shuffle(templates)
    decks: dict[str, list[Fact]] = {}
    questions: list[Question] = []
    asked: set[tuple[str, str, int]] = set()
    position = 0
    while len(questions) < num_questions:
        kind, number, wording = templates[position % len(templates)]
        position += 1
        deck = decks.setdefault(kind, [])
        if not deck:
            deck.extend(fact for fact in facts if fact.kind == kind and is_benchmark_entity(fact.entity, seed=seed))
            random.shuffle(deck)
        fact = deck.pop()
        if (kind, fact.subject, number) in asked:
            continue
        asked.add((kind, fact.subject, number))
        choices, letter = draw_choices(fact, random)
        cluster = f"mcq-{kind.replace('_', '-')}-{number + 1}"
        questions.append(
            Question(
                id=next_id(cluster, questions),
                kind="mcq",
                question=word(wording, fact),
                choices=choices,
                target=letter,
                unit=None,
                key_points=(),
                cluster=cluster,
            )
        )
    return questions


def numeric_questions(*, num_questions: int, seed: int) -> list[Question]:
    """Numeric problems, with operands that stand in no training row and no corpus text."""
    random = Random(f"{seed}:numeric")
    templates = [(relation, number, wording) for relation in RELATIONS for number, wording in enumerate(relation.benchmark)]
    random.shuffle(templates)
    questions: list[Question] = []
    asked: set[tuple[str, tuple[int, ...]]] = set()
    position = 0
    while len(questions) < num_questions:
        relation, number, wording = templates[position % len(templates)]
        style = STYLES[(position // len(templates) + position) % len(STYLES)]
        position += 1
        problem = draw_problem(relation, style if can_show(relation, style) else "plain", random, held_out=True, seed=seed)
        if (relation.id, problem.values) in asked:
            continue
        asked.add((relation.id, problem.values))
        cluster = f"numeric-{relation.id.replace('_', '-')}-{number + 1}"
        questions.append(
            Question(
                id=next_id(cluster, questions),
                kind="numeric",
                question=fill(wording, problem),
                choices={},
                target=problem.answer,
                unit=relation.unit,
                key_points=(),
                cluster=cluster,
            )
        )
    return questions


def explanation_questions(*, num_questions: int, seed: int) -> list[Question]:
    """Explanations, asked for in the benchmark's own words, with the points that an answer must make."""
    random = Random(f"{seed}:explanation")
    pool = [e for e in all_explanations() if is_benchmark_entity(e.entity, seed=seed)]
    random.shuffle(pool)
    questions: list[Question] = []
    counts: dict[str, int] = {}
    asked: set[tuple[str, int]] = set()
    for position in range(num_questions):
        explanation = pool[position % len(pool)]
        wordings = BENCHMARK[explanation.kind]
        number = counts.get(explanation.kind, 0) % len(wordings)
        counts[explanation.kind] = counts.get(explanation.kind, 0) + 1
        while (explanation.entity, number) in asked:
            number = (number + 1) % len(wordings)
        asked.add((explanation.entity, number))
        cluster = f"explanation-{explanation.kind}-{number + 1}"
        questions.append(
            Question(
                id=next_id(cluster, questions),
                kind="explanation",
                question=sentence(wordings[number].replace("{s}", explanation.subject)),
                choices={},
                target=" ".join(explanation.sentences),
                unit=None,
                key_points=explanation.key_points,
                cluster=cluster,
            )
        )
    return questions
