"""Show a running training in other tools, through the Trainer's integrations. Reads the environment, and sets where the trackers write.

Off by default, and not part of a result: trackers show what the Trainer logs. Their files lie in .cache/trackers, which DVC does not track.
Nothing is sent unless a variable of the tracker says so: W&B writes offline, and MLflow's usage reports are off.
"""

import logging
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plumbline.pipeline.cache import cache_folder
from plumbline.pipeline.refused import Refused
from plumbline.training.which_rank import rank

if TYPE_CHECKING:
    from transformers import TrainerCallback

log = logging.getLogger("train")
VARIABLE = "PLUMBLINE_TRACKERS"
PROJECT = "plumbline"
PACKAGES = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
    "mlflow": ("mlflow",),
    "trackio": ("trackio",),
    "dvclive": ("dvclive",),
}
"""Tracker -> packages; one of them must be installed."""
SETTINGS = {
    "tensorboard": {"TENSORBOARD_LOGGING_DIR": "{folder}/{run}"},
    "wandb": {
        "WANDB_MODE": "offline",
        "WANDB_PROJECT": PROJECT,
        "WANDB_CONSOLE": "off",
        "WANDB_DISABLE_CODE": "true",
        "WANDB_DIR": "{folder}",
        "WANDB_DATA_DIR": "{folder}/staging",
        "WANDB_CACHE_DIR": "{folder}/cache",
        "WANDB_CONFIG_DIR": "{folder}/config",
    },
    "mlflow": {
        "MLFLOW_TRACKING_URI": "sqlite:///{folder}/mlflow.db",
        "MLFLOW_EXPERIMENT_NAME": PROJECT,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    },
    "trackio": {"TRACKIO_DIR": "{folder}"},
    "dvclive": {},
}
"""Tracker -> its own variables, with the folder of the tracker and the name of the run. A variable that is already set keeps its value."""


def wanted_trackers() -> list[str]:
    """The trackers of PLUMBLINE_TRACKERS. Refused if one is unknown, or its package is not installed."""
    names = list(dict.fromkeys(name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()))
    if unknown := [name for name in names if name not in PACKAGES]:
        raise Refused(f"{VARIABLE} names {', '.join(unknown)}. Set it to {', '.join(PACKAGES)}, separated by commas, or unset it for none.")
    if missing := [name for name in names if not any(find_spec(package) for package in PACKAGES[name])]:
        packages = " ".join(PACKAGES[name][0] for name in missing)
        raise Refused(f"{VARIABLE} names {', '.join(missing)}, which is not installed. Run `pip install {packages}`, or remove it.")
    return names


def tracker_folder(name: str) -> Path:
    """The folder in which a tracker writes."""
    return cache_folder("train").parent / "trackers" / name


def report_to(run: str) -> list[str] | str:
    """Tell the trackers where to write, and return the Trainer's value. DVCLive is a separate callback. `run`: name of the training."""
    names = wanted_trackers()
    for name in names:
        folder = tracker_folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        for variable, value in SETTINGS[name].items():
            os.environ.setdefault(variable, value.format(folder=folder, run=run))
    if names and rank() == 0:
        log.info("shown by %s as %s; files in %s", ", ".join(names), run, tracker_folder(""))
    return [name for name in names if name != "dvclive"] or "none"


def tracker_callbacks(run: str) -> list["TrainerCallback"]:
    """DVCLive's, if wanted. By default it would write into the workspace, save its own experiment, and take log lines for steps."""
    if "dvclive" not in wanted_trackers() or rank() != 0:
        return []
    from dvclive import Live  # type: ignore[import-not-found]
    from transformers.integrations import DVCLiveCallback

    class InSteps(DVCLiveCallback):
        """Each value at its step of the training."""

        def on_log(self, args: Any, state: Any, control: Any, model: Any = None, logs: Any = None, **kwargs: Any) -> None:
            live.step = state.global_step
            super().on_log(args, state, control, model=model, logs=logs, **kwargs)

    folder = tracker_folder("dvclive") / run
    live = Live(dir=str(folder), resume=folder.is_dir(), save_dvc_exp=False, dvcyaml=None, report=None)
    return [InSteps(live=live)]
