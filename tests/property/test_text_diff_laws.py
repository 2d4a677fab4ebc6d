"""A diff loses nothing: its two sides are the two texts."""

from hypothesis import given
from hypothesis import strategies as st

from plumbline.pages.text_diff import visible, word_diff

TEXTS = st.text(alphabet=st.sampled_from('ab {}":,.\n\t\\é\u200b1'), max_size=60)


@given(TEXTS, TEXTS)
def test_the_pieces_join_to_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
    assert all(piece.text for piece in pieces)


@given(st.text(max_size=60))
def test_equal_texts_have_no_changes_and_nothing_stays_invisible(text: str) -> None:
    assert {piece.kind for piece in word_diff(text, text)} <= {"same"}
    assert all(character == "\n" or character.isprintable() for character in visible(text))
