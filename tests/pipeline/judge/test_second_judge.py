"""A second judge on a share of the questions: which questions are drawn, its separate cost, and that it never changes the first judge's scores."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from plumbline.commands import fill_judge_store, label_sheet
from plumbline.comparing.judged_rows import judged_answers
from plumbline.comparing.revisions import Workspace
from plumbline.judging.disputed import Part
from plumbline.judging.params import JudgeParams
from plumbline.judging.second_draw import is_judged_twice
from plumbline.judging.verdict_store import VerdictStore
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.rows.judgement import Judgement
from tests.fakes.chat_server import KEY, FakeChat, serving_chat
from tests.fakes.claude_server import FakeClaude
from tests.fakes.judge_bench import Bench, settings
from tests.pipeline.judge.test_judge_verbs import PLACES, lay_out

FIRST: dict[str, Any] = {"backend": "openai_compatible", "model": "judge-model", "max_cost_usd": None, "mode": None}
SECOND: dict[str, Any] = {"backend": "openai_compatible", "model": "other-model", "share": 0.4}
OTHER_KEY = "another-secret-key-987654"


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeChat]:
    with serving_chat(FakeChat()) as server:
        monkeypatch.setenv("PLUMBLINE_JUDGE_URL", server.url)
        monkeypatch.setenv("PLUMBLINE_JUDGE_KEY", KEY)
        yield server


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeChat]:
    with serving_chat(FakeChat(model="other-model", key=OTHER_KEY)) as server:
        monkeypatch.setenv("PLUMBLINE_SECOND_JUDGE_URL", server.url)
        monkeypatch.setenv("PLUMBLINE_SECOND_JUDGE_KEY", OTHER_KEY)
        yield server


def again(bench: Bench) -> list[Judgement]:
    return list(read_jsonl(bench.paths["second"], Judgement))


def test_a_share_of_the_questions_goes_to_another_server_with_every_arm_s_answer(bench: Bench, chat: FakeChat, other: FakeChat) -> None:
    alone = bench.write(40).run(**FIRST)
    assert again(bench) == [] and not other.requests, "without a second judge the file is there, and empty"
    assert bench.run(**FIRST, second=SECOND) == alone, "the first judge's rows stay as they are, to the byte"
    drawn = {f"q{n:03d}" for n in range(40) if is_judged_twice(f"q{n:03d}", share=0.4)}
    rows = again(bench)
    assert 8 < len(drawn) < 24 and {(row.id, row.arm) for row in rows} == {(id, arm) for id in drawn for arm in ("base", "tuned")}
    assert len(rows) == 2 * len(drawn) == len(other.requests) and len(chat.requests) == 80
    assert {row.cause for row in rows} == {"scored"} and {row.judge_id for row in rows}.isdisjoint({row.judge_id for row in alone})
    assert {request["model"] for request in other.requests} == {"other-model"}
    assert {request["max_tokens"] for request in other.requests} == {1000}, "what is left out is the first judge's"
    written = bench.paths["second"].read_bytes()
    bench.run(**FIRST, second=SECOND)
    assert bench.paths["second"].read_bytes() == written and len(other.requests) == len(rows), "a second run asks nothing"


def test_who_is_drawn_depends_on_the_question_alone() -> None:
    ids = [f"question {n}" for n in range(4000)]
    twice = [id for id in ids if is_judged_twice(id, share=0.3)]
    assert 0.27 < len(twice) / 4000 < 0.33
    assert all(is_judged_twice(id, share=0.5) for id in twice), "a larger share keeps what was paid for"
    assert all(is_judged_twice(id, share=1.0) for id in ids)


def test_a_rule_may_be_the_second_judge_and_a_model_second_to_a_rule(bench: Bench, fake: FakeClaude, chat: FakeChat) -> None:
    bench.write(6).run(**FIRST, second={"backend": "key_points", "share": 1.0})
    assert len(again(bench)) == 12 and {row.judge_id.split(":")[0] for row in again(bench)} == {"key_points"}
    bench.run(backend="key_points", second={"backend": "claude", "model": "claude-sonnet-5-5", "share": 1.0})
    assert {row.judge_id.split(":")[0] for row in again(bench)} == {"claude"} and len(fake.ledger) == 12


def test_each_judge_has_its_own_cap(bench: Bench, fake: FakeClaude, caplog: pytest.LogCaptureFixture) -> None:
    second = {"backend": "claude", "model": "claude-opus-5-5", "share": 1.0, "max_cost_usd": 0.01}
    assert bench.write(6).fails(second=second) == 3
    assert {row.cause for row in bench.rows()} == {"scored"}, "the first judge is done"
    assert {row.cause for row in again(bench)} == {"not_asked"}
    assert "second judge: stopped: the next call could pass judge.second.max_cost_usd of 0.01 USD" in caplog.text


def test_a_second_server_that_is_missing_is_named_after_the_first_judge_is_done(bench: Bench, chat: FakeChat) -> None:
    stopped = str(bench.write(3).fails(**FIRST, second=SECOND))
    assert "judge.second.backend is openai_compatible, but PLUMBLINE_SECOND_JUDGE_URL is not set" in stopped
    assert "-S judge.second=null" in stopped and len(bench.rows()) == 6


def test_a_key_that_the_second_judge_lacks_is_named_with_its_section(bench: Bench, chat: FakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    stopped = str(bench.write(3).fails(**FIRST, second={"backend": "claude", "model": "claude-sonnet-5-5", "mode": "direct", "share": 1.0}))
    assert "judge.second.backend is claude, but ANTHROPIC_API_KEY is not set" in stopped and "-S judge.second=null" in stopped


def test_a_second_server_that_refuses_names_its_own_variable_and_shows_no_key(
    bench: Bench, chat: FakeChat, other: FakeChat, caplog: pytest.LogCaptureFixture
) -> None:
    other.key = "yet-another-key-0123456789"
    assert bench.write(20).fails(**FIRST, second=SECOND) == 3
    assert "Check PLUMBLINE_SECOND_JUDGE_KEY" in caplog.text
    other.key = OTHER_KEY
    bench.run(**FIRST, second=SECOND)
    files = [path for path in bench.folder.rglob("*") if path.is_file()]
    for key in (KEY, OTHER_KEY):
        assert key not in caplog.text and not [path for path in files if key.encode() in path.read_bytes()]


def test_replies_that_did_not_come_are_asked_for_again(
    bench: Bench, chat: FakeChat, other: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUMBLINE_JUDGE_MAX_TRIES", "1")
    other.faults = ["500"] * 3
    assert bench.write(20).fails(**FIRST, second=SECOND) == 4
    num_open = sum(row.cause == "server_error" for row in again(bench))
    assert num_open == 3
    asked = len(other.requests)
    bench.run(**FIRST, second=SECOND)
    assert len(other.requests) == asked + 3 and {row.cause for row in again(bench)} == {"scored"}


def test_the_tracked_replies_of_both_judges_fill_a_store(
    bench: Bench, chat: FakeChat, other: FakeChat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench.write(20).run(**FIRST, second=SECOND)
    written = [bench.paths[name].read_bytes() for name in ("judged", "second")]
    clone = lay_out(bench, tmp_path / "clone")
    num_replies = len(chat.requests) + len(other.requests)
    assert f"{num_replies} replies added" in fill_judge_store.main(["workspace"], root=clone)
    assert len(list(VerdictStore(clone / ".cache/judge").path.read_bytes().splitlines())) == num_replies
    monkeypatch.setenv("DVC_ROOT", str(clone))
    for name in ("PLUMBLINE_JUDGE_URL", "PLUMBLINE_SECOND_JUDGE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/v1")
    bench.run(**FIRST, second=SECOND)
    assert [bench.paths[name].read_bytes() for name in ("judged", "second")] == written
    (clone / PLACES["second"]).unlink()
    assert f", {len(chat.requests)} on record" in fill_judge_store.main(["workspace"], root=clone), (
        "a run from before there was a second judge"
    )


def test_a_sheet_holds_what_the_judges_dispute_first_and_stays_blind(bench: Bench, chat: FakeChat, other: FakeChat, tmp_path: Path) -> None:
    bench.write(60, lambda number, arm: f"the water, {number} {arm[0]}").run(**FIRST, second={"backend": "key_points", "share": 0.6})
    root = lay_out(bench, tmp_path / "clone")
    rows = judged_answers(Workspace(root))
    sizes = {part: sum(row.part == part for row in rows) for part in Part}
    assert all(sizes.values()), sizes
    said = label_sheet.write_sheet(tmp_path / "sheet.csv", count=50, root=root)
    keys, parts = label_sheet.drawn_answers(rows, count=50)
    assert len(keys) == 50 and {part: size for part, (size, _) in parts.items()} == sizes
    probability = {part: taken / size for part, (size, taken) in parts.items()}
    assert probability[Part.DISPUTED] > probability[Part.ONE_JUDGE] > probability[Part.AGREED] > 0
    assert f"the judges disagree: {parts[Part.DISPUTED][1]} of {sizes[Part.DISPUTED]} answers, probability" in said
    text = (tmp_path / "sheet.csv").read_text(encoding="utf-8")
    assert not any(word in text for word in ("disput", "tuned", "judge", "agree"))
    places = [rows_part for key in keys for rows_part in [next(row.part for row in rows if row.answer_key == key)]]
    assert places != sorted(places), "the order tells nothing"


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"backend": "claude", "model": "claude-sonnet-5-5", "share": 0.5}, "judge.second is the same judge as the first"),
        ({"backend": "key_points", "share": 0.0}, "judge.second.share must be above 0"),
        ({"backend": "key_points", "share": 1.5}, "judge.second.share must be above 0"),
        ({"backend": "openai_compatible", "share": 0.5}, "judge.second.backend is openai_compatible: set judge.second.model"),
        ({"backend": "none", "share": 0.5}, "'key_points', 'claude' or 'openai_compatible'"),
        ({"backend": "key_points", "share": 0.5, "seed": 1}, "seed"),
        ({"backend": "claude", "model": "claude-opus-5-5", "share": 0.5, "epoch": None}, "judge.second.epoch must be a number"),
    ],
)
def test_what_cannot_be_a_second_judge_is_refused_by_name(second: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        settings(second=second)


def test_no_judge_has_no_second_and_another_effort_is_another_judge() -> None:
    with pytest.raises(ValidationError, match=re.escape("judge.backend is none")):
        settings(backend="none", second={"backend": "key_points", "share": 0.5})
    found = settings(effort="low", second={"backend": "claude", "model": "claude-sonnet-5-5", "share": 0.5}).of_second()
    assert isinstance(found, JudgeParams) and found.effort is None and found.max_cost_usd == 5.0 and found.second is None
