"""The tuned model, base plus adapter, answers the same benchmark in the same way."""

import logging
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.answering import answer_questions
from plumbline.answering.engine_advice import engine_advice
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.model.adapter import adapter_sha256, read_training_record
from plumbline.model.base_files import base_fingerprint
from plumbline.model.orphans import die_with_parent
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question

log = logging.getLogger("answer_tuned")


def main(params: AnswerParams, *, benchmark: Path, base: Path, adapter: Path, answers: Path) -> None:
    """Write one answer per question, in the benchmark's order, each marked with whether the adapter's run was complete."""
    questions = list(read_jsonl(benchmark, Question))
    record = read_training_record(adapter)
    if not record.complete:
        log.warning(
            "the adapter is incomplete (%d of %d steps): its answers are marked so", record.num_done_steps, record.num_planned_steps
        )
    log.info("%s", engine_advice(params.engine, num_questions=len(questions), max_new_tokens=params.max_new_tokens))
    # Imported here: a question or an adapter that cannot be used is refused before torch and transformers are waited for (3 s).
    from plumbline.answering.engine_choice import open_engine
    from plumbline.model.runtime import prepare_torch
    from plumbline.model.weights import load_tokenizer

    prepare_torch()
    tokenizer = load_tokenizer(base)
    with open_engine(params, tokenizer, base=base, adapter=adapter) as engine:
        answered = answer_questions(
            engine,
            tokenizer,
            users={question.id: exam_prompt(question, params.instructions.model_dump()) for question in questions},
            choices={question.id: question.choices for question in questions},
            params=params,
            arm="tuned",
            complete=record.complete,
            model_identity=f"{base_fingerprint(base)}+{adapter_sha256(adapter)}",
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
            adapter=Path("models/adapter"),
            answers=Path("data/answers/tuned.jsonl"),
        )
