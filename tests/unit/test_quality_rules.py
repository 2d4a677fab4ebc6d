"""An output that says nothing is put aside; one that says something is not, whatever stands in it."""

import pytest

from plumbline.cleaning.quality_rules import says_nothing


@pytest.mark.parametrize(
    "output",
    [
        "None",
        "n/a.",
        "<think>It is 4 N.</think>",
        "<think>\n\n</think>\n\n",
        "<think>First I look for the force",
        "[THINK]4 N[/THINK]",
        "<|begin_of_thought|>4 N<|end_of_thought|>",
        "◁think▷4 N◁/think▷",
        "<reasoning>4 N</reasoning> <reflection>So it is.</reflection>",
        "<|channel|>analysis<|message|>It is 4 N.",
        "analysisWe need the force.",
    ],
)
def test_a_word_for_no_answer_and_mere_thinking_say_nothing(output: str) -> None:
    assert says_nothing(output)


@pytest.mark.parametrize(
    "output",
    [
        "4 N",
        "<think>F = m a</think>4 N",
        "<think></think>The force is 4 N.",
        "Analysis of the force: 4 N",
        "analysis shows 4 N",
        "The tag <reason> opens a reason.",
        "<b>4 N</b>",
        "[4, 5] N",
        "< 4 N",
        "x < y, for the reason above",
        "<|channel|>analysis<|message|>F = m a<|end|><|start|>assistant<|channel|>final<|message|>4 N",
    ],
)
def test_an_answer_says_something(output: str) -> None:
    assert not says_nothing(output)
