"""Give each group of near-duplicate rows to training or validation by a hash, so that other rows never move it. Pure."""

from collections.abc import Sequence

from plumbline.hash_place import place_of
from plumbline.near_duplicates import near_duplicate_groups, root
from plumbline.rows.instruction_row import InstructionRow

MIN_WORDS_ALONE = 8
"""Words of a later question in a conversation; as many as an n-gram of the overlap with the benchmark has."""


def group_rows(rows: Sequence[InstructionRow], similarity: float) -> list[str]:
    """Name the group of each row: the smallest id in it. Rows share one if their questions or their whole texts are near.

    In a conversation, each question counts that can stand alone. A name depends only on the members: not on their order, nor on
    other rows.
    """
    asked = [(index, question) for index, row in enumerate(rows) for question in questions_of(row)]
    by_question = near_duplicate_groups((question for _, question in asked), similarity)
    by_content = near_duplicate_groups((whole_text(row) for row in rows), similarity)
    parents = list(range(len(rows)))

    def join(index: int, other: int) -> None:
        left, right = root(parents, index), root(parents, other)
        parents[max(left, right)] = min(left, right)

    for (index, _), first in zip(asked, by_question.tolist(), strict=True):
        join(index, asked[first][0])
    for index, first in enumerate(by_content.tolist()):
        join(index, first)
    names: dict[int, str] = {}
    for index, row in enumerate(rows):
        group = root(parents, index)
        names[group] = min(names.get(group, row.id), row.id)
    return [names[root(parents, index)] for index in range(len(rows))]


def questions_of(row: InstructionRow) -> list[str]:
    """The question of a row; in a conversation also every later question that is long enough to mean something alone.

    `And why?` stands in a thousand conversations that have nothing else in common.
    """
    if not row.earlier:
        return [f"{row.instruction}\n{row.input}"]
    first, *later = [*(one.user for one in row.earlier), f"{row.instruction}\n{row.input}"]
    return [first, *(question for question in later if len(question.split()) >= MIN_WORDS_ALONE)]


def whole_text(row: InstructionRow) -> str:
    """All that is said in a row."""
    before = "".join(f"{one.user}\n{one.assistant}\n" for one in row.earlier)
    return f"{before}{row.instruction}\n{row.input}\n{row.output}"


def position(group: str, seed: int) -> float:
    """The place of a group in [0, 1): uniform, and the same on every machine."""
    return place_of(f"{seed}:{group}")


def is_validation(group: str, *, seed: int, validation_fraction: float) -> bool:
    """Whether a group's rows validate instead of training."""
    return position(group, seed) < validation_fraction
