"""The code of README.md and the manual takes values that exist, and the records behind its written blocks are those of the run at hand."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML

from plumbline.commands.readme import ALPHA_128, CONSOLE, adapter_of, console
from plumbline.pages.blocks import BLOCK
from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import read_yaml
from plumbline.reporting.params import ReportParams
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from stages.clean import CleanParams
from stages.judge import JudgeParams
from stages.split import SplitParams
from tests.unit.test_readme import ROOT, WHOLE, present

PARAMS: dict[str, Any] = read_yaml(ROOT / "params.yaml")
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
OVERRIDE = re.compile(r"""(?<![\w.])([a-z_]+(?:\.[a-z_]+)+)=(\{[^}]*\}|[^\s'`|\\"]+)""")
SECTIONS: dict[str, type[BaseModel]] = {
    "clean": CleanParams,
    "split": SplitParams,
    "lora": LoraParams,
    "train": TrainParams,
    "answer": AnswerParams,
    "judge": JudgeParams,
    "report": ReportParams,
}


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def found(pattern: str, path: str) -> str:
    """The one group of a pattern in a file of the repository."""
    match = re.search(pattern, text_of(path))
    assert match, f"{path} does not hold {pattern!r} any more"
    return match[1]


def test_constants_are_those_of_the_files_that_set_them() -> None:
    assert found(r'license = "([^"]+)"', "pyproject.toml") == "Apache-2.0"
    python = found(r'requires-python = ">=([\d.]+)"', "pyproject.toml")
    assert f"| Linux x86-64 | {python} | installed |" in (ROOT / "docs/platforms.md").read_text(encoding="utf-8")
    for verb in ("backup", "publish"):
        assert "refusing(1, " in text_of(f"plumbline/commands/{verb}.py")


# ---- code in README and the manual


def typed_blocks() -> Iterator[tuple[str, str]]:
    """(language, text) of fenced code that `plumbline readme` does not write."""
    for language, block in FENCE.findall(BLOCK.sub(" ", WHOLE)):
        if language != "mermaid":
            yield language, block


def test_what_a_command_prints_is_never_typed_with_a_number() -> None:
    typed = [
        line
        for language, block in typed_blocks()
        if language == "console"
        for line in re.sub(r"\\\n\s*", " ", block).splitlines()
        if not line.startswith("$ ") and re.search(r"\d", line)
    ]
    assert typed == [], "record it by python -m bench.console_samples and make it a block"


def test_overrides_name_parameters_and_give_values_that_these_take() -> None:
    checked = 0
    for line in WHOLE.splitlines():
        found = [
            (*name.split("."), [values] if values.startswith("{") else values.strip("()").split(","))
            for name, values in OVERRIDE.findall(line)
        ]
        # What one command sets is checked together: several samples need a temperature.
        together = {(section, *keys): read_value(values[0]) for section, *keys, values in found}
        for section, *keys, values in found:
            if section not in PARAMS:
                continue
            node = PARAMS[section]
            for key in keys:
                assert key in node, f"the manual sets {section}.{'.'.join(keys)}, which params.yaml does not have"
                node = node[key]
            others = {path[1]: value for path, value in together.items() if path[0] == section and len(path) == 2}
            for value in values:
                if section in SECTIONS and len(keys) == 1:
                    SECTIONS[section].model_validate(PARAMS[section] | others | {keys[0]: read_value(value)})
                    checked += 1
    assert checked >= 15


def read_value(text: str) -> Any:
    """A value of an override as DVC reads it."""
    return YAML(typ="safe", pure=True).load(text)


def test_the_rank_that_a_server_is_given_is_that_of_the_adapter() -> None:
    assert re.findall(r"--max-lora-rank (\d+)", WHOLE) == [str(PARAMS["lora"]["r"])]


def test_the_example_of_a_question_is_one() -> None:
    examples = [block for language, block in typed_blocks() if language == "json"]
    assert [Question.model_validate_json(one.strip()).kind for one in examples] == ["numeric"]


# ---- the records behind the blocks


def test_records_are_of_the_adapter_that_the_lock_names() -> None:
    assert present(CONSOLE)["adapter"] in {adapter_of(lock) for lock in locks()}, "run python -m bench.console_samples"


def test_the_recorded_backup_counts_the_objects_of_the_lock() -> None:
    told = [line.split() for line in present(CONSOLE)["samples"]["backup"]["output"]]
    recorded: dict[str, int] = {}
    for words in told:
        if (len(words) > 2 and words[0] == "all") or (len(words) > 4 and words[-2] == "cache,"):
            recorded[words[0]] = recorded.get(words[0], 0) + int(words[1])
    assert recorded in [counted(lock) for lock in locks()], "run python -m bench.console_samples"


def locks() -> list[dict[str, Any]]:
    """dvc.lock as committed and as it lies in the folder: a run on another processor makes another adapter."""
    shown = subprocess.run(["git", "-C", str(ROOT), "show", "HEAD:dvc.lock"], capture_output=True, text=True)
    return [read_yaml(ROOT / "dvc.lock"), *([YAML(typ="safe", pure=True).load(shown.stdout)] if shown.returncode == 0 else [])]


def counted(lock: Mapping[str, Any]) -> dict[str, int]:
    """Objects in DVC's care per folder of data and models and per page, and in all; a folder has its listing besides its files."""
    pipeline = expanded_stages(read_yaml(ROOT / "dvc.yaml"), read_yaml(ROOT / "params.yaml"))
    kept = {
        named: remote
        for stage in pipeline.values()
        for out in stage.get("outs", [])
        if is_cached(out)
        for named, remote in [(out, None) if isinstance(out, str) else next((path, told.get("remote")) for path, told in out.items())]
    }
    # The same bytes at two paths of one remote are one object, named by the first path.
    outs = sorted(
        (out for stage in lock["stages"].values() for out in stage.get("outs", []) if out["path"] in kept), key=lambda out: out["path"]
    )
    objects: dict[str, set[str]] = {}
    seen: set[str] = set()
    for out in outs:
        group = out["path"] if out["path"].startswith("metrics/") else "/".join(out["path"].split("/")[:2])
        new = {f"{out['md5']} {index} {kept[out['path']]}" for index in range(out.get("nfiles", 0) + 1)} - seen
        objects.setdefault(group, set()).update(new)
        seen |= new
    return {group: len(found) for group, found in objects.items()} | {"all": sum(len(found) for found in objects.values())}


def is_cached(out: Any) -> bool:
    return isinstance(out, str) or next(iter(out.values())).get("cache", True)


def test_alpha_in_the_written_blocks_is_that_of_the_parameters() -> None:
    assert f"alpha {PARAMS['lora']['alpha']} against 128" in WHOLE
    assert Path(ALPHA_128).stem == "alpha-128"


def test_a_sample_is_shown_as_it_was_recorded() -> None:
    record = {"samples": {"plan": {"command": "make plan", "output": ["rows 5", "steps 3", " " * 12 + "more", "disk 1", "memory 2"]}}}
    assert console(record, "plan") == f"```console\n$ make plan\nsteps 3\n{' ' * 12}more\n...\nmemory 2\n```\n"
