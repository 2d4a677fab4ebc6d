"""One module knows thinking: what a response says without it, and whether it ended before its thinking did."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
from plumbline.judging.items import item_of
from plumbline.judging.key_points import judge_key_points
from plumbline.judging.precheck import is_no_answer
from plumbline.reporting.scored import is_cut
from plumbline.rows.answer import Answer
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question
from plumbline.thinking import MARKS, SQUARE_NAMES, TAG_NAMES, spoken

PAIRS = [
    *((f"<{name}>", f"</{name}>") for name in TAG_NAMES),
    *((f"[{name}]", f"[/{name}]") for name in SQUARE_NAMES),
    *MARKS,
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("analysisWe start. ", "assistantfinal"),
]
CHOICES = {"A": "red", "B": "green", "C": "blue", "D": "black"}
POINT = "The force doubles the acceleration"
QUESTION = Question(id="q", kind="explanation", question="Why?", choices={}, target=POINT, unit=None, key_points=(POINT,), cluster="q")


@pytest.mark.parametrize(("opening", "closing"), PAIRS, ids=lambda mark: str(mark)[:30])
@settings(max_examples=25, deadline=None)
@given(
    thought=st.text(alphabet="aB .\n12N", max_size=60),
    answer=st.sampled_from(["Answer: C", "(C) blue", "The answer is C.", "12 N", "Answer: 12 N", POINT + "."]),
)
def test_what_is_thought_never_counts_and_what_is_said_does(opening: str, closing: str, thought: str, answer: str) -> None:
    whole = f"{opening}{thought} The answer is B, so 15 N. {closing}{answer}"
    cut = f"{opening}{thought} {answer}"
    said = spoken(whole)
    assert (len(said.text), said.text.strip(), said.is_cut) == (len(whole), answer, False)
    assert spoken(cut) == (" " * len(cut), True)
    for response, bare in ((whole, answer), (cut, "")):
        numeric, mcq = grade_numeric(response, "12", "N"), grade_mcq(response, CHOICES, "C")
        assert numeric.outcome == grade_numeric(bare, "12", "N").outcome
        assert mcq.outcome == grade_mcq(bare, CHOICES, "C").outcome
        assert ("cut_while_thinking" in numeric.flags, "cut_while_thinking" in mcq.flags) == (not bare, not bare)
        assert item_of(QUESTION, response).answer == bare
        found = judge_key_points(response, [POINT], question="Why?", reference=POINT)
        assert found == judge_key_points(bare, [POINT], question="Why?", reference=POINT)


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("The prompt opened it.</think>Answer: C", "Answer: C"),
        ("<think>a</think>Answer: B is out. <think>b</think>Answer: C", "Answer: B is out.                 Answer: C"),
        ("<think>I write <think> first.</think> and then.</think>Answer: C", "Answer: C"),
        ("<think>a</think>Answer: C</think>", "Answer: C"),
        ("<THINK>a</THINK>C", "C"),
        ("<think type='long'>a</think>C", "C"),
        ("<|channel>thought\n<channel|>C", "C"),
        ("<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>C<|return|>", "C"),
        ("<|channel|>commentary to=functions.f<|message|>B<|call|><|channel|>final<|message|>C", "C"),
        ("analysis of forces: C", "analysis of forces: C"),
        ("if a < b then [T] is C", "if a < b then [T] is C"),
    ],
)
def test_each_form_is_read_as_its_models_mean_it(response: str, said: str) -> None:
    assert spoken(response).text.strip() == said
    assert not spoken(response).is_cut


def test_a_response_that_only_thinks_answers_nothing() -> None:
    for response in ("<think>The answer is C.</think>", "<think>The answer is C.</think>\n"):
        assert grade_mcq(response, CHOICES, "C").outcome == Outcome.UNPARSED
        assert is_no_answer(item_of(QUESTION, response).answer, "Why?")


def test_an_answer_that_ends_while_it_thinks_counts_as_cut() -> None:
    def answer(response: str) -> Answer:
        return Answer(id="q", arm="base", response=response, num_tokens=9, stopped="eos", choice_logprobs={}, complete=True)

    assert is_cut(answer("<think>The answer is"))
    assert not is_cut(answer("<think>x</think>The answer is C."))


def test_the_item_of_a_response_without_thinking_is_the_response_itself() -> None:
    assert item_of(QUESTION, "  a \n").answer == "  a \n"
