"""Put one question to base and tuned with the prompt, the renderer and the greedy decoding of the answer stages. Touches models/."""

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.answering import render
from plumbline.answering.engine import Generated
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.answering.generation import TransformersEngine
from plumbline.commands.data_diff import short
from plumbline.commands.refusing import refusing, repository
from plumbline.model.adapter import load_adapter, read_training_record
from plumbline.model.base_files import base_fingerprint, read_manifest
from plumbline.model.runtime import device, prepare_torch
from plumbline.model.tokenization import template_sha256
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Kind, Question
from plumbline.rows.training_record import TrainingRecord

GAP = "  │  "
NUM_LETTERS = 26


def question_of(text: str, choices: Sequence[str], kind: Kind | None) -> Question:
    """The user's question in the shape of a benchmark question, without a target. ValueError if kind and choices do not go together."""
    kind = kind or ("mcq" if choices else "explanation")
    if choices and kind != "mcq":
        raise ValueError(f"choices belong to a multiple-choice question, but --kind is {kind}. Leave one of the two out.")
    if kind == "mcq" and not 2 <= len(choices) <= NUM_LETTERS:
        raise ValueError(
            f"a multiple-choice question has 2 to {NUM_LETTERS} choices, not {len(choices)}. Give --choice TEXT once for each."
        )
    letters = {chr(ord("A") + number): choice for number, choice in enumerate(choices)}
    return Question(id="asked", kind=kind, question=text, choices=letters, target="", unit=None, key_points=(), cluster="asked")


def both_answers(user: str, choices: Mapping[str, str], params: AnswerParams, *, base: Path, adapter: Path) -> tuple[Generated, Generated]:
    """Base's answer and tuned's, from one model in memory: the adapter is added after base has answered."""
    tokenizer = load_tokenizer(base)
    prompt = render(tokenizer, id="asked", user=user, choices=choices, params=params)
    model = load_model(base, device=device())
    [[said_by_base]] = TransformersEngine(model, tokenizer, batch_size=1).answer([[prompt]], max_new_tokens=params.max_new_tokens)
    tuned = load_adapter(model, adapter, base_fingerprint=base_fingerprint(base), template_sha256=template_sha256(tokenizer))
    engine = TransformersEngine(tuned, tokenizer, batch_size=1)  # type: ignore[arg-type]
    [[said_by_tuned]] = engine.answer([[prompt]], max_new_tokens=params.max_new_tokens)
    return said_by_base, said_by_tuned


def likely(answer: Generated) -> list[str]:
    """The choices by log-probability, the likeliest first."""
    ranked = sorted(answer.choice_logprobs.items(), key=lambda item: (-item[1], item[0]))
    return [f"likeliest: {'  '.join(f'{letter} {nats:.2f}' for letter, nats in ranked)}"] if ranked else []


def column(title: str, answer: Generated, width: int) -> list[str]:
    """One arm: its name, its answer wrapped, how it ended. No control character of a model reaches the terminal."""
    lines = [
        piece
        for line in answer.response.split("\n")
        for piece in textwrap.wrap(short(line, len(line) + 1), width, break_on_hyphens=False) or [""]
    ]
    end = "" if answer.reached_eos else f", cut at {answer.num_tokens}"
    return [title, "─" * width, *lines, *likely(answer), f"({answer.num_tokens} tokens{end})"]


def side_by_side(said_by_base: Generated, said_by_tuned: Generated, record: TrainingRecord, *, width: int) -> str:
    """The two answers in two columns; below each other if the terminal is narrow."""
    incomplete = "" if record.complete else f" (INCOMPLETE: {record.num_done_steps} of {record.num_planned_steps} steps)"
    if width < 60:
        columns = [column("base", said_by_base, width), column(f"tuned{incomplete}", said_by_tuned, width)]
        return "\n\n".join("\n".join(lines) for lines in columns)
    half = (width - len(GAP)) // 2
    left, right = column("base", said_by_base, half), column(f"tuned{incomplete}", said_by_tuned, half)
    height = max(len(left), len(right))
    rows = zip([*left, *[""] * (height - len(left))], [*right, *[""] * (height - len(right))], strict=True)
    return "\n".join(f"{one:{half}}{GAP}{other}".rstrip() for one, other in rows)


def main(text: str, choices: Sequence[str], kind: Kind | None, params: AnswerParams, *, base: Path, adapter: Path, width: int) -> str:
    """Ask, and return what to show."""
    prepare_torch(read_manifest(base).source)
    record = read_training_record(adapter)
    question = question_of(text, choices, kind)
    user = exam_prompt(question, params.instructions.model_dump())
    answers = both_answers(user, question.choices, params, base=base, adapter=adapter)
    return side_by_side(*answers, record, width=width)


@click.command()
@click.argument("question")
@click.option("--choice", "choices", multiple=True, metavar="TEXT", help="One choice; repeat it for each.")
@click.option(
    "--kind",
    type=click.Choice(["mcq", "numeric", "explanation"]),
    help="The kind of question; its closing instruction is added (params.yaml: answer).",
)
@click.option("--max-new-tokens", type=click.IntRange(min=1), help="Instead of answer.max_new_tokens.")
def command(question: str, choices: tuple[str, ...], kind: Kind | None, max_new_tokens: int | None) -> None:
    """Ask base and tuned one question.

    Prompt and decoding are those of the answer stages. With --choice it is asked like a multiple-choice question of the benchmark.

    Exit 2 if base or adapter cannot be used.
    """
    repository()
    with refusing(2, ValueError, OSError):
        if not question.strip():
            raise ValueError('the question is empty. Give one, such as: make ask Q="What is the unit of force?"')
        params = load_params("answer", AnswerParams)
        if max_new_tokens is not None:
            params = params.model_copy(update={"max_new_tokens": max_new_tokens})
        width = min(shutil.get_terminal_size((110, 24)).columns, 140)
        told = main(question, choices, kind, params, base=Path("models/base"), adapter=Path("models/adapter"), width=width)
    click.echo(told)
