"""The split is disjoint and whole, and a row stays in its part if other rows are added, removed or moved."""

from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.rows.instruction_row import InstructionRow, Origin
from plumbline.splitting.splitting import group_rows, is_validation

words = st.sampled_from(
    ["force", "mass", "speed", "energy", "heat", "field", "charge", "wave", "lens", "torque", "orbit", "fluid", "5", "12", "9.8"]
)
questions = st.lists(words, min_size=1, max_size=12).map(" ".join)


def row(question: str, answer: str = "It depends.") -> InstructionRow:
    name = f"{hash_of(question)}{hash_of(answer)}"
    return InstructionRow(id=name, instruction=question, input="", output=answer, origin=Origin(file="f", line=1), repairs=(), flags=())


def hash_of(text: str) -> str:
    return f"{sum(ord(character) * 31**place for place, character in enumerate(text)) % 16**8:08x}"


def validation(rows: list[InstructionRow], seed: int) -> dict[str, bool]:
    groups = group_rows(rows, 0.8)
    return {one.instruction: is_validation(group, seed=seed, validation_fraction=0.4) for one, group in zip(rows, groups, strict=True)}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(questions, min_size=1, max_size=12, unique=True),
    st.lists(questions, max_size=6),
    st.integers(0, 99),
    st.randoms(use_true_random=False),
)
def test_adding_or_reordering_rows_moves_no_row_outside_the_groups_they_join(
    first: list[str], more: list[str], seed: int, shuffler: object
) -> None:
    old = [row(question) for question in first]
    new = [*old, *(row(question) for question in dict.fromkeys(more) if question not in first)]
    getattr(shuffler, "shuffle")(new)  # noqa: B009
    before, after = validation(old, seed), validation(new, seed)
    groups = dict(zip((one.instruction for one in new), group_rows(new, 0.8), strict=True))
    joined = {groups[one.instruction] for one in new if one.instruction not in before}
    for question, side in before.items():
        if groups[question] not in joined:
            assert after[question] == side


@settings(deadline=None, max_examples=40)
@given(st.lists(questions, min_size=1, max_size=12), st.integers(0, 99))
def test_rows_of_one_group_stay_together(texts: list[str], seed: int) -> None:
    rows = [row(text, answer) for text in texts for answer in ("One.", "Two.")]
    groups = group_rows(rows, 0.8)
    sides = {}
    for group in groups:
        side = is_validation(group, seed=seed, validation_fraction=0.5)
        assert sides.setdefault(group, side) == side
    for left, right in zip(rows[::2], rows[1::2], strict=True):
        assert groups[rows.index(left)] == groups[rows.index(right)], "one question with two answers"
