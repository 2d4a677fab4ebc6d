"""Tell from an audit event whether a stage opens one of its inputs."""

import os
import sys
from types import FrameType
from typing import Any

INPUTS = ("data/", "examples/", "labels/", "metrics/", "models/")


def opens_input(event: str, args: tuple[Any, ...]) -> bool:
    """Whether an audit event is a stage's `main` opening one of its inputs; reading by the drift guard is not one."""
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
