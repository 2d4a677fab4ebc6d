"""Whether a training can succeed, judged from what was measured on its rows, its adapter and its schedule. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from plumbline.preflight.check import Check

MIN_STEPS = 100
MIN_FORMAT_SHARE = 0.05
MIN_THINKING_TOKENS = 1024
"""With fewer tokens, most reasoning models are cut before they answer."""
NAMED_ROWS = 5
"""How many rows a finding names."""

CHOICES = re.compile(r"^\(?B[).:] ", re.MULTILINE)
ANSWER_LINE = re.compile(r"(?:^|\n)Answer: (?P<answer>\S.*)$")
NUMBER = re.compile(r"[-−+]?[\d.]")


def _check(name: str, ok: bool, found: str, remedy: str, *, otherwise: Literal["warn", "fail"] = "fail") -> Check:
    return Check(name=name, status="pass" if ok else otherwise, found=found, remedy="" if ok else remedy)


def check_one_bos(rows: Sequence[Sequence[int]], bos: int | None, *, has_template_bos: bool) -> Check:
    """If the template writes a beginning-of-sequence token, each example begins with exactly one; otherwise with none.

    The token may come again later: some models open every turn with it, and some also use it as the end of sequence.
    """
    expected = [has_template_bos, False]
    wrong = 0 if bos is None else sum([token == bos for token in row[:2]] != expected for row in rows)
    return _check(
        "one_bos",
        not wrong,
        f"{wrong} of {len(rows)} rows do not have exactly one BOS at the start"
        if has_template_bos
        else f"the template writes no BOS; {wrong} of {len(rows)} rows begin with one",
        "Name a chat template that writes BOS once, in base.chat_template.",
    )


def check_eos_trained(labels: Sequence[Sequence[int]], end: int, num_answers: Sequence[int] | None = None) -> Check:
    """The last label of each example is the token that ends the assistant's turn, and each answer has one. Else the model never learns
    to stop. `num_answers`: trained answers in each example; one each if not given.
    """
    counted = num_answers or [1] * len(labels)
    wrong = sum(not (row[-1] == end and row.count(end) == number) for row, number in zip(map(list, labels), counted, strict=True))
    return _check(
        "eos_trained",
        not wrong,
        f"{wrong} of {len(labels)} rows do not end their labels with exactly one EOS",
        "Look at the rows in metrics/preflight.html: packing or collating cut the end of a turn, or a text contains one.",
    )


def check_prompt_masked(labels: Sequence[Sequence[int]], num_prompt_tokens: Sequence[int]) -> Check:
    """No loss on prompts, and some loss on every completion."""
    pairs = list(zip(labels, num_prompt_tokens, strict=True))
    wrong = sum(any(label != -100 for label in row[:prompt]) or all(label == -100 for label in row[prompt:]) for row, prompt in pairs)
    trained = sum(label != -100 for row in labels for label in row)
    total = sum(map(len, labels)) or 1
    return _check(
        "prompt_masked",
        not wrong,
        f"{wrong} of {len(labels)} rows with loss on the prompt or none on the completion; {trained / total:.0%} of tokens are trained",
        "Labels must be -100 on the prompt, and the ids themselves after it.",
    )


def check_same_prompt(num_differing: int, num_rows: int) -> Check:
    """The training example begins with the prompt that answering shows, token by token."""
    return _check(
        "same_prompt",
        not num_differing,
        f"{num_differing} of {num_rows} rows do not begin with the prompt that answering would show",
        "Use a chat template with a generation prompt that equals what it writes before an assistant's turn.",
    )


def check_rows_fed(num_as_rendered: int, num_fed: int, num_examples: int) -> Check:
    """The batches of the trainer hold every example that fits, as rendered, and nothing else."""
    return _check(
        "rows_fed",
        num_as_rendered == num_fed == num_examples,
        f"{num_as_rendered} of {num_examples} examples reach the training loop as they were rendered, among {num_fed}",
        "Look at the code that packs and collates (plumbline/training/packing.py and trainer.py): an example was cut, lost or changed.",
    )


def check_no_truncation(lengths: Sequence[int], max_length: int) -> Check:
    """Every example fits: a cut example loses its answer and its end of sequence."""
    too_long = sum(length > max_length for length in lengths)
    return _check(
        "no_truncation",
        not too_long,
        f"{too_long} of {len(lengths)} rows are longer than {max_length} tokens; the longest has {max(lengths, default=0)}",
        f"Raise train.max_length to {max(lengths, default=0)}, or let `clean` quarantine long rows.",
    )


def check_special_tokens(
    rows: Mapping[str, Sequence[int]], special: Collection[int], num_of_template: int, of_longer: Mapping[str, int] | None = None
) -> Check:
    """Text of the data never turns into control tokens: each row has exactly the ones that the template writes. `rows`: name -> ids;
    `of_longer`: how many the template writes into each row of several exchanges.
    """
    ids, expected = frozenset(special), of_longer or {}
    wrong = [name for name, row in rows.items() if sum(token in ids for token in row) != expected.get(name, num_of_template)]
    named = f": {', '.join(wrong[:NAMED_ROWS])}{' ...' if len(wrong) > NAMED_ROWS else ''}" if wrong else ""
    return _check(
        "special_tokens",
        not wrong,
        f"{len(wrong)} of {len(rows)} rows hold other than the template's {num_of_template} control tokens{named}",
        "Remove these rows from the source, or write their control tokens differently. "
        "`clean.rules.special_token: quarantine` takes out most of them.",
    )


def check_thinking(is_on: bool, max_new_tokens: int) -> Check:
    """A thinking block needs room: a model that is cut while it thinks gives no answer."""
    return _check(
        "thinking",
        not is_on or max_new_tokens >= MIN_THINKING_TOKENS,
        f"the thinking block is {'open' if is_on else 'closed'}; an answer may have {max_new_tokens} tokens, thinking included",
        f"Raise answer.max_new_tokens to {MIN_THINKING_TOKENS} or more, or set base.thinking to false.",
        otherwise="warn",
    )


def check_adapter_dtype(dtypes: Collection[str]) -> Check:
    """Adapters train in fp32: in bf16, Adam's second moment cannot decay."""
    return _check(
        "adapter_dtype",
        set(dtypes) == {"torch.float32"},
        f"trainable tensors are {', '.join(sorted(dtypes)) or 'missing'}",
        "Cast trainable parameters to float32 before training.",
    )


def check_overfit(loss: float, num_exact: int, num_rows: int, num_stopped: int) -> Check:
    """A tiny random model can learn a few rows by heart, answer them exactly and stop: template, mask and EOS work together."""
    return _check(
        "overfit",
        num_exact == num_stopped == num_rows,
        f"{num_exact} of {num_rows} rows answered exactly, {num_stopped} stopped, loss {loss:.3f} nats",
        "Look at the masks in metrics/preflight.html: template, labels and EOS do not fit together.",
    )


def check_num_steps(num_planned_steps: int, max_steps: int | None) -> Check:
    """Enough optimiser steps to learn from; a lowered max_steps is a dry run."""
    num_steps = num_planned_steps if max_steps is None else min(max_steps, num_planned_steps)
    dry = num_steps < num_planned_steps
    return _check(
        "num_steps",
        num_steps >= MIN_STEPS and not dry,
        f"{num_steps} of {num_planned_steps} planned steps",
        "This is a dry run: its adapter is marked incomplete." if dry else "Lower train.tokens_per_step or raise train.epochs.",
        otherwise="warn",
    )


def check_warmup(num_warmup_steps: int) -> Check:
    """Without warm-up, the first steps move the adapter too far."""
    return _check(
        "warmup", num_warmup_steps > 0, f"{num_warmup_steps} warm-up steps", "Set train.warmup_fraction to 0.05.", otherwise="warn"
    )


def check_heat(scale: float, learning_rate: float, limit: float) -> Check:
    """Effective learning rate of the adapter: alpha / r x learning rate."""
    heat = scale * learning_rate
    return _check(
        "heat",
        heat <= limit,
        f"scale {scale:g} x learning rate {learning_rate:g} = {heat:.2g} (limit {limit:.2g})",
        "Lower lora.alpha or train.learning_rate. If you measured that this heat is fine, raise preflight.max_heat.",
        otherwise="warn",
    )


def check_general_prompts(prompts: Sequence[str], *, asked: Collection[str], taught: Collection[str]) -> Check:
    """No general prompt is a question of the benchmark (its answer could be replayed) or a prompt of a training row."""

    def folded(texts: Collection[str]) -> set[str]:
        return {" ".join(text.casefold().split()) for text in texts}

    ours = folded(prompts)
    num_asked, num_taught = len(ours & folded(asked)), len(ours & folded(taught))
    return _check(
        "general_prompts",
        not num_asked and not num_taught,
        f"{num_asked} of {len(prompts)} general prompts are questions of the benchmark, {num_taught} are prompts of rows",
        "Remove them from general.prompts: a benchmark question could be replayed, and a trained prompt measures nothing general.",
        otherwise="fail" if num_asked else "warn",
    )


def check_answer_format(rows: Sequence[tuple[str, str]], asked: Collection[str]) -> Check:
    """The training data shows the answer form that the benchmark asks for, kind by kind. `rows`: prompt and output of each."""
    shows = dict.fromkeys(("mcq", "numeric"), 0)
    for prompt, output in rows:
        line = ANSWER_LINE.search(output.rstrip())
        if line and CHOICES.search(prompt):
            shows["mcq"] += 1
        elif line and NUMBER.match(line["answer"]):
            shows["numeric"] += 1
    shares = {kind: num / (len(rows) or 1) for kind, num in shows.items() if kind in asked}
    missing = [kind for kind, share in shares.items() if share < MIN_FORMAT_SHARE]
    return _check(
        "answer_format",
        not missing,
        "; ".join(f"{share:.0%} of training rows end in a line `Answer: ...` as {kind} asks" for kind, share in shares.items())
        or "the benchmark asks for no form",
        f"Add rows that answer as {' and '.join(missing)} questions ask. Otherwise answers of tuned may be unparsed.",
        otherwise="warn",
    )
