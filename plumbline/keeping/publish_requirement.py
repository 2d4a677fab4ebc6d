"""Say if the report on disk shows what publish.require asks for, and if that was required before these answers were recorded. Reads files; touches git."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from plumbline.pipeline.expanded_stages import value_at
from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.refused import Refused
from plumbline.reporting.publish_params import NOTHING_REQUIRED, PublishParams
from plumbline.rows.arms import ArmParams

EVALUATION = Path("metrics/evaluation.json")
INPUTS = {
    "benchmark": "data/split/benchmark.jsonl",
    "grades": "data/grades/graded.jsonl",
    "judgements": "data/grades/judged.jsonl",
    "answers asked again": "data/noise/answers.jsonl",
}
"""Inputs of the report, by their names in its `sha256`; answers lie in data/answers."""


class CannotTell(ValueError):
    """No one can say whether the requirements are met; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What the report found about the requirements of params.yaml."""

    met: tuple[str, ...]
    """A sentence for each requirement that is met."""
    unmet: tuple[str, ...]
    """A sentence for each that is not, and for an evaluation that is not valid or not complete."""
    late: str | None
    """If the requirement was changed after these answers were recorded: a sentence on what that means."""

    @property
    def ok(self) -> bool:
        return not self.unmet


def required_of(root: Path) -> PublishParams:
    """Section `publish` of params.yaml. CannotTell if it cannot be read."""
    try:
        return PublishParams.model_validate(value_at(read_yaml(root / "params.yaml"), "publish"))
    except Refused as missing:
        raise CannotTell(f"{missing} Add `publish: {{against: null, require: {{}}}}`, which requires nothing.") from None
    except ValidationError as error:
        raise CannotTell(f"params.yaml: {problems_of(error, PublishParams, place='publish')}.") from None


def gate_result(root: Path) -> GateResult:
    """Read what the report decided. CannotTell if it decided on another requirement, or on other files than these."""
    required = required_of(root)
    evaluation = read_evaluation(root)
    unmet = [
        *([] if evaluation["valid"] is True else [f"The evaluation is not valid: {'; '.join(evaluation['invalid_because'])}."]),
        *([] if evaluation["complete"] is True else [f"The evaluation is not complete: {evaluation['incomplete_because']}."]),
    ]
    recorded = evaluation.get("publish")
    if not required.require:
        return GateResult(met=(), unmet=tuple(unmet), late=None)
    if changed := changed_inputs(root, evaluation):
        raise CannotTell(f"{EVALUATION} was made from other files than {', '.join(changed)}. Run `dvc repro`.")
    if recorded is None and evaluation["valid"] is not True:
        return GateResult(met=(), unmet=tuple(unmet), late=None)
    if recorded is None or recorded["required"] != required.model_dump():
        raise CannotTell(f"The report has not seen this publish.require. Run `dvc repro report`, which writes it into {EVALUATION}.")
    found = recorded["requirements"]
    return GateResult(
        met=tuple(one["text"] for one in found if one["ok"]),
        unmet=(*unmet, *(one["text"] for one in found if not one["ok"])),
        late=late_words(root, evaluation),
    )


def read_evaluation(root: Path) -> dict[str, Any]:
    """What the report wrote. CannotTell if it is missing or damaged, such as by the marks of a merge conflict."""
    if not (root / EVALUATION).is_file():
        raise CannotTell(f"{EVALUATION} is missing. Run `dvc repro` first.")
    try:
        evaluation = json.loads((root / EVALUATION).read_text(encoding="utf-8"))
    except ValueError:
        evaluation = None
    if not isinstance(evaluation, dict) or not evaluation.keys() >= {"valid", "complete", "arms", "sha256"}:
        raise CannotTell(f"{EVALUATION} is damaged or of another version. Run `dvc repro report`, which writes it again.")
    return evaluation


def changed_inputs(root: Path, evaluation: dict[str, Any]) -> list[str]:
    """Inputs of the report that have other bytes now; a clone without the data has none."""
    paths = INPUTS | {f"{arm} answers": f"data/answers/{arm}.jsonl" for arm in evaluation["arms"]}
    there = {name: root / path for name, path in paths.items() if (root / path).is_file()}
    return [paths[name] for name, path in there.items() if evaluation["sha256"].get(name) != sha256_of(path)]


def tuned_arm(evaluation: dict[str, Any]) -> str | None:
    """The first arm in which the adapter answers; None without one. Base's answers stay the same from one training to the next."""
    return next((name for name, arm in evaluation["arms"].items() if ArmParams.model_validate(arm).is_trained), None)


def late_words(root: Path, evaluation: dict[str, Any]) -> str | None:
    """A sentence if the commit that recorded these answers required something else; None if it did not, or if no commit recorded them."""
    arm = evaluation["publish"]["arm"] or tuned_arm(evaluation)
    if arm is None:
        return None
    digest = evaluation["sha256"][f"{arm} answers"]
    commits = git(root, "log", "--format=%H", "--reverse", f"-S{digest}", "--", str(EVALUATION))
    if not commits:
        return None
    first = commits.split()[0]
    try:
        then = value_at(read_committed(root, first), "publish")
    except Refused:
        then = NOTHING_REQUIRED.model_dump()
    if then == evaluation["publish"]["required"]:
        return None
    return (
        f"publish.require was changed after commit {first[:12]} recorded these answers: a requirement that is chosen after the numbers "
        "are seen shows less than one that was chosen before."
    )


def read_committed(root: Path, commit: str) -> dict[str, Any]:
    """params.yaml of a commit; empty if it had none."""
    return YAML(typ="safe", pure=True).load(git(root, "show", f"{commit}:./params.yaml")) or {}


def git(root: Path, *words: str) -> str:
    """Output of a git command; empty if it fails, such as in a folder without git."""
    ended = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    return ended.stdout if ended.returncode == 0 else ""
