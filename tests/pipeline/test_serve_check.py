"""Is what is served what was measured? Against a server on the loopback: the same texts, flips, another template, and what cannot be asked."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.commands.serve_check import main
from plumbline.comparing.served_ledger import difference_of, served_kinds
from plumbline.comparing.served_prompts import prompt_problem
from plumbline.comparing.server_words import ShownPrompt
from plumbline.comparing.serving import CannotAsk, Served
from plumbline.grading.run import Tolerance
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.question import Question
from tests.conftest import ROOT
from tests.fakes.chat_server import KEY, FakeChat, serving_chat
from tests.fakes.evaluation_world import ANSWERING, World, make_world, write_world
from tests.fakes.tiny_training import save_tiny_base

INSTRUCTIONS = ANSWERING.instructions.model_dump()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = make_world(num_mcq=60, num_numeric=60, num_explanation=12, num_clusters=60)
    write_world(world, tmp_path)
    shutil.rmtree(tmp_path / "models")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "data/context").mkdir(exist_ok=True)
    (tmp_path / "data/context/none.jsonl").touch()
    params = {
        "arms": world.compared.arms.model_dump(),
        "answer": ANSWERING.model_dump(),
        "grade": {"relative_tolerance": 0.05, "absolute_tolerance": None},
    }
    (tmp_path / "params.yaml").write_text(json.dumps(params))
    stored = tmp_path / "data/answers/tuned.jsonl"
    write_jsonl(stored, [answer.model_copy(update={"num_prompt_tokens": 100}) for answer in list(read_jsonl(stored, Answer))])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    monkeypatch.setenv("PLUMBLINE_SERVE_KEY", KEY)
    return world


@pytest.fixture
def chat(world: World) -> Iterator[FakeChat]:
    """A server that says what tuned said in the run."""
    asked = {exam_prompt(question, INSTRUCTIONS): question.id for question in world.questions}
    said = {answer.id: answer.response for answer in world.answers["tuned"]}
    with serving_chat(FakeChat(say=lambda request: said[asked[request["messages"][-1]["content"]]] + "\n", model="mine")) as server:
        yield server


def check(url: str, **changes: Any) -> tuple[str, bool]:
    settings: dict[str, Any] = {"model": None, "arm": "tuned", "count": None, "margin": 0.03}
    return main(Path.cwd(), url, **settings | changes)


def test_the_same_texts_are_what_was_measured(chat: FakeChat) -> None:
    told, ok = check(chat.url)
    assert ok and told.startswith(f"mine at {chat.url}, 132 questions, against the stored answers of tuned; margin 3 points")
    assert "multiple choice: 60 of 60 texts the same; 0 flips" in told and "explanations: 12 of 12 texts the same" in told
    assert {(request["temperature"], request["max_tokens"]) for request in chat.requests} == {(0, ANSWERING.max_new_tokens)}
    told, ok = check(chat.url, count=10)
    assert ok and "10 questions" in told


def test_a_worse_server_is_not_shown_to_be_the_same(chat: FakeChat) -> None:
    before = chat.say
    chat.say = lambda request: before(request) if "Answer with" not in request["messages"][-1]["content"] else "I cannot say."
    told, ok = check(chat.url)
    assert not ok and "multiple choice: 0 of 60 texts the same" in told and ": worse" in told and "numeric problems: 60 of 60" in told


def test_other_words_with_the_same_scores_are_not_worse_within_a_margin(chat: FakeChat) -> None:
    before = chat.say
    chat.say = lambda request: "Well. " + before(request)
    told, ok = check(chat.url, margin=0.3)
    assert ok and "0 of 60 texts the same; 0 flips" in told and ": not worse" in told
    told, ok = check(chat.url, margin=0.01)
    assert not ok and "not enough evidence" in told, "sixty questions cannot show one point"


def test_a_prompt_of_another_length_is_named(world: World, chat: FakeChat) -> None:
    assert check(chat.url)[1]
    chat.num_prompt_tokens = 112
    told, ok = check(chat.url)
    assert not ok and "132 of 132 prompts have another number of tokens, such as 112 instead of 100" in told


@pytest.mark.parametrize("shown_by", ["llama.cpp", "vLLM"])
def test_a_template_that_writes_another_prompt_is_named(chat: FakeChat, tmp_path: Path, shown_by: str) -> None:
    from plumbline.model.weights import load_tokenizer

    save_tiny_base(tmp_path / "models/base")
    tokenizer: Any = load_tokenizer(tmp_path / "models/base")

    def shown(messages: list[dict[str, str]], system: str = "") -> str:
        return system + str(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))

    def show(system: str) -> None:
        if shown_by == "llama.cpp":
            chat.prompt_of = lambda messages: shown(messages, system)
        else:
            chat.tokens_of = lambda messages: tokenizer(shown(messages, system), add_special_tokens=False)["input_ids"]

    chat.num_prompt_tokens = None
    show("")
    told, ok = check(chat.url, count=4)
    assert ok and "prompts: 4 of 4 by what the server shows" in told
    show("You are helpful.")
    told, ok = check(chat.url, count=4)
    assert not ok and "4 of 4 prompts: its template writes another prompt from" in told and "You are helpful" in told


def test_every_conversation_is_compared_and_not_the_first_alone(chat: FakeChat, tmp_path: Path) -> None:
    from plumbline.model.weights import load_tokenizer

    save_tiny_base(tmp_path / "models/base")
    tokenizer: Any = load_tokenizer(tmp_path / "models/base")
    seen: list[object] = []

    def shown(messages: list[dict[str, str]]) -> str:
        seen.append(messages)
        return ("" if len(seen) < 4 else "Late. ") + str(
            tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        )

    chat.prompt_of = shown
    told, ok = check(chat.url, count=4)
    assert not ok and "1 of 4 prompts: its template writes another prompt from" in told and "Late." in told


@pytest.mark.parametrize("texts_only", [False, True])
def test_prompts_that_no_one_could_compare_are_said_and_nothing_is_claimed(chat: FakeChat, texts_only: bool) -> None:
    chat.num_prompt_tokens = None
    told, ok = check(chat.url, texts_only=texts_only)
    assert ok is texts_only, told
    assert "unknown  prompts: not compared; the server neither counts their tokens nor shows them" in told
    assert "the served model is the measured one" not in told and "not all prompts were compared (--texts-only" in told
    chat.say = lambda request: "I cannot say."
    assert not check(chat.url, texts_only=texts_only)[1], "other texts are no matter of prompts"


def test_what_cannot_be_asked_says_why_and_shows_no_key(chat: FakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotAsk, match="there is no arm tunde; the arms are base, tuned"):
        check(chat.url, arm="tunde")
    with pytest.raises(CannotAsk, match="must end with /v1"):
        check(chat.url.removesuffix("/v1"))
    with pytest.raises(CannotAsk, match=r"does not answer .* is the server up"):
        check("http://127.0.0.1:9/v1")
    with pytest.raises(CannotAsk, match=r"serves mine, but no model tuned\. Name one with --model"):
        check(chat.url, model="tuned")
    with pytest.raises(CannotAsk, match=r"would be sent to models\.example\.org without encryption"):
        check("http://models.example.org/v1")
    chat.key = "another-key-0123456789"
    with pytest.raises(CannotAsk, match="set PLUMBLINE_SERVE_KEY") as refused:
        check(chat.url, model="mine")
    assert KEY not in str(refused.value), "this server repeats the key that it refuses"


def test_a_question_that_the_server_cannot_answer_is_named_and_is_no_score(world: World, chat: FakeChat) -> None:
    numeric = [question for question in world.questions if question.kind == "numeric"]
    chat.broken = exam_prompt(numeric[3], INSTRUCTIONS)
    told, ok = check(chat.url)
    assert not ok and f"1 of 132 questions have no answer, such as {numeric[3].id}: " in told and "answers 500" in told
    assert "numeric problems: 59 of 59 texts the same; 0 flips" in told
    chat.broken = ""
    chat.requests.clear()
    with pytest.raises(CannotAsk, match="answers 500"):
        check(chat.url)
    assert len(chat.requests) == 8, "a server that answers nothing is not asked the whole benchmark"


def test_a_server_that_is_busy_for_a_moment_is_asked_again(chat: FakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.comparing.serving.PAUSES", (0.0, 0.0, 0.0))
    chat.busy = 2
    assert check(chat.url, count=4, concurrency=1)[1]
    chat.busy = 100
    with pytest.raises(CannotAsk, match=r"answers 503 .*wait until it has loaded its model"):
        check(chat.url, count=4)


def test_an_answer_that_takes_too_long_is_one_question(chat: FakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    before, asked, over = chat.say, threading.Event(), threading.Event()

    def slow_once(request: dict[str, Any]) -> str:
        if not asked.is_set():
            asked.set()
            over.wait(60)
        return before(request)

    monkeypatch.setattr("plumbline.comparing.serving.SECONDS", 3.0)
    chat.say = slow_once
    told, ok = check(chat.url, count=12, concurrency=1)
    over.set()
    assert (
        not ok and "1 of 12 questions have no answer" in told and "gives no answer in 3 s. Ask fewer at a time with --concurrency" in told
    )


def test_thinking_that_comes_apart_is_compared_apart(world: World, chat: FakeChat, tmp_path: Path) -> None:
    stored = tmp_path / "data/answers/tuned.jsonl"
    thought = [answer.model_copy(update={"response": f"<think>Hm.</think>\n{answer.response}"}) for answer in read_jsonl(stored, Answer)]
    write_jsonl(stored, thought)
    assert "60 of 60 texts the same" not in check(chat.url)[0], "the server says nothing of its thinking: the texts differ"
    for name in ("reasoning_content", "reasoning"):  # llama.cpp and vLLM
        chat.message = {name: "Hm."}
        told, ok = check(chat.url)
        assert ok and "multiple choice: 60 of 60 texts the same" in told and "132 answers come with their thinking separately" in told


def test_other_ends_are_named(chat: FakeChat) -> None:
    before = chat.say
    chat.say = lambda request: before(request) + "<|im_end|>\nuser"
    told, ok = check(chat.url)
    assert not ok and "132 answers go on where those of the run end, such as with '<|im_end|>\\nuser'" in told
    chat.say, chat.finish_reason = lambda request: before(request)[:5], "length"
    told, _ = check(chat.url)
    assert f"132 answers are cut after 20 to 20 tokens, but {ANSWERING.max_new_tokens} were asked for" in told


def test_both_texts_of_every_question_go_into_a_file(chat: FakeChat, tmp_path: Path) -> None:
    chat.say = lambda request: "No."
    check(chat.url, count=12, out=tmp_path / "served.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "served.jsonl").read_text().splitlines()]
    assert len(rows) == 12 and {row["served"] for row in rows} == {"No."} and {row["same"] for row in rows} == {False}
    assert all(set(row) == {"id", "kind", "same", "stored", "served", "stored_score", "served_score"} for row in rows)


LLAMA_PROPS = {
    "default_generation_settings": {"params": {"repeat_penalty": 1.1, "presence_penalty": 0.0, "temperature": 0.8}, "n_ctx": 1024},
    "model_ftype": "Q4_K - Medium",
    "build_info": "b10434-7e4c0a9",
    "chat_template": "...",
}
LISTED = {"object": "list", "data": [{"id": "mine", "aliases": ["mine"], "meta": {"n_params": 8000, "size": 5000}, "max_model_len": 2048}]}
SHOWN = {
    "parameters": 'num_ctx 4096\nrepeat_penalty 1.2\nstop "</s>"',
    "template": "{{ .Prompt }}",
    "details": {"quantization_level": "Q4_0"},
    "system": "Be kind.",
}
INFO = {"model_id": "/data/merged", "model_dtype": "torch.float16", "version": "3.3.6", "max_total_tokens": 2048}


@pytest.mark.parametrize(
    ("replies", "told"),
    [
        (
            {"/props": LLAMA_PROPS},
            [
                "server   llama.cpp b10434-7e4c0a9, weights Q4_K - Medium (5.0 bits each), context 1,024 tokens",
                "the server adds repeat_penalty 1.1",
            ],
        ),
        ({"/version": {"version": "0.32.0"}}, ["server   vLLM 0.32.0, context 2,048 tokens"]),
        (
            {"/api/version": {"version": "0.31.1"}, "/api/show": SHOWN},
            ["server   Ollama 0.31.1, weights Q4_0", "the server adds repeat_penalty 1.2, a system message ('Be kind.')"],
        ),
        ({"/info": INFO}, ["server   TGI 3.3.6, weights torch.float16, context 2,048 tokens"]),
    ],
    ids=["llama.cpp", "vLLM", "Ollama", "TGI"],
)
def test_what_a_server_says_of_itself_is_told(chat: FakeChat, replies: dict[str, object], told: list[str]) -> None:
    chat.replies = {path: (200, json.dumps(reply).encode()) for path, reply in ({"/v1/models": LISTED} | replies).items()}
    found, ok = check(chat.url)
    assert ok and all(line in found for line in told), found


@pytest.mark.parametrize(
    "shape", [{}, {"version": 3}, {"default_generation_settings": None}, {"model_id": None}, {"data": [{"id": 3, "meta": 1}]}]
)
def test_a_server_that_says_something_else_of_itself_is_compared_all_the_same(chat: FakeChat, shape: object) -> None:
    paths = ("/props", "/version", "/api/version", "/api/show", "/info", "/apply-template", "/tokenize", "/chat_tokenize")
    chat.replies = {path: (200, json.dumps(shape).encode()) for path in paths}
    assert check(chat.url)[1]


def test_a_tokenizer_that_cuts_the_same_text_otherwise_is_named(chat: FakeChat, tmp_path: Path) -> None:
    from plumbline.model.weights import load_tokenizer

    save_tiny_base(tmp_path / "models/base")
    tokenizer: Any = load_tokenizer(tmp_path / "models/base")
    messages = [{"role": "user", "content": "A stone."}]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert prompt_problem(ShownPrompt(text=text, ids=ids), messages, tokenizer) is None
    other = prompt_problem(ShownPrompt(text=text, ids=[*ids[:3], 1, *ids[3:]]), messages, tokenizer)
    assert other is not None and other.startswith("its tokenizer cuts the same text differently from token 3 on: ['<s>'")
    doubled = prompt_problem(ShownPrompt(text=text, ids=[ids[0], *ids]), messages, tokenizer)
    assert doubled is not None and "from token 1 on" in doubled, "a first token that is there twice"


def test_the_prompt_that_tgi_shows_is_compared(chat: FakeChat, tmp_path: Path) -> None:
    save_tiny_base(tmp_path / "models/base")
    shown = {"tokenize_response": [{"id": 5, "text": "x", "start": 0, "stop": 1}], "templated_text": "Question: x"}
    chat.replies = {"/chat_tokenize": (200, json.dumps(shown).encode())}
    told, ok = check(chat.url, count=4)
    assert not ok and "4 of 4 prompts: its template writes another prompt from character" in told


@pytest.mark.parametrize("before", [0, 10, 275, 290, 299, 300])
@pytest.mark.parametrize("status", [200, 401, 500])
def test_no_part_of_the_key_is_shown_wherever_it_stands(chat: FakeChat, before: int, status: int) -> None:
    said = "x" * before + KEY + "y"
    for body in (said, json.dumps({"error": {"message": f"bad key {said}"}}), json.dumps([said])):
        chat.replies = {"/v1/chat/completions": (status, body.encode())}
        with pytest.raises(CannotAsk) as refused:
            check(chat.url, count=1)
        assert not any(KEY[place : place + 6] in str(refused.value) for place in range(len(KEY) - 6)), refused.value


@pytest.mark.parametrize(
    "content",
    [None, 1, "x", [], {}, [{"text": "4"}], ["x"], {"data": None}, {"data": [{"name": "x"}]}, {"data": ["x"]}, {"data": 1}],
    ids=json.dumps,
)
def test_a_reply_of_another_shape_is_one_sentence(chat: FakeChat, content: object) -> None:
    chat.replies = {"/v1/models": (200, json.dumps(content).encode())}
    with pytest.raises(CannotAsk):
        check(chat.url)
    whole = {"index": 0, "message": {"role": "assistant", "content": content}}
    shapes: list[object] = [content, {"choices": content}, {"choices": [content]}, {"choices": [{"message": content}]}]
    for shape in [*shapes, *([] if content is None or content == "x" else [{"choices": [whole]}])]:
        chat.replies = {"/v1/chat/completions": (200, json.dumps(shape).encode())}
        with pytest.raises(CannotAsk):
            check(chat.url, count=1)


def test_the_command_ends_with_its_exit_codes(chat: FakeChat) -> None:
    def ended(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, "-m", "plumbline", "serve-check", *words], env=environment, capture_output=True, text=True)

    same = ended(chat.url, "--questions", "6")
    assert same.returncode == 0 and "the served model is the measured one" in same.stdout, same.stderr
    chat.say = lambda request: "No."
    assert ended(chat.url, "--questions", "6").returncode == 1
    assert ended("no-address").returncode == 2


def test_a_flip_is_counted_on_its_side(world: World) -> None:
    questions = [question for question in world.questions if question.kind == "mcq"][:20]
    wrong, right = ({question.id: answered(question, said) for question in questions} for said in ("Answer: nothing.", None))
    tolerance = Tolerance(relative=0.05, absolute=None)
    (lost,) = served_kinds(questions, right, as_served(wrong), tolerance, margin=0.03)
    assert lost.comparison is not None and (lost.comparison.num_first_only, lost.comparison.num_second_only) == (20, 0) and not lost.ok
    assert lost.flipped == ", ".join(f"{question.id} lost" for question in questions[:5]) + " and 15 more"
    (gained,) = served_kinds(questions, wrong, as_served(right), tolerance, margin=0.03)
    assert gained.verdict == "better" and gained.ok and gained.flipped.startswith(f"{questions[0].id} gained")


def test_partial_credit_counts_as_in_the_report(world: World) -> None:
    several = {"answer_kind": "letters", "target": "A,C", "partial_credit": "share"}
    questions = [question.model_copy(update=several) for question in world.questions if question.kind == "mcq"][:20]
    half, whole = ({question.id: answered(question, said) for question in questions} for said in ("Answer: A", "Answer: A, C"))
    (found,) = served_kinds(questions, half, as_served(whole), Tolerance(relative=0.05, absolute=None), margin=0.03)
    assert found.comparison is not None and found.comparison.delta == pytest.approx(0.5)


def answered(question: Question, said: str | None) -> Answer:
    text = f"Answer: {question.target}" if said is None else said
    return Answer(id=question.id, arm="tuned", response=text, num_tokens=1, stopped="eos", choice_logprobs={}, complete=True)


def as_served(answers: dict[str, Answer]) -> dict[str, Served]:
    return {id: Served(text=answer.response) for id, answer in answers.items()}


def test_the_first_difference_of_two_prompts() -> None:
    assert difference_of("abc", "abd") == 2 and difference_of("ab", "abc") == 2 and difference_of([1, 2], [1, 2]) is None


def test_a_real_small_model_that_is_served_is_what_was_measured(world: World, chat: FakeChat, tmp_path: Path) -> None:
    """The server answers with plain transformers, and we with our own engine: the greedy texts are the same."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from plumbline.answering.run import AnswerFiles, answer_benchmark

    save_tiny_base(tmp_path / "models/base")
    (tmp_path / "data/answers/tuned.jsonl").unlink()
    write_jsonl(tmp_path / "data/split/benchmark.jsonl", world.questions[::12])
    files = AnswerFiles(
        benchmark=tmp_path / "data/split/benchmark.jsonl",
        base=tmp_path / "models/base",
        adapter=None,
        context=None,
        answers=tmp_path / "data/answers/tuned.jsonl",
    )
    os.environ["DVC_ROOT"] = str(tmp_path)
    try:
        answer_benchmark(ANSWERING, files, arm="tuned")
    finally:
        del os.environ["DVC_ROOT"]
    tokenizer: Any = AutoTokenizer.from_pretrained(str(tmp_path / "models/base"))
    model: Any = AutoModelForCausalLM.from_pretrained(str(tmp_path / "models/base")).eval()

    def generated(request: dict[str, Any]) -> str:
        ids = tokenizer.apply_chat_template(request["messages"], add_generation_prompt=True, return_dict=True, return_tensors="pt")
        with torch.inference_mode():
            out = model.generate(**ids, do_sample=False, max_new_tokens=request["max_tokens"])
        return tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)

    chat.say = generated
    chat.prompt_of = lambda messages: str(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))
    stored = list(read_jsonl(tmp_path / "data/answers/tuned.jsonl", Answer))
    told, _ = check(chat.url, margin=0.5)
    assert f"{len(stored)} questions" in told and "another prompt" not in told
    assert sum(int(line.split(": ")[1].split(" of ")[0]) for line in told.splitlines() if "texts the same" in line) == len(stored), told
