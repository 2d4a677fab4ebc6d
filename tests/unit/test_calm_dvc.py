"""DVC's output without the lines that a reader cannot act on, and its exit code if a signal ended a stage."""

import logging
import sys

import pytest

from plumbline.commands.calm_dvc import Ends, is_worth_saying, without_passing_names


def record(text: str, error: BaseException | None = None) -> logging.LogRecord:
    told = (type(error), error, None) if error is not None else None
    return logging.LogRecord("dvc", logging.WARNING, "", 0, text, (), told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No file hash info found for '/tmp/x/data/answers/base_examples.jsonl'. It won't be created.", False),
        ("'labels/explanations.jsonl' is empty.", False),
        ("failed to reproduce 'train': failed to run: python -m stages.train, exited with 1", True),
    ],
)
def test_what_is_said(text: str, said: bool) -> None:
    assert is_worth_saying(record(text)) is said


def test_an_experiment_has_one_name() -> None:
    told: list[object] = []
    write = without_passing_names(lambda *objects, **_: told.extend(objects))
    write("\nRan experiment(s): real-running-16954")
    write("To apply the results of an experiment to your workspace run:\n\n\tdvc exp apply <exp>")
    assert told == []
    write = without_passing_names(lambda *objects, **_: told.extend(objects))
    write("\nRan experiment(s): ochre-ball")
    write("To apply the results of an experiment to your workspace run:\n\n\tdvc exp apply <exp>")
    assert len(told) == 2


@pytest.mark.parametrize(("code", "stopped"), [(75, True), (-2, True), (-15, True), (1, False), (7, False), (-9, False)])
def test_a_stage_that_a_signal_ended_did_not_fail(code: int, stopped: bool) -> None:
    ends = Ends()
    try:
        try:
            raise RuntimeError(f"failed to run: python -m stages.answer base, exited with {code}")
        except RuntimeError as error:
            raise ValueError("failed to reproduce 'answer@base'") from error
    except ValueError as error:
        assert ends.filter(record("", error)) and sys.exception() is error
    assert ends.stopped is stopped
