"""An arm with a context answers as each question would alone, goes on after a kill, and shares its answers with an arm of the same prompts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import plumbline.answering.prompt_reading as prompt_reading
from plumbline.answering.engine import Generated, Prompt
from plumbline.answering.generation import TransformersEngine
from plumbline.answering.run import AnswerFiles, answer_benchmark
from plumbline.model.weights import load_tokenizer
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams, Instructions
from plumbline.rows.context import Context, ContextPassage, ContextTurn
from tests.fakes.tiny_models import questions, save_models

PARAMS = AnswerParams(
    engine="transformers",
    max_new_tokens=24,
    batch_size=4,
    num_samples=1,
    temperature=0.0,
    seed=17,
    choice_scoring="text",
    choice_prefix="Answer:",
    instructions=Instructions(mcq="Answer with the right choice.", numeric="", explanation=""),
)
SHOWN = {
    "mcq": (ContextTurn(user="What is mass measured in?", assistant="Answer: kilogram"),),
    "explanation": (
        ContextTurn(user="What is heat?", assistant="Energy."),
        ContextTurn(user="What is power?", assistant="Energy per time."),
    ),
}
CONTEXTS = {
    "none": [],
    "examples": [Context(id=one.id, turns=SHOWN[one.kind], passages=(), recall=None) for one in questions()],
    "passages": [
        Context(
            id=one.id, turns=(), passages=tuple(ContextPassage(id=f"n:{number}", score=1.0, text="F = m a. " * number) for number in (1, 2)), recall=0.5
        )
        for one in questions()
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_models(folder)
    write_jsonl(folder / "benchmark.jsonl", questions())
    for name, rows in CONTEXTS.items():
        write_jsonl(folder / f"{name}.jsonl", rows)
    return folder


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("PLUMBLINE_DEVICE", "cpu")


def answers(models: Path, context: str, *, batch_size: int = 5, arm: Any = "base") -> list[Answer]:
    files = AnswerFiles(
        benchmark=models / "benchmark.jsonl",
        base=models / "base",
        adapter=None,
        context=models / f"{context}.jsonl",
        answers=models / f"{arm}-{context}.jsonl",
    )
    return answer_benchmark(PARAMS.model_copy(update={"batch_size": batch_size}), files, arm=arm)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_batch_with_a_shared_beginning_answers_as_each_question_alone(
    context: str, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[int] = []
    shared_start = prompt_reading.shared_start
    monkeypatch.setattr(prompt_reading, "shared_start", lambda prompts: starts.append(shared_start(prompts)) or starts[-1])
    together = answers(models, context)
    assert context == "none" or max(starts) >= prompt_reading.MIN_SHARED_TOKENS
    if context == "examples":
        assert min(starts) >= prompt_reading.MIN_SHARED_TOKENS
    for one, alone in zip(together, answers(models, context, batch_size=1), strict=True):
        assert one.model_dump(exclude={"choice_logprobs"}) == alone.model_dump(exclude={"choice_logprobs"})
        assert one.choice_logprobs == pytest.approx(alone.choice_logprobs, abs=2e-4)
    assert len({answer.response for answer in together}) > 3


def test_prompt_tokens_are_counted_with_the_context(models: Path) -> None:
    counted = {context: [answer.num_prompt_tokens or 0 for answer in answers(models, context)] for context in CONTEXTS}
    for context, other in (("none", "examples"), ("none", "passages")):
        assert all(one < more for one, more in zip(counted[context], counted[other], strict=True))
    tokenizer: Any = load_tokenizer(models / "base")
    user = f"{questions()[1].question}"
    assert counted["none"][1] == len(tokenizer(f"<s>[INST] {user} [/INST]", add_special_tokens=False).input_ids)


def test_an_arm_of_the_same_weights_and_prompts_takes_the_answers_of_another(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = answers(models, "examples")
    monkeypatch.setattr(TransformersEngine, "answer", lambda self, units, max_new_tokens: pytest.fail("asked again") if units else iter(()))
    second = answers(models, "examples", arm="tuned")
    assert {answer.arm for answer in second} == {"tuned"}
    assert [answer.model_copy(update={"arm": "base"}) for answer in second] == first
    with pytest.raises(pytest.fail.Exception, match="asked again"):
        answers(models, "passages")


def test_a_killed_run_goes_on_in_the_same_units(models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []
    answer = TransformersEngine.answer

    def watched(self: TransformersEngine, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        for done, unit in zip(answer(self, units, max_new_tokens=max_new_tokens), units, strict=True):
            asked.append([prompt.id for prompt in unit])
            yield done
            if len(asked) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(TransformersEngine, "answer", watched)
    with pytest.raises(KeyboardInterrupt):
        answers(models, "examples")
    resumed, in_two_runs = answers(models, "examples"), [*asked]
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "fresh"))
    monkeypatch.setattr(TransformersEngine, "answer", answer)
    assert resumed == answers(models, "examples")
    kinds = {question.id: question.kind for question in questions()}
    assert all(len({kinds[id] for id in unit}) == 1 for unit in in_two_runs)
    assert sorted(id for unit in in_two_runs for id in unit) == sorted(kinds), "each question is asked once"


def test_a_context_that_lacks_a_question_is_refused_before_the_model_is_loaded(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_jsonl(models / "torn.jsonl", CONTEXTS["examples"][2:])
    monkeypatch.setattr("plumbline.model.weights.load_tokenizer", lambda base: pytest.fail("loaded"))
    with pytest.raises(ValueError, match=r"torn.jsonl must have exactly one row .*no context for q00, q01\. Run `dvc repro retrieve`"):
        answers(models, "torn")
