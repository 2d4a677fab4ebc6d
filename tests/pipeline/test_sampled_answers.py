"""Several answers to a question: each has its own seed, so batches, kills and other samples change none of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from plumbline.answering.drawn_tokens import BLOCK, DrawnTokens, drawn_at
from plumbline.answering.engine import Generated, Prompt
from plumbline.answering.generation import TransformersEngine
from plumbline.answering.prompt_reading import read_prompts, read_repeated
from plumbline.answering.sampling import SEED_BITS, Sampling, sample_seed
from plumbline.model.tokenization import pad_id, render_prompt
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams, decoding_of
from tests.fakes.answering import answer_arm
from tests.fakes.tiny_models import questions, save_models
from tests.pipeline.test_engines import PARAMS

SAMPLED = PARAMS.model_copy(update={"num_samples": 3, "temperature": 0.8, "seed": 5, "max_new_tokens": 12})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_models(folder)
    write_jsonl(folder / "benchmark.jsonl", questions())
    return folder


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))


def answers(models: Path, out: Path, params: AnswerParams = SAMPLED, *, arm: str = "base") -> list[Answer]:
    answer_arm(
        params,
        benchmark=models / "benchmark.jsonl",
        base=models / "base",
        adapter=None if arm == "base" else models / "adapter",
        answers=out / f"{arm}.jsonl",
    )
    return list(read_jsonl(out / f"{arm}.jsonl", Answer))


def texts(rows: Sequence[Answer]) -> dict[tuple[str, int | None], str]:
    return {(row.id, row.sample): row.response for row in rows}


def test_tokens_are_drawn_as_often_as_the_model_finds_them_likely() -> None:
    probabilities = torch.tensor([0.5, 0.0, 0.25, 0.2, 0.0, 0.05]).repeat_interleave(1)
    spread = torch.zeros(3 * BLOCK + 7)
    places = [3, BLOCK, BLOCK + 9, 2 * BLOCK + 1, 5, 3 * BLOCK + 6]  # in several blocks, the last token among them
    spread[places] = probabilities
    choose = DrawnTokens([Sampling(1.0, 11)])
    drawn = Counter(int(choose((spread + 1e-30).log()[None], [0])) for _ in range(4000))
    assert set(drawn) == {place for place, chance in zip(places, probabilities.tolist(), strict=True) if chance > 0}
    for place, chance in zip(places, probabilities.tolist(), strict=True):
        assert abs(drawn[place] / 4000 - chance) < 4 * (chance * (1 - chance) / 4000) ** 0.5 + 1e-9


def test_the_ends_of_the_distribution_draw_its_ends_and_nothing_without_probability() -> None:
    probabilities = torch.zeros(1, 2 * BLOCK + 3)
    probabilities[0, [4, BLOCK + 1]] = 0.5
    low, high = torch.tensor([0.0], dtype=torch.float64), torch.tensor([1 - 1e-17], dtype=torch.float64)
    assert (int(drawn_at(probabilities, low)), int(drawn_at(probabilities, high))) == (4, BLOCK + 1)


def test_a_temperature_near_zero_draws_the_most_probable_token() -> None:
    logits = torch.randn(5, 1000, generator=torch.Generator().manual_seed(1))
    choose = DrawnTokens([Sampling(1e-6, seed) for seed in range(5)])
    assert choose(logits, range(5)).tolist() == logits.argmax(dim=-1).tolist()


def test_a_rows_numbers_are_its_own_whoever_is_in_the_batch() -> None:
    logits = torch.randn(3, 1000, generator=torch.Generator().manual_seed(1))
    samplings = [Sampling(1.0, seed) for seed in (1, 2, 3)]
    together, alone = DrawnTokens(samplings), DrawnTokens(samplings[1:2])
    first = [together(logits, [0, 1, 2])[1], together(logits[1:], [1, 2])[0]]
    assert first == [alone(logits[1:2], [0])[0], alone(logits[1:2], [0])[0]]


def test_seeds_know_question_and_sample_and_fit_every_engine() -> None:
    seeds = {sample_seed(seed, id, sample) for seed in (1, 2) for id in ("a", "b") for sample in (1, 2, 11)}
    assert len(seeds) == 12 and all(0 <= seed < 2**SEED_BITS for seed in seeds)
    assert sample_seed(17, "mcq-0001", 2) == 1398506642, "the same on every machine, for ever"


def test_every_question_has_its_samples_and_none_depends_on_the_batches(models: Path, tmp_path: Path) -> None:
    found = answers(models, tmp_path / "one")
    assert [(row.id, row.sample) for row in found] == [(question.id, sample) for question in questions() for sample in (1, 2, 3)]
    distinct = [len({row.response for row in found if row.id == question.id}) for question in questions()]
    assert sum(distinct) > 2 * len(distinct), "samples of a question must differ"
    for change in ({"batch_size": 7}, {"batch_size": 1}):
        again = answers(models, tmp_path / str(change), SAMPLED.model_copy(update=change))
        assert texts(again) == texts(found)
    assert texts(answers(models, tmp_path / "seed", SAMPLED.model_copy(update={"seed": 6}))) != texts(found)


def test_more_samples_keep_those_that_were_there(models: Path, tmp_path: Path) -> None:
    found, more = (
        texts(answers(models, tmp_path / str(n), SAMPLED.model_copy(update={"num_samples": n, "batch_size": 5}))) for n in (2, 4)
    )
    assert {key: more[key] for key in found} == found


def test_choices_are_scored_once_by_the_first_sample(models: Path, tmp_path: Path) -> None:
    greedy = {row.id: row for row in answers(models, tmp_path / "greedy", PARAMS)}
    for row in answers(models, tmp_path / "sampled"):
        assert row.choice_logprobs == (pytest.approx(greedy[row.id].choice_logprobs, abs=2e-4) if row.sample == 1 else {})


def test_one_drawn_answer_is_allowed_and_has_no_number(models: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    found = answers(models, tmp_path / "one", SAMPLED.model_copy(update={"num_samples": 1}))
    assert {row.sample for row in found} == {None} and "sample" not in found[0].model_dump_json()
    assert "how far another draw would move the score is not measured" in caplog.text
    first = {id: text for (id, sample), text in texts(answers(models, tmp_path / "many")).items() if sample == 1}
    assert {row.id: row.response for row in found} == first


def test_greedy_rows_say_nothing_of_samples(models: Path, tmp_path: Path) -> None:
    found = answers(models, tmp_path / "greedy", PARAMS)
    assert len(found) == len(questions()) and all('"sample"' not in row.model_dump_json() for row in found)


def test_a_killed_run_keeps_each_finished_sample(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int | None]] = []
    answer = TransformersEngine.answer

    def watched(self: TransformersEngine, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        for done, unit in zip(answer(self, units, max_new_tokens=max_new_tokens), units, strict=True):
            asked.extend(prompt.key for prompt in unit)
            yield done
            if len(asked) in (8, 12):
                raise KeyboardInterrupt

    monkeypatch.setattr(TransformersEngine, "answer", watched)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            answers(models, tmp_path / "killed")
    resumed = answers(models, tmp_path / "killed")
    assert Counter(asked) == Counter((question.id, sample) for question in questions() for sample in (1, 2, 3)), "each is asked once"
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "fresh"))
    assert resumed == answers(models, tmp_path / "fresh")


def test_a_prompt_that_repeats_is_read_once(models: Path) -> None:
    model, tokenizer = load_model(models / "base", device="cpu"), load_tokenizer(models / "base")
    prompts = [render_prompt(tokenizer, question.question) for question in questions()[:4] for _ in range(3)]
    seen: list[int] = []
    hook = model.register_forward_pre_hook(lambda _, args, kwargs: seen.append(kwargs["input_ids"].numel()), with_kwargs=True)
    repeated = read_repeated(model, prompts, num_after=8, pad=pad_id(tokenizer))
    hook.remove()
    whole: Any = read_prompts(model, prompts, num_after=8, pad=pad_id(tokenizer))
    assert sum(seen) <= 4 * max(map(len, prompts))
    assert torch.equal(repeated.mask_BT, whole.mask_BT) and torch.equal(repeated.next_B1, whole.next_B1)
    torch.testing.assert_close(repeated.logits_BV, whole.logits_BV, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_samples": 3, "temperature": 0.0}, "Set temperature above 0, such as 0.7, or num_samples to 1"),
        ({"num_samples": 0}, "greater than or equal to 1"),
        ({"temperature": -0.1}, "greater than or equal to 0"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(change: dict[str, float], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AnswerParams.model_validate(PARAMS.model_dump() | change)


def test_a_greedy_run_decodes_as_runs_from_before_there_was_a_choice() -> None:
    before = {name: value for name, value in PARAMS.model_dump().items() if name not in ("num_samples", "temperature", "seed")}
    assert decoding_of(PARAMS.model_dump()) == decoding_of(before) == before
    assert decoding_of(SAMPLED.model_dump()) == SAMPLED.model_dump()
