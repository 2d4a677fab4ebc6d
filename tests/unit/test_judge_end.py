"""From 30 days before a judge's end on, judging and comparing say so."""

from datetime import date, timedelta

import pytest

from plumbline.judging.end import end_warning

END = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("days_left", "said"),
    [
        (365, None),
        (31, None),
        (30, "stops answering on 2026-11-30, in 30 days: "),
        (1, "stops answering on 2026-11-30, in 1 day: "),
        (0, "stops answering on 2026-11-30, today: "),
        (-1, "stopped answering on 2026-11-30, 1 day ago: "),
        (-40, "stopped answering on 2026-11-30, 40 days ago: "),
    ],
)
def test_the_end_is_a_warning_from_thirty_days_before_it_on(days_left: int, said: str | None) -> None:
    told = end_warning("claude-x", end=END.isoformat(), today=END - timedelta(days=days_left))
    assert told is None if said is None else told is not None and told.startswith(f"the judge claude-x {said}")


def test_a_model_without_an_announced_end_is_no_warning() -> None:
    assert end_warning("claude-x", end=None, today=END) is None
