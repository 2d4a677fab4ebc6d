"""What became of a context: counted by hand on four questions."""

from types import SimpleNamespace
from typing import Any

import pytest

from plumbline.reporting.context_use import context_uses, grounded_share, prompt_tokens
from plumbline.reporting.numbers import context_headline
from plumbline.reporting.scored import Scored
from plumbline.rows.answer import Answer
from plumbline.rows.arms import Arms
from plumbline.rows.context import Context, ContextPassage
from plumbline.rows.outcome import Outcome
from tests.fakes.evaluation_world import FIVE, PARAMS, make_question

QUESTIONS = [make_question("numeric", number, num_clusters=4) for number in range(4)]
RECALL = (1.0, 1.0, 0.5, 0.0)
RIGHT = {"base": (1, 0, 0, 0), "base_passages": (1, 1, 0, 1)}


def gathered(**changes: Any) -> Any:
    passages = (ContextPassage(id="notes.md:3", score=1.0, text="A stone falls 9.81 m/s faster each second."),)
    contexts = {
        question.id: Context(id=question.id, turns=(), passages=passages, recall=recall)
        for question, recall in zip(QUESTIONS, RECALL, strict=True)
    }
    answers = [
        Answer(
            id=question.id, arm=arm, response="Each second 9.81, and gravity.", num_tokens=9, num_prompt_tokens=length, stopped="eos",
            choice_logprobs={}, complete=True,
        )
        for arm in RIGHT
        for question, length in zip(QUESTIONS, (10, 20, 30, 40), strict=True)
    ]  # fmt: skip
    given = {"arms": Arms({arm: FIVE[arm] for arm in RIGHT}), "contexts": {"passages": contexts}, "answers": answers}
    return SimpleNamespace(**(given | changes))


def scored() -> list[Scored]:
    return [
        Scored(
            id=question.id, kind="numeric", cluster=question.cluster, arm=arm, outcome=Outcome.CORRECT if right else Outcome.INCORRECT,
            score=float(right), truncated=False, logprob_correct=None, reading="value", tier=None, flags=(),
        )
        for arm, all_right in RIGHT.items()
        for question, right in zip(QUESTIONS, all_right, strict=True)
    ]  # fmt: skip


def test_scores_and_gains_stand_apart_by_whether_the_passages_hold_the_whole_answer() -> None:
    (use,) = context_uses(QUESTIONS, gathered(), scored(), PARAMS)
    assert (use.arm, use.kind, use.recall) == ("base_passages", "numeric", pytest.approx(2.5 / 4))
    found, elsewhere = use.with_answer, use.without_answer
    assert (found.n, elsewhere.n) == (2, 2)
    assert found.score is not None and elsewhere.score is not None and found.gain is not None and elsewhere.gain is not None
    assert (found.score.mean, elsewhere.score.mean) == (1.0, 0.5)
    assert (found.gain.delta, elsewhere.gain.delta) == (0.5, 0.5)


def test_the_metrics_hold_recall_tokens_and_the_scores_on_both_sides() -> None:
    told = context_headline(context_uses(QUESTIONS, gathered(), scored(), PARAMS), prompt_tokens(gathered().answers, gathered().arms))
    assert told["base"] == {"prompt_tokens": 25.0}
    assert told["base_passages"] == {
        "prompt_tokens": 25.0,
        "numeric": {
            "recall": 0.625,
            "grounded": 0.6667,
            "with_answer": {"n": 2, "score": 1.0},
            "without_answer": {"n": 2, "score": 0.5},
        },
    }


def test_without_a_bare_arm_there_is_no_gain_and_without_recall_no_row() -> None:
    alone = gathered(arms=Arms({"base_passages": FIVE["base_passages"]}))
    (use,) = context_uses(QUESTIONS, alone, scored(), PARAMS)
    assert use.with_answer.gain is None and use.with_answer.score is not None
    contexts = {key: row.model_copy(update={"recall": None}) for key, row in gathered().contexts["passages"].items()}
    assert context_uses(QUESTIONS, gathered(contexts={"passages": contexts}), scored(), PARAMS) == []


def test_what_is_taken_from_the_passages_leaves_the_question_s_own_words_out() -> None:
    assert grounded_share("It falls 9.81 by gravity.", "How far does it fall?", ["A stone falls 9.81 m."]) == pytest.approx(2 / 3)
    assert grounded_share("falls", "It falls?", ["falls"]) is None
    assert grounded_share("gravity", "Why?", []) == 0.0


def test_lengths_of_prompts_are_those_of_their_ranks() -> None:
    base, passages = prompt_tokens(gathered().answers, gathered().arms)
    assert (base.arm, base.mean, base.p90, base.most) == ("base", 25, 40, 40) and passages.arm == "base_passages"
    ten = [answer.model_copy(update={"num_prompt_tokens": number}) for number, answer in enumerate(gathered().answers[:1] * 10, start=1)]
    assert prompt_tokens(ten, gathered().arms)[0].p90 == 9, "the nearest rank, as in metrics/retrieval.json"
    assert prompt_tokens([], gathered().arms) == []
