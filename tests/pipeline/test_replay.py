"""From the prompts to the training: base answers them once, and what preflight proves is the training with its replay rows."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.general_prompt import GeneralPrompt
from plumbline.rows.question import Question
from stages.answer_general import GeneralParams
from tests.fakes.tiny_training import LORA, TRAIN, prepare, save_tiny_base

ROOT = Path(__file__).resolve().parents[2]
GENERAL = GeneralParams(prompts="prompts.jsonl", max_new_tokens=4, batch_size=5, measured_fraction=0.5, seed=5)
PROMPTS = [GeneralPrompt(id=f"g-{number}", prompt=f"Say {number} twice.") for number in range(16)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "base"
    save_tiny_base(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    return tmp_path


def answered(folder: Path, base: Path, prompts: list[GeneralPrompt], params: GeneralParams = GENERAL) -> list[GeneralAnswer]:
    from stages.answer_general import main

    write_jsonl(folder / "prompts.jsonl", prompts)
    main(params, prompts=folder / "prompts.jsonl", base=base, answers=folder / "answers.jsonl")
    return list(read_jsonl(folder / "answers.jsonl", GeneralAnswer))


def test_every_prompt_is_answered_in_order_and_has_its_part(folder: Path, base: Path) -> None:
    answers = answered(folder, base, PROMPTS)
    assert [(answer.id, answer.prompt) for answer in answers] == [(prompt.id, prompt.prompt) for prompt in PROMPTS]
    assert {answer.part for answer in answers} == {"measured", "replay"}
    # An untrained model never stops by itself.
    assert {(answer.stopped, answer.num_tokens) for answer in answers} == {("max_new_tokens", 4)}


def test_a_run_that_was_killed_goes_on_with_the_batches_that_are_missing(folder: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import plumbline.answering.answering as answering

    expected = answered(folder, base, PROMPTS)
    (store,) = (folder / ".cache/answers").glob("*.jsonl")
    store.write_text("".join(store.read_text().splitlines(keepends=True)[:-1]))
    added: list[int] = []
    append_answers = answering.append_answers

    def counting(file: Path, answers: list[Answer]) -> None:
        added.append(len(answers))
        append_answers(file, answers)

    monkeypatch.setattr(answering, "append_answers", counting)
    assert answered(folder, base, PROMPTS) == expected
    assert len(added) == 1, "one batch lacked an answer"


def test_another_measured_fraction_asks_base_nothing_again(folder: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import plumbline.answering.answering as answering

    before = answered(folder, base, PROMPTS)
    monkeypatch.setattr(answering, "append_answers", lambda *_: pytest.fail("base was asked again"))
    after = answered(folder, base, PROMPTS, GENERAL.model_copy(update={"measured_fraction": 1.0}))
    assert [answer.response for answer in after] == [answer.response for answer in before]
    assert {answer.part for answer in after} == {"measured"}


@pytest.mark.parametrize(
    ("prompts", "params", "named"),
    [
        ([*PROMPTS, PROMPTS[3]], GENERAL, "several prompts have the id g-3"),
        ([*PROMPTS, GeneralPrompt(id="nothing", prompt=" \n")], GENERAL, "the prompt of nothing is empty"),
        (PROMPTS, GENERAL.model_copy(update={"measured_fraction": 0.0}), "none of the 16 prompts measures forgetting"),
        ([], GENERAL, "none of the 0 prompts measures forgetting"),
    ],
    ids=["twice", "blank", "nothing_measured", "no_prompts"],
)
def test_prompts_that_cannot_measure_are_refused_and_nothing_is_written(
    folder: Path, base: Path, prompts: list[GeneralPrompt], params: GeneralParams, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        answered(folder, base, prompts, params)
    assert not (folder / "answers.jsonl").exists()


@pytest.mark.slow
@pytest.mark.parametrize("packing", [True, False])
def test_preflight_proves_the_training_with_its_replay_rows(folder: Path, monkeypatch: pytest.MonkeyPatch, packing: bool) -> None:
    from plumbline.preflight.run import PreflightFiles
    from plumbline.training.run import TrainFiles
    from stages.preflight import PreflightParams
    from stages.preflight import main as preflight
    from stages.train import main as train

    monkeypatch.chdir(ROOT)
    prepare(folder)
    question = Question(id="q", kind="explanation", question="Why?", choices={}, target="So.", unit=None, key_points=("so",), cluster="q")
    write_jsonl(folder / "benchmark.jsonl", [question])
    params = TRAIN.model_copy(update={"replay_fraction": 0.25, "packing": packing, "max_steps": 1})
    shared = {name: folder / f"{name}.jsonl" for name in ("train", "validation", "general")} | {"base": folder / "base"}
    preflight(
        PreflightParams.model_validate(read_yaml(ROOT / "params.yaml")["preflight"]),
        LORA,
        params,
        AnswerParams.model_validate(read_yaml(ROOT / "params.yaml")["answer"]),
        PreflightFiles(
            template=Path("plumbline/pages/templates/preflight.html.j2"),
            benchmark=folder / "benchmark.jsonl",
            ready=folder / "ready.json",
            metrics=folder / "preflight.json",
            page=folder / "preflight.html",
            **shared,
        ),
    )
    train(
        LORA,
        params,
        TrainFiles(
            ready=folder / "ready.json",
            adapter=folder / "adapter",
            record=folder / "record.json",
            metrics=folder / "train.json",
            loss=folder / "loss.csv",
            **shared,
        ),
    )
    proved, made = (json.loads((folder / name).read_text()) for name in ("preflight.json", "train.json"))
    assert proved["num_examples"] == made["num_examples"] == 80
    assert proved["num_tokens"] == made["num_tokens_per_epoch"]
    assert f"1 of {made['num_planned_steps']} planned steps" in proved["checks"]["num_steps"]


def saying(text_from: int, *, stops_at_once: bool = False) -> type:
    """An engine with a model that writes blanks, and a word from the given token on."""
    from plumbline.answering.engine import Generated, Prompt
    from plumbline.answering.generation import TransformersEngine

    class Blanks(TransformersEngine):
        def answer(self, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
            said = "" if stops_at_once or max_new_tokens <= text_from else "word"
            for unit in units:
                yield [Generated(prompt.id, said, 1 if stops_at_once else max_new_tokens, stops_at_once, {}) for prompt in unit]

    return Blanks


def test_a_base_that_says_nothing_is_refused_before_training_and_the_remedy_works(
    folder: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the training ends, and then nothing is there to measure forgetting on."""
    monkeypatch.setattr("plumbline.answering.engine_choice.TransformersEngine", saying(text_from=6))
    with pytest.raises(Refused, match=r"are empty\. \d+ of them were cut at general\.max_new_tokens, 4: raise it\."):
        answered(folder, base, PROMPTS)
    assert not (folder / "answers.jsonl").exists()
    assert answered(folder, base, PROMPTS, GENERAL.model_copy(update={"max_new_tokens": 8}))[0].response == "word"
    monkeypatch.setattr("plumbline.answering.engine_choice.TransformersEngine", saying(text_from=0, stops_at_once=True))
    with pytest.raises(Refused, match=r"Base ends them at once: name an instruct model in base\.repo"):
        answered(folder, base, PROMPTS, GENERAL.model_copy(update={"max_new_tokens": 9}))
