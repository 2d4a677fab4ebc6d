"""No published file and no message holds a key, or a part of one."""

import asyncio
import re
import ssl
from pathlib import Path

import pytest

from plumbline.judging.claude_limits import limits_from_environment
from plumbline.judging.no_reply import JudgeStopped, NoReply
from plumbline.judging.openai_client import ChatServer
from plumbline.keeping.published_files import OUR_KEYS, PART_BYTES, NotPublished, refuse_what_must_stay

KEY = "sk-proj-SECRETSECRETSECRETSECRET1234"
TRUSTED = ssl.create_default_context()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OUR_KEYS:
        monkeypatch.delenv(name, raising=False)


def classified(status: int, text: str) -> str:
    async def said() -> str:
        async with ChatServer("http://127.0.0.1:1/v1", KEY, limits_from_environment(), TRUSTED) as server:
            try:
                problem, _ = server._classified(status, text)
            except JudgeStopped as stopped:
                return str(stopped)
            assert isinstance(problem, NoReply)
            return str(problem)

    return asyncio.run(said())


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("before", range(255, 305, 7))
def test_a_key_across_the_cut_of_a_message_is_not_shown_in_part(status: int, before: int) -> None:
    said = classified(status, "x" * before + KEY + "yy")
    assert "sk-" not in said and "SECRET" not in said and f"status {status}" in said


def test_a_long_message_of_a_server_is_cut() -> None:
    assert classified(400, "x" * 5000).count("x") < 400


def held(folder: Path, content: bytes, name: str = "README.md") -> str | None:
    (folder / name).write_bytes(content)
    try:
        refuse_what_must_stay({name: folder / name})
    except NotPublished as refused:
        assert KEY not in str(refused) and name in str(refused)
        return str(refused)
    return None


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        "sk-ant-" + "a1" * 20,
        "hf_" + "k" * 34,
        "AKIA" + "A1" * 8,
        "ghp_" + "a" * 36,
        "glpat-" + "a" * 20,
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
@pytest.mark.parametrize(
    "before", [b"", b"\xc3\xba", b"\xff\x00", b'"', b"x" * (PART_BYTES - 10) + b" "], ids=lambda before: str(len(before)) + str(before[:2])
)
def test_every_sort_of_key_that_clean_knows_stays(key: str, before: bytes, tmp_path: Path) -> None:
    assert "what looks like a key" in str(held(tmp_path, before + key.encode() + b"\n"))


@pytest.mark.parametrize("variable", [*sorted(OUR_KEYS), "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY", "OTHER_TOKEN"])
def test_a_key_of_the_environment_stays_whatever_it_looks_like(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, " plain-words-as-a-key\n")
    assert f"the value of {variable}" in str(held(tmp_path, b'{"model": "plain-words-as-a-key"}', "evaluation.json"))
    assert held(tmp_path, b'{"model": "plain-words"}', "evaluation.json") is None


def test_a_short_value_of_another_program_is_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "training")
    monkeypatch.setenv("HF_TOKEN", "")
    assert held(tmp_path, b"The training took a minute; a Bearer token is sent as sk-... or hf_...") is None


def test_every_key_that_the_manual_names_is_one_of_ours() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/changing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:PLUMBLINE|ANTHROPIC|HF)_(?:[A-Z]+_)*(?:KEY|TOKEN))`", text))
    assert "PLUMBLINE_SECOND_JUDGE_KEY" in named and named <= OUR_KEYS
