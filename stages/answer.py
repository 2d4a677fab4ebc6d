"""One arm answers the benchmark: base, the adapter on top of it, another model, or a file of answers made elsewhere; with its context."""

import logging
import sys
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.run import AnswerFiles, answer_benchmark, num_cut, take_answers
from plumbline.model.orphans import die_with_parent
from plumbline.model.other_model import other_base
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import ArmParams

log = logging.getLogger("answer")


def main(
    arm: str, weights: ArmParams, params: AnswerParams, *, benchmark: Path, base: Path, templates: Path, answers: Path
) -> list[Answer]:
    """Write one answer per question, in the benchmark's order."""
    named = Path(weights.weights)
    if weights.weights_kind == "file":
        answered = take_answers(benchmark, named, answers, arm=arm)
        log.info("%s: %d answers taken from %s", arm, len(answered), named)
        return answered
    files = AnswerFiles(
        benchmark=benchmark,
        base=other_base(named, templates=templates) if weights.weights_kind == "model" else base,
        adapter=named if weights.is_trained else None,
        context=Path(weights.context),
        answers=answers,
    )
    answered = answer_benchmark(params, files, arm=arm)
    log.info("%s: %d answers, %d cut at %d tokens", arm, len(answered), num_cut(answered), params.max_new_tokens)
    return answered


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent()
    with inputs_unchanged():
        name = sys.argv[1]
        main(
            name,
            load_params(f"arms.{name}", ArmParams),
            load_params("answer", AnswerParams),
            benchmark=Path("data/split/benchmark.jsonl"),
            base=Path("models/base"),
            templates=Path("examples/chat_templates"),
            answers=Path(f"data/answers/{name}.jsonl"),
        )
