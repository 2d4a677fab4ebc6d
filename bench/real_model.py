"""A real model on a processor: training against TRL's defaults, answering against one question at a time, in float32 and bfloat16.

    python -m bench.real_model --steps 4 --questions 32 --repeats 3

Needs models/base of source hub (`make real`) and data/split. Rows, questions and parameters are those of the run at hand. One thread unless
PLUMBLINE_THREADS says otherwise, because processor seconds of one thread are steady on a shared machine. TRL and `generate` get the same weights and dtype.
Choices are not scored, because `generate` does not score them.
"""

import plumbline.model.quiet  # noqa: F401 -- before torch, whose threads it makes sleep while they wait

# isort: split
import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bench.answering import BATCHED, SINGLE, in_batches, one_at_a_time, timed
from bench.measurements import Point, point, this_machine
from bench.training_speed import OURS, TRL, Workload, run_ours, run_trl
from plumbline.answering.answering import render
from plumbline.answering.engine import Prompt
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.answering.generation import TransformersEngine
from plumbline.model.base_files import read_manifest, weights_folder
from plumbline.model.runtime import prepare_torch
from plumbline.model.tokenization import render_example
from plumbline.model.weights import load_tokenizer, load_weights
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.prompt import training_prompt

DTYPES: tuple[Literal["float32", "bfloat16"], ...] = ("float32", "bfloat16")
NUM_WARMUP_STEPS = 1
NUM_ROWS = 400
"""How many of the first training rows are read: more than any run here takes."""


def loader(base: Path, dtype: Literal["float32", "bfloat16"]) -> Callable[[], PreTrainedModel]:
    """Loads the base's weights in this dtype, whatever its manifest says."""
    manifest = read_manifest(base).model_copy(update={"dtype": dtype})
    folder = weights_folder(base)
    return lambda: load_weights(folder, manifest, device="cpu")


def training(base: Path, tokenizer: PreTrainedTokenizerBase, *, num_steps: int, num_repeats: int) -> list[Point]:
    """Real tokens per processor second; for each dtype the two arms run in turn, and every other time in reverse order."""
    rows = list(read_jsonl(Path("data/split/train.jsonl"), InstructionRow))[:NUM_ROWS]
    examples = [render_example(tokenizer, training_prompt(row.instruction, row.input), row.output) for row in rows]
    lora, params = load_params("lora", LoraParams), load_params("train", TrainParams)
    found: dict[str, dict[str, list[float]]] = {dtype: {TRL: [], OURS: []} for dtype in DTYPES}
    for repeat in range(num_repeats):
        for dtype in DTYPES:
            work = Workload(dtype, examples, loader(base, dtype), tokenizer, lora, params)
            arms: dict[str, Callable[[], float]] = {
                TRL: lambda work=work: run_trl(work, num_steps=num_steps, rows_per_batch=8, num_warmup_steps=NUM_WARMUP_STEPS)[0],
                OURS: lambda work=work: run_ours(work, num_steps=num_steps, num_warmup_steps=NUM_WARMUP_STEPS)[0],
            }
            for name in arms if repeat % 2 == 0 else reversed(arms):
                found[dtype][name].append(arms[name]())
                say("training", dtype, name, found[dtype][name][-1])
    return [point(dtype, rates, naive=TRL, ours=OURS, better="more") for dtype, rates in found.items()]


def answering(base: Path, tokenizer: PreTrainedTokenizerBase, *, num_questions: int, num_repeats: int) -> list[Point]:
    """New tokens per processor second, on questions spread evenly over the benchmark."""
    params = load_params("answer", AnswerParams)
    questions = list(read_jsonl(Path("data/split/benchmark.jsonl"), Question))
    chosen = [questions[number * len(questions) // num_questions] for number in range(num_questions)]
    instructions = params.instructions.model_dump()
    prompts = [render(tokenizer, id=one.id, user=exam_prompt(one, instructions), choices={}, params=params) for one in chosen]
    return [answering_in(dtype, loader(base, dtype)(), tokenizer, prompts, params=params, num_repeats=num_repeats) for dtype in DTYPES]


def answering_in(
    dtype: str,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[Prompt],
    *,
    params: AnswerParams,
    num_repeats: int,
) -> Point:
    """Both ways in turn, on a model that has answered one question before."""
    engine, most = TransformersEngine(model, tokenizer, batch_size=params.batch_size), params.max_new_tokens
    ways: dict[str, Callable[[], dict[str, str]]] = {
        SINGLE: lambda: one_at_a_time(model, tokenizer, prompts, max_new_tokens=most),
        BATCHED: lambda: in_batches(engine, prompts, max_new_tokens=most),
    }
    in_batches(engine, prompts[:1], max_new_tokens=2)
    rates: dict[str, list[float]] = {way: [] for way in ways}
    texts: dict[str, dict[str, str]] = {}
    for repeat in range(num_repeats):
        for way in ways if repeat % 2 == 0 else reversed(ways):
            busy, _, texts[way] = timed(ways[way])
            num_tokens = sum(1 + len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts[way].values())
            rates[way].append(num_tokens / busy)
            say("answering", dtype, way, rates[way][-1])
    same = sum(texts[SINGLE][id] == text for id, text in texts[BATCHED].items()) / len(prompts)
    return point(dtype, rates, naive=SINGLE, ours=BATCHED, better="more", share_of_equal_texts=same)


def say(*words: object) -> None:
    """One line per measurement, with the load of the machine."""
    print(*words, f"load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)


def lines_of(task: str, points: list[Point]) -> list[str]:
    """Rows of the table, one for each dtype."""
    rows = []
    for one in points:
        assert one.ratio is not None, "both arms ran"
        cells = [f"{arm.median:,.1f} [{arm.least:,.1f}, {arm.most:,.1f}]" for arm in one.arms.values()]
        ratio = f"**{one.ratio.median:.3g} [{one.ratio.least:.3g}, {one.ratio.most:.3g}]**"
        same = one.besides.get("share of equal texts")
        rows.append(" | ".join([f"| {task}", one.size, *cells, ratio, "" if same is None else f"{same:.2f}", f"{one.ratio.n} |"]))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.real_model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", type=Path, default=Path("models/base"))
    parser.add_argument("--only", choices=["training", "answering"])
    parser.add_argument("--steps", type=int, default=4, help=f"of each training; the first {NUM_WARMUP_STEPS} is not timed")
    parser.add_argument("--questions", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    if read_manifest(chosen.base).source != "hub":
        parser.error(f"{chosen.base} is the embedded model. Run `make real`, or name a base with `source: hub` by --base.")
    os.environ.setdefault("PLUMBLINE_THREADS", "1")
    prepare_torch()
    tokenizer = load_tokenizer(chosen.base)
    print(f"{this_machine().told()}; {torch.get_num_threads()} thread(s), load {os.getloadavg()[0]:.1f} at the start")
    print("| task | dtype | naive, tokens per processor s | ours | times better, pair by pair | share of equal texts | n |")
    print("|---|---|---|---|---|---|---|")
    if chosen.only != "answering":
        points = training(chosen.base, tokenizer, num_steps=chosen.steps, num_repeats=chosen.repeats)
        print("\n".join(lines_of("training", points)), flush=True)
    if chosen.only != "training":
        points = answering(chosen.base, tokenizer, num_questions=chosen.questions, num_repeats=chosen.repeats)
        print("\n".join(lines_of("answering", points)))


if __name__ == "__main__":
    main()
