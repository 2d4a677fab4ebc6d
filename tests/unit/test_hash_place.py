"""A text has a place in [0, 1) that never moves: shares that are drawn by it hold for every run."""

from plumbline.hash_place import place_of


def test_the_place_of_a_text_never_moves() -> None:
    assert place_of("benchmark part:mcq-1") == 0.6851919972177523


def test_places_are_spread_evenly() -> None:
    places = [place_of(f"question {number}") for number in range(4000)]
    assert all(0 <= place < 1 for place in places) and abs(sum(places) / len(places) - 0.5) < 0.02
    assert abs(sum(place < 0.1 for place in places) / len(places) - 0.1) < 0.02
