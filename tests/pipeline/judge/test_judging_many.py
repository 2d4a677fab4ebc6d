"""Thousands of answers in batches, the stage as a separate process: memory, kills, and the account against the server's."""

import json
import random
import re
import time
from pathlib import Path

import pytest

from bench import judging_batches
from plumbline.judging.prices import judging_cost_usd, paid_replies
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement
from tests.fakes.claude_server import serving
from tests.fakes.judging_at_scale import Run, lay_out, ledger_usd, run, server_for_many, start

pytestmark = pytest.mark.slow
MODEL = "claude-sonnet-5-5"
MOST_BYTES_PER_ANSWER = 1_500
"""A reply alone has 2,700 and a request 3,900: neither may stay in memory."""


def judged(root: Path) -> bytes:
    return (root / "data/grades/judged.jsonl").read_bytes()


def test_memory_grows_by_a_small_part_of_an_answer(tmp_path: Path) -> None:
    peaks = {}
    for num_answers in (2_000, 8_000):
        with serving(server_for_many()) as fake:
            root = lay_out(tmp_path / str(num_answers), num_answers=num_answers)
            found = run(root, fake, PLUMBLINE_JUDGE_BATCH_REQUESTS="500")
            assert found.exit_code == 0 and len(fake.ledger) == num_answers and len(fake.batches) == num_answers // 500
            from_store = run(root, fake)
            assert from_store.exit_code == 0 and len(fake.ledger) == num_answers, "reading the store pays nothing"
            peaks[num_answers] = (found.peak_bytes, from_store.peak_bytes)
    growths = [(more - less) / 6_000 for less, more in zip(peaks[2_000], peaks[8_000], strict=True)]
    print(f"{growths} bytes per answer, peaks {peaks}")
    assert max(growths) < MOST_BYTES_PER_ANSWER


def test_kills_in_the_middle_end_in_the_same_bytes_and_in_one_payment_per_answer(tmp_path: Path) -> None:
    num_answers, environment = 3_000, {"PLUMBLINE_JUDGE_BATCH_REQUESTS": "400"}
    with serving(server_for_many()) as fake:
        whole = lay_out(tmp_path / "whole", num_answers=num_answers)
        undisturbed = run(whole, fake, **environment)
        assert undisturbed.exit_code == 0 and len(fake.ledger) == num_answers
    rng = random.Random(5)
    num_killed, states, num_series = 0, set[tuple[bool, bool]](), 0
    while num_killed < 3 or (True, True) not in states:
        with serving(server_for_many()) as fake:
            root = lay_out(tmp_path / f"killed-{num_series}", num_answers=num_answers)
            fake.batch_seconds = undisturbed.wall_seconds / 10
            num_killed_here, ended = 0, None
            while ended != 0:
                process = start(root, fake, **environment)
                if num_killed_here < 12:
                    time.sleep(rng.uniform(0.2, 0.6) * undisturbed.wall_seconds)
                    process.kill()
                _, said = process.communicate()
                ended = process.returncode
                assert ended in (0, -9), said
                num_killed_here += ended == -9
                states.add((bool(fake.batches), (root / ".cache/judge/replies.jsonl").exists()))
                fake.wait_for_gone_clients()  # what a killed client sent is accepted all the same
            assert judged(root) == judged(whole), "the same bytes"
            assert len(fake.ledger) == num_answers and not fake.requests, "paid twice, or at twice the price"
            assert f"cost {ledger_usd(fake):.4f} USD" in said
        num_killed, num_series = num_killed + num_killed_here, num_series + 1
        assert num_series < 10, f"{num_killed} kills, {states}"
    print(f"{num_killed} kills in {num_series} series")


def test_the_benchmark_prints_a_line_per_size_and_writes_its_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judging_batches.main([100, 300], tmp_path / "found.json")
    rows = json.loads((tmp_path / "found.json").read_text())["sizes"]
    assert [(row["answers"], row["batches"]) for row in rows] == [(100, 1), (300, 1)]
    assert all(row["said_usd"] == row["billed_usd"] > 0 and row["peak_bytes"] > 5e7 for row in rows)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[2].split()[:2] == ["100", "1"]


def said_usd(found: Run, pattern: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, match.groups())) for match in re.finditer(pattern, found.said)]


def test_projection_account_and_metrics_agree_with_the_servers_ledger(tmp_path: Path) -> None:
    with serving(server_for_many()) as fake:
        # Some results fail, so a few items are left for direct calls at the full price.
        fake.batch_outcome = lambda custom_id, request: "expired" if custom_id.startswith("00") else "succeeded"
        root = lay_out(tmp_path, num_answers=3_000, num_canary_questions=3, retest_fraction=0.1)
        found = run(root, fake)
        billed = ledger_usd(fake)
        num_direct = sum(paid.batch is None for paid in fake.ledger)
    assert found.exit_code == 0 and 0 < num_direct < 50
    (first_likely, first_most), (rest_likely, rest_most) = said_usd(found, r"likely (\d+\.\d+) USD.*?at most (\d+\.\d+) USD")
    assert first_most > first_likely > billed, "assumed: rather too dear"
    assert said_usd(found, r"(\d+\.\d+) USD spent so far")[0] == (0.0,)
    (spent_on_trial,) = said_usd(found, r"(\d+\.\d+) USD spent so far")[1]
    assert spent_on_trial + rest_likely == pytest.approx(billed, rel=0.03) and rest_most > rest_likely, "measured"
    assert said_usd(found, r"cost (\d+\.\d+) USD") == [(pytest.approx(billed, abs=1e-4),)]
    verdicts = [
        *read_jsonl(root / "data/grades/judged.jsonl", Judgement),
        *read_jsonl(root / "data/grades/judge_checks.jsonl", JudgeCheck),
    ]
    replies = paid_replies(verdicts)
    assert judging_cost_usd(replies, MODEL) == pytest.approx(billed)
    assert sum(reply.input_tokens for reply in replies) == sum(paid.input_tokens for paid in fake.ledger)
    assert sum(reply.output_tokens for reply in replies) == sum(paid.output_tokens for paid in fake.ledger)
