"""Say whether the results of a run are those of the commit, and if not, why. Touches git, dvc.lock and metrics/, read-only."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from plumbline.rows.arms import RESERVED

LOCK = "dvc.lock"
SCORES = "metrics/scores.json"
NUM_NAMED = 3
PARAMETERS = re.compile(r"params\.yaml \(([\w.]+)\)")
DATA = ("data/", "real/", "examples/", "labels/")
"""These folders hold no code."""


def locked_outs(lock: Mapping[str, Any]) -> dict[str, str]:
    """Path -> hash of every output in a dvc.lock."""
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage.get("outs", [])}


def locked_inputs(lock: Mapping[str, Any]) -> dict[str, object]:
    """The inputs in a dvc.lock that no stage made, by name: code, the user's rows, commands and parameters."""
    made = locked_outs(lock)
    found: dict[str, object] = {}
    for name, stage in lock["stages"].items():
        found[f"the command of {name}"] = stage["cmd"]
        found |= {dep["path"]: dep["md5"] for dep in stage.get("deps", []) if dep["path"] not in made}
        for file, values in stage.get("params", {}).items():
            found |= {f"{file} ({section})": value for section, value in values.items()}
    return found


def headline(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """`kind.arm` -> score of a metrics/scores.json."""
    return {
        f"{kind}.{arm}": value
        for kind, values in scores.items()
        if isinstance(values, dict)
        for arm, value in values.items()
        if arm not in RESERVED
    }


def committed(root: Path, path: str) -> bytes | None:
    """A file as HEAD has it; None if there is no git, no commit or no such file."""
    done = subprocess.run(["git", "show", f"HEAD:./{path}"], cwd=root, capture_output=True)
    return done.stdout if done.returncode == 0 else None


def standing(root: Path) -> str:
    """One line: the results are those of the commit, differ because of this processor, or come from other inputs."""
    before, after = committed(root, LOCK), (root / LOCK).read_bytes()
    if before is None:
        return "results: no commit holds a run yet; `git add -A && git commit` keeps this one"
    if before == after:
        return "results: the same as the committed ones, to the byte (dvc.lock); git shows no change of a result"
    yaml = YAML(typ="safe", pure=True)
    try:
        old, new = (yaml.load(text.decode("utf-8")) for text in (before, after))
    except (YAMLError, UnicodeDecodeError):
        return f"results: not compared, since {LOCK} of the commit cannot be read"
    return differing(old, new, moved(committed(root, SCORES), (root / SCORES)))


def differing(old: Mapping[str, Any], new: Mapping[str, Any], largest: float | None) -> str:
    """The line if the two locks differ. `largest`: the largest difference of a headline score, a fraction."""
    outs, inputs = ((one(old), one(new)) for one in (locked_outs, locked_inputs))
    others = sorted(name for name in inputs[0].keys() | inputs[1].keys() if inputs[0].get(name) != inputs[1].get(name))
    paths = outs[0].keys() | outs[1].keys()
    num = sum(outs[0].get(path) != outs[1].get(path) for path in paths)
    back = "`git restore dvc.lock metrics` restores the committed ones" if num else "git shows only dvc.lock"
    scores = f", headline scores by at most {100 * largest:.0f} points" if largest is not None and num else ""
    if num and (own := changed_by_hand(inputs[0], inputs[1])):
        return (
            f"results: new, because {listed(own)} changed; `git add -A && git commit` keeps them "
            "(`git restore dvc.lock metrics` restores the committed ones)"
        )
    if others:
        named = ", ".join(others[:NUM_NAMED]) + (f" and {len(others) - NUM_NAMED} more" if len(others) > NUM_NAMED else "")
        return f"results: {num} of {len(paths)} outputs differ from the committed ones{scores}, since these changed: {named}; {back}"
    if not num:
        return f"results: the same as the committed ones; only the text of {LOCK} differs; {back}"
    return (
        f"results: other numbers because of this processor, as another seed would give: {num} of {len(paths)} outputs differ from the committed ones{scores}. "
        f"git shows them; {back}"
    )


def changed_by_hand(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """What the user changed: parameters by name, such as clean.source, and data; empty if only code changed."""
    parameters: dict[str, tuple[object, object]] = {}
    for name in sorted(old.keys() | new.keys()):
        if (section := PARAMETERS.fullmatch(name)) is not None:
            before, after = (leaves(section[1], one[name]) if name in one else {} for one in (old, new))
            parameters |= {leaf: (before.get(leaf), after.get(leaf)) for leaf in sorted(before.keys() | after.keys())}
    changed = {name: values for name, values in parameters.items() if values[0] != values[1]}
    named = {str(value) for values in changed.values() for value in values}
    paths = sorted(name for name in old.keys() | new.keys() if name.startswith(DATA) and old.get(name) != new.get(name))
    return [*changed, *(path for path in paths if path not in named)]


def leaves(name: str, value: object) -> dict[str, object]:
    """Dotted name -> value of a parameter or of all below it."""
    if not isinstance(value, Mapping):
        return {name: value}
    return {leaf: kept for key, inner in value.items() for leaf, kept in leaves(f"{name}.{key}", inner).items()}


def listed(names: Sequence[str]) -> str:
    """The first of them in a sentence, and how many more there are."""
    told = [*names[:NUM_NAMED], *([f"{len(names) - NUM_NAMED} more"] if len(names) > NUM_NAMED else [])]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def moved(before: bytes | None, after: Path) -> float | None:
    """The largest difference of a headline score, a fraction; None if no two scores can be compared."""
    if before is None or not after.is_file():
        return None
    old, new = headline(json.loads(before)), headline(json.loads(after.read_bytes()))
    both = [(value, new[name]) for name, value in old.items() if value is not None and new.get(name) is not None]
    return max((abs(value - now) for value, now in both if now is not None), default=None)
