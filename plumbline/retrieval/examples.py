"""Choose the training rows that show a kind of question: the same ones for all questions of the kind. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from plumbline.grading.choices import parse_choices
from plumbline.grading.glyphs import tidy
from plumbline.grading.markup import without_markup
from plumbline.grading.quantities import find_quantities
from plumbline.near_duplicates import normalise, similarity
from plumbline.pipeline.refused import Refused
from plumbline.rows.context import ContextTurn
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Kind
from plumbline.splitting.benchmark_overlap import BenchmarkIndex
from plumbline.training.prompt import training_prompt

MAX_QUESTION_SHARE = 0.3
"""Share of a benchmark question's word trigrams that an example may hold. An example near a question is also near its cluster."""
MAX_ALIKE = 0.5
"""Limit for the Jaccard similarity of two examples of a kind: four rows from one template would show the same thing four times."""
ANSWER_LABEL = "Answer:"
MIN_WORDS = 6
"""Fewest words of an answer in words."""
OPENERS = " $\\([~-−+"
CLOSERS = " .$)]\\*"


class Chosen(NamedTuple):
    """The examples of one kind."""

    turns: tuple[ContextTurn, ...]
    num_like: int
    """Training rows of the kind."""
    num_near: int
    """Those of them that come near a benchmark question."""
    num_long: int
    """Those of them that are longer than an example may be."""
    nothing: str | None = None
    """If examples are wanted and there are none: why, and what to do. Else None."""


def kind_like(row: InstructionRow) -> Kind | None:
    """The kind of question that a training row resembles: by a list of choices, a quantity at the end, or words. None: no kind."""
    if parse_choices(training_prompt(row.instruction, row.input))[1]:
        return "mcq"
    if ends_in_quantity(row.output):
        return "numeric"
    is_prose = len(row.output.split()) >= MIN_WORDS and not any(line.startswith(ANSWER_LABEL) for line in row.output.splitlines())
    return "explanation" if is_prose else None


def ends_in_quantity(output: str) -> bool:
    """Whether the answer is a number.

    The line `Answer: ...` is one, or the last line ends in one with a unit or after `=`. A bare `240` does not show how to answer.
    """
    lines = [line.strip() for line in tidy(without_markup(output)).split("\n") if line.strip()]
    quantities = find_quantities(lines[-1]) if lines else []
    if not quantities:
        return False
    last, before = lines[-1], lines[-1][: quantities[-1].start].rstrip(OPENERS)
    if last.startswith(ANSWER_LABEL):
        return not last[len(ANSWER_LABEL) : quantities[0].start].strip(OPENERS)
    if last[quantities[-1].end :].strip(CLOSERS):
        return False
    return quantities[-1].unit is not None or before.endswith(("=", "≈"))


def choose_examples(
    rows: Sequence[InstructionRow],
    index: BenchmarkIndex,
    *,
    wanted: Mapping[Kind, int],
    asked: Iterable[Kind],
    max_tokens: int,
    token_counts: Sequence[int],
    seed: int,
) -> dict[Kind, Chosen]:
    """The examples of each kind in the benchmark, chosen by hash of seed and row id, so that a new row moves none of them.

    `wanted`: kind -> number. `token_counts`: tokens of question and answer of each row. No example comes near a benchmark question.
    If there are fewer than wanted, all are given. If a kind has none, `nothing` says so. Refused if no kind has any.
    """
    # The last exchange of a conversation depends on the earlier ones.
    alone = [one for one in zip(rows, token_counts, strict=True) if not one[0].earlier]
    drawn = sorted(alone, key=lambda one: hashlib.sha256(f"{seed}:{one[0].id}".encode()).digest())
    chosen: dict[Kind, Chosen] = {}
    like: dict[Kind | None, list[tuple[InstructionRow, int]]] = {}
    for one in drawn:
        like.setdefault(kind_like(one[0]), []).append(one)
    for kind in dict.fromkeys(asked):
        rows_like = like.get(kind, [])
        chosen[kind] = choose(rows_like, index, num=wanted[kind], max_tokens=max_tokens)
    lacking: list[Kind] = [kind for kind in chosen if wanted[kind] and not chosen[kind].turns]
    texts: dict[Kind, str] = {kind: nothing_to_show(kind, chosen[kind], max_tokens) for kind in lacking}
    if lacking and not any(found.turns for found in chosen.values()):
        raise Refused(" ".join(texts.values()))
    return {kind: found._replace(nothing=texts.get(kind)) for kind, found in chosen.items()}


def choose(like: Sequence[tuple[InstructionRow, int]], index: BenchmarkIndex, *, num: int, max_tokens: int) -> Chosen:
    """The first rows that are short, far from the benchmark and unlike each other. Rows that are alike come only if no others are left."""
    num_long = sum(tokens > max_tokens for _, tokens in like)
    num_near = 0
    taken: list[InstructionRow] = []
    alike: list[InstructionRow] = []
    for row, tokens in like:
        if tokens > max_tokens or len(taken) >= num:
            continue
        if max(index.scores(row).values(), default=0.0) >= MAX_QUESTION_SHARE or index.match(row) is not None:
            num_near += 1
        elif any(similarity(words_of(row), words_of(other)) > MAX_ALIKE for other in taken):
            alike.append(row)
        else:
            taken.append(row)
    turns = [ContextTurn(user=training_prompt(row.instruction, row.input), assistant=row.output) for row in [*taken, *alike][:num]]
    return Chosen(tuple(turns), len(like), num_near, num_long)


def words_of(row: InstructionRow) -> bytes:
    """A row in the form for comparison with others."""
    return normalise(f"{training_prompt(row.instruction, row.input)} {row.output}").encode()


def nothing_to_show(kind: Kind, found: Chosen, max_tokens: int) -> str:
    """If no row can be an example of a kind: what is missing, and what to do."""
    looks = {
        "mcq": "rows with a list of choices A) ... B) ... in their instruction",
        "numeric": "rows with an output that ends in a quantity",
        "explanation": f"rows that answer in {MIN_WORDS} words or more",
    }[kind]
    why = (
        f"{found.num_near} of {found.num_like} come near a benchmark question and {found.num_long} have more than {max_tokens} tokens"
        if found.num_like
        else "data/split/train.jsonl has none"
    )
    return (
        f"no example for {kind} questions, so they are asked without. Examples are {looks}, but {why}. "
        "Add such rows to the training data, or raise retrieve.examples.max_tokens."
    )
