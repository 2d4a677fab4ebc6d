"""Prove in seconds that training can succeed, before it costs hours: the real tokenizer, template and rows, a tiny random model."""

import logging
import sys
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.model.orphans import die_with_parent
from plumbline.params_sections import refuse_unknown_sections
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.preflight.run import PreflightFiles, require_contexts, run
from plumbline.preflight.settings import Settings
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.training_params import LoraParams, TrainParams

log = logging.getLogger("preflight")


class PreflightParams(Params):
    """Limits of the checks."""

    num_overfit_rows: int
    max_heat: float
    """LoraParams.scale x train.learning_rate above which a warning is given."""
    max_gradient_difference: float
    """Relative, packed against padded, fp32."""
    num_shown_rows: int


def main(params: PreflightParams, lora: LoraParams, training: TrainParams, answer: AnswerParams, files: PreflightFiles) -> None:
    """Write the checks and the page; write `files.ready` only when nothing fails, else exit 1."""
    findings = run(
        Settings(
            limits=params, lora=lora, training=training, max_new_tokens=answer.max_new_tokens, instructions=answer.instructions.model_dump()
        ),
        files,
    )
    log.info("%s", findings.verdict)
    if findings.failed:
        sys.exit(1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent()
    with inputs_unchanged():
        refuse_unknown_sections()  # before train spends anything
        require_contexts(Path("data/context/ready.json"))
        main(
            load_params("preflight", PreflightParams),
            load_params("lora", LoraParams),
            load_params("train", TrainParams),
            load_params("answer", AnswerParams),
            PreflightFiles(
                train=Path("data/split/train.jsonl"),
                validation=Path("data/split/validation.jsonl"),
                benchmark=Path("data/split/benchmark.jsonl"),
                general=Path("data/general/answers.jsonl"),
                base=Path("models/base"),
                template=Path("plumbline/pages/templates/preflight.html.j2"),
                ready=Path("data/preflight/ready.json"),
                metrics=Path("metrics/preflight.json"),
                page=Path("metrics/preflight.html"),
            ),
        )
