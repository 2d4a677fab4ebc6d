"""Batch mode of the judge: half the price, one submission whatever breaks, no reply paid for twice."""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from plumbline.judging import batch_collection, batch_submission, claude_batches, claude_judge
from plumbline.judging import survey as judge_survey
from plumbline.judging.batch_collection import read_result
from plumbline.judging.batch_journal import Journal
from plumbline.judging.verdict_store import read_lines
from plumbline.rows.judgement import Judgement
from tests.fakes.claude_server import KEY, FakeClaude, Fault
from tests.fakes.judge_bench import Bench


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude_judge, "SMALLEST_BATCH", 5)
    monkeypatch.setenv("PLUMBLINE_JUDGE_MAX_TRIES", "3")


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
        patch.setattr(Journal, "created", interrupt)
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
    assert "the key is not sent" in caplog.text and KEY not in caplog.text


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


def test_a_batch_whose_results_are_past_their_29_days_is_made_anew(bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(claude_batches, "look", interrupt)
        bench.write(6).run(mode="batch")
    seen = fake.batch_view
    archived = {"archived_at": "2026-12-24T00:00:00Z", "results_url": None}
    monkeypatch.setattr(fake, "batch_view", lambda batch_id: seen(batch_id) | (archived if batch_id == "msgbatch_0000" else {}))
    rows = bench.run(mode="batch")
    assert {row.replies[0].request_id for row in rows} == {"msgbatch_0001"} and len(fake.ledger) == 24


def test_batches_that_only_expire_are_not_made_for_ever(bench: Bench, fake: FakeClaude, caplog: pytest.LogCaptureFixture) -> None:
    fake.batch_outcome = lambda custom_id, request: "expired"
    assert bench.write(6).fails(mode="batch") == 3
    assert "3 batches in a row ended without a reply" in caplog.text
    assert len(fake.batches) == 3 and not fake.ledger and not fake.requests


def test_an_outage_while_waiting_ends_no_run(bench: Bench, fake: FakeClaude) -> None:
    fake.num_failed_looks = 8  # more than the tries of one look
    ends_well(bench.write(6).run(mode="batch"), fake, num_paid=12)


def test_an_outage_that_stays_ends_the_run_and_pays_nothing_again(bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude_batches, "MAX_FAILED_LOOKS", 2)
    fake.num_failed_looks = 6
    assert bench.write(6).fails(mode="batch") == 3
    assert {row.cause for row in bench.rows()} == {"batch_unfinished"}
    ends_well(bench.run(mode="batch"), fake, num_paid=12)


def test_the_cap_holds_for_batches(bench: Bench, fake: FakeClaude) -> None:
    assert bench.write(20).fails(mode="batch", max_cost_usd=0.03) == 3
    spent = sum(2.0 * paid.input_tokens + 10.0 * paid.output_tokens for paid in fake.ledger) / 2e6
    assert 0 < spent <= 0.03


def spent_usd(fake: FakeClaude) -> float:
    return sum((2.0 * paid.input_tokens + 10.0 * paid.output_tokens) / (2e6 if paid.batch else 1e6) for paid in fake.ledger)


def ends_well(rows: list[Judgement], fake: FakeClaude, *, num_paid: int) -> None:
    """Every row scored by one reply, and nothing else paid for."""
    assert {row.cause for row in rows} == {"scored"} and {len(row.replies) for row in rows} == {1}
    assert len(fake.ledger) == num_paid and not fake.requests, "paid for twice, or asked directly at twice the price"


def test_all_batches_are_in_progress_at_once(bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_JUDGE_BATCH_REQUESTS", "10")
    fake.batch_seconds = 2.0
    ends_well(bench.write(20).run(mode="batch"), fake, num_paid=40)
    assert len(fake.batches) == fake.most_in_progress == 4


def test_a_batch_stays_below_its_size(bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_JUDGE_BATCH_MEGABYTES", "0.03")
    ends_well(bench.write(20).run(mode="batch"), fake, num_paid=40)
    assert len(fake.batches) > 2 and 20_000 < fake.largest_batch_bytes <= 30_000


def test_a_batch_that_is_refused_as_too_large_is_sent_in_halves(bench: Bench, fake: FakeClaude) -> None:
    fake.max_batch_bytes = 40_000
    ends_well(bench.write(20).run(mode="batch"), fake, num_paid=40)
    assert 2 < len(fake.batches) <= 8


def test_one_answer_too_large_for_any_batch_holds_up_no_other(bench: Bench, fake: FakeClaude) -> None:
    fake.max_batch_bytes = 40_000
    rows = bench.write(10, lambda number, arm: "water " * 10_000 if (number, arm) == (3, "base") else None).run(mode="batch")
    assert Counter(row.cause for row in rows) == {"scored": 19, "rejected_request": 1} and len(fake.ledger) == 19


def test_a_full_queue_takes_the_rest_when_a_batch_has_ended(bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_JUDGE_BATCH_REQUESTS", "10")
    fake.max_open_batches, fake.batch_seconds = 1, 0.2
    ends_well(bench.write(20).run(mode="batch"), fake, num_paid=40)
    assert len(fake.batches) == 4 and fake.most_in_progress == 1


@pytest.mark.parametrize("kind", ["status", "reset_after"])
def test_a_second_batch_that_fails_for_a_while_is_tried_again(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("PLUMBLINE_JUDGE_BATCH_REQUESTS", "10")
    fake.batch_seconds = 0.3
    fake.batch_faults = [None, *(Fault(kind, 500) for _ in range(3 if kind == "status" else 1))]
    ends_well(bench.write(10).run(mode="batch"), fake, num_paid=20)
    assert len(fake.batches) == 2


def test_a_second_batch_that_cannot_be_made_leaves_the_first_paid_once(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PLUMBLINE_JUDGE_BATCH_REQUESTS", "10")
    fake.batch_faults = [None, *(Fault("status", 500) for _ in range(50))]
    assert bench.write(10).fails(mode="batch") == 3
    assert "no batch can be created: server_error" in caplog.text
    assert Counter(row.cause for row in bench.rows()) == {"scored": 10, "batch_unfinished": 10}
    fake.batch_faults = []
    ends_well(bench.run(mode="batch"), fake, num_paid=20)


def test_a_batch_that_was_submitted_is_collected_in_direct_mode_too(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(claude_batches, "look", interrupt)
        bench.write(6).run(mode="batch")
    ends_well(bench.run(mode="direct"), fake, num_paid=12)


def somebody_elses(count: int) -> dict[str, Any]:
    params = {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    return {"requests": [{"custom_id": f"theirs-{number}", "params": params} for number in range(count)]}


@pytest.mark.parametrize("ours_exists", [True, False])
def test_a_batch_of_the_same_size_that_is_anothers_is_not_taken_for_ours(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, ours_exists: bool
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        if ours_exists:
            patch.setattr(Journal, "created", interrupt)
        else:
            patch.setattr(batch_submission, "_create", interrupt)
        bench.write(6).run(mode="batch")
    fake.create_batch(somebody_elses(12))
    ends_well(bench.run(mode="batch"), fake, num_paid=24)
    assert len(fake.batches) == 2


@pytest.mark.parametrize("ours_exists", [True, False])
def test_old_batches_of_a_busy_workspace_are_neither_remembered_nor_taken(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ours_exists: bool
) -> None:
    caplog.set_level("INFO")
    for _ in range(30):
        fake.create_batch(somebody_elses(12))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        if ours_exists:
            patch.setattr(Journal, "created", interrupt)
        else:
            patch.setattr(batch_submission, "_create", interrupt)
        bench.write(6).run(mode="batch")
    [intent] = [line for path in bench.folder.rglob("*.batches") for line in read_lines(path)]
    assert intent["known"] == [f"msgbatch_{number:04d}" for number in range(29, 9, -1)]
    ends_well(bench.run(mode="batch"), fake, num_paid=31 * 12)
    assert len(fake.batches) == 31 and [message[:14] for message in caplog.messages if "already exists" in message] == (
        ["batch msgbatch"] if ours_exists else []
    )


def test_results_whose_connection_breaks_are_read_again(bench: Bench, fake: FakeClaude) -> None:
    fake.num_cut_results = 2
    ends_well(bench.write(6).run(mode="batch"), fake, num_paid=12)


def test_results_that_always_break_keep_what_came(bench: Bench, fake: FakeClaude) -> None:
    fake.num_cut_results = 99
    assert bench.write(6).fails(mode="batch") == 3
    assert 3 <= Counter(row.cause for row in bench.rows())["scored"] <= 9
    fake.num_cut_results = 0
    ends_well(bench.run(mode="batch"), fake, num_paid=12)


def test_requests_that_are_rejected_one_and_all_stop_the_stage(bench: Bench, fake: FakeClaude, caplog: pytest.LogCaptureFixture) -> None:
    fake.batch_outcome, fake.batch_error = (lambda custom_id, request: "errored"), "invalid_request_error"
    assert bench.write(6).fails(mode="batch") == 3
    assert "rejected 12 of 12 requests as malformed" in caplog.text and not fake.ledger and not fake.requests


def test_the_cap_holds_when_a_killed_run_left_batches_behind(bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(claude_batches, "look", interrupt)
        fake.verdict = lambda request: {"reasoning": "x" * 3900, "score": 1}  # nearly the token limit: what may be spent is spent
        bench.write(40).run(mode="batch", max_cost_usd=0.06)
    assert fake.batches
    assert bench.fails(mode="batch", max_cost_usd=0.06) == 3
    assert 0 < spent_usd(fake) <= 0.06


def test_room_in_the_budget_is_used_as_batches_cost_less_than_they_might(bench: Bench, fake: FakeClaude) -> None:
    rows = bench.write(20).run(mode="batch", max_cost_usd=0.2)
    assert {row.cause for row in rows} == {"scored"} and len(fake.batches) > 1 and spent_usd(fake) <= 0.2


@pytest.fixture
def _small_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude_judge, "TRIAL_FROM", 20)
    monkeypatch.setattr(claude_judge, "TRIAL_BATCH", 8)
    monkeypatch.setattr(judge_survey, "LEAST_ASKED", 8)


@pytest.mark.usefixtures("_small_trial")
def test_a_trial_batch_shows_what_the_rest_will_cost(bench: Bench, fake: FakeClaude, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    ends_well(bench.write(20).run(mode="batch"), fake, num_paid=40)
    assert batches_paid(fake) == {"msgbatch_0000": 8, "msgbatch_0001": 32}
    [rest] = [message for message in caplog.messages if "about 32 of 40 items" in message]
    found = re.search(r"likely (\d+\.\d+) USD \(as the 8 so far\), at most (\d+\.\d+) USD", rest)
    cost_of_rest = sum(2.0 * paid.input_tokens + 10.0 * paid.output_tokens for paid in fake.ledger if paid.batch == "msgbatch_0001") / 2e6
    assert found is not None and float(found[1]) == pytest.approx(cost_of_rest, abs=0.006) and float(found[2]) > cost_of_rest


@pytest.mark.usefixtures("_small_trial")
def test_a_judge_whose_verdicts_cannot_be_read_costs_a_trial_batch_and_no_more(
    bench: Bench, fake: FakeClaude, caplog: pytest.LogCaptureFixture
) -> None:
    fake.verdict = lambda request: {"reasoning": "fair", "score": 0.6}
    for _ in range(2):
        assert bench.write(20).fails(mode="batch") == 3
        assert "only 0 of the first 8 items got a usable verdict ({'wrong_keys': 8})" in caplog.text and len(fake.ledger) == 8
