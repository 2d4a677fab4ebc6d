"""The figures of scores and differences: which names they show, and that they hold every arm and pair."""

import pytest

from plumbline.pages.grouped_rows import group_rows
from plumbline.pages.score_figures import ArmScore, PairDifference, draw_differences, draw_scores

KINDS = ("multiple choice", "numeric problems")


def score(kind: str, name: str, weights: str, context: str) -> ArmScore:
    return ArmScore(kind, name, weights, context, 0.5, 0.4, 0.6)


def scores(*arms: tuple[str, str, str]) -> str:
    return draw_scores([score(kind, *arm) for kind in KINDS for arm in arms], [("multiple choice", 0.25)])


def test_two_arms_that_look_different_are_named_by_the_legend_alone() -> None:
    assert ">tuned<" not in scores(("base", "base", "none"), ("tuned", "adapter", "none"))


def test_two_arms_that_look_alike_are_named() -> None:
    assert scores(("one", "file", "none"), ("other", "file", "none")).count(">other<") == 4, "in two kinds, for two columns"


def test_more_than_two_arms_are_named_in_every_kind_and_in_both_columns() -> None:
    drawn = scores(("base", "base", "none"), ("base passages", "base", "passages"), ("tuned", "adapter", "none"))
    for name in ("base", "base passages", "tuned"):
        assert drawn.count(f">{name}<") == 4
    assert drawn.count("var(--tuned)") >= 4


def test_markup_in_a_name_is_escaped() -> None:
    drawn = scores(("base", "base", "none"), ("<b>", "base", "examples"), ("tuned", "adapter", "none"))
    assert "<b>" not in drawn
    assert "&lt;b&gt;" in drawn


def test_several_comparisons_have_a_group_each_with_a_row_per_kind() -> None:
    rows = [
        PairDifference(kind, pair, "adapter", 0.1, 0.0, 0.2, is_shown=True)
        for kind in KINDS
        for pair in ("tuned − base", "tuned − base passages")
    ]
    drawn = draw_differences(rows)
    for pair in ("tuned − base", "tuned − base passages"):
        assert drawn.count(f">{pair}<") == 2
    assert drawn.count(">numeric problems<") == 4


@pytest.mark.filterwarnings("error")
def test_names_of_forty_letters_leave_room_to_draw() -> None:
    drawn = scores(("w" * 40, "base", "none"), ("b" * 40, "model", "none"), ("c" * 40, "file", "other"))
    assert f">{'w' * 40}<" in drawn, "whole in the wide column"
    assert f">{'w' * 35}…<" in drawn, "cut in the narrow one"


@pytest.mark.filterwarnings("error")
def test_a_comparison_of_two_long_names_leaves_room_to_draw() -> None:
    pairs = [f"{'w' * 40} − {'m' * 40}", "tuned − base"]
    drawn = draw_differences([PairDifference(kind, pair, "base", 0.1, 0.0, 0.2, is_shown=False) for kind in KINDS for pair in pairs])
    assert f">{'w' * 40} − {'m' * 6}…<" in drawn


def test_rows_of_a_group_stand_together_in_their_order() -> None:
    groups = group_rows([("one", "a"), ("two", "a"), ("one", "b"), ("two", "b")], "wide")
    first, third, second, fourth = groups.places
    assert first < second < third < fourth
    assert [second - first, fourth - third] == [1, 1]
    assert groups.spans["one"][1] < groups.spans["two"][0]
