"""Check that the right choices of a benchmark are spread over the letters; else an arm that always names one letter looks able. Pure."""

from collections import Counter
from collections.abc import Iterable

from plumbline.rows.question import Question

CHANCE_OF_A_FALSE_WARNING = 0.001
FEWEST_QUESTIONS = 12
"""With fewer, the test's approximation is rough, and little can be shown anyway."""


def unbalanced_letters(questions: Iterable[Question]) -> str | None:
    """A sentence about letters that are right too often or too seldom for chance; None if they are balanced, or if there are few questions.

    The test is Pearson's, against targets drawn evenly from each question's letters.
    """
    asked = [question for question in questions if question.kind == "mcq" and question.answer_kind is None]
    if len(asked) < FEWEST_QUESTIONS:
        return None
    right = Counter(question.target for question in asked)
    expected: Counter[str] = Counter()
    for question in asked:
        expected.update(dict.fromkeys(question.choices, 1 / len(question.choices)))
    if len(expected) < 2:
        return None
    # Imported here: split reads and refuses its inputs before it waits for scipy (0.1 s).
    from scipy.special import chdtrc

    squares = sum((right[letter] - often) ** 2 / often for letter, often in expected.items())
    if chdtrc(len(expected) - 1, squares) >= CHANCE_OF_A_FALSE_WARNING:
        return None
    letter, most = right.most_common(1)[0]
    counts = ", ".join(f"{one} {right[one]}" for one in sorted(expected))
    return (
        f"the right choices are not spread over the letters ({counts} of {len(asked)}): an arm that always answers {letter} scores "
        f"{most / len(asked):.2f}, and one that prefers a rare letter falls below chance ({sum(1 / len(q.choices) for q in asked) / len(asked):.2f}). "
        "Shuffle the choices, and answer again"
    )
