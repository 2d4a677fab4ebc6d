"""If all right choices are at B or C, this is said before anything about what an arm knows."""

import random

from plumbline.rows.choice_balance import CHANCE_OF_A_FALSE_WARNING, FEWEST_QUESTIONS, unbalanced_letters
from plumbline.rows.question import Question


def asked(targets: str, *, letters: str = "ABCD") -> list[Question]:
    return [
        Question(
            id=f"q{number}", kind="mcq", question="Which?", choices={letter: f"text {letter}" for letter in letters}, target=target,
            unit=None, key_points=(), cluster=f"q{number}",
        )
        for number, target in enumerate(targets)
    ]  # fmt: skip


def test_targets_at_two_of_four_letters_are_named_with_what_one_letter_scores() -> None:
    said = unbalanced_letters(asked("B" * 10 + "C" * 9))
    assert said is not None
    assert "(A 0, B 10, C 9, D 0 of 19)" in said and "always answers B scores 0.53" in said and "chance (0.25)" in said


def test_even_targets_few_questions_and_other_kinds_are_left_alone() -> None:
    assert unbalanced_letters(asked("ABCD" * 10)) is None
    assert unbalanced_letters(asked("B" * (FEWEST_QUESTIONS - 1))) is None
    assert unbalanced_letters([question.model_copy(update={"kind": "numeric", "choices": {}}) for question in asked("B" * 40)]) is None
    several = [question.model_copy(update={"answer_kind": "letters", "target": "A,B"}) for question in asked("B" * 40)]
    assert unbalanced_letters(several) is None
    assert unbalanced_letters([]) is None


def test_targets_drawn_by_chance_are_rarely_accused() -> None:
    """Also where questions have two, four or five choices: at most a few of 2,000 benchmarks of 12 to 160 questions."""
    draw = random.Random(7)
    accused = 0
    for _ in range(2000):
        questions: list[Question] = []
        for _ in range(draw.choice((12, 19, 40, 160))):
            letters = draw.choice(("AB", "ABCD", "ABCDE"))
            questions += asked(draw.choice(letters), letters=letters)
        accused += unbalanced_letters(questions) is not None
    assert accused <= 2000 * 4 * CHANCE_OF_A_FALSE_WARNING


def test_a_strong_lean_is_found() -> None:
    draw = random.Random(8)
    leaning = ["".join(draw.choices("ABCD", weights=(1, 5, 5, 1), k=60)) for _ in range(200)]
    assert sum(unbalanced_letters(asked(targets)) is not None for targets in leaning) > 150
