"""Show a training elsewhere while it runs, through the Trainer's own integrations. Reads the environment; sets where the trackers write.

Off by default, and no part of a result: what is shown is what the Trainer logs, and files lie in .cache/trackers, outside of what DVC tracks.
"""

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from plumbline.pipeline.cache import cache_folder
from plumbline.pipeline.refused import Refused

if TYPE_CHECKING:
    from transformers import TrainerCallback

VARIABLE = "PLUMBLINE_TRACKERS"
PACKAGES = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
    "mlflow": ("mlflow",),
    "trackio": ("trackio",),
    "dvclive": ("dvclive",),
}
"""Tracker -> the packages of which one must be there."""
PLACES = {
    "tensorboard": ("TENSORBOARD_LOGGING_DIR", ""),
    "wandb": ("WANDB_DIR", ""),
    "mlflow": ("MLFLOW_TRACKING_URI", "file:"),
    "trackio": ("TRACKIO_DIR", ""),
}
"""Tracker -> the variable of its own that says where it writes, and what stands before the folder. One that is set stays as it is."""


def wanted_trackers() -> list[str]:
    """The trackers of PLUMBLINE_TRACKERS. Refused where one is unknown, or its package is not installed."""
    names = list(dict.fromkeys(name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()))
    if unknown := [name for name in names if name not in PACKAGES]:
        raise Refused(
            f"{VARIABLE} names {', '.join(unknown)}; the trackers are {', '.join(PACKAGES)}, separated by commas. Unset it for none."
        )
    if missing := [name for name in names if not any(find_spec(package) for package in PACKAGES[name])]:
        packages = " ".join(PACKAGES[name][0] for name in missing)
        raise Refused(f"{VARIABLE} names {', '.join(missing)}, which is not installed. Run `pip install {packages}`, or take it out.")
    return names


def report_to() -> list[str] | str:
    """The value for the Trainer, once its trackers know where to write; DVCLive comes as a callback of its own."""
    names = [name for name in wanted_trackers() if name != "dvclive"]
    for name in names:
        variable, prefix = PLACES[name]
        if variable not in os.environ:
            folder = cache_folder("train").parent / "trackers" / name
            folder.mkdir(parents=True, exist_ok=True)
            os.environ[variable] = f"{prefix}{folder}"
    return names or "none"


def tracker_callbacks() -> list["TrainerCallback"]:
    """DVCLive's, if it is wanted: by itself it would write into the workspace, and save an experiment of its own."""
    if "dvclive" not in wanted_trackers():
        return []
    from dvclive import Live  # type: ignore[import-not-found]
    from transformers.integrations import DVCLiveCallback

    live = Live(dir=str(cache_folder("train").parent / "trackers" / "dvclive"), save_dvc_exp=False, dvcyaml=None, report=None)
    return [DVCLiveCallback(live=live)]
