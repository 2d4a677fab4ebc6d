"""A signal stops a stage within seconds: it says so, cleans up and exits 75, so that DVC keeps nothing of it. Touches signals, stderr and a thread.

Python's own way loses signals: a KeyboardInterrupt in a `__del__` or in a callback of C code is swallowed, and one that comes while the interpreter
ends is never raised. The stage then exits 0, and DVC, which waits for its exit code alone, starts the next one.
"""

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

STOPPED = 75
"""Exit code of a stage or a run that a signal stopped: EX_TEMPFAIL, the same command resumes."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_SECONDS = 1.0
"""After this time a stop that was swallowed is raised again."""
CLEANING_SECONDS = 15.0
"""After this time the process ends as it is: its files are whole at any moment."""


class Stopped(SystemExit):
    """The exception that a signal raises; no `except Exception` catches it."""


_received: list[signal.Signals] = []


def taken_signals() -> list[signal.Signals]:
    """The signals that stop a stage. SIGHUP is left out if it is ignored, as under nohup. SIGINT stays, or Ctrl-C would do nothing without a word."""
    return [number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]


def stop_on_signals() -> None:
    """From here on a signal stops this process, until the training takes signals for itself."""
    owner = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a process that was forked and is not the stage
            os._exit(128 + number)
        if not _received:
            _received.append(signal.Signals(number))
            say()
            threading.Thread(target=insist, name="stopping", daemon=True).start()
        elif is_cleaning_up():
            return
        raise Stopped(STOPPED)

    def insist() -> None:
        ends = time.monotonic() + CLEANING_SECONDS
        while time.monotonic() < ends:
            time.sleep(AGAIN_SECONDS)
            _thread.interrupt_main(_received[0])
        os._exit(STOPPED)

    def end() -> None:
        if _received and os.getpid() == owner:
            sys.stdout.flush()
            os._exit(STOPPED)
        for number in taken:  # nothing runs a handler from here on: the signal itself must end the process
            signal.signal(number, signal.SIG_DFL)

    taken = taken_signals()
    for number in taken:
        signal.signal(number, stop)
    atexit.register(end)  # the first that is registered runs last


def say() -> None:
    """Print one line, from the first of several ranks; a terminal that has gone is not a reason to fail."""
    if os.environ.get("RANK", "0") != "0":
        return
    name = os.environ.get("DVC_STAGE", "").partition("@")[0] or Path(sys.argv[0]).stem
    begin = "\n" if sys.stderr is not None and sys.stderr.isatty() else ""
    with suppress(OSError):
        os.write(2, f"{begin}{name}: stopped by a signal; run the same command to resume\n".encode())


def is_cleaning_up() -> bool:
    """Whether a stop is under way: the block that runs now handles it."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, Stopped):
            return True
        error = error.__context__
    return False
