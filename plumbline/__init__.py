"""What a notebook calls. Nothing is imported before it is called: no stage and no command waits for pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plumbline.comparing.frames import Frames
    from plumbline.comparing.logs.log_grades import ScoreParams
    from plumbline.comparing.logs.matching import MatchBy


def load_run(name: str, *, root: str | Path | None = None) -> Frames:
    """A run as tables of pandas; `name`: a commit, an experiment, or `workspace`; `root`: the folder of the clone; by default the clone around the present folder."""
    from plumbline.comparing.run_frames import load_run as load

    return load(name, root=root)


def load_logs(paths: Sequence[str | Path], *, scores: ScoreParams | None = None, match: MatchBy | None = None) -> Frames:
    """Logs of Inspect, lm-evaluation-harness, EvalScope, batches and tables as tables of pandas, an arm for each log or model."""
    from plumbline.comparing.log_frames import load_logs as load

    return load(paths, scores=scores, match=match)
