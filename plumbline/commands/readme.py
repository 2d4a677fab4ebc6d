"""Write the numbers of README.md and the manual from the metrics, and docs/commands.md from the commands. Touches these files."""

import contextlib
import io
import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from dvc.compare import show_diff
from dvc.utils.diff import diff

from plumbline.commands.reference import COMMANDS_PAGE, reference
from plumbline.commands.refusing import refusing, repository
from plumbline.intervals import wilson_interval
from plumbline.number_text import signed_ascii
from plumbline.pages.blocks import filled
from plumbline.pipeline.files import write_text
from plumbline.reporting.ledger import KIND_NAMES
from plumbline.rows.probe_results import NAMES
from plumbline.statistics import SIGNIFICANCE

PAGES = (
    "README.md",
    "docs/using.md",
    "docs/data.md",
    "docs/results.md",
    "docs/reading-results.md",
    "docs/gpu.md",
    "docs/changing.md",
)
"""README and the pages of the manual that are written by hand, in the order of reading. Their blocks are filled here."""
ROW_NAMES = {
    "mcq": "multiple choice",
    "numeric": "numeric, 5 % tolerance, units",
    "explanation": "explanation, key points",
}
EVALUATION = "metrics/evaluation.json"
SCORES = "metrics/scores.json"
TRAINING = "metrics/train.json"
ALPHA_128 = "docs/runs/alpha-128.json"
LOG_EXPERIMENT = "docs/runs/log-experiment.json"
CONSOLE = "docs/runs/console.json"
REAL = "docs/runs/real.json"
WIDTH = 150
SHOWN: dict[str, str] = {
    "backup": r"dvc push|what |data/(answers|clean|grades) |models/|all |backup:|bundled:|proven:|note:",
    "publish": "",
    "ask-numeric": "",
    "merge": "",
    "inspect-log": "",
    "smoke": r"train: max_steps|answer: the adapter|report: not complete",
    "plan": r"steps|training|memory|judge|\s+at most .* USD",
    "study": r"clean: \d|split: |preflight: warn answer_format|report: (There|Tuned|Base|Most)|report: answers that could not be read",
}
"""Which lines of a recorded sample the manual shows; an ellipsis marks what is left out."""
Read = Callable[[str], Any]


def two(value: float) -> str:
    return f"{value:.2f}"


def interval(bounds: Sequence[float], *, sign: bool = False) -> str:
    low, high = (signed_ascii(bound) if sign else signed_ascii(bound).removeprefix("+") for bound in bounds)
    return f"[{low}, {high}]"


def scores_table(evaluation: Mapping[str, Any]) -> str:
    """The headline: a row per kind, and the log-probabilities next to it."""
    first, second = evaluation["comparisons"][0]
    lines = [f"| kind | n | {first} | {second} | difference, 95 % interval | unparsed {first}, {second} |", "|---|---|---|---|---|---|"]
    kinds = evaluation["kinds"]
    for kind, name in ROW_NAMES.items():
        one = kinds[kind]
        base, tuned, delta = one["arms"][first], one["arms"][second], one["comparisons"][0]["delta"]
        lines.append(
            f"| {name} | {one['n']} | {two(base['score']['value'])} | {two(tuned['score']['value'])} | {signed_ascii(delta['value'])} "
            f"{interval(delta['ci95'])} | {base['unparsed']}, {tuned['unparsed']} |"
        )
    mcq = kinds["mcq"]
    base, tuned = mcq["arms"][first]["logprob_accuracy"], mcq["arms"][second]["logprob_accuracy"]
    delta = mcq["comparisons"][0]["logprob_delta"]
    lines.append(
        f"| multiple choice by log-probability | {mcq['n']} | {two(base['value'])} | {two(tuned['value'])} | {signed_ascii(delta['value'])} "
        f"{interval(delta['ci95'])} | |"
    )
    return "\n".join(lines) + "\n"


def arms_table(record: Mapping[str, Any]) -> str:
    """A real model's scores: a row per arm, a column per kind, each with its interval."""
    kinds = record["kinds"]
    names = [f"{ROW_NAMES[kind]}, n = {one['n']}" for kind, one in kinds.items()]
    lines = [f"| arm | {' | '.join(names)} | prompt tokens |", "|---|" + "---|" * (len(names) + 1)]
    tokens = {one["arm"]: one["mean"] for one in record["prompt_tokens"]}
    for arm in record["arms"]:
        cells = [
            f"{two(score['value'])} {interval(score['ci95'])}" if (score := one["arms"][arm]["score"]) else "-" for one in kinds.values()
        ]
        lines.append(f"| {arm} | {' | '.join(cells)} | {tokens[arm]:.0f} |")
    return "\n".join(lines) + "\n"


def comparisons_table(record: Mapping[str, Any]) -> str:
    """The declared comparisons of a real model: differences in points; a star if the adjusted test shows one above the noise floor."""
    kinds = record["kinds"]
    floors = record.get("noise_floor", {}).get("kinds", {})
    lines = [f"| difference, points | {' | '.join(ROW_NAMES[kind] for kind in kinds)} |", "|---|" + "---|" * len(kinds)]
    for place, pair in enumerate(next(iter(kinds.values()))["comparisons"]):
        cells = []
        for kind, one in kinds.items():
            found = one["comparisons"][place]
            delta = found["delta"]
            if delta is None:
                cells.append("-")
                continue
            low, high = (signed_ascii(100 * bound, 0) for bound in delta["ci95"])
            is_shown = found["p_holm"] < SIGNIFICANCE and delta["ci95"][0] * delta["ci95"][1] > 0
            shown = " *" if is_shown and abs(delta["value"]) > (floors.get(kind, {}).get("floor") or 0.0) else ""
            cells.append(f"{signed_ascii(100 * delta['value'], 0)} [{low}, {high}]{shown}")
        lines.append(f"| {pair['arm']} - {pair['reference']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def real_cost(record: Mapping[str, Any]) -> str:
    """What the real run took, and what it cost the model."""
    forgetting, loss = record["forgetting"], record["validation_loss"]
    took = f"in {record['seconds'] / 60:.0f} minutes " if record["seconds"] else ""
    words = (
        f"Measured {took}on {record['machine']}. Validation loss {loss['base']:.2f} to {loss['best']:.2f} in {record['num_steps']} steps; base's own answers to "
        f"{forgetting['num_prompts']} general prompts became {forgetting['increase']:.2f} nats a token less likely "
        f"[{forgetting['increase_low']:.2f}, {forgetting['increase_high']:.2f}]."
    )
    return textwrap.fill(words, 140, break_on_hyphens=False, break_long_words=False) + "\n"


def real_format(record: Mapping[str, Any]) -> str:
    """How much of the real gain on multiple choice the answer format can be: what the first reference's answers leave open."""
    mcq = record["kinds"]["mcq"]
    pair = mcq["comparisons"][0]
    base, tuned = mcq["arms"][pair["reference"]], mcq["arms"][pair["arm"]]
    n, num_read = base["n"], base["n"] - base["unparsed"]
    by_logprob = [
        f"{arm} {two(found['value'])} {interval(found['ci95'])}"
        for arm, one in mcq["arms"].items()
        if (found := one.get("logprob_accuracy"))
    ]
    scored = {"letter": "letters", "text": "words"}[record["choice_scoring"]]
    words = (
        f"Could the gain on multiple choice be the answer format? {base['unparsed']} of {n} answers of {pair['reference']} could not be read. Of the "
        f"other {num_read}, {base['correct']} are right, {two(base['correct'] / num_read)} {interval(wilson_interval(base['correct'], num_read))}; guessing "
        f"gives {two(mcq['chance'])}. If all unread ones were right too, {pair['reference']} would have {two((base['correct'] + base['unparsed']) / n)}, and "
        f"{pair['arm']} has {two(tuned['score']['value'])}. By the log-probability of the choices' {scored} (n = {n}): {', '.join(by_logprob)}."
    )
    return textwrap.fill(words, 105, break_on_hyphens=False, break_long_words=False) + "\n"


def real_probes(record: Mapping[str, Any]) -> str:
    """What the real run lost and gained outside the domain, by capability."""

    def listed(verdict: str) -> str:
        found = [one for one in record["probes"] if one["verdict"] == verdict]
        said = [
            f"{abs(100 * one['difference']['value']):.0f} points [{', '.join(f'{bound:.0f}' for bound in sorted(abs(100 * end) for end in ends))}] "
            f"on {NAMES[one['capability']]}"
            for one in found
            if (ends := one["difference"]["ci95"])
        ]
        return ", ".join(said)

    parts = [f"{verb} {said}" for verb, verdict in (("lost", "worse"), ("gained", "better")) if (said := listed(verdict))]
    n = min(one["difference"]["n"] for one in record["probes"])
    words = (
        f"The price, outside the domain: on small tasks that a program checks (n = {n} for each ability) tuned "
        f"{'; it '.join(parts) or 'neither lost nor gained anything that could be shown'}."
    )
    return textwrap.fill(words, 105, break_on_hyphens=False, break_long_words=False) + "\n"


def chance(evaluation: Mapping[str, Any]) -> str:
    """The score of guessing, for each kind that has one."""
    found = [f"{two(one['chance'])} on {name}" for kind, one in evaluation["kinds"].items() if one["chance"] and (name := KIND_NAMES[kind])]
    return f"*Chance* is {' and '.join(found)}.\n"


def with_care(evaluation: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    """What the headline would hide: how much of it is the answer format, and what was forgotten."""
    mcq, forgetting = evaluation["kinds"]["mcq"], training["forgetting"]
    first = evaluation["comparisons"][0][0]
    unparsed, n, gain = mcq["arms"][first]["unparsed"], mcq["n"], mcq["comparisons"][0]["logprob_delta"]["value"]
    sentences = []
    if unparsed > n / 2:
        sentences.append(
            f"Most of the gain on multiple choice is the answer format: {unparsed} of {n} base answers could not be read. "
            f"Where no format is needed, by log-probability, the gain is {100 * gain:.0f} points."
        )
    sentences.append(
        f"What it cost: base's own answers to {forgetting['num_prompts']} general prompts are {forgetting['increase']:.2f} nats a token less likely to the tuned model "
        "([why, and what helps](data.md#what-must-not-be-forgotten))."
    )
    return textwrap.fill(" ".join(sentences), 140, break_on_hyphens=False, break_long_words=False) + "\n"


def metrics_diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What `dvc metrics diff --all` prints for two states of the headline scores, by DVC's own code."""
    changes = diff({SCORES: {"data": before}}, {SCORES: {"data": after}}, with_unchanged=True)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        show_diff(changes, title="Metric", a_rev="HEAD", b_rev="workspace", precision=5, round_digits=True)
    command = f"$ dvc metrics diff --all --targets {SCORES}        # after the run above: alpha 32 against 128"
    table = "\n".join(line.rstrip() for line in told.getvalue().rstrip().splitlines())
    return f"```console\n{command}\n{table}\n```\n"


def exp_show(now: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What `dvc exp show` prints of two runs, with the columns that the manual asks for."""
    kinds = ("mcq", "numeric", "explanation")
    names = ["Experiment", *(f"{kind}.delta" for kind in kinds), "lora.alpha"]
    rows = [
        [label, *(f"{scores[kind]['delta']:g}" for kind in kinds), alpha]
        for label, scores, alpha in (("workspace", now, "32"), ("main", now, "32"), ("└── 5b37a58 [alpha-128]", other, "128"))
    ]
    widths = [max(len(line[column]) for line in [names, *rows]) for column in range(len(names))]
    texts = ["  " + "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in [names, *rows]]
    rule = " " + "─" * (sum(widths) + 3 * len(widths))
    command = "$ dvc exp show --only-changed --drop '.*' --keep '(Experiment|lora.alpha|(mcq|numeric|explanation).delta)'"
    return "\n".join(["```console", command, texts[0], rule, *texts[1:], "```"]) + "\n"


def adapter_of(lock: Mapping[str, Any]) -> str:
    """The hash under which a dvc.lock knows the adapter."""
    return next(out["md5"] for out in lock["stages"]["train"]["outs"] if out["path"] == "models/adapter")


def console(record: Mapping[str, Any], name: str) -> str:
    """A command and what it really printed, as a block of the shell."""
    sample = record["samples"][name]
    # An option stays on the line of its value.
    command = textwrap.wrap(sample["command"].replace(" -S ", " -S\0"), WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    lines = ["$ " + " \\\n    ".join(command).replace("\0", " ")]
    left_out = False
    for line in sample["output"]:
        # A line with a deeper indent than a table belongs to the line before it.
        if SHOWN[name] and not re.match(SHOWN[name], line) and (left_out or not line.startswith(" " * 12)):
            left_out = True
            continue
        if left_out and len(lines) > 1:
            lines.append("...")
        left_out = False
        lines += textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False) if len(line) > WIDTH else [line.rstrip()]
    if left_out:
        lines.append("...")
    return "\n".join(["```console", *lines, "```"]) + "\n"


def log_experiment(table: Mapping[str, Any]) -> str:
    """Data as it stands or cleaned, alpha 16 or 128, over seeds; differences from the first row, question by question."""
    kinds = [kind for kind in ROW_NAMES if kind in table["settings"][0]["kinds"]]
    names = ["multiple choice", "numeric", "explanation"][: len(kinds)]
    lines = [f"| training data, alpha | {' | '.join(names)} |", "|---|" + "---|" * len(kinds)]
    for row in table["settings"]:
        cells = []
        for kind in kinds:
            one = row["kinds"][kind]
            cell = f"{two(one['mean'])} (sd over seeds {two(one['sd'])})"
            if one["delta"] is not None:
                cell += f", {signed_ascii(one['delta'])} {interval(one['ci95'], sign=True)}"
            cells.append(cell)
        data, alpha = (row["differs"][name] for name in ("clean.standardize", "lora.alpha"))
        lines.append(f"| {'cleaned' if data else 'as it stands'}, {alpha} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def blocks(read: Read) -> dict[str, str]:
    """Every block by name; `read` gives the object of a JSON file of the repository."""
    return {
        "verdict": f"> {read(EVALUATION)['verdict']}\n",
        "scores": scores_table(read(EVALUATION)) + "\n" + chance(read(EVALUATION)),
        "real-verdict": textwrap.fill(f"> {read(REAL)['verdict']}", 140, subsequent_indent="> ", break_on_hyphens=False) + "\n",
        "real-arms": arms_table(read(REAL)),
        "real-comparisons": comparisons_table(read(REAL)),
        "real-cost": real_cost(read(REAL)),
        "real-probes": real_probes(read(REAL)),
        "real-format": real_format(read(REAL)),
        "with-care": with_care(read(EVALUATION), read(TRAINING)),
        "metrics-diff": metrics_diff(read(SCORES), read(ALPHA_128)),
        "exp-show": exp_show(read(SCORES), read(ALPHA_128)),
        "log-experiment": log_experiment(read(LOG_EXPERIMENT)),
        **{name: console(read(CONSOLE), name) for name in SHOWN},
    }


def update(path: Path, after: str) -> str:
    """Write a page and say whether it changed."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    write_text(path, after)
    return f"{path}: {'updated' if after != before else 'already up to date'}"


@click.command()
def command() -> None:
    """Write the numbers of README.md and the page of commands.

    Numbers come from the metrics, so that no one types them. They are in README.md and in pages of docs/, each block between two marks
    (plumbline/pages/blocks.py). What the commands print comes from docs/runs/console.json, which `python -m bench.console_samples` records from real runs.
    docs/commands.md comes from the help of the commands.

    Exit 2 if a file with these texts or numbers cannot be read.
    """
    repository()
    with refusing(2, ValueError, OSError):
        numbers = blocks(lambda path: json.loads(Path(path).read_text(encoding="utf-8")))
        for page in map(Path, PAGES):
            click.echo(update(page, filled(page.read_text(encoding="utf-8"), numbers)))
        click.echo(update(Path(COMMANDS_PAGE), reference()))
