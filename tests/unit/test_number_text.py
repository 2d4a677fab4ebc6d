"""Sizes and differences read the same wherever they are printed."""

import pytest

from plumbline.number_text import counted, signed, signed_ascii, size_text


@pytest.mark.parametrize(
    ("num_bytes", "expected"),
    [
        (0, "0 B"),
        (12, "12 B"),
        (999, "999 B"),
        (1.5e3, "1.5 kB"),
        (2e6, "2.0 MB"),
        (999_940_000, "999.9 MB"),
        (999_960_000, "1.0 GB"),
        (14.5e9, "14.5 GB"),
        (2e12, "2000.0 GB"),
    ],
)
def test_a_size_is_in_the_unit_that_suits_it(num_bytes: float, expected: str) -> None:
    assert size_text(num_bytes) == expected


@pytest.mark.parametrize(
    ("value", "digits", "on_a_page", "in_a_table"),
    [
        (0.123, 2, "+0.12", "+0.12"),
        (-0.03, 2, "−0.03", "-0.03"),
        (0.0, 2, "0", "+0.00"),
        (-0.0, 2, "0", "+0.00"),
        (-0.004, 2, "0", "+0.00"),
        (-0.004, 3, "−0.004", "-0.004"),
        (10.0, 0, "+10", "+10"),
        (-10.0, 0, "−10", "-10"),
    ],
)
def test_a_difference_has_its_sign_and_zero_is_never_negative(value: float, digits: int, on_a_page: str, in_a_table: str) -> None:
    assert (signed(value, digits), signed_ascii(value, digits)) == (on_a_page, in_a_table)


def test_one_of_a_thing_is_not_a_plural() -> None:
    assert [counted(count, "cluster") for count in (0, 1, 2, 1200)] == ["0 clusters", "1 cluster", "2 clusters", "1,200 clusters"]
    assert (
        counted(1, "more arm was", "more arms were") == "1 more arm was"
        and counted(2, "more arm was", "more arms were") == "2 more arms were"
    )
