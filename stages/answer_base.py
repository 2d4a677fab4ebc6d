"""The base model answers the benchmark. A stage of its own, so that a new adapter never answers for base again."""

import logging
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.answering import answer_questions
from plumbline.answering.engine_advice import engine_advice
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.model.base_files import base_fingerprint
from plumbline.model.orphans import die_with_parent
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question

log = logging.getLogger("answer_base")


def main(params: AnswerParams, *, benchmark: Path, base: Path, answers: Path) -> None:
    """Write one answer per question, in the benchmark's order."""
    questions = list(read_jsonl(benchmark, Question))
    log.info("%s", engine_advice(params.engine, num_questions=len(questions), max_new_tokens=params.max_new_tokens))
    # Imported here: a question that cannot be used is refused before torch and transformers are waited for (3 s).
    from plumbline.answering.engine_choice import open_engine
    from plumbline.model.runtime import prepare_torch
    from plumbline.model.weights import load_tokenizer

    prepare_torch()
    tokenizer = load_tokenizer(base)
    with open_engine(params, tokenizer, base=base, adapter=None) as engine:
        answered = answer_questions(
            engine,
            tokenizer,
            users={question.id: exam_prompt(question, params.instructions.model_dump()) for question in questions},
            choices={question.id: question.choices for question in questions},
            params=params,
            arm="base",
            complete=True,
            model_identity=base_fingerprint(base),
        )
    assert len(answered) == len(questions)
    write_jsonl(answers, answered)
    log.info("%d answers, %d cut at %d tokens", len(answered), sum(a.stopped != "eos" for a in answered), params.max_new_tokens)


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
