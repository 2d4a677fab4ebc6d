"""The text of a question and PROMPT_VERSION change together: runs under two versions are not compared."""

from plumbline.answering.exam_prompt import PROMPT_VERSION, exam_prompt
from plumbline.rows.context import ContextPassage
from plumbline.rows.question import Question

MCQ = Question(
    id="q",
    kind="mcq",
    question="What is the unit of force?",
    choices={"A": "N", "B": "J"},
    target="A",
    unit=None,
    key_points=(),
    cluster="c",
)
TEXTS = {
    1: "What is the unit of force?\nA) N\nB) J\nAnswer with the letter.",
}
"""Version -> what it makes of one question. A new text is a new entry, and a new PROMPT_VERSION; no entry is ever edited."""
WITH_PASSAGES = {
    1: "Passages that may help:\n[1] Force is measured in newton.\nA newton is 1 kg m/s^2.\n[2] Energy is measured in joule.\n\n"
    "What is the unit of force?\nA) N\nB) J\nAnswer with the letter.",
}
"""The same with two passages before it."""
PASSAGES = (
    ContextPassage(id="notes.md:3", score=2.5, text="Force is measured in newton.\nA newton is 1 kg m/s^2.\n"),
    ContextPassage(id="notes.md:9", score=1.0, text="Energy is measured in joule."),
)


def test_a_new_text_has_a_new_version() -> None:
    assert max(TEXTS) == PROMPT_VERSION
    assert exam_prompt(MCQ, {"mcq": "Answer with the letter."}) == TEXTS[PROMPT_VERSION]
    assert exam_prompt(MCQ, {"mcq": "Answer with the letter."}, PASSAGES) == WITH_PASSAGES[PROMPT_VERSION]
