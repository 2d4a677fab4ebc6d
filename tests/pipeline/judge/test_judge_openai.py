"""Backend `openai_compatible` against a server on the loopback: verdicts, faults, resume, and a key that appears nowhere."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from plumbline.judging.params import JudgeParams
from plumbline.judging.prompt import JudgeItem
from plumbline.judging.replies import read_verdict, reply_from_body
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.rows.judge_check import JudgeCheck
from tests.fakes.chat_server import KEY, FakeChat, a_verdict, serving_chat
from tests.fakes.judge_bench import Bench, settings

OPENAI: dict[str, Any] = {"backend": "openai_compatible", "model": "judge-model", "max_cost_usd": None, "mode": None}


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeChat]:
    with serving_chat(FakeChat()) as server:
        monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
        monkeypatch.setenv("PLUMBLINE_JUDGE_URL", server.url)
        monkeypatch.setenv("PLUMBLINE_JUDGE_KEY", KEY)
        yield server


def test_a_local_server_judges_every_explanation_and_every_reply_is_kept(bench: Bench, chat: FakeChat) -> None:
    rows = bench.write(6).run(**OPENAI)
    assert len(rows) == 12 == len(chat.requests) and {row.cause for row in rows} == {"scored"}
    assert {row.judge_id for row in rows} == {rows[0].judge_id} and rows[0].judge_id.startswith("openai_compatible:")
    said = {json.loads(row.replies[0].body)["choices"][0]["message"]["content"] for row in rows}
    assert said == {a_verdict(request) for request in chat.requests}
    assert {(row.replies[0].input_tokens, row.replies[0].output_tokens, row.replies[0].model) for row in rows} == {(100, 20, "judge-model")}
    request = chat.requests[0]
    assert request["temperature"] == 0 and request["response_format"]["json_schema"]["strict"] is True
    first = bench.paths["judged"].read_bytes()
    bench.paths["judged"].unlink()
    bench.run(**OPENAI)
    assert bench.paths["judged"].read_bytes() == first and len(chat.requests) == 12, "a second run asks nothing"


def test_the_judge_is_probed_and_asked_twice(bench: Bench, chat: FakeChat) -> None:
    bench.write(8).run(**OPENAI, num_canary_questions=2, retest_fraction=1.0)
    checks = list(read_jsonl(bench.paths["checks"], JudgeCheck))
    again = [check for check in checks if check.probe == "retest"]
    assert len(again) == 16 and all(check.is_passed for check in again)
    assert len(checks) > 16 and {check.judge_id for check in checks} == {bench.rows()[0].judge_id}


@pytest.mark.parametrize("faults", [["500", "429", "reset"], ["html"], ["two_choices"]])
def test_passing_faults_change_no_score(bench: Bench, chat: FakeChat, faults: list[str]) -> None:
    clean = {(row.id, row.arm): row.score for row in bench.write(4).run(**OPENAI, epoch=1)}
    chat.faults = [*faults]
    rows = bench.run(**OPENAI, epoch=2)
    assert {(row.id, row.arm): row.score for row in rows} == clean and not chat.faults


def test_a_cut_reply_is_asked_again_with_twice_the_tokens_and_a_refusal_is_final(bench: Bench, chat: FakeChat) -> None:
    chat.faults = ["length"]
    rows = bench.write(1).run(**OPENAI)
    assert {row.cause for row in rows} == {"scored"}
    assert sorted(request["max_tokens"] for request in chat.requests) == [1000, 1000, 2000]
    chat.faults = ["refusal", "refusal"]
    assert {row.cause for row in bench.run(**OPENAI, epoch=2)} == {"refused"}


def test_thinking_in_the_text_is_not_the_verdict(bench: Bench, chat: FakeChat) -> None:
    chat.say = lambda request: f'<think>Perhaps {{"score": 0, "reasoning": "no"}}?</think>\n{a_verdict(request)}'
    assert {row.cause for row in bench.write(2).run(**OPENAI)} == {"scored"}


def test_a_server_that_refuses_stops_the_run_and_names_the_variable(bench: Bench, chat: FakeChat, caplog: pytest.LogCaptureFixture) -> None:
    chat.key = "another-key-0123456789"
    assert bench.write(3).fails(**OPENAI) == 3
    assert "Check PLUMBLINE_JUDGE_KEY" in caplog.text and KEY not in caplog.text, "this server repeats the key that it refuses"
    # Every call: with one redirect, which of the calls at a time gets it is chance.
    chat.key, chat.faults = KEY, ["redirect"] * 100
    assert bench.fails(**OPENAI) == 3
    assert "redirect" in caplog.text and not any(row.score is not None for row in bench.rows())


def test_the_key_is_in_no_file_and_no_log(
    bench: Bench, chat: FakeChat, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    chat.faults = ["echo_key", "400"]
    bench.write(4).run(**OPENAI, max_replies=2, num_canary_questions=1)
    monkeypatch.setenv("PLUMBLINE_JUDGE_URL", chat.url.replace("/v1", "/v2"))
    bench.fails(**OPENAI, epoch=2)
    files = [path for path in bench.folder.rglob("*") if path.is_file()]
    assert any(path.name == "replies.jsonl" and b"[redacted]" in path.read_bytes() for path in files), "the echo was kept"
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        (None, None, "PLUMBLINE_JUDGE_URL is not set"),
        ("127.0.0.1:8000", None, "PLUMBLINE_JUDGE_URL is not an address"),
        ("http://user:secret-word@127.0.0.1/v1", None, "holds more than an address"),
        ("http://127.0.0.1:8000/v1", "short", "does not look like a key"),
        ("http://judge.example.org/v1", KEY, "would be sent to judge.example.org without encryption"),
    ],
)
def test_what_is_missing_or_unsafe_is_said_before_anything_is_sent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, url: str | None, key: str | None, said: str
) -> None:
    for name, value in (("PLUMBLINE_JUDGE_URL", url), ("PLUMBLINE_JUDGE_KEY", key)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    stopped = str(bench.write(1).fails(**OPENAI))
    assert said in stopped and "secret-word" not in stopped and (key is None or key not in stopped)


def test_the_address_is_no_part_of_the_judge_and_the_model_is(bench: Bench, chat: FakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.write(2).run(**OPENAI)[0].judge_id
    with serving_chat(FakeChat()) as other:
        monkeypatch.setenv("PLUMBLINE_JUDGE_URL", other.url)
        assert bench.run(**OPENAI)[0].judge_id == first and not other.requests
        assert bench.run(**OPENAI | {"model": "larger"})[0].judge_id != first and len(other.requests) == 4
    assert len({first, *(bench_id(bench, chat, monkeypatch, **change) for change in ({"max_tokens": 900}, {"epoch": 2}))}) == 3


def bench_id(bench: Bench, chat: FakeChat, monkeypatch: pytest.MonkeyPatch, **change: Any) -> str:
    monkeypatch.setenv("PLUMBLINE_JUDGE_URL", chat.url)
    return bench.run(**OPENAI | change)[0].judge_id


def test_a_backend_names_the_keys_that_it_needs() -> None:
    with pytest.raises(ValidationError, match=r"judge.backend is openai_compatible: set judge.model, judge.max_replies"):
        JudgeParams.model_validate(settings().model_dump() | {"backend": "openai_compatible", "model": None, "max_replies": None})


@pytest.mark.parametrize("body", [b"{}", b'{"object": "chat.completion"}', b'{"object": "chat.completion", "choices": [{"message": "x"}]}'])
def test_a_body_without_a_reply_is_no_verdict(body: bytes) -> None:
    reply = reply_from_body(body, attempt=1, request_id=None)
    assert read_verdict(reply, JudgeItem("Q?", "R.", ("k",), "A.")).cause == "bad_response"


def test_no_cost_is_claimed_for_a_server_without_a_price(bench: Bench, chat: FakeChat) -> None:
    from plumbline.judging.prices import judging_cost_usd, paid_replies
    from plumbline.reporting.params import JudgeSettings

    rows = bench.write(1).run(**OPENAI)
    judging = JudgeSettings(backend="openai_compatible", model="claude-sonnet-5-5", max_cost_usd=None)
    assert judging_cost_usd(paid_replies(rows), judging.claude_model) is None


def test_every_path_asked_is_that_of_the_chat(bench: Bench, chat: FakeChat, tmp_path: Path) -> None:
    bench.write(1).run(**OPENAI)
    assert set(chat.paths) == {"/v1/chat/completions"}
