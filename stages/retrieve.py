"""Put together what stands before the questions of an arm: examples, passages of a corpus, passages of another question, or nothing."""

import logging
from pathlib import Path

from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.retrieval.params import RetrieveParams
from plumbline.retrieval.run import RetrieveFiles, run
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms

log = logging.getLogger("retrieve")


def main(params: RetrieveParams, answer: AnswerParams, arms: Arms, files: RetrieveFiles) -> None:
    """Write the contexts that arms use, and empty files for the others. `files.ready` is always the same, so a new context never retrains."""
    used = run(params, answer, {name: arm.context for name, arm in arms.root.items()}, files)
    log.info("contexts in use: %s", ", ".join(used))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        section = load_params("retrieve", RetrieveParams)
        main(
            section,
            load_params("answer", AnswerParams),
            load_params("arms", Arms),
            RetrieveFiles(
                corpus=Path(section.corpus),
                train=Path("data/split/train.jsonl"),
                benchmark=Path("data/split/benchmark.jsonl"),
                base=Path("models/base"),
                contexts={
                    "none": Path("data/context/none.jsonl"),
                    "examples": Path("data/context/examples.jsonl"),
                    "passages": Path("data/context/passages.jsonl"),
                    "shuffled": Path("data/context/shuffled.jsonl"),
                },
                overlap=Path("data/context/overlap.jsonl"),
                metrics=Path("metrics/retrieval.json"),
                ready=Path("data/context/ready.json"),
            ),
        )
