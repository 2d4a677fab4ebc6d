"""The whole preflight, from input files to output files: gather what training would see, check it on a tiny model, write the findings."""

import logging
from dataclasses import dataclass
from pathlib import Path

from plumbline.pages.html_page import write_page
from plumbline.pipeline.files import write_json
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.preflight.findings import Findings, find
from plumbline.preflight.gathered import Gathered
from plumbline.preflight.settings import Settings
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from plumbline.rows.training_params import TrainParams
from plumbline.training.general_prompts import replay_rows

log = logging.getLogger("preflight")


@dataclass(frozen=True, kw_only=True)
class PreflightFiles:
    """What preflight reads and writes."""

    train: Path
    validation: Path
    benchmark: Path
    general: Path
    base: Path
    template: Path
    """Template of the page."""
    ready: Path
    metrics: Path
    page: Path


def run(settings: Settings, files: PreflightFiles) -> Findings:
    """Write the checks and the page. Write `ready` (always the same bytes) only if no check fails."""
    files.ready.unlink(missing_ok=True)  # an earlier run by hand may have left it; DVC removes it before a stage
    with working("preflight"):
        findings = find(gather(files, settings.training), settings, base=files.base)
    write(findings, files)
    if not findings.failed:
        write_json(files.ready, {"ready": True})
    return findings


def require_contexts(ready: Path) -> None:
    """Refused unless `retrieve` has found that every prompt fits the model, so this is known before training."""
    if not ready.is_file():
        raise Refused(f"{ready} is missing. Run `dvc repro retrieve`: it measures all prompts with the base model's tokenizer.")


def gather(files: PreflightFiles, training: TrainParams) -> Gathered:
    """Read all rows. ValueError names the line that cannot be used."""
    rows = list(read_jsonl(files.train, InstructionRow))
    num_training_rows = len(rows)
    rows += read_jsonl(files.validation, InstructionRow)
    questions = list(read_jsonl(files.benchmark, Question))
    answers = list(read_jsonl(files.general, GeneralAnswer))
    return Gathered(
        rows=rows,
        num_training_rows=num_training_rows,
        questions=questions,
        answers=answers,
        replayed=replay_rows(answers, num_training_rows=num_training_rows, replay_fraction=training.replay_fraction, seed=training.seed),
    )


def write(findings: Findings, files: PreflightFiles) -> None:
    """Write the checks and the page, and log what does not pass."""
    checks = findings.checks
    write_json(
        files.metrics,
        {
            "ready": not findings.failed,
            "num_failed": len(findings.failed),
            "num_warned": sum(check.status == "warn" for check in checks),
            "num_examples": findings.num_rows,
            "num_tokens": findings.num_tokens,
            "checks": {check.name: f"{check.status}: {check.found}" for check in checks},
        },
    )
    write_page(
        files.page,
        template=files.template,
        context={
            "verdict": findings.verdict,
            "num_rows": findings.num_rows,
            "num_tokens": findings.num_tokens,
            "checks": checks,
            "rows": findings.shown,
        },
    )
    for check in checks:
        if check.status != "pass":
            log.warning("%s %s: %s. %s", check.status, check.name, check.found, check.remedy)
