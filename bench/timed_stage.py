"""Run a stage as DVC does, and write down which phase each moment of it belonged to.

    python -m bench.timed_stage STAGE FOLDER
    python -m bench.timed_stage base FOLDER 0.3 MODEL.safetensors      trains 0.3 of the steps (bench/cut_pretraining.py)

FOLDER/STAGE.begin holds the clock time at which the process was started, and FOLDER/STAGE.json is written. The stages know
nothing of this: the functions that make up a phase are wrapped as their modules are loaded, and so is the loading itself.
"""

import functools
import json
import os
import runpy
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from bench.cut_pretraining import MODULE, Rest, cut_pretraining

PHASES = {
    "plumbline.pipeline.params:load_params": "parameters and drift guard",
    "plumbline.pipeline.inputs:snapshot": "parameters and drift guard",
    "plumbline.model.weights:load_model": "model load",
    "plumbline.model.weights:load_tokenizer": "model load",
    "plumbline.model.adapter:load_adapter": "model load",
    "plumbline.training.trainer:build_trainer": "model load",
    "plumbline.training.device_readiness:refuse_unfit_device": "checks",
    "plumbline.preflight.readiness_probe:adapted_modules": "checks",
    "plumbline.preflight.readiness_probe:overfit": "checks",
    "plumbline.preflight.readiness_probe:packed_gradient_difference": "checks",
    "plumbline.embedded.pretraining:train_tokenizer": "rendering and packing",
    "plumbline.embedded.pretraining:block_rows": "rendering and packing",
    "plumbline.model.tokenization:render_example": "rendering and packing",
    "plumbline.model.tokenization:render_prompt": "rendering and packing",
    "plumbline.training.trainer:pack": "rendering and packing",
    "plumbline.embedded.pretraining:pretrain": "training",
    "plumbline.training.trainer:fit": "training",
    "plumbline.answering.generation:greedy_tokens": "generation",
    "plumbline.answering.generation:choice_logprobs": "generation",
    "plumbline.training.likelihoods:likelihoods": "generation",
    "plumbline.pipeline.files:write_text": "writing",
    "plumbline.pipeline.jsonl:write_jsonl": "writing",
    "plumbline.model.adapter:save_adapter": "writing",
    "plumbline.embedded.pretraining:save_embedded": "writing",
    "plumbline.training.trainer:_Trainer._save_checkpoint": "writing",
    "plumbline.answering.answer_store:append_answers": "writing",
    "plumbline.pages.page:render_page": "figures and page",
    "plumbline.pages.html_page:write_page": "figures and page",
    "plumbline.pages.figures:draw_scores": "figures and page",
    "plumbline.pages.figures:draw_differences": "figures and page",
    "plumbline.pages.figures:draw_loss": "figures and page",
    "plumbline.pages.data_figures:draw_lengths": "figures and page",
}
"""module:function -> phase. What is in none is the stage's own work: cleaning in `clean`, grading in `grade`, ..."""
IMPORTS, OWN_WORK = "imports", "own work"
INPUTS = ("data/", "examples/", "labels/", "metrics/", "models/")


def opens_input(event: str, args: tuple[Any, ...]) -> bool:
    """Whether an audit event is a stage's `main` opening one of its inputs; the drift guard's own reading is none."""
    if event != "open" or not str(args[0]).startswith(INPUTS):
        return False
    path_mode, flags = args[1:]
    by_descriptor = path_mode is None and flags & os.O_ACCMODE == os.O_RDONLY and not flags & os.O_DIRECTORY  # os.open
    if path_mode not in ("r", "rb") and not by_descriptor:
        return False
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == "plumbline.pipeline.inputs":
            return False
        frame = frame.f_back
    return True


class Stopwatch:
    """Gives every moment to one phase, the innermost that is open; within imports also to one package."""

    def __init__(self, began: float) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.busy: defaultdict[str, float] = defaultdict(float)
        """The same in processor seconds, of all threads."""
        self.importing: defaultdict[str, float] = defaultdict(float)
        self.before_first_input: float | None = None
        self.rest: Rest | None = None
        """What was counted without being run."""
        self._began = self._last = began
        self._last_busy = 0.0
        self._open: list[tuple[str, str | None]] = [(IMPORTS, "python")]

    def _credit(self) -> None:
        now, busy = time.time(), time.process_time()
        phase, package = self._open[-1]
        self.seconds[phase] += now - self._last
        self.busy[phase] += busy - self._last_busy
        if package is not None:
            self.importing[package] += now - self._last
        self._last, self._last_busy = now, busy

    @contextmanager
    def phase(self, name: str, package: str | None = None) -> Iterator[None]:
        self._credit()
        self._open.append((name, package))
        try:
            yield
        finally:
            self._credit()
            self._open.pop()

    def start_work(self) -> None:
        """What is in no phase is the stage's own work from here on."""
        self._credit()
        self._open[0] = (OWN_WORK, None)

    def note_first_input(self, event: str, args: tuple[Any, ...]) -> None:
        """Audit hook."""
        if self.before_first_input is None and opens_input(event, args):
            self.before_first_input = time.time() - self._began

    def account(self) -> dict[str, Any]:
        self._credit()
        return {
            "seconds": dict(self.seconds),
            "imports_by_package": dict(sorted(self.importing.items(), key=lambda one: -one[1])[:8]),
            "before_first_input": self.before_first_input,
            "processor_seconds": dict(self.busy),
            "ended": time.time(),
            "rest": self.rest and self.rest._asdict(),
        }


def timed(function: Callable[..., Any], watch: Stopwatch, phase: str) -> Callable[..., Any]:
    """The function, its time given to the phase."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with watch.phase(phase):
            return function(*args, **kwargs)

    return call


def wrap_phases(module: ModuleType, watch: Stopwatch) -> None:
    """Time the functions of a module of ours, before another can have taken hold of them."""
    for place, phase in PHASES.items():
        name, _, path = place.partition(":")
        if name == module.__name__:
            owner = functools.reduce(getattr, path.split(".")[:-1], module)
            function = path.split(".")[-1]
            setattr(owner, function, timed(getattr(owner, function), watch, phase))
    if module.__name__ == "plumbline.pipeline.inputs":
        guard = module.inputs_unchanged

        def inputs_unchanged() -> Any:
            watch.start_work()
            return guard()

        module.inputs_unchanged = inputs_unchanged  # type: ignore[attr-defined]


def time_imports(watch: Stopwatch, change: Callable[[ModuleType], None] = lambda module: None) -> None:
    """Time the loading of every module, compiled ones included; `change` may lay hands on one of ours before it is timed."""

    def loading(load: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def timed_load(loader: Any, given: Any) -> Any:
            with watch.phase(IMPORTS, given.__name__.partition(".")[0] if isinstance(given, ModuleType) else given.name.partition(".")[0]):
                done = load(loader, given)
            if isinstance(given, ModuleType) and given.__name__.startswith(("plumbline.", "stages.")):
                change(given)
                wrap_phases(given, watch)
            return done

        return timed_load

    SourceFileLoader.exec_module = loading(SourceFileLoader.exec_module)  # type: ignore[method-assign]
    ExtensionFileLoader.create_module = loading(ExtensionFileLoader.create_module)  # type: ignore[method-assign]
    ExtensionFileLoader.exec_module = loading(ExtensionFileLoader.exec_module)  # type: ignore[method-assign]


def main(stage: str, folder: Path, share: float = 1.0, weights: Path | None = None) -> None:
    """Run and write, whatever the stage's exit status. With `weights` only a share of pretraining is run."""
    watch = Stopwatch(float((folder / f"{stage}.begin").read_text(encoding="utf-8")))

    def note(rest: Rest) -> None:
        watch.rest = rest

    def cut(module: ModuleType) -> None:
        if weights is not None and module.__name__ == MODULE:
            cut_pretraining(module, share=share, weights=weights, note=note)

    time_imports(watch, cut)
    sys.addaudithook(watch.note_first_input)
    sys.argv = [f"stages/{stage}.py"]
    try:
        runpy.run_module(f"stages.{stage}", run_name="__main__", alter_sys=True)
    finally:
        (folder / f"{stage}.json").write_text(json.dumps(watch.account()), encoding="utf-8")


if __name__ == "__main__":
    assert "DVC_STAGE" in os.environ, "run by bench.where_time_goes, which lets DVC run the stages"
    name, times, *part = sys.argv[1:]
    if part:
        main(name, Path(times), share=float(part[0]), weights=Path(part[1]))
    else:
        main(name, Path(times))
