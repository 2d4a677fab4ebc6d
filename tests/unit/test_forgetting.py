"""What base would have said is scored token by token, before and after, and put together without a prompt counting twice."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from peft import PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from plumbline.reporting.validity import forgetting_gate
from plumbline.reporting.words import forgetting_words
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.training.attention import PER_DOCUMENT
from plumbline.training.forgetting import Forgetting, forgetting_over_prompts
from plumbline.training.likelihoods import answer_nats, likelihoods, measured_example
from plumbline.training.lora import keep_adapter_in_fp32, lora_config
from tests.fakes.tiny_base import save_tiny_model
from tests.fakes.tiny_training import LORA, general_answers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "base"
    save_tiny_model(path)
    return path


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def adapted(folder: Path) -> PeftModel:
    torch.manual_seed(0)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(folder), lora_config(LORA))
    assert isinstance(model, PeftModel)
    return model


def said(response: str, **changes: object) -> GeneralAnswer:
    content = {"id": "x", "prompt": "Say it.", "response": response, "num_tokens": 5, "stopped": "eos", "part": "measured"}
    return GeneralAnswer.model_validate(content | changes)


def slow_reference(model: torch.nn.Module, ids: list[int], first: int) -> float:
    """One token after another, each from a pass over the tokens before it."""
    nats = 0.0
    with torch.no_grad():
        for place in range(first, len(ids)):
            logits = model(input_ids=torch.tensor([ids[:place]])).logits[0, -1].double()
            nats -= float(torch.log_softmax(logits, dim=-1)[ids[place]])
    return nats


def test_a_likelihood_is_that_of_a_slow_reference(adapted: PeftModel, tokenizer: PreTrainedTokenizerBase) -> None:
    examples = [measured_example(tokenizer, said(text)) for text in ("energy 12 N", "momentum", "F = m a = 3 x 4 = 12 N")]
    adapted.eval()
    expected = [slow_reference(adapted, example.ids, example.num_prompt_tokens) for example in examples]
    assert answer_nats(adapted, examples, arm="tuned") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_new_adapter_has_forgotten_nothing(folder: Path, tokenizer: PreTrainedTokenizerBase, dtype: torch.dtype) -> None:
    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(folder, dtype=dtype), lora_config(LORA))
    assert isinstance(adapted, PeftModel)
    keep_adapter_in_fp32(adapted)
    adapted.train()
    found = likelihoods(adapted, tokenizer, general_answers(12))
    assert found.base_nats == found.tuned_nats and min(found.base_nats) > 0
    forgetting = forgetting_over_prompts(**found._asdict(), seed=1)
    assert (forgetting.increase, forgetting.increase_low, forgetting.increase_high) == (0, None, None)


def learn(model: torch.nn.Module, rows: Sequence[list[int]], *, num_steps: int) -> None:
    """AdamW on whatever may be trained, one row a step."""
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    model.train()
    for number in range(num_steps):
        ids = torch.tensor([rows[number % len(rows)]])
        optimiser.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()


def test_training_on_contrary_answers_is_forgetting_and_base_stays_what_it_was(folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    answers = general_answers(12)
    base = AutoModelForCausalLM.from_pretrained(folder)
    learn(base, [measured_example(tokenizer, answer).ids for answer in answers], num_steps=60)
    torch.manual_seed(0)
    adapted = get_peft_model(base, lora_config(LORA))
    assert isinstance(adapted, PeftModel)
    before = likelihoods(adapted, tokenizer, answers)
    learn(adapted, [measured_example(tokenizer, said("What is the unit?", prompt=answer.prompt)).ids for answer in answers], num_steps=60)
    found = likelihoods(adapted, tokenizer, answers)
    assert found.base_nats == before.base_nats
    forgetting = forgetting_over_prompts(**found._asdict(), seed=1)
    assert forgetting.increase > 0.1
    assert forgetting.increase_low is not None and forgetting.increase_high is not None
    assert 0 < forgetting.increase_low < forgetting.increase < forgetting.increase_high


def test_packed_attention_and_dropout_of_the_training_do_not_reach_the_measurement(
    adapted: PeftModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    plain = likelihoods(adapted, tokenizer, general_answers(4))
    adapted.get_base_model().set_attn_implementation(PER_DOCUMENT)
    adapted.train()
    assert likelihoods(adapted, tokenizer, general_answers(4)) == plain


def test_a_cut_answer_counts_no_end_of_sequence_and_an_empty_one_only_that(adapted: PeftModel, tokenizer: PreTrainedTokenizerBase) -> None:
    whole, cut = (measured_example(tokenizer, said("energy 12", stopped=stopped)) for stopped in ("eos", "max_new_tokens"))
    assert whole.ids == [*cut.ids, tokenizer.eos_token_id] and whole.num_prompt_tokens == cut.num_prompt_tokens
    found = likelihoods(adapted, tokenizer, [said("energy 12"), said("energy 12", stopped="max_new_tokens"), said("")])
    assert found.num_tokens[0] == found.num_tokens[1] + 1
    assert (found.num_cut, found.num_empty) == (1, 1)
    empty = measured_example(tokenizer, said(""))
    assert found.num_tokens[2] == len(empty.ids) - empty.num_prompt_tokens and empty.ids[-1] == tokenizer.eos_token_id


# ---- the number


def over(base: list[float], tuned: list[float], tokens: list[int]) -> Forgetting:
    return forgetting_over_prompts(base, tuned, tokens, num_cut=0, num_empty=0, seed=3)


def test_every_token_counts_alike() -> None:
    forgetting = over([2.0, 8.0], [3.0, 17.0], [2, 8])
    assert (forgetting.base_nll, forgetting.tuned_nll, forgetting.increase) == (1.0, 2.0, 1.0)
    assert forgetting.num_prompts == 2 and forgetting.num_tokens == 10


def test_the_interval_is_over_prompts_and_holds_on_to_its_number_in_any_order() -> None:
    base, tuned, tokens = [1.0] * 40, [1.0 + index % 5 for index in range(40)], [4 + index % 3 for index in range(40)]
    forgetting = over(base, tuned, tokens)
    assert forgetting == over(base[::-1], tuned[::-1], tokens[::-1])
    assert forgetting.increase_low is not None and forgetting.increase_high is not None
    differences = [t - b for b, t in zip(base, tuned, strict=True)]
    spread = math.sqrt(sum((d - forgetting.increase * n) ** 2 for d, n in zip(differences, tokens, strict=True))) / sum(tokens)
    assert forgetting.increase_high - forgetting.increase == pytest.approx(2 * spread, rel=0.15)
    assert forgetting.increase - forgetting.increase_low == pytest.approx(2 * spread, rel=0.15)


def test_one_prompt_alone_has_no_interval() -> None:
    assert over([1.0], [3.0], [4]).increase_low is None


# ---- what is said of it


def changed(increase: float) -> Forgetting:
    return Forgetting(
        num_prompts=100,
        num_tokens=2400,
        num_cut=0,
        num_empty=0,
        base_nll=0.4,
        tuned_nll=0.4 + increase,
        increase=increase,
        increase_low=increase - 0.1,
        increase_high=increase + 0.1,
    )


def test_the_sentence_says_what_the_number_means() -> None:
    assert forgetting_words(changed(0.7)) == (
        "On 100 general prompts, which no row teaches, tuned has a loss of 1.10 nats a token on base's own answers, and base 0.40: +0.70 [+0.60, +0.80]. "
        "Token for token, tuned gives base's answers 0.5 times the probability that base gives them."
    )
    assert "still says what base would say" in forgetting_words(changed(0.0))
    assert "nothing was forgotten" in forgetting_words(changed(-0.3)) and "−0.30 [−0.40, −0.20]" in forgetting_words(changed(-0.3))


@pytest.mark.parametrize("increase", [-0.06, 0.06])
def test_a_change_that_is_not_shown_is_neither_forgetting_nor_its_absence(increase: float) -> None:
    said = forgetting_words(changed(increase))
    assert said.endswith(
        "The interval holds 0: it is not shown that tuned finds these answers less likely than base, nor that nothing was forgotten."
    )
    assert "as far as these prompts tell" in forgetting_words(changed(0.0))


def test_without_an_interval_nothing_is_said_to_be_kept() -> None:
    found = changed(-0.3).model_copy(update={"increase_low": None, "increase_high": None})
    assert "There is no interval: it is not shown" in forgetting_words(found)


def test_the_warning_says_may_have_if_the_interval_holds_0() -> None:
    assert forgetting_gate(changed(0.3), 0.1).text.startswith("tuned has forgotten some of what base could do: on 100 general prompts")
    assert (
        "may have forgotten some of what base could do (it is not shown: the interval holds 0)" in forgetting_gate(changed(0.09), 0.05).text
    )


@pytest.mark.parametrize(("increase", "ok"), [(0.11, False), (0.1, True), (-1.0, True)])
def test_the_gate_warns_above_its_limit(increase: float, ok: bool) -> None:
    gate = forgetting_gate(changed(increase), 0.1)
    assert (gate.ok, gate.severity, gate.value, gate.limit) == (ok, "warning", increase, 0.1)
    assert ("train.replay_fraction" in gate.text) is not ok
