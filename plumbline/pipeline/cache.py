"""Where our own caches lie: `$DVC_ROOT/.cache/<name>/`, outside DVC's outs, which DVC deletes before a stage runs. Reads the environment."""

import os
from pathlib import Path
from typing import Literal


def cache_folder(name: Literal["answers", "judge", "train", "final_part", "models"]) -> Path:
    """The folder of one cache, in the main repository even under `dvc exp run --temp` and `--queue`: DVC names it in DVC_ROOT."""
    return Path(os.environ.get("DVC_ROOT") or ".") / ".cache" / name
