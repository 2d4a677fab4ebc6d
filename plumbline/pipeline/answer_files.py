"""The files of the arms' answers: one for each declared arm, and no other."""

from collections.abc import Sequence
from pathlib import Path

from plumbline.pipeline.refused import Refused


def answer_files(folder: Path, arms: Sequence[str]) -> dict[str, Path]:
    """Arm -> its file, in the order given. Refused for the file of an arm that was removed: it would be hashed into dvc.lock, and a clone lacks it."""
    owned = {arm: folder / f"{arm}.jsonl" for arm in arms}
    strays = sorted(path for path in folder.glob("*.jsonl") if path not in owned.values())
    if strays:
        raise Refused(
            f"{', '.join(map(str, strays))} belong{'s' if len(strays) == 1 else ''} to no arm of params.yaml (arms: {', '.join(arms)}). "
            "If an arm was removed, run `plumbline clear-arms`, then run this again; else declare the arm."
        )
    if missing := [arm for arm, path in owned.items() if not path.is_file()]:
        raise Refused(f"{owned[missing[0]]} is missing: arm {missing[0]} has not answered. Run `dvc repro answer@{missing[0]}`.")
    return owned
