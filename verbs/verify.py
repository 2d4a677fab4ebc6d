"""Run the committed pipeline from nothing in a fresh clone and compare what comes out: python -m verbs.verify.

Exit 0: dvc.lock is identical to the byte, or (on another kind of processor, where sums differ in their last digits) every
headline score is within the tolerance. Exit 1: it is not reproduced. The clone has an empty cache, so nothing is taken from here.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

LOCK = "dvc.lock"
SCORES = "metrics/scores.json"
TOLERANCE = 0.15
"""Of each headline score, a fraction of 1. Measured: between two kinds of processor numeric moved by 0.08, the largest of the three;
training from scratch turns last digits into another draw, as another seed would."""


class Verdict(NamedTuple):
    """What the comparison found."""

    reproduced: bool
    told: str


def locked_outs(lock: Mapping[str, Any]) -> dict[str, str]:
    """Path -> hash of every output in a dvc.lock."""
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage.get("outs", [])}


def headline(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """`kind.arm` -> score of a metrics/scores.json."""
    return {f"{kind}.{arm}": values[arm] for kind, values in scores.items() if isinstance(values, dict) for arm in ("base", "tuned")}


def compare(
    committed: bytes, made: bytes, committed_scores: Mapping[str, Any], made_scores: Mapping[str, Any], *, tolerance: float
) -> Verdict:
    """Compare two states of dvc.lock, and their scores where the locks differ."""
    if committed == made:
        return Verdict(True, f"reproduced to the byte: {LOCK} of the fresh clone is the committed one.\n")
    yaml = YAML(typ="safe", pure=True)
    before, after = (locked_outs(yaml.load(text.decode())) for text in (committed, made))
    differing = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    lines = [f"{len(differing)} of {len(before.keys() | after.keys())} outputs differ: {', '.join(differing)}"]
    old, new = headline(committed_scores), headline(made_scores)
    far = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        near = was == now or (was is not None and now is not None and abs(was - now) <= tolerance)
        far += [] if near else [name]
        lines.append(f"  {name:20} {was} -> {now}{'' if near else '   beyond the tolerance'}")
    told = "\n".join(lines)
    if far:
        return Verdict(
            False, f"{told}\nnot reproduced: {', '.join(far)} moved by more than {tolerance}. Is the commit's dvc.lock its own?\n"
        )
    same = "reproduced within the tolerance" if differing else "reproduced; only the text of dvc.lock differs"
    return Verdict(True, f"{told}\n{same} ({tolerance} of each score): expected on another kind of processor, not on the same one.\n")


def verify(root: Path, *, tolerance: float) -> Verdict:
    """Clone HEAD of `root`, run the pipeline there with an empty cache, and compare."""
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        clone = Path(name) / "clone"
        subprocess.run(["git", "clone", "-q", str(root), str(clone)], check=True)
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        environment.pop("DVC_ROOT", None)
        committed, scores = (clone / LOCK).read_bytes(), json.loads((clone / SCORES).read_text(encoding="utf-8"))
        # Without what the commit says of its run, DVC has nothing to skip.
        (clone / LOCK).unlink()
        ran = subprocess.run([sys.executable, "-m", "dvc", "repro"], cwd=clone, env=environment)
        if ran.returncode:
            return Verdict(False, f"not reproduced: `dvc repro` in a fresh clone ended with {ran.returncode}; its last lines say why.\n")
        made_scores = json.loads((clone / SCORES).read_text(encoding="utf-8"))
        return compare(committed, (clone / LOCK).read_bytes(), scores, made_scores, tolerance=tolerance)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m verbs.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="of each headline score, 0 to 1 (%(default)s)")
    found = verify(Path.cwd(), tolerance=parser.parse_args().tolerance)
    sys.stdout.write(found.told)
    sys.exit(0 if found.reproduced else 1)
