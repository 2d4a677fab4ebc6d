"""An arm answers, from its input files to its output file: questions are read and checked first, then the engine is opened."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.answering.answering import Asked, answer_questions
from plumbline.answering.contexts import read_contexts
from plumbline.answering.elsewhere import read_elsewhere
from plumbline.answering.engine_advice import engine_advice
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.answering.longest_prompt import longest_sequence
from plumbline.answering.other_plan import OtherPlan, is_asked_again
from plumbline.answering.sampling import sampling_words
from plumbline.model.adapter import adapter_sha256, read_training_record
from plumbline.model.base_files import base_fingerprint, read_manifest
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question

log = logging.getLogger("answer")


@dataclass(frozen=True, kw_only=True)
class AnswerFiles:
    """What an arm reads and writes."""

    benchmark: Path
    base: Path
    """Folder of the base, or of the arm's own model if that is another one from the hub."""
    adapter: Path | None
    """None if a model answers without an adapter."""
    context: Path | None
    """What comes before each question, as rows of plumbline/rows/context.py. None or an empty file means nothing."""
    answers: Path


def answer_benchmark(params: AnswerParams, files: AnswerFiles, *, arm: str, again: float | None = None) -> list[Answer]:
    """Write one answer per question, or its samples, in the benchmark's order. Each says whether the adapter's run was complete.

    `again`: the share of questions to ask a second time, in another batch plan. None asks all questions, in the plan of every arm.
    """
    questions = list(read_jsonl(files.benchmark, Question))
    contexts, instructions = read_contexts(files.context, questions), params.instructions.model_dump()
    if again is not None:
        questions = [question for question in questions if is_asked_again(question.id, fraction=again)]
    is_complete = files.adapter is None or is_trained_to_its_end(files.adapter)
    log.info("%s", engine_advice(params.engine, num_answers=len(questions) * params.num_samples, max_new_tokens=params.max_new_tokens))
    if params.is_sampled:
        log.info("%s", sampling_words(params.num_samples, params.temperature))
    # Imported here: a bad question or adapter is refused before torch and transformers are loaded (3 s).
    from plumbline.answering.engine_choice import open_engine
    from plumbline.model.runtime import prepare_torch
    from plumbline.model.weights import load_tokenizer

    prepare_torch(read_manifest(files.base).source)
    tokenizer = load_tokenizer(files.base)
    identity = base_fingerprint(files.base)
    with open_engine(params, tokenizer, base=files.base, adapter=files.adapter) as engine:
        answered = answer_questions(
            engine if again is None else OtherPlan(engine),
            tokenizer,
            asked={
                question.id: Asked(exam_prompt(question, instructions, context.passages), scored_choices(question), context.turns)
                for question, context in ((question, contexts[question.id]) for question in questions)
            },
            params=params,
            arm=arm,
            complete=is_complete,
            model_identity=identity if files.adapter is None else f"{identity}+{adapter_sha256(files.adapter)}",
            longest=longest_of(files.base),
        )
    assert len(answered) == len(questions) * params.num_samples
    write_jsonl(files.answers, answered)
    return answered


def longest_of(base: Path) -> int | None:
    """The most tokens that the model of a base folder takes; None if neither its config nor its tokenizer says it."""
    config, told = (base / "config.json", base / "tokenizer_config.json")
    return longest_sequence(*(json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {} for path in (config, told)))


def scored_choices(question: Question) -> dict[str, str]:
    """The choices that are scored, if the likeliest one is an answer; empty if several may be right."""
    return {} if question.answer_kind == "letters" else question.choices


def is_trained_to_its_end(adapter: Path) -> bool:
    """Whether the adapter's run was complete; logs it if not."""
    record = read_training_record(adapter)
    if not record.complete:
        log.warning(
            "the adapter is incomplete (%d of %d steps): its answers are marked so", record.num_done_steps, record.num_planned_steps
        )
    return record.complete


def take_answers(benchmark: Path, elsewhere: Path, answers: Path, *, arm: str) -> list[Answer]:
    """Write the answers of an arm that answered elsewhere. Refused unless every question has at least one."""
    taken = read_elsewhere(elsewhere, list(read_jsonl(benchmark, Question)), arm=arm)
    write_jsonl(answers, taken)
    return taken


def num_cut(answers: Sequence[Answer]) -> int:
    """How many answers were cut at `max_new_tokens`."""
    return sum(answer.stopped != "eos" for answer in answers)
