"""Show the progress of long work: a bar on a terminal, elsewhere a line at least once a minute. Touches stderr, the clock and a thread."""

import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Self, TypeVar

from tqdm import tqdm

EVERY_SECONDS = 60.0
"""Time between two lines. A thread keeps the time, so that lines also appear during one step of many minutes."""
REFRESH_SECONDS = 1.0
"""On a terminal, time between two updates of the bar: so its clock runs between two steps."""
SCALED_FROM = 100_000
"""From this total on, a bar counts in thousands."""

Item = TypeVar("Item")


class Progress:
    """How far long work has come. Use it as a context, and call `update` after each unit."""

    def __init__(
        self,
        what: str,
        *,
        total: int | None = None,
        unit: str = "",
        shown: bool = True,
        every_seconds: float = EVERY_SECONDS,
        stream: IO[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """`total`: None if it is not known; `unit`: in the singular, empty for work without steps; `shown`: False for all ranks but one.

        `wait`: sleeps for the given seconds and says whether the work has ended.
        """
        self.what, self.total, self.unit = what, total, unit
        self.done = self._first = 0
        self.note = ""
        """A note to show, such as a loss or a speed."""
        self._shown, self._clock = shown, clock
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()
        self._every = REFRESH_SECONDS if self._is_terminal else every_seconds
        self._ended = threading.Event()
        self._wait = self._ended.wait if wait is None else wait
        self._began = clock()
        self._bar: tqdm[Any] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._began = self._clock()
        if not self._shown:
            return self
        if self._is_terminal:
            scaled, form = (self.total or 0) >= SCALED_FROM, None if self.unit else "{desc}: {elapsed}"
            self._bar = tqdm(
                total=self.total, initial=self.done, unit=self.unit, unit_scale=scaled, desc=self.what, file=self._stream, bar_format=form
            )
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat of {self.what}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self._bar is not None:
            self._bar.close()

    def update(self, num: int = 1) -> None:
        """Count `num` more units as done."""
        self.done += num
        if self._bar is not None:
            self._bar.update(num)

    def begin_at(self, done: int) -> None:
        """Count the units that earlier runs did as done, but not for the speed."""
        self.update(done - self.done)
        self._first, self._began = self.done, self._clock()

    def say(self, note: str) -> None:
        """Set the note that the next line, or the bar, shows after the steps."""
        self.note = note
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)

    @property
    def per_second(self) -> float:
        """Units per second since the work began; 0 before the first."""
        seconds = self._clock() - self._began
        return (self.done - self._first) / seconds if seconds > 0 else 0.0

    def line(self) -> str:
        """Steps, the note, speed, and the time that is left at this speed."""
        rate = self.per_second
        parts = []
        if self.unit:
            of = "" if self.total is None else f" of {self.total:,}"
            parts.append(f"{self.done:,}{of} {self.unit}s")
        if self.note:
            parts.append(self.note)
        if self.unit and rate > 0:
            parts.append(f"{rate:,.1f} {self.unit}s/s" if rate >= 1 else f"{1 / rate:,.1f} s per {self.unit}")
        if self.total is not None and rate > 0:
            parts.append(f"{duration((self.total - self.done) / rate)} left")
        else:
            parts.append(f"{duration(self._clock() - self._began)} so far")
        return f"{self.what}: {', '.join(parts)}"

    def _beat(self) -> None:
        while not self._wait(self._every):
            if self._bar is not None:
                self._bar.refresh()
            else:
                self._stream.write(self.line() + "\n")
                self._stream.flush()


@contextmanager
def working(what: str, *, shown: bool = True) -> Iterator[None]:
    """Show how long work has taken so far, if its steps cannot be counted."""
    with Progress(what, shown=shown):
        yield


def watched(items: Iterable[Item], what: str, *, unit: str, total: int | None = None, shown: bool = True) -> Generator[Item, None, None]:
    """The items one by one, each counted when the next is asked for."""
    with Progress(what, total=total, unit=unit, shown=shown) as progress:
        for item in items:
            yield item
            progress.update()


def duration(seconds: float) -> str:
    """Seconds as a person would say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
