"""What a command sees that runs in a fresh clone. Touches the environment."""

import os
import sys
from collections.abc import Collection
from pathlib import Path


def clone_environment(*, without: Collection[str] = ()) -> dict[str, str]:
    """Our environment, with this Python first on the path: stages are started as `python -m ...`.

    `without`: variables that the command must not see, besides DVC_ROOT, which would name the project that we stand in.
    """
    kept = {name: value for name, value in os.environ.items() if name not in {"DVC_ROOT", *without}}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
