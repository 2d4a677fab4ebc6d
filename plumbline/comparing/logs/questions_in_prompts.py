"""Find the question of one log in the prompt that another tool logs in its place. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from plumbline.comparing.logs.logged_answer import LogArm, LoggedAnswer
from plumbline.comparing.logs.question_text import normal, text_key

MIN_CHARACTERS = 12
"""The least length of a question that is looked for: a shorter one is in many prompts."""


def questions_in_prompts(arms: Sequence[LogArm]) -> dict[str, str]:
    """Key of a prompt -> key of the question in it that another log asks, with the same choices.

    A key that two logs have is left out. Two prompts of one log around one question are left out as well: they ask two things.
    """
    homes: dict[str, set[str]] = {}
    samples: dict[str, LoggedAnswer] = {}
    for arm in arms:
        for answer in arm.answers:
            homes.setdefault(text_key(answer), set()).add(arm.name)
            samples.setdefault(text_key(answer), answer)
    texts = {key: normal(answer.question) for key, answer in samples.items()}
    by_start: dict[str, list[str]] = {}
    for key, text in texts.items():
        if len(text) >= MIN_CHARACTERS:
            by_start.setdefault(text[:MIN_CHARACTERS], []).append(key)
    found: dict[str, str] = {}
    for key, prompt in texts.items():
        if len(homes[key]) == 1:
            inside = [
                other
                for other in asked_in(prompt, texts, by_start)
                if homes[other].isdisjoint(homes[key]) and same_choices(samples[key], samples[other], prompt)
            ]
            if inside:
                found[key] = inside[-1]
    taken = Counter((home, other) for key, other in found.items() for home in homes[key])
    return {key: other for key, other in found.items() if all(taken[home, other] == 1 for home in homes[key])}


def asked_in(prompt: str, texts: Mapping[str, str], by_start: Mapping[str, Sequence[str]]) -> list[str]:
    """Keys of the shorter questions in a prompt, by where they end: the question itself comes last, after the examples."""
    found: dict[str, tuple[int, int]] = {}
    for place in range(len(prompt) - MIN_CHARACTERS + 1):
        for key in by_start.get(prompt[place : place + MIN_CHARACTERS], ()):
            text = texts[key]
            if len(text) < len(prompt) and prompt.startswith(text, place):
                found[key] = (place + len(text), len(text))
    return sorted(found, key=lambda key: found[key])


def same_choices(asked: LoggedAnswer, other: LoggedAnswer, prompt: str) -> bool:
    """Whether a prompt has the choices of a question: as its own choices, or in its words if no choices were read from it."""
    theirs = sorted(map(normal, other.choices.values()))
    return theirs == sorted(map(normal, asked.choices.values())) if asked.choices else all(text in prompt for text in theirs)
