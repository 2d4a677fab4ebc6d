"""A small evaluation in which each question has several answers."""

import random
from collections.abc import Sequence

from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Question
from tests.fakes.evaluation_world import SHARE_RIGHT, World, explanation, make_world, rule_answer


def sampled_world(
    *, num_samples: int = 4, sampled: Sequence[str] = ("base", "tuned"), seed: int = 3, num_questions: int = 30, num_clusters: int = 10
) -> World:
    """`sampled`: the arms that answer several times; other arms keep their one answer. Some samples cannot be read."""
    world = make_world(num_mcq=num_questions, num_numeric=num_questions, num_explanation=num_questions, num_clusters=num_clusters)
    kept_grades = [row for row in world.grades if row.arm not in sampled]
    kept_judgements = [row for row in world.judgements if row.arm not in sampled]
    world.grades, world.judgements = kept_grades, kept_judgements
    generator = random.Random(seed)
    for arm in sampled:
        world.answers[arm] = []
        for question in world.questions:
            ease = generator.choice((-0.3, 0.0, 0.3))
            for sample in range(1, num_samples + 1):
                answer, verdict = sample_of(
                    question, arm, sample, right=generator.random() < SHARE_RIGHT[question.kind, arm] + ease, generator=generator
                )
                world.answers[arm].append(answer)
                if isinstance(verdict, Grade):
                    world.grades.append(verdict)
                else:
                    world.judgements.append(verdict)
    return world


def sample_of(question: Question, arm: str, sample: int, *, right: bool, generator: random.Random) -> tuple[Answer, Grade | Judgement]:
    """One sample with its verdict."""
    if question.kind == "explanation":
        answer, verdict = explanation(question, arm, generator.choice([0.75, 1.0]) if right else generator.choice([0.0, 0.25]))
    else:
        answer, verdict = rule_answer(question, arm, right=right, unparsed=generator.random() < 0.1)
    said = answer.model_copy(
        update={
            "sample": sample,
            "response": f"{answer.response} [{sample}]",
            "choice_logprobs": answer.choice_logprobs if sample == 1 else {},
        }
    )
    changes: dict[str, object] = {"sample": sample}
    if isinstance(verdict, Grade) and sample > 1:
        changes |= {"logprob_choice": None, "logprob_outcome": None}
    return said, verdict.model_copy(update=changes)
