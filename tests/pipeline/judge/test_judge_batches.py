"""Batch mode of the judge: half the price, one submission whatever breaks, no reply paid for twice."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

import stages.judge
from stages.io import batch_collection, claude_batches
from stages.io.batch_collection import read_result
from stages.io.verdict_store import read_lines
from tests.fakes.claude_server import KEY, FakeClaude, Fault
from tests.fakes.judge_bench import Bench


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages.judge, "SMALLEST_BATCH", 5)


def batches_paid(fake: FakeClaude) -> Counter[str | None]:
    return Counter(paid.batch for paid in fake.ledger)


def test_a_batch_judges_all_at_half_the_price(bench: Bench, fake: FakeClaude, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    fake.batch_seconds = 0.1
    rows = bench.write(10).run(mode="batch")
    assert {row.cause for row in rows} == {"scored"} and batches_paid(fake) == {"msgbatch_0000": 20}
    assert {row.replies[0].request_id for row in rows} == {"msgbatch_0000"}
    cost = sum(2.0 * paid.input_tokens + 10.0 * paid.output_tokens for paid in fake.ledger) / 2e6
    assert f"cost {cost:.4f} USD" in caplog.text
    bench.run(mode="batch")
    assert len(fake.ledger) == 20 and len(fake.batches) == 1


def test_the_mode_is_not_part_of_the_judge(bench: Bench, fake: FakeClaude) -> None:
    in_batch = bench.write(5).run(mode="batch")
    direct = bench.run(mode="direct")
    assert len(fake.ledger) == 10 and [row.judge_id for row in direct] == [row.judge_id for row in in_batch]


def test_few_open_answers_are_asked_directly(bench: Bench, fake: FakeClaude) -> None:
    bench.write(2).run(mode="batch")
    assert batches_paid(fake) == {None: 4}


def test_errored_expired_and_canceled_items_are_submitted_again(bench: Bench, fake: FakeClaude) -> None:
    seen: Counter[str] = Counter()

    def outcome(custom_id: str, request: dict[str, Any]) -> str:
        seen[custom_id] += 1
        return ["errored", "expired", "canceled", "succeeded"][int(custom_id[:2], 16) % 4] if seen[custom_id] == 1 else "succeeded"

    fake.batch_outcome = outcome
    assert {row.cause for row in bench.write(15).run(mode="batch")} == {"scored"}
    assert len(fake.ledger) == 30 and len(fake.batches) == 2


def test_a_few_leftovers_of_a_batch_are_asked_directly(bench: Bench, fake: FakeClaude) -> None:
    first: list[str] = []

    def outcome(custom_id: str, request: dict[str, Any]) -> str:
        first.append(custom_id)
        return "expired" if len(first) <= 2 else "succeeded"

    fake.batch_outcome = outcome
    assert {row.cause for row in bench.write(6).run(mode="batch")} == {"scored"}
    assert batches_paid(fake) == {"msgbatch_0000": 10, None: 2}


@pytest.mark.parametrize("kind", ["reset_after", "status"])
def test_an_answer_lost_while_creating_makes_no_second_batch(bench: Bench, fake: FakeClaude, kind: str) -> None:
    fake.batch_faults = [Fault(kind, 529, "overloaded_error")]
    bench.write(6).run(mode="batch")
    assert len(fake.batches) == 1 and len(fake.ledger) == 12


def test_a_kill_between_creating_and_noting_the_id_makes_no_second_batch(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(claude_batches.Journal, "created", interrupt)
        bench.write(6).run(mode="batch")
    assert len(fake.batches) == 1
    bench.run(mode="batch")
    assert len(fake.batches) == 1 and len(fake.ledger) == 12


def interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def test_a_kill_while_collecting_keeps_what_is_there_and_fetches_the_rest(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[bytes] = []

    def read_some(line: bytes) -> tuple[str, dict[str, Any]] | None:
        lines.append(line)
        return read_result(line) if len(lines) <= 5 else interrupt()

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(batch_collection, "REPLIES_PER_SYNC", 2)
        patch.setattr(batch_collection, "read_result", read_some)
        bench.write(6).run(mode="batch")
    assert sum(1 for _ in read_lines(bench.folder / "root/.cache/judge/replies.jsonl")) == 4
    rows = bench.run(mode="batch")
    assert len(fake.batches) == 1 and len(fake.ledger) == 12 and {len(row.replies) for row in rows} == {1}


def torn(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[-1][: len(lines[-1]) // 2]]


def doubled_and_foreign(lines: list[bytes]) -> list[bytes]:
    foreign = {**json.loads(lines[0]), "custom_id": "somebody-elses"}
    return [*lines, *lines, json.dumps(foreign).encode() + b"\n", b"no json\n", b"3\n"]


def test_doubled_and_foreign_results_change_nothing(bench: Bench, fake: FakeClaude) -> None:
    fake.results_lines = doubled_and_foreign
    rows = bench.write(6).run(mode="batch")
    assert {row.cause for row in rows} == {"scored"} and {len(row.replies) for row in rows} == {1}


@pytest.mark.parametrize("damage", [torn, lambda lines: []], ids=["torn", "empty"])
def test_results_that_miss_some_are_fetched_again(bench: Bench, fake: FakeClaude, damage: Callable[[list[bytes]], list[bytes]]) -> None:
    fetches: list[int] = []

    def lines(whole: list[bytes]) -> list[bytes]:
        fetches.append(1)
        return damage(whole) if len(fetches) == 1 else whole

    fake.results_lines = lines
    assert {row.cause for row in bench.write(6).run(mode="batch")} == {"scored"}
    assert len(fetches) == 2 and len(fake.batches) == 1


def test_results_that_stay_away_fail_the_stage_and_are_not_paid_for_again(bench: Bench, fake: FakeClaude) -> None:
    fake.results_lines = torn
    assert bench.write(6).fails(mode="batch") == 3
    assert Counter(row.cause for row in bench.rows())["scored"] == 11, "what could be read is kept"
    fake.results_lines = lambda lines: lines
    bench.run(mode="batch")
    assert len(fake.batches) == 1 and len(fake.ledger) == 12


def test_results_on_another_host_are_refused_and_the_key_stays_here(
    bench: Bench, fake: FakeClaude, caplog: pytest.LogCaptureFixture
) -> None:
    fake.results_host = "http://127.0.0.2:9"
    assert bench.write(6).fails(mode="batch") == 3
    assert "another host" in caplog.text and KEY not in caplog.text


def test_a_key_echoed_in_results_is_not_stored(bench: Bench, fake: FakeClaude) -> None:
    fake.verdict = lambda request: {"reasoning": f"your key is {KEY}", "score": 1}
    bench.write(6).run(mode="batch")
    written = b"".join(path.read_bytes() for path in bench.folder.rglob("*") if path.is_file())
    assert KEY.encode() not in written and b"sk-ant-[redacted]" in written


def test_a_batch_that_is_no_longer_kept_is_made_anew(bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(claude_batches, "look", interrupt)
        bench.write(6).run(mode="batch")
    fake.batches.clear()
    assert {row.cause for row in bench.run(mode="batch")} == {"scored"}


def test_the_cap_holds_for_batches(bench: Bench, fake: FakeClaude) -> None:
    assert bench.write(20).fails(mode="batch", max_cost_usd=0.03) == 3
    spent = sum(2.0 * paid.input_tokens + 10.0 * paid.output_tokens for paid in fake.ledger) / 2e6
    assert 0 < spent <= 0.03
