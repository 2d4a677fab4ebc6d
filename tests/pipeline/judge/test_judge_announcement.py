"""What judging may cost is said before the first call, and it is enough."""

import logging
import re
from datetime import date, timedelta

import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS

from plumbline.judging.prices import PRICES
from tests.fakes.claude_server import FakeClaude
from tests.fakes.judge_bench import Bench


class Listener(logging.Handler):
    """Keeps what was announced, with the number of requests that had reached the server by then."""

    def __init__(self, fake: FakeClaude) -> None:
        super().__init__()
        self.fake = fake
        self.heard: list[tuple[str, int]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("asking "):
            self.heard.append((record.getMessage(), len(self.fake.requests)))


def test_the_most_that_judging_can_cost_is_said_before_the_first_call(bench: Bench, fake: FakeClaude) -> None:
    listener, log = Listener(fake), logging.getLogger("judge")
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        bench.write(12).run()
        [(told, num_requests)] = listener.heard
        assert num_requests == 0 and len(fake.requests) == 24
        said = re.match(r"asking claude-sonnet-5-5 about 24 of 24 items.* at most ([\d.]+) USD .* 0\.0000 USD spent .*, cap 5\.0", told)
        assert said
        price = PRICES["claude-sonnet-5-5"]
        spent = sum(paid.input_tokens * price.input + paid.output_tokens * price.output for paid in fake.ledger) / 1e6
        assert 0 < spent <= float(said[1]) + 0.005
        bench.run()
        assert len(listener.heard) == 1, "nothing is to be asked, and nothing is announced"
    finally:
        log.removeHandler(listener)


@pytest.mark.parametrize("days_left", [31, 30, 0, -1])
def test_the_log_warns_from_thirty_days_before_the_judge_ends_on_and_no_output_knows_the_day(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, days_left: int
) -> None:
    # The server's model, given the end that the SDK lists for an older one: as it is written there.
    monkeypatch.setattr(
        "anthropic.resources.messages.messages.DEPRECATED_MODELS", {"claude-sonnet-5-5": DEPRECATED_MODELS["claude-sonnet-4-5-20250929"]}
    )
    monkeypatch.setattr("plumbline.judging.claude_judge.today", lambda: date(2025, 1, 1))
    bench.write(2).run(num_canary_questions=1)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    written = [bench.paths[name].read_bytes() for name in ("judged", "checks")]
    num_paid = len(fake.ledger)
    monkeypatch.setattr("plumbline.judging.claude_judge.today", lambda: date(2026, 11, 30) - timedelta(days=days_left))
    bench.run(num_canary_questions=1)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    if days_left > 30:
        assert said == []
    else:
        assert len(said) == 1 and re.match(r"the judge claude-sonnet-5-5 stop(s answering|ped answering) on 2026-11-30, ", said[0])
    assert len(fake.ledger) == num_paid > 0, "the store was full, and the end was said all the same"
    assert [bench.paths[name].read_bytes() for name in ("judged", "checks")] == written


def test_a_judge_that_stays_is_no_warning(bench: Bench, fake: FakeClaude, caplog: pytest.LogCaptureFixture) -> None:
    bench.write(2).run()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
