"""Write base and adapter as one model that is checked to answer as both together. Touches models/."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.answering import render
from plumbline.answering.engine import Prompt
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.commands.outputs import refuse_files_of_the_run, refuse_folder_of_others
from plumbline.commands.refusing import refusing, repository
from plumbline.keeping.merging import Agreement, MergedDiffers, agreement, merge_and_save, reference_answers
from plumbline.model.adapter import adapter_sha256, load_adapter, read_training_record
from plumbline.model.base_files import base_fingerprint, read_manifest
from plumbline.model.runtime import device, prepare_torch
from plumbline.model.tokenization import template_sha256
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.number_text import size_text
from plumbline.pipeline.files import replacing_folder, sha256_of, write_json
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question

PROVENANCE = "plumbline.json"


class MergeRefused(ValueError):
    """The merged model would not be the model that was evaluated."""


def sample(questions: Sequence[Question], count: int) -> list[Question]:
    """Questions drawn evenly over the benchmark, in its order. If its kinds follow one another, all of them are in the sample."""
    count = min(count, len(questions))
    return [questions[place * len(questions) // count] for place in range(count)]


def main(params: AnswerParams, *, benchmark: Path, base: Path, adapter: Path, out: Path, num_questions: int) -> str:
    """Merge, check, name the folder, and return what to tell. MergeRefused and MergedDiffers leave nothing behind."""
    manifest, record = read_manifest(base), read_training_record(adapter)
    prepare_torch(manifest.source)
    if manifest.quantization == "nf4":
        raise MergeRefused(
            "the adapter was trained and evaluated on nf4 weights. Merged into them it would be rounded away; merged into others it would be another "
            "model. Serve base and adapter as they are, or set base.quantization=none, let `dvc repro` train and evaluate on bf16 weights, and merge that."
        )
    if not record.complete:
        raise MergeRefused(
            f"the adapter is incomplete: {record.num_done_steps} of {record.num_planned_steps} steps. Run `dvc repro` without the lowered train.max_steps."
        )
    tokenizer = load_tokenizer(base)
    questions = sample(list(read_jsonl(benchmark, Question)), num_questions)
    if not questions:
        raise MergeRefused(f"{benchmark} holds no question to check the merged model with. Run `dvc repro split`.")
    instructions = params.instructions.model_dump()
    prompts: list[Prompt] = [
        render(tokenizer, id=question.id, user=exam_prompt(question, instructions), choices={}, params=params) for question in questions
    ]
    fingerprint = base_fingerprint(base)
    tuned = load_adapter(
        load_model(base, device=device()), adapter, base_fingerprint=fingerprint, template_sha256=template_sha256(tokenizer)
    )
    sizes = {"batch_size": params.batch_size, "max_new_tokens": params.max_new_tokens}
    with working("merge: answers of base and adapter"):
        expected = reference_answers(tuned, tokenizer, prompts, **sizes)
    with replacing_folder(out) as partial:
        with working("merge: writing"):
            merge_and_save(tuned, tokenizer, partial)
        with working("merge: answers of the merged model"):
            found: Agreement = agreement(partial, expected, prompts, dtype=manifest.dtype, **sizes)
        if found.problem:
            raise MergedDiffers(
                f"{found.problem}; {out} was not written. Serve base and adapter unmerged, and report it: this should not happen."
            )
        files = {path.name: sha256_of(path) for path in sorted(partial.iterdir())}
        write_json(
            partial / PROVENANCE,
            {
                "base": {"source": manifest.source, "repo": manifest.repo, "revision": manifest.revision, "fingerprint": fingerprint},
                "adapter_sha256": adapter_sha256(adapter),
                "dtype": manifest.dtype,
                "training": json.loads(record.model_dump_json()),
                "checked": {
                    "num_questions": len(questions),
                    "num_same_answers": found.num_same,
                    "largest_logit_difference": float(f"{found.largest_difference:.3g}"),
                    "tolerance": found.tolerance,
                },
                "files": files,
            },
        )
    size = sum(path.stat().st_size for path in out.iterdir())
    return (
        f"{out}: {size_text(size)}, {manifest.dtype} safetensors with tokenizer and chat template\n"
        f"checked: {found.num_same} of {len(questions)} benchmark answers the same as base + adapter; "
        f"logits differ by {found.largest_difference:.1e} at most (allowed {found.tolerance:g})\n"
        f"serve: vllm serve {out}"
    )


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("models/merged"), show_default=True, help="The folder to write.")
@click.option("--questions", type=click.IntRange(min=1), default=24, show_default=True, help="How many benchmark questions to check with.")
def command(out: Path, questions: int) -> None:
    """Write base and adapter as one model.

    transformers and vLLM can load the folder. It gets its name only after a check: the merged model, loaded from disk, gave the same greedy answers
    to a sample of the benchmark as base plus adapter, with logits equal to within rounding. A merge into nf4 weights is refused.

    Exit 1 if it answers differently, 2 if it cannot be made.
    """
    root = repository()
    with refusing(1, MergedDiffers, heading="NOT MERGED"), refusing(2, MergeRefused, ValueError, OSError):
        refuse_files_of_the_run(root, [out])
        refuse_folder_of_others(out, record=PROVENANCE)
        told = main(
            load_params("answer", AnswerParams),
            benchmark=Path("data/split/benchmark.jsonl"),
            base=Path("models/base"),
            adapter=Path("models/adapter"),
            out=out,
            num_questions=questions,
        )
    click.echo(told)
