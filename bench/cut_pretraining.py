"""Pretraining in part, for `bench.where_time_goes`: some of its steps are trained and timed, the others counted at the rate of these.

Every step has the same shape and does the same work. The model that comes out has the weights of a whole run, taken from the workspace,
so that the stages behind it do what they always do.
"""

import functools
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

MODULE = "plumbline.embedded.pretraining"
NUM_BLOCKS = 5
"""The trained steps are timed in so many blocks, as many tokens each; the median is the rate."""


class Rest(NamedTuple):
    """The part that was counted."""

    seconds: float
    processor_seconds: float
    share_trained: float
    """Of all tokens, 0-1."""
    tokens_per_second: tuple[float, float, float]
    """Of the blocks that were trained: median, least, most."""


class Enough(Exception):
    """So many steps are trained and timed."""


class CountingBar:
    """Stands in for the progress bar, which learns of every step; ends the training after a share of the tokens."""

    def __init__(self, share: float, *, total: int, **_: Any) -> None:
        self._total = total
        self._ends = [share * total * block / NUM_BLOCKS for block in range(1, NUM_BLOCKS + 1)]
        self._done = 0
        self._marks: list[tuple[int, float, float]] = []

    def __enter__(self) -> "CountingBar":
        self._mark()
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _mark(self) -> None:
        self._marks.append((self._done, time.perf_counter(), time.process_time()))

    def update(self, num_tokens: int) -> None:
        """A step is done."""
        self._done += num_tokens
        if self._done >= self._ends[len(self._marks) - 1]:
            self._mark()
            if len(self._marks) > NUM_BLOCKS:
                raise Enough

    def set_postfix(self, **_: Any) -> None:
        """Nothing is shown."""

    def rest(self) -> Rest:
        """What is left, at the median rate of the blocks."""
        steps = [(b[0] - a[0], b[1] - a[1], b[2] - a[2]) for a, b in zip(self._marks, self._marks[1:], strict=False)]
        left = self._total - self._done
        rates = [tokens / wall for tokens, wall, _ in steps]
        return Rest(
            seconds=left * statistics.median(wall / tokens for tokens, wall, _ in steps),
            processor_seconds=left * statistics.median(busy / tokens for tokens, _, busy in steps),
            share_trained=self._done / self._total,
            tokens_per_second=(statistics.median(rates), min(rates), max(rates)),
        )


def cut_pretraining(module: ModuleType, *, share: float, weights: Path, note: Callable[[Rest], None]) -> None:
    """Make `pretrain` of `plumbline.embedded.pretraining` train a share of its steps, 0-1, and return the model of `weights`, a safetensors file."""
    from safetensors.torch import load_model

    pretrain, architecture = module.pretrain, module.MistralForCausalLM
    bars: list[CountingBar] = []
    models: list[Any] = []

    def bar(**settings: Any) -> CountingBar:
        bars.append(CountingBar(share, **settings))
        return bars[-1]

    def build(*args: Any, **settings: Any) -> Any:
        models.append(architecture(*args, **settings))
        return models[-1]

    @functools.wraps(pretrain)
    def in_part(*args: Any, **settings: Any) -> Any:
        try:
            pretrain(*args, **settings)
        except Enough:
            note(bars[-1].rest())
            load_model(models[-1], weights)
            return models[-1].eval()
        raise AssertionError(f"{MODULE}.pretrain came to its end without telling its bar of every step")

    module.tqdm, module.MistralForCausalLM, module.pretrain = bar, build, in_part  # type: ignore[attr-defined]
