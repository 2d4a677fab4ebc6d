"""What judging may cost is said before the first call, and it is enough."""

import logging
import re

from stages.logic.prices import PRICES
from tests.fakes.claude_server import FakeClaude
from tests.fakes.judge_bench import Bench


class Listener(logging.Handler):
    """Keeps what was announced, with the number of requests that had reached the server by then."""

    def __init__(self, fake: FakeClaude) -> None:
        super().__init__()
        self.fake = fake
        self.heard: list[tuple[str, int]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "items to ask" in record.getMessage():
            self.heard.append((record.getMessage(), len(self.fake.requests)))


def test_the_most_that_judging_can_cost_is_said_before_the_first_call(bench: Bench, fake: FakeClaude) -> None:
    listener, log = Listener(fake), logging.getLogger("judge")
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        bench.write(12).run()
        [(told, num_requests)] = listener.heard
        assert num_requests == 0 and len(fake.requests) == 24
        said = re.match(r"24 of 24 items to ask claude-sonnet-5-5 about.* at most ([\d.]+) USD .* 0\.0000 USD spent .*, cap 5\.0", told)
        assert said
        price = PRICES["claude-sonnet-5-5"]
        spent = sum(paid.input_tokens * price.input + paid.output_tokens * price.output for paid in fake.ledger) / 1e6
        assert 0 < spent <= float(said[1]) + 0.005
        bench.run()
        assert len(listener.heard) == 1, "nothing is to be asked, and nothing is announced"
    finally:
        log.removeHandler(listener)
