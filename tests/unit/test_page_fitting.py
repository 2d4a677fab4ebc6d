"""Texts of a page that must stay small: short ones are whole, only the longest are cut."""

from hypothesis import given
from hypothesis import strategies as st

from plumbline.reporting.fitting import longest_that_fits


def test_short_texts_leave_their_room_to_the_long_ones() -> None:
    assert longest_that_fits([10, 10, 1000, 1000], 220) == 100


def test_nothing_is_cut_where_all_fits() -> None:
    assert longest_that_fits([10, 20], 30) is None
    assert longest_that_fits([], 0) is None


@given(st.lists(st.integers(1, 500), min_size=1, max_size=40), st.integers(40, 5000))
def test_cut_texts_fit_and_one_character_more_would_not(lengths: list[int], budget: int) -> None:
    longest = longest_that_fits(lengths, budget)
    if longest is None:
        assert sum(lengths) <= budget
    else:
        assert sum(min(length, longest) for length in lengths) <= budget
        assert sum(min(length, longest + 1) for length in lengths) > budget
