"""Take the scores of the commit out of the folder of an experiment: `dvc exp show` lists them as its own while it runs. Touches DVC's class Stage and files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dvc.stage import Stage

OPTION = "--without-scores"
"""In front of DVC's own words."""
SCORES = ("metrics/scores.json", "metrics/context.json", "metrics/evaluation.json")
"""What `report` writes of scores. If it has nothing to do, DVC runs it again to write them, which takes seconds."""


def asked_for(words: list[str]) -> tuple[bool, list[str]]:
    """Whether words begin with the option, and the other words."""
    return words[:1] == [OPTION], words[1:] if words[:1] == [OPTION] else words


def remove_scores() -> None:
    """From here on, the first stage of this process removes the scores that are in its folder."""
    from dvc.stage import Stage

    reproduce = Stage.reproduce
    is_first = True

    def reproduced(stage: "Stage", *args: Any, **options: Any) -> "Stage | None":
        nonlocal is_first
        if is_first:
            for path in SCORES:
                (Path(stage.repo.root_dir) / path).unlink(missing_ok=True)
        is_first = False
        return reproduce(stage, *args, **options)

    setattr(Stage, "reproduce", reproduced)  # noqa: B010 - for the type checker: DVC's own method is wrapped in decorators
