"""Every template that people use is rendered as its maker wrote it, and has the properties that training and answering need."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.answering import render
from plumbline.answering.decoding import decode_answer
from plumbline.model.assistant_turn import NoEndOfTurn, assistant_turn, control_ids
from plumbline.model.pinned_template import TemplateRefused, chosen_template, pin_template
from plumbline.model.tokenization import PromptDiffers, pad_id, render_example, render_prompt, stop_ids
from plumbline.rows.answer_params import AnswerParams, Instructions
from tests.fakes.chat_families import FAMILIES, REFUSED

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "examples/chat_templates"
TODAY = datetime.date(2026, 11, 1)
USER, ANSWER = "What force gives 4 kg an acceleration of 3 m/s^2?", "F = m a.\n\nAnswer: 12 N"
ANSWERING = AnswerParams(
    engine="transformers",
    max_new_tokens=8,
    batch_size=2,
    num_samples=1,
    temperature=0.0,
    seed=17,
    choice_scoring="text",
    choice_prefix="Answer:",
    instructions=Instructions(mcq="", numeric="", explanation=""),
)


def pinned(name: str, *, thinking: bool = False) -> Any:
    tokenizer = FAMILIES[name].tokenizer()
    pin_template(tokenizer, today=TODAY, thinking=thinking)
    return tokenizer


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


def test_what_answering_shows_begins_the_training_text_and_one_control_token_ends_it(family: str) -> None:
    tokenizer, end = pinned(family), FAMILIES[family].ends_with
    example = render_example(tokenizer, USER, ANSWER)
    assert example.ids[: example.num_prompt_tokens] == render_prompt(tokenizer, USER)
    completion = example.ids[example.num_prompt_tokens :]
    assert tokenizer.convert_ids_to_tokens(completion[-1]) == end, "what the template writes after it is left out"
    assert completion.count(completion[-1]) == 1 and example.labels[-1] == completion[-1]
    assert example.labels[: example.num_prompt_tokens] == [-100] * example.num_prompt_tokens


def test_the_text_up_to_the_end_of_the_turn_is_the_makers_text(family: str) -> None:
    tokenizer = pinned(family)
    messages = [{"role": "user", "content": USER}, {"role": "assistant", "content": ANSWER}]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    ours = tokenizer.decode(render_example(tokenizer, USER, ANSWER).ids)
    added = "" if assistant_turn(tokenizer).is_end_written else tokenizer.eos_token
    assert text.startswith(ours.removesuffix(added)) and ANSWER in ours


def test_the_end_of_the_turn_stops_generation_and_so_does_what_the_model_names(family: str) -> None:
    tokenizer = pinned(family)
    named = tokenizer.convert_tokens_to_ids(list(FAMILIES[family].stops))
    stops = stop_ids(tokenizer, named)
    assert assistant_turn(tokenizer).end in stops and tokenizer.eos_token_id in stops and set(named) <= set(stops)
    assert pad_id(tokenizer) < len(tokenizer)


def test_an_answer_is_read_back_without_what_the_template_adds(family: str) -> None:
    tokenizer = pinned(family)
    example = render_example(tokenizer, USER, ANSWER)
    completion, stops = example.ids[example.num_prompt_tokens :], stop_ids(tokenizer, [])
    assert decode_answer(tokenizer, completion, stops=stops) == ANSWER
    assert decode_answer(tokenizer, completion[:-1], stops=stops) == ANSWER, "cut before its end"


def test_choices_are_scored_by_their_own_tokens(family: str) -> None:
    tokenizer = pinned(family)
    prompt = render(tokenizer, id="q", user=USER, choices={"A": "It doubles.", "B": "It halves."}, params=ANSWERING)
    for text, continuation in zip(("It doubles.", "It halves."), prompt.continuations.values(), strict=True):
        assert tokenizer.decode(continuation).strip() == f"Answer: {text}"
        whole = render_example(tokenizer, USER, f"Answer: {text}").ids
        assert [*prompt.ids, *prompt.header, *continuation, whole[-1]] == whole


def test_bos_stands_once_or_not_at_all_as_the_template_says(family: str) -> None:
    tokenizer = pinned(family)
    first, second = render_prompt(tokenizer, USER)[:2]
    assert not first == second == tokenizer.bos_token_id
    text = tokenizer.apply_chat_template([{"role": "user", "content": USER}], tokenize=False, add_generation_prompt=True)
    assert render_prompt(tokenizer, USER) == tokenizer(text, add_special_tokens=False).input_ids, "the tokenizer adds nothing"


def test_added_tokens_that_are_text_are_no_control_tokens(family: str) -> None:
    tokenizer = pinned(family)
    assert control_ids(tokenizer).isdisjoint(tokenizer.convert_tokens_to_ids(list(FAMILIES[family].texts)))
    assert control_ids(tokenizer) >= set(tokenizer.convert_tokens_to_ids(list(FAMILIES[family].controls)))


@pytest.mark.parametrize("name", REFUSED)
def test_a_template_that_shows_training_another_prompt_is_refused(name: str) -> None:
    tokenizer = REFUSED[name].tokenizer()
    with pytest.raises(PromptDiffers, match="differently in training and in answering"):
        render_example(tokenizer, USER, ANSWER)


# ---- what a template would read from outside


@pytest.mark.parametrize(("name", "written"), [("llama3_2", "01 Nov 2026"), ("gptoss", "2026-11-01"), ("granite", "November 01, 2026")])
def test_a_template_that_asks_for_the_date_sees_the_pinned_one(name: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers.utils.chat_template_utils as utils

    class Tomorrow(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Tomorrow":
            return cls(2031, 5, 6)

    monkeypatch.setattr(utils, "datetime", Tomorrow)
    plain, tokenizer = FAMILIES[name].tokenizer(), FAMILIES[name].tokenizer()
    assert "2031" in plain.decode(render_prompt(plain, USER)), "unpinned, it reads the clock"
    assert pin_template(tokenizer, today=TODAY, thinking=False)["date"] == "2026-11-01"
    shown = tokenizer.decode(render_prompt(tokenizer, USER))
    assert written in shown and "2031" not in shown


def test_a_template_that_asks_for_nothing_stays_as_it_is() -> None:
    for name in (
        "smollm2",
        "qwen2_5",
        "llama3",
        "llama3_1",
        "gemma",
        "gemma3",
        "mistral_v0_3",
        "mixtral",
        "phi3",
        "olmo2",
        "cohere",
        "lfm2",
    ):
        tokenizer = FAMILIES[name].tokenizer()
        before = tokenizer.chat_template
        assert pin_template(tokenizer, today=TODAY, thinking=False) == {} and tokenizer.chat_template == before, name


@pytest.mark.parametrize("name", ["qwen3", "qwen3_5_think", "qwen3_5_nothink", "qwen3_6", "qwen3_8", "glm4moe", "granite"])
def test_one_parameter_opens_the_thinking_block_or_closes_it(name: str) -> None:
    shown = {
        thinking: pinned(name, thinking=thinking).decode(render_prompt(pinned(name, thinking=thinking), USER)) for thinking in (False, True)
    }
    assert shown[False] != shown[True]
    if name != "granite":  # whose switch is a sentence in the system turn
        assert shown[False].rstrip().endswith("</think>") and not shown[True].rstrip().endswith("</think>")


def test_rows_without_thinking_get_what_the_template_writes_for_none() -> None:
    tokenizer = pinned("qwen3", thinking=True)
    example = render_example(tokenizer, USER, ANSWER)
    assert tokenizer.decode(example.ids[example.num_prompt_tokens :]) == f"<think>\n\n</think>\n\n{ANSWER}<|im_end|>"


def test_thinking_asked_of_a_template_without_it_is_refused() -> None:
    with pytest.raises(TemplateRefused, match=r"no thinking block\. Set base\.thinking to false"):
        pin_template(FAMILIES["llama3"].tokenizer(), today=TODAY, thinking=True)


# ---- which template


def test_the_shipped_template_is_taken_unless_another_is_named() -> None:
    assert chosen_template("shipped", None, folder=TEMPLATES) == "shipped"
    assert chosen_template({"default": "one", "rag": "two"}, None, folder=TEMPLATES) == "one"
    assert chosen_template({"default": "one", "rag": "two"}, "rag", folder=TEMPLATES) == "two"
    assert chosen_template(None, "plain", folder=TEMPLATES) == (TEMPLATES / "plain.jinja").read_text()


@pytest.mark.parametrize(
    ("shipped", "chosen", "said"),
    [
        (None, None, r"no chat template, .*set base.chat_template to one of plain"),
        (
            {"rag": "two", "tool_use": "three"},
            None,
            "several chat templates and no default. Set base.chat_template to one of rag, tool_use",
        ),
        ("shipped", "chatml2", "base.chat_template is 'chatml2', but the templates are: plain"),
    ],
)
def test_a_refusal_lists_the_templates_that_there_are(shipped: Any, chosen: str | None, said: str) -> None:
    with pytest.raises(TemplateRefused, match=said):
        chosen_template(shipped, chosen, folder=TEMPLATES)


def test_the_plain_template_gives_a_completion_model_turns_that_end() -> None:
    tokenizer = FAMILIES["olmo2"].tokenizer()
    tokenizer.chat_template = chosen_template(None, "plain", folder=TEMPLATES)
    example = render_example(tokenizer, USER, ANSWER)
    assert tokenizer.decode(example.ids) == f"User: {USER}\nAssistant: {ANSWER}<|endoftext|>"
    assert tokenizer.decode(render_prompt(tokenizer, USER)) == f"User: {USER}\nAssistant:"


def test_a_tokenizer_that_can_end_nothing_is_refused() -> None:
    tokenizer = FAMILIES["glm4moe"].tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(NoEndOfTurn, match=r"nothing could teach the model to stop\. Set base\.chat_template to a template"):
        assistant_turn(tokenizer)
