"""Make the contexts that arms use, from files to files, and measure all prompts before anything is trained."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plumbline.pipeline.files import write_json
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.record import Record
from plumbline.pipeline.refused import Refused
from plumbline.retrieval.base_tokenizer import BaseTokenizer
from plumbline.retrieval.params import RetrieveParams
from plumbline.retrieval.prompt_sizes import PromptSize, messages_of, prompt_numbers, refuse_too_long
from plumbline.retrieval.shuffling import donors
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.context import Context
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question

log = logging.getLogger("retrieve")

RETRIEVED = ("passages", "shuffled")


@dataclass(frozen=True, kw_only=True)
class RetrieveFiles:
    """What the stage reads and writes."""

    corpus: Path
    train: Path
    benchmark: Path
    base: Path
    contexts: dict[str, Path]
    """Name -> output: `none`, `examples`, `passages` and `shuffled`."""
    overlap: Path
    metrics: Path
    ready: Path


@dataclass
class Made:
    """What the stage made and measured."""

    contexts: dict[str, list[Context]] = field(default_factory=dict)
    overlap: list[Record] = field(default_factory=list)
    numbers: dict[str, dict[str, object]] = field(default_factory=dict)
    """Context -> its numbers."""
    corpus: dict[str, object] = field(default_factory=dict)


def run(params: RetrieveParams, answer: AnswerParams, arms: Mapping[str, str], files: RetrieveFiles) -> list[str]:
    """Write all contexts, with empty files for those that no arm uses. Return the names of the used ones.

    `arms`: arm -> path of its context. Refused if an arm names another file, a context cannot be made or a prompt does not fit.
    Then nothing is written.
    """
    used = used_contexts(arms, files.contexts)
    files.ready.unlink(missing_ok=True)  # an earlier run by hand may have left it; DVC removes it before a stage
    questions = list(read_jsonl(files.benchmark, Question))
    tokenizer = BaseTokenizer(files.base)
    made = Made()
    if "examples" in used:
        add_examples(made, params, questions, files, tokenizer)
    if set(RETRIEVED) & set(used):
        add_passages(made, params, questions, files, tokenizer, used)
    for name in used:
        sizes = prompt_sizes(made.contexts.get(name), questions, answer, tokenizer)
        refuse_too_long(name, sizes, max_new_tokens=answer.max_new_tokens, limit=tokenizer.limit)
        made.numbers.setdefault(name, {})
        if sizes:
            made.numbers[name] = {"n": len(sizes), "prompt_tokens": prompt_numbers(sizes), **made.numbers[name]}
    write(made, files)
    return used


def used_contexts(arms: Mapping[str, str], contexts: Mapping[str, Path]) -> list[str]:
    """Names of the contexts that arms use, in the order of the files. Refused if an arm names another file."""
    names = {str(path): name for name, path in contexts.items()}
    for arm, path in arms.items():
        if path not in names:
            raise Refused(f"params.yaml: arms.{arm}.context is {path!r}. Name one of {', '.join(names)}.")
    return [name for path, name in names.items() if path in arms.values()]


def add_examples(made: Made, params: RetrieveParams, questions: Sequence[Question], files: RetrieveFiles, tokenizer: BaseTokenizer) -> None:
    """The context `examples`: training rows of the question's kind, the same for all questions of the kind."""
    # Imported here, as in add_passages: readers of numbers, MinHash and SciPy are loaded only if a context needs them.
    from plumbline.retrieval.examples import choose_examples
    from plumbline.retrieval.search import benchmark_index
    from plumbline.training.prompt import training_prompt

    rows = list(read_jsonl(files.train, InstructionRow))
    chosen = choose_examples(
        rows,
        benchmark_index(questions, params.overlap),
        wanted={"mcq": params.examples.mcq, "numeric": params.examples.numeric, "explanation": params.examples.explanation},
        asked=[question.kind for question in questions],
        max_tokens=params.examples.max_tokens,
        token_counts=tokenizer.count_many([f"{training_prompt(row.instruction, row.input)}\n{row.output}" for row in rows]),
        seed=params.seed,
    )
    for kind, found in chosen.items():
        wanted = getattr(params.examples, kind)
        if found.nothing is not None:
            log.warning("%s", found.nothing)
        elif len(found.turns) < wanted:
            log.warning("examples for %s: only %d of %d, since few of %d rows are far from the benchmark", kind, len(found.turns), wanted,
                        found.num_like)  # fmt: skip
    made.contexts["examples"] = [
        Context(id=question.id, turns=chosen[question.kind].turns, passages=(), recall=None) for question in questions
    ]
    made.numbers["examples"] = {"examples": {kind: len(found.turns) for kind, found in chosen.items()}}


def add_passages(
    made: Made,
    params: RetrieveParams,
    questions: Sequence[Question],
    files: RetrieveFiles,
    tokenizer: BaseTokenizer,
    used: Sequence[str],
) -> None:
    """The contexts `passages` and `shuffled`, what was dropped from the corpus, and the recall of each."""
    from plumbline.retrieval.measures import final_recall, recall_numbers, recalls_at
    from plumbline.retrieval.search import find_passages

    found = find_passages(params, files.corpus, questions, count=tokenizer.count)
    lenders = donors(questions, seed=params.seed)
    of_context = {
        "passages": found.passages,
        "shuffled": {id: () if lender is None else found.passages[lender] for id, lender in lenders.items()},
    }
    for name in (name for name in RETRIEVED if name in used):
        passages = of_context[name]
        recalls = recalls_at(questions, passages)
        made.contexts[name] = [
            Context(
                id=question.id,
                turns=(),
                passages=passages[question.id],
                recall=round(final_recall(recalls[question.id]), 4) if question.id in recalls else None,
            )
            for question in questions
        ]
        made.numbers[name] = {"recall": recall_numbers(questions, recalls, k=params.k)}
    made.overlap = [found.summary, *found.nearest, *found.leaked]
    made.corpus = {
        "num_passages": found.summary.num_passages,
        "num_tokens": found.summary.num_tokens,
        "dropped": found.summary.dropped,
        "num_unread_files": len(found.summary.unread_files),
    }
    log.info("corpus: %d passages; dropped %s", found.summary.num_passages, found.summary.dropped)
    if found.summary.unread_files:
        names = found.summary.unread_files
        log.warning("%d files of the corpus are neither text nor JSON lines: %s", len(names), ", ".join(names[:5]))


def prompt_sizes(
    contexts: Sequence[Context] | None, questions: Sequence[Question], answer: AnswerParams, tokenizer: BaseTokenizer
) -> list[PromptSize]:
    """Tokens of each prompt. Without contexts, each question is asked alone."""
    empty = [Context(id=question.id, turns=(), passages=(), recall=None) for question in questions]
    instructions = answer.instructions.model_dump()
    shown = [
        tokenizer.conversation(messages_of(question, context, instructions))
        for question, context in zip(questions, contexts or empty, strict=True)
    ]
    counts = tokenizer.count_many(shown)
    return [PromptSize(question.id, number) for question, number in zip(questions, counts, strict=True)]


def write(made: Made, files: RetrieveFiles) -> None:
    """Write contexts, overlap and numbers, and last the file that says that all is there."""
    for name, path in files.contexts.items():
        write_jsonl(path, made.contexts.get(name, []))
    write_jsonl(files.overlap, made.overlap)
    write_json(files.metrics, {"contexts": made.numbers, "corpus": made.corpus})
    write_json(files.ready, {"ready": True})
