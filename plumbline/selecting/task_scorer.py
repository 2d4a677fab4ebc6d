"""Let the model in training greedily answer the questions that choose the checkpoint, and grade by rule. The training is not affected."""

import hashlib
from collections.abc import Callable

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from plumbline.answering.answering import render
from plumbline.answering.generation import TransformersEngine
from plumbline.answering.longest_prompt import longest_sequence, refuse_prompts_that_do_not_fit
from plumbline.answering.lost_turns import refuse_lost_turns
from plumbline.grading.by_kind import graded_by_rule
from plumbline.grading.tolerance import Tolerance
from plumbline.rows.outcome import score_of
from plumbline.rows.selection import Selection
from plumbline.selecting.code_hashes import OWN_PROCESS
from plumbline.training.as_loaded import as_loaded
from plumbline.training.checkpoint_choice import TaskScore


class QuestionScorer:
    """The mean score of a model on the questions, by the code of `answer` and `grade`."""

    def __init__(self, selection: Selection, tokenizer: PreTrainedTokenizerBase) -> None:
        self._selection, self._tokenizer, self._answering = selection, tokenizer, selection.answering
        self._tolerance = Tolerance(relative=selection.relative_tolerance, absolute=selection.absolute_tolerance)
        self._questions = {one.question.id: one.question for one in selection.questions}
        self._arm = selection.arm or "tuned"
        refuse_lost_turns(tokenizer, [one.turns for one in selection.questions])
        self._prompts = [
            render(tokenizer, id=one.question.id, user=one.user, choices={}, params=selection.answering, turns=one.turns)
            for one in selection.questions
        ]

    @property
    def question_ids(self) -> tuple[str, ...]:
        return tuple(self._questions)

    @property
    def identity(self) -> str:
        """Hash of questions and settings. The training's identity names the loaded code by module, so unused modules change nothing."""
        apart = {OWN_PROCESS: self._selection.code[OWN_PROCESS]}
        return hashlib.sha256(self._selection.model_copy(update={"code": apart}).model_dump_json().encode()).hexdigest()

    def answers(self, model: PeftModel, *, say: Callable[[str], None] = lambda _: None) -> dict[str, str]:
        """Question -> greedy answer of the model as it is now: the same as after the adapter is saved and loaded."""
        found: dict[str, str] = {}
        with as_loaded(model) as inner, torch.random.fork_rng(devices=cuda_devices(inner)):
            engine = TransformersEngine(inner, self._tokenizer, batch_size=self._answering.batch_size)
            for finished in engine.answer(engine.units(self._prompts), max_new_tokens=self._answering.max_new_tokens):
                found |= {one.id: one.response for one in finished}
                say(f"selection question {len(found)} of {len(self._prompts)}")
        return found

    def __call__(self, model: PeftModel, *, say: Callable[[str], None] = lambda _: None) -> TaskScore:
        """The score of the model as it is now."""
        inner = model.get_base_model()
        assert isinstance(inner, PreTrainedModel)
        limit = longest_sequence(inner.config.to_dict(), {})
        lengths = {prompt.id: len(prompt.ids) for prompt in self._prompts}
        refuse_prompts_that_do_not_fit(lengths, arm=self._arm, max_new_tokens=self._answering.max_new_tokens, limit=limit)
        answers = self.answers(model, say=say)
        graded = [graded_by_rule(answers[id], question, self._tolerance) for id, question in self._questions.items()]
        scores = [score_of(grade.outcome, grade.score) for grade in graded]
        return TaskScore(score=sum(scores) / len(scores), num_questions=len(scores))


def cuda_devices(model: PreTrainedModel) -> list[torch.device]:
    """GPUs with random states that an answer could change, besides the processor's state."""
    return [model.device] if model.device.type == "cuda" else []
