"""Every number of README.md outside the written blocks has a source here, or stands in a short list of names and constants."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from plumbline.answering.engine_advice import START_UP_SECONDS, TRANSFORMERS_TOKENS_PER_SECOND, VLLM_TOKENS_PER_SECOND, crossover_tokens
from plumbline.commands.readme import ALPHA_128, CONSOLE, EVALUATION, LOG_EXPERIMENT, adapter_of, console
from plumbline.commands.verify import TOLERANCE
from plumbline.judging.end import WARN_WITHIN_DAYS
from plumbline.judging.params import JudgeParams
from plumbline.pages.blocks import BLOCK
from plumbline.pipeline.params import read_yaml
from plumbline.reporting.validity import MIN_COVERAGE
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from stages.clean import CleanParams
from stages.report import ReportParams
from stages.split import SplitParams
from tests.unit.test_readme import ROOT, committed, present

README = (ROOT / "README.md").read_text(encoding="utf-8")
GPU_TRAIN = "docs/runs/gpu_train.json"
PARAMS: dict[str, Any] = read_yaml(ROOT / "params.yaml")
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
CODE = re.compile(r"`[^`]*`")
NUMBER = re.compile(r"(?<![\w.\-/])[−+±]?\d[\d,.]*(?:/\d+)?(?!\w)")
"""A number as a word of its own: the 7 of 7B and Mistral-7B, the 64 of x86-64 and the 16 of bf16 are parts of names."""
OVERRIDE = re.compile(r"(?<![\w.])([a-z_]+(?:\.[a-z_]+)+)=([^\s'`|\\]+)")
SECTIONS: dict[str, type[BaseModel]] = {
    "clean": CleanParams,
    "split": SplitParams,
    "lora": LoraParams,
    "train": TrainParams,
    "answer": AnswerParams,
    "judge": JudgeParams,
    "report": ReportParams,
}
ALLOWED = (
    "CC BY 4.0",  # a licence
    "Apache 2.0",
    "exits 0",  # what a shell calls success
    "exits 1",
    "exit 1",
    "never 0",  # the value that a missing verdict is not
    "(null, never 0)",
    "Rank 0 alone",  # the first of several processes
    "| 3.11 |",  # platforms: what was tried, and what nobody claims to work
    "| 3.12, 3.13 | not tested |",
    "| 3.11+ |",
)
"""Names and constants, nothing that was measured."""


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def found(pattern: str, path: str) -> str:
    """The one group of a pattern in a file of the repository."""
    match = re.search(pattern, text_of(path))
    assert match, f"{path} does not hold {pattern!r} any more"
    return match[1]


def facts(metrics: Callable[[str], Any] = committed) -> dict[str, str]:
    """Where it comes from -> what README says, its numbers put in from there. `metrics` reads a JSON file that a run writes."""
    study = present(CONSOLE)["samples"]["study"]
    kinds = study["kinds"]
    smallest = min(one["delta"]["minimum_detectable_effect"] for one in kinds.values() if one["delta"])
    tokens = crossover_tokens(start_up_seconds=START_UP_SECONDS, slow_rate=TRANSFORMERS_TOKENS_PER_SECOND, fast_rate=VLLM_TOKENS_PER_SECOND)
    level = next(key for key in metrics(EVALUATION)["kinds"]["mcq"]["delta"] if key.startswith("ci"))
    alphas = sorted({row["differs"]["lora.alpha"] for row in present(LOG_EXPERIMENT)["settings"]})
    python = found(r'requires-python = ">=([\d.]+)"', "pyproject.toml")
    structured = study["structured_before"]
    log_counted = found(r"\*\*structured in all\*\* \| \*\*(353 \(8 %\))\*\*", "docs/experiments.md")
    gpu = present(GPU_TRAIN)
    # The largest row of the table below its heading.
    answers, peak = (
        found(rf"\| {pattern} \|", "docs/benchmarks.md")
        for pattern in (r"(100,000) \| [0-9]+ \| [0-9.]+", r"100,000 \| [0-9]+ \| [0-9.]+ \| ([0-9]+)")
    )
    bench_minutes = ceil(float(found(r'"wall_seconds": ([0-9.]+)', "docs/benchmarks.json")) / 60)
    stopped = found(r"TEMPORARY_FAILURE = (\d+)", "stages/train.py")
    return {
        "pyproject.toml": f"need Python {python} or later",
        "the name of the interval in metrics/evaluation.json": f"Intervals are {level.removeprefix('ci')} %",
        "plumbline/answering/engine_advice.py": f"from about {round(tokens, -4):,.0f} output tokens on",
        "examples/general_prompts.jsonl": f"there are {text_of('examples/general_prompts.jsonl').count(chr(10))} everyday prompts in",
        "metrics/train.json": f"where the increase is {metrics('metrics/train.json')['forgetting']['increase']:+.2f} nats without it",
        "the study's file": f"physics file ({study['lines']:,} rows,",
        "the study's questions": f"its {study['num_questions']} questions",
        "metrics/data.json of the study's run": f"{structured:,} of its outputs ({structured / study['lines']:.0%}) were structured".replace(
            "%", " %"
        ),
        "docs/experiments.md": f"not the {log_counted} that its log counted",
        "scores of the study's run": (
            f"{kinds['mcq']['n']} and {kinds['numeric']['n']} questions could not have shown differences below {floor(100 * smallest)} points"
        ),
        LOG_EXPERIMENT: f"alpha {alphas[0]} or {alphas[1]}",
        f"{LOG_EXPERIMENT}, its verdict": f"Alpha {alphas[1]} instead of {alphas[0]} helps",
        "plumbline/reporting/validity.py": f"{100 * MIN_COVERAGE:g} % of due verdicts",
        "plumbline/judging/end.py": f"warn from {WARN_WITHIN_DAYS} days before it on",
        "stages/train.py": f"exit {stopped} from",
        "stages/train.py, several processes": f"after the same step (exit {stopped})",
        GPU_TRAIN: f"{gpu['arms']['N3']['tokens_per_second']:,.0f} tokens/s on one {gpu['device'].removeprefix('NVIDIA ')}, "
        f"{100 * gpu['arms']['N3']['mfu']:.0f} % of its peak",
        "docs/benchmarks.json": f"measures all of `bench/` in about {bench_minutes} minutes",
        "docs/benchmarks.md": f"judge {answers} answers?** Yes, with `judge.mode=batch`: half the price, about {int(peak) / 1000:.1f} GB of memory",
        "plumbline/commands/verify.py": f"it allows {TOLERANCE} of each headline score",
    }


def prose(text: str) -> str:
    """README without written blocks and fenced code, on one line."""
    return " ".join(FENCE.sub(" ", BLOCK.sub(" ", text)).split())


def unsourced(text: str) -> list[str]:
    """Numbers of the prose that neither a source nor the list of constants covers, each with what stands before it."""
    sources = [said for metrics in (committed, present) for said in facts(metrics).values()]
    rest = prose(text)
    for said in [*sources, *ALLOWED]:
        rest = rest.replace(said, " ")
    rest = re.sub(r"\]\([^)]*\)", "]", CODE.sub(" ", rest))
    return [rest[max(0, match.start() - 30) : match.end()] for match in NUMBER.finditer(rest)]


@pytest.mark.parametrize("source", facts())
def test_what_the_prose_says_is_what_its_source_says(source: str) -> None:
    assert any(facts(metrics)[source] in prose(README) for metrics in (committed, present)), source


def test_no_number_of_the_prose_is_without_a_source() -> None:
    assert unsourced(README) == []


@pytest.mark.parametrize("planted", ["It is 17 % faster.", "Tuned gained +0.3.", "| 12 | 4.5 MB |", "about 5,000 rows", "−3 points"])
def test_a_number_that_somebody_types_is_found(planted: str) -> None:
    assert len(unsourced(f"{README}\n{planted}\n")) == len(NUMBER.findall(planted))


def test_no_constant_is_allowed_that_is_not_there() -> None:
    assert [said for said in ALLOWED if said not in prose(README)] == []


def test_constants_are_those_of_the_files_that_set_them() -> None:
    assert found(r'license = "([^"]+)"', "pyproject.toml") == "Apache-2.0"
    python = found(r'requires-python = ">=([\d.]+)"', "pyproject.toml")
    assert f"| {python} | tested" in README
    for verb in ("backup", "publish"):
        assert "sys.exit(1)" in text_of(f"plumbline/commands/{verb}.py")


# ---- code in README


def typed_blocks() -> Iterator[tuple[str, str]]:
    """(language, text) of fenced code that plumbline.commands.readme does not write."""
    for language, block in FENCE.findall(BLOCK.sub(" ", README)):
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
    for name, values in OVERRIDE.findall(README):
        section, *keys = name.split(".")
        if section not in PARAMS:
            continue
        node = PARAMS[section]
        for key in keys:
            assert key in node, f"README sets {name}, which params.yaml does not have"
            node = node[key]
        for value in values.strip("()").split(","):
            if section in SECTIONS and len(keys) == 1:
                read = read_value(value)
                SECTIONS[section].model_validate(PARAMS[section] | {keys[0]: read})
                checked += 1
    assert checked >= 15


def read_value(text: str) -> Any:
    """A value of an override as DVC reads it."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def test_the_rank_that_a_server_is_given_is_that_of_the_adapter() -> None:
    assert re.findall(r"--max-lora-rank (\d+)", README) == [str(PARAMS["lora"]["r"])]


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
    pipeline = read_yaml(ROOT / "dvc.yaml")["stages"]
    kept = {
        out if isinstance(out, str) else next(iter(out)) for stage in pipeline.values() for out in stage.get("outs", []) if is_cached(out)
    }
    objects: dict[str, set[str]] = {}
    for stage in lock["stages"].values():
        for out in stage.get("outs", []):
            if out["path"] in kept:
                group = out["path"] if out["path"].startswith("metrics/") else "/".join(out["path"].split("/")[:2])
                count = out.get("nfiles", 0) + 1
                objects.setdefault(group, set()).update(f"{out['md5']} {index}" for index in range(count))
    return {group: len(found) for group, found in objects.items()} | {"all": sum(len(found) for found in objects.values())}


def is_cached(out: Any) -> bool:
    return isinstance(out, str) or next(iter(out.values())).get("cache", True)


def test_alpha_in_the_written_blocks_is_that_of_the_parameters() -> None:
    assert f"alpha {PARAMS['lora']['alpha']} against 128" in README
    assert Path(ALPHA_128).stem == "alpha-128"


def test_a_sample_is_shown_as_it_was_recorded() -> None:
    record = {"samples": {"plan": {"command": "make plan", "output": ["rows 5", "steps 3", " " * 12 + "more", "disk 1", "memory 2"]}}}
    assert console(record, "plan") == f"```console\n$ make plan\nsteps 3\n{' ' * 12}more\n...\nmemory 2\n```\n"
