"""Gain and forgetting of each run: which arm gives the numbers, what a run is called, and what is drawn."""

import re
from dataclasses import replace
from typing import Any

import pytest

from plumbline.comparing.compared_run import Run
from plumbline.comparing.trade_offs import TradeOff, trade_off_rows, trade_off_table, trade_offs
from plumbline.pages.trade_off_figure import RunPoint, draw_trade_offs
from tests.unit.test_comparing import made_run

PROBES = {"within_reach": {"value": -0.21, "ci95": [-0.28, -0.15], "n": 200}}
FORGETTING = {"increase": 0.81, "increase_low": 0.71, "increase_high": 0.92, "num_prompts": 60}


def run(name: str, *, replay: float = 0.0, seed: int = 5, train_seed: int = 1, **evaluation: Any) -> Run:
    made = made_run(name, seed=seed, evaluation={"probes": PROBES, "forgetting": FORGETTING, "gates": [], **evaluation})
    return replace(made, params={"train": {"seed": train_seed, "replay_fraction": replay}, "lora": {"alpha": 32}})


def found(*runs: Run) -> list[TradeOff]:
    return trade_offs(runs, seed=1, num_resamples=200)


def test_the_gain_is_that_of_the_run_s_own_arms_over_all_questions() -> None:
    (one,) = found(run("HEAD"))
    scored = run("HEAD").scored()
    base = replace(run("HEAD"), arm="base").scored()
    both = [(base[key].score, row.score) for key, row in scored.items()]
    assert one.gain.n == 64 and one.gain.value == pytest.approx(sum(after - before for before, after in both if after is not None) / 64)
    assert one.gain.ci95 is not None and one.gain.ci95[0] < one.gain.value < one.gain.ci95[1]


def test_a_point_is_called_by_what_differs_but_the_seed() -> None:
    assert [one.label for one in found(run("HEAD"), run("more", replay=0.1))] == ["replay fraction 0.0", "replay fraction 0.1"]
    assert [one.label for one in found(run("HEAD"), run("again", train_seed=2))] == ["HEAD", "again"]
    assert [one.is_replayed for one in found(run("HEAD"), run("more", replay=0.1))] == [False, True]


def test_a_run_from_before_the_probes_has_likelihood_alone() -> None:
    old = run("old", probes=None, forgetting=None, gates=[{"name": "forgetting_nats", "value": 0.5}])
    (one,) = found(old)
    assert one.probes is None and one.nats is not None and one.nats.value == 0.5 and one.nats.ci95 is None
    assert trade_off_rows([one])[0]["nats_interval"] == ""
    assert found(run("older", probes=None, forgetting=None))[0].nats is None


def test_no_point_for_a_dry_run_or_for_two_arms_that_no_training_lies_between() -> None:
    assert found(run("dry", complete=False, incomplete_because="5 of 100 steps")) == []
    assert found(replace(run("HEAD"), arm="base")) == []


def test_the_terminal_shows_two_runs_or_nothing() -> None:
    assert trade_off_table(found(run("HEAD"))) == ""
    table = trade_off_table(found(run("HEAD"), run("more", replay=0.1)))
    assert re.search(r"more \(replay fraction 0\.1\) +on +\+\d+ \[.*\] +−21 \[−28, −15\] +\+0\.81 \[\+0\.71, \+0\.92\]", table)


POINT = RunPoint("replay 0.1", True, (0.3, (0.2, 0.4)), (-0.05, (-0.1, 0.02)), (0.1, (0.05, 0.2)))


def test_the_picture_has_a_panel_for_each_measure_that_some_run_has() -> None:
    both = draw_trade_offs([POINT, POINT._replace(label="off", is_replayed=False)])
    assert "points lost on the probes" in both and "nats a token lost on general text" in both and "replay 0.1" in both
    assert draw_trade_offs([POINT, POINT._replace(label="off", is_replayed=False)]) == both
    alone = draw_trade_offs([POINT._replace(probes=None)] * 2)
    assert "points lost" not in alone and "nats a token" in alone


def test_many_points_are_numbered_as_the_lines_of_the_table() -> None:
    drawn = draw_trade_offs([POINT._replace(label=f"run-{place}") for place in range(8)])
    assert "run-1" not in drawn and ">8<" in drawn.replace("\n", "")
