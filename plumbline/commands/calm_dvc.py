"""`python -m plumbline.commands.calm_dvc WORDS`: DVC as it is, without the lines that a reader can do nothing about. Touches what DVC touches."""

import gc
import logging
import re
import signal
import sys
from collections.abc import Callable
from typing import Any

from plumbline.stopping import SIGNALS, STOPPED

IDLE = re.compile(
    r""" \s* (?: '.*'\ is\ empty\.                  # a context that no arm uses, labels that no one gave yet: empty on purpose
              |  No\ file\ hash\ info\ found\ for    # an output of a stage that is still to run: DVC looks for it in a new folder
              |  To\ track\ the\ changes\ with\ git   # the last line of `plumbline run` says what git shows
              |  To\ enable\ auto\ staging
              )
    """,
    re.VERBOSE,
)
PASSING_NAME = re.compile(r"\s*Ran experiment\(s\): .*-running-\d+\s*")
"""An experiment that gets its final name at its end; `plumbline real` prints that name."""
TO_APPLY = "To apply the results of an experiment"
INTERRUPTED = 252
"""Exit code of DVC if Ctrl-C came between two stages."""
ENDED_BY_A_SIGNAL = re.compile(rf"exited with (?:{STOPPED}|{'|'.join(str(-number) for number in SIGNALS)})$")


def is_worth_saying(record: logging.LogRecord) -> bool:
    """Whether a line of DVC tells a reader something."""
    return not IDLE.match(record.getMessage())


def without_passing_names(write: Callable[..., None]) -> Callable[..., None]:
    """DVC's `ui.write` without the lines about an experiment that still has a passing name."""
    passing = False

    def told(*objects: Any, **options: Any) -> None:
        nonlocal passing
        text = " ".join(map(str, objects))
        if PASSING_NAME.fullmatch(text):
            passing = True
        elif not (passing and text.startswith(TO_APPLY)):
            write(*objects, **options)

    return told


class Ends(logging.Filter):
    """Notes whether a stage that DVC calls failed was stopped by a signal; drops no line."""

    stopped = False

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        while error is not None:
            self.stopped = self.stopped or ENDED_BY_A_SIGNAL.search(str(error)) is not None
            error = error.__cause__ or error.__context__
        return True


def main(words: list[str]) -> int:
    """Run a DVC command in this process; words of ours may come first (`early_copies`, `stale_scores`). Returns its exit code, or 75 if a signal stopped it or its stage."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in a script that starts it with `&`: a stage takes Ctrl-C there too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # As plumbline/model/quiet.py does for stages: to load DVC makes no garbage. A run with nothing to do takes 4 % less time (median of 7).
    gc.set_threshold(50_000, 10, 10)
    from dvc.cli import main as dvc_main
    from dvc.ui import ui

    from plumbline.commands.early_copies import copy_early, taken_from
    from plumbline.commands.stale_scores import asked_for, remove_scores

    copies, words = taken_from(words)
    if copies:
        copy_early(copies)
    without_scores, words = asked_for(words)
    if without_scores:
        remove_scores()
    ends = Ends()
    ui.write = without_passing_names(ui.write)
    for handler in logging.getLogger("dvc").handlers:
        handler.addFilter(is_worth_saying)
        handler.addFilter(ends)
    code = dvc_main(words)
    return STOPPED if code == INTERRUPTED or (code and ends.stopped) else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
