"""Ask a server the benchmark and compare it with the stored answers of an arm. Touches the network, data/ and the tokenizer of models/base."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.contexts import read_contexts
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.commands.outputs import refuse_files_of_the_run
from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.served_endings import endings, unanswered
from plumbline.comparing.served_ledger import KindServed, served_kinds
from plumbline.comparing.served_prompts import Prompts, compared_prompts
from plumbline.comparing.server_words import ServerWords, server_words
from plumbline.comparing.serving import CONCURRENCY, CannotAsk, Message, Served, Server
from plumbline.grading.params import GradeParams
from plumbline.model.base_files import read_manifest
from plumbline.pipeline.files import write_text
from plumbline.pipeline.heartbeat import Progress
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import ArmParams, Arms
from plumbline.rows.context import Context
from plumbline.rows.question import Question


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was asked, and how it was asked in the run."""

    questions: Sequence[Question]
    stored: dict[str, Answer]
    messages: list[list[Message]]
    base: Path | None
    """The folder with the template of the arm; None if the answers were made elsewhere."""


def checked(root: Path, arm: str, *, count: int | None) -> Checked:
    """The questions of the benchmark, evenly drawn, as the arm was asked them."""
    arms = load_params("arms", Arms)
    if arm not in arms.root:
        raise CannotAsk(f"there is no arm {arm}; the arms are {', '.join(arms.names)}. Name one with --arm.")
    every = list(read_jsonl(root / "data/split/benchmark.jsonl", Question))
    if load_params("answer", AnswerParams).is_sampled:
        raise CannotAsk(
            "the stored answers were drawn (answer.temperature is above 0), and a server draws others: texts cannot be compared. "
            "Answer greedily (answer.temperature=0, answer.num_samples=1; `dvc repro`), then check the server."
        )
    stored = {answer.id: answer for answer in read_jsonl(root / f"data/answers/{arm}.jsonl", Answer)}
    if missing := [question.id for question in every if question.id not in stored]:
        raise CannotAsk(f"data/answers/{arm}.jsonl has no answer to {', '.join(missing[:5])}. Run `dvc repro answer@{arm}`.")
    contexts = read_contexts(root / arms.root[arm].context, every)
    instructions = load_params("answer", AnswerParams).instructions.model_dump()
    count = len(every) if count is None else min(count, len(every))
    questions = [every[place * len(every) // count] for place in range(count)]
    messages = [messages_of(question, contexts[question.id], instructions) for question in questions]
    return Checked(questions=questions, stored=stored, messages=messages, base=base_of(root, arms.root[arm]))


def base_of(root: Path, arm: ArmParams) -> Path | None:
    """The folder with the tokenizer and the template of an arm."""
    if arm.weights_kind == "file":
        return None
    if arm.weights_kind == "model":
        # Imported here: it loads the library of the hub.
        from plumbline.model.other_model import other_base

        return other_base(root / arm.weights, templates=root / "examples/chat_templates")
    return root / "models/base"


def messages_of(question: Question, context: Context, instructions: dict[str, str]) -> list[Message]:
    """A question as a conversation: the examples before it, then the question with its passages."""
    turns: list[Message] = []
    for turn in context.turns:
        turns += [{"role": "user", "content": turn.user}, {"role": "assistant", "content": turn.assistant}]
    return [*turns, {"role": "user", "content": exam_prompt(question, instructions, context.passages)}]


def main(
    root: Path,
    url: str,
    *,
    model: str | None,
    arm: str,
    count: int | None,
    margin: float,
    texts_only: bool = False,
    concurrency: int = CONCURRENCY,
    out: Path | None = None,
) -> tuple[str, bool]:
    """Ask, compare, and return what to print and whether the served model is the measured one. `texts_only`: prompts need not be seen."""
    asked = checked(root, arm, count=count)
    max_tokens = load_params("answer", AnswerParams).max_new_tokens
    with Server(url, model, concurrency=concurrency) as server:
        words = server_words(server)
        served = answered(server, asked, max_tokens=max_tokens)
        pairs = [(asked.stored[question.id], served[question.id]) for question in asked.questions]
        counts = [(stored.num_prompt_tokens, one.num_prompt_tokens) for stored, one in pairs]
        prompts = compared_prompts(server, asked.messages, counts, asked.base)
        name = server.model
    kinds = served_kinds(asked.questions, asked.stored, served, load_params("grade", GradeParams).tolerance, margin=margin)
    if out is not None:
        write_text(out, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for kind in kinds for row in rows_of(kind)))
    differing = [*unanswered(pairs), *prompts.problems]
    same = not differing and all(kind.ok for kind in kinds)
    lines = [
        f"{name} at {url}, {len(served)} questions, against the stored answers of {arm}; margin {100 * margin:g} points",
        *said_of_server(words, asked.base),
        f"{'ok      ' if prompts.are_compared and not prompts.problems else 'differs ' if prompts.problems else 'unknown '} {prompts.compared}",
        *(f"differs  {problem}" for problem in differing),
        *(line for kind in kinds for line in lines_of(kind)),
        *(f"note     {note}" for note in endings(pairs, max_tokens=max_tokens)),
        f"serve-check: {verdict_words(prompts, same=same)}",
    ]
    return "\n".join(lines), same and (prompts.are_compared or texts_only)


def answered(server: Server, asked: Checked, *, max_tokens: int) -> dict[str, Served]:
    """Question -> what the server answered."""
    found: dict[str, Served] = {}
    with Progress("serve-check", total=len(asked.questions), unit="question") as progress:
        for question, one in zip(asked.questions, server.answers(asked.messages, max_tokens=max_tokens), strict=True):
            found[question.id] = one
            progress.update(1)
    return found


def said_of_server(words: ServerWords, base: Path | None) -> list[str]:
    """What the server says about itself, next to the same facts of the run."""
    run = ""
    if base is not None and (base / "manifest.json").is_file():
        manifest = read_manifest(base)
        run = f"; the run: weights {manifest.dtype}" + (
            f", quantised to {manifest.quantization}" if manifest.quantization != "none" else ""
        )
    lines = [f"server   {', '.join(words.facts)}{run}"] if words.facts else []
    return lines + [f"note     the server adds {', '.join(words.additions)} to what it is asked; the run had none"] * bool(words.additions)


def lines_of(kind: KindServed) -> list[str]:
    """One kind of question: its numbers, and which answers flipped."""
    mark = "ok      " if kind.ok else "not shown" if kind.verdict is not None else "differs "
    return [f"{mark} {kind.words}", *([f"flipped  {kind.flipped}"] if kind.flipped else [])]


def rows_of(kind: KindServed) -> list[dict[str, object]]:
    """One kind of question as rows for a file."""
    return [
        {
            "id": one.question.id,
            "kind": kind.kind,
            "same": one.is_same,
            "stored": one.stored,
            "served": one.served,
            "stored_score": one.scores and one.scores[0],
            "served_score": one.scores and one.scores[1],
        }
        for one in kind.questions
    ]


def verdict_words(prompts: Prompts, *, same: bool) -> str:
    """What was shown, and no more than that."""
    if not same:
        return "it is not shown that the served model is the measured one"
    if prompts.are_compared:
        return "the served model is the measured one"
    return "the texts are the measured ones, but not all prompts were compared (--texts-only accepts this with exit 0)"


@click.command()
@click.argument("url")
@click.option("--model", metavar="NAME", help="The model's name on the server; may be left out if it serves only one.")
@click.option("--arm", default="tuned", show_default=True, help="The arm with the stored answers that the server must give.")
@click.option("--questions", "count", type=click.IntRange(min=1), help="How many benchmark questions to ask, evenly drawn; by default all.")
@click.option(
    "--margin", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.03, show_default=True, help="The loss that is allowed."
)
@click.option(
    "--concurrency", type=click.IntRange(min=1), default=CONCURRENCY, show_default=True, help="Questions that are asked at the same time."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write both texts and scores of every question here, as JSON lines.")
@click.option("--texts-only", is_flag=True, help="Exit 0 even if the server shows too little to compare all prompts.")
def command(
    url: str, model: str | None, arm: str, count: int | None, margin: float, concurrency: int, out: Path | None, texts_only: bool
) -> None:
    """Compare a server with what was measured.

    URL is the address of a server with OpenAI's chat completions, up to and with /v1, such as http://127.0.0.1:8000/v1. It answers the benchmark
    greedily, asked in the words of the run. Its texts are compared with the stored ones and graded by rule, explanations by their key points. If its
    template writes another prompt, the output says so. The output also says which prompts were compared: a server may neither count their tokens nor
    show them. A key is read from PLUMBLINE_SERVE_KEY.

    Exit 0 if every text is the same or no kind is worse by the margin, and the prompts are the same. 1 if this is not shown. 2 if the server cannot be
    asked.
    """
    root = repository()
    with refusing(2, CannotAsk, ValueError, OSError):
        refuse_files_of_the_run(root, [out])
        told, ok = main(
            root, url, model=model, arm=arm, count=count, margin=margin, texts_only=texts_only, concurrency=concurrency, out=out
        )
    click.echo(told)
    sys.exit(0 if ok else 1)
