"""Ask a server the benchmark and compare it with the stored answers of an arm. Touches the network, data/ and the tokenizer of models/base."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.contexts import read_contexts
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.served_ledger import served_kinds
from plumbline.comparing.served_prompts import Prompts, compared_prompts
from plumbline.comparing.serving import CannotAsk, Message, Served, Server
from plumbline.grading.params import GradeParams
from plumbline.pipeline.heartbeat import Progress
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer import ELSEWHERE, Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms
from plumbline.rows.context import Context
from plumbline.rows.question import Question


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was asked, and how it was asked in the run."""

    questions: Sequence[Question]
    stored: dict[str, Answer]
    messages: list[list[Message]]


def checked(root: Path, arm: str, *, count: int | None) -> Checked:
    """The questions of the benchmark, evenly drawn, as the arm was asked them."""
    arms = load_params("arms", Arms)
    if arm not in arms.root:
        raise CannotAsk(f"there is no arm {arm}; the arms are {', '.join(arms.names)}. Name one with --arm.")
    every = list(read_jsonl(root / "data/split/benchmark.jsonl", Question))
    stored = {answer.id: answer for answer in read_jsonl(root / f"data/answers/{arm}.jsonl", Answer)}
    if missing := [question.id for question in every if question.id not in stored]:
        raise CannotAsk(f"data/answers/{arm}.jsonl has no answer to {', '.join(missing[:5])}: run `dvc repro answer@{arm}`.")
    contexts = read_contexts(root / arms.root[arm].context, every)
    instructions = load_params("answer", AnswerParams).instructions.model_dump()
    count = len(every) if count is None else min(count, len(every))
    questions = [every[place * len(every) // count] for place in range(count)]
    messages = [messages_of(question, contexts[question.id], instructions) for question in questions]
    return Checked(questions=questions, stored=stored, messages=messages)


def messages_of(question: Question, context: Context, instructions: dict[str, str]) -> list[Message]:
    """A question as a conversation: the examples before it, then the question with its passages."""
    turns: list[Message] = []
    for turn in context.turns:
        turns += [{"role": "user", "content": turn.user}, {"role": "assistant", "content": turn.assistant}]
    return [*turns, {"role": "user", "content": exam_prompt(question, instructions, context.passages)}]


def main(
    root: Path, url: str, *, model: str | None, arm: str, count: int | None, margin: float, texts_only: bool = False
) -> tuple[str, bool]:
    """Ask, compare, and return what to tell and whether what is served is what was measured. `texts_only`: unseen prompts are no hindrance."""
    asked = checked(root, arm, count=count)
    answering = load_params("answer", AnswerParams)
    with Server(url, model) as server, Progress("serve-check", total=len(asked.questions), unit="question") as progress:
        served: list[Served] = []
        for one in server.answers(asked.messages, max_tokens=answering.max_new_tokens):
            served.append(one)
            progress.update(1)
        counts = [
            (asked.stored[question.id].num_prompt_tokens, one.num_prompt_tokens)
            for question, one in zip(asked.questions, served, strict=True)
        ]
        prompts = compared_prompts(server, asked.messages, counts, root / "models/base")
        name = server.model
    answers = {question.id: as_answer(question, one, arm) for question, one in zip(asked.questions, served, strict=True)}
    kinds = served_kinds(asked.questions, asked.stored, answers, load_params("grade", GradeParams).tolerance, margin=margin)
    same = not prompts.problems and all(kind.ok for kind in kinds)
    lines = [
        f"{name} at {url}, {len(served)} questions, against the stored answers of {arm}; margin {100 * margin:g} points",
        f"{'ok      ' if prompts.are_compared and not prompts.problems else 'differs ' if prompts.problems else 'unknown '} {prompts.compared}",
        *(f"differs  {problem}" for problem in prompts.problems),
        *(f"{'ok      ' if kind.ok else 'not shown' if kind.verdict is not None else 'differs '} {kind.words}" for kind in kinds),
        f"serve-check: {verdict_words(prompts, same=same)}",
    ]
    return "\n".join(lines), same and (prompts.are_compared or texts_only)


def verdict_words(prompts: Prompts, *, same: bool) -> str:
    """What was shown, and no more than that."""
    if not same:
        return "it is not shown that what is served is what was measured"
    if prompts.are_compared:
        return "what is served is what was measured"
    return "the texts are those that were measured; not all prompts were compared (--texts-only ends with 0 all the same)"


def as_answer(question: Question, served: Served, arm: str) -> Answer:
    """A served text as the row that the graders read."""
    return Answer(
        id=question.id,
        arm=arm,
        engine=ELSEWHERE,
        response=served.text,
        num_tokens=None,
        num_prompt_tokens=served.num_prompt_tokens,
        stopped="max_new_tokens" if served.is_cut else "eos",
        choice_logprobs={},
        complete=True,
    )


@click.command()
@click.argument("url")
@click.option("--model", metavar="NAME", help="As the server calls it; may be left out where it serves one.")
@click.option("--arm", default="tuned", show_default=True, help="The arm with the stored answers that it must give.")
@click.option("--questions", "count", type=click.IntRange(min=1), help="Of the benchmark, evenly drawn; all without it.")
@click.option(
    "--margin", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.03, show_default=True, help="Loss that is allowed."
)
@click.option("--texts-only", is_flag=True, help="Exit 0 also where the server shows too little to compare all prompts.")
def command(url: str, model: str | None, arm: str, count: int | None, margin: float, texts_only: bool) -> None:
    """Compare a server with what was measured.

    URL is the address of a server with OpenAI's chat completions, up to and with /v1, such as http://127.0.0.1:8000/v1. It is asked the benchmark
    greedily, in the words of the run. Its texts are compared with the stored ones and graded by rule, explanations by their key points. A template that
    writes another prompt is named. The output says which prompts were compared: a server may neither count their tokens nor show them. A key is read from PLUMBLINE_SERVE_KEY.

    Exit 0 if every text is the same or no kind is worse by the margin, and the prompts are the same; 1 if this is not shown; 2 if it cannot be asked.
    """
    root = repository()
    with refusing(2, CannotAsk, ValueError, OSError):
        told, ok = main(root, url, model=model, arm=arm, count=count, margin=margin, texts_only=texts_only)
    click.echo(told)
    sys.exit(0 if ok else 1)
