"""The base model answers the benchmark. A stage of its own, so that a new adapter never answers for base again."""

import logging
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.run import AnswerFiles, answer_benchmark, num_cut
from plumbline.model.orphans import die_with_parent
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams

log = logging.getLogger("answer_base")


def main(params: AnswerParams, *, benchmark: Path, base: Path, answers: Path) -> None:
    """Write one answer per question, in the benchmark's order."""
    files = AnswerFiles(benchmark=benchmark, base=base, adapter=None, context=None, answers=answers)
    answered = answer_benchmark(params, files, arm="base")
    log.info("%d answers, %d cut at %d tokens", len(answered), num_cut(answered), params.max_new_tokens)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent()
    with inputs_unchanged():
        main(
            load_params("answer", AnswerParams),
            benchmark=Path("data/split/benchmark.jsonl"),
            base=Path("models/base"),
            answers=Path("data/answers/base.jsonl"),
        )
