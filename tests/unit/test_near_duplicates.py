"""Near-duplicates are found, and only those; the search agrees with comparing every pair."""

import itertools
import random

import numpy as np
import pytest

from plumbline.near_duplicates import near_duplicate_groups, normalise, numbers_in, similarity

QUESTION = "Explain why a passenger in a turning car feels pushed to the outer side"


@pytest.mark.parametrize(
    ("other", "near"),
    [
        (QUESTION + ".", True),
        (QUESTION.upper() + "?!", True),
        (QUESTION.replace("outer", "outward"), True),
        (QUESTION + " at 5 m/s", False),
        ("Explain what a vector is", False),
    ],
)
def test_near_means_nearly_the_same_words_and_the_same_numbers(other: str, near: bool) -> None:
    assert (near_duplicate_groups([QUESTION, other], 0.8).tolist() == [0, 0]) == near


def test_different_numbers_make_a_different_question() -> None:
    texts = [f"A car of mass {mass} kg moves at 12 m/s along a straight road. What is its kinetic energy?" for mass in (5, 6, 7.5)]
    assert near_duplicate_groups(texts, 0.8).tolist() == [0, 1, 2]


def test_groups_equal_those_of_comparing_every_pair() -> None:
    generator = random.Random(3)
    words = ["force", "mass", "speed", "energy", "heat", "field", "charge", "wave", "lens", "torque", "orbit", "fluid"]
    texts = []
    for _ in range(60):
        base = [generator.choice(words) for _ in range(14)]
        texts.append(" ".join(base))
        for _ in range(generator.randrange(4)):
            changed = list(base)
            for _ in range(generator.randrange(1, 4)):
                changed[generator.randrange(len(changed))] = generator.choice(words)
            texts.append(" ".join(changed))
    generator.shuffle(texts)
    slow = list(range(len(texts)))
    for left, right in itertools.combinations(range(len(texts)), 2):
        if similarity(texts[left].encode(), texts[right].encode()) >= 0.8:
            merged, kept = max(slow[left], slow[right]), min(slow[left], slow[right])
            slow = [kept if group == merged else group for group in slow]
    assert near_duplicate_groups(texts, 0.8).tolist() == slow


def test_no_text_and_short_texts_are_fine() -> None:
    assert near_duplicate_groups([], 0.8).tolist() == []
    assert near_duplicate_groups(["a", "", "a", "b", ""], 0.8).tolist() == [0, 1, 0, 3, 1]
    assert np.array_equal(near_duplicate_groups(["x"], 0.8), [0])


def test_what_is_compared_ignores_case_punctuation_and_space() -> None:
    assert normalise("  What\tis  $F = ma$?") == "what is f = ma"
    assert numbers_in("5 kg at 3.20 m/s and 1,000 N") == ("5", "3.20", "1,000")
