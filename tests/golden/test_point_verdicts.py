"""A judge's findings on key points: what is read, what is asked again and why, and the score that follows."""

import json
from typing import Any

import pytest

from plumbline.judging.point_quotes import is_quoted
from plumbline.judging.point_scores import share_score
from plumbline.judging.point_verdicts import parse_points_reply
from plumbline.rows.finding import Finding

POINTS = ("the water pushes the cork upward", "the push equals the weight of the displaced water", "cork is less dense than water")
ANSWER = "The water pushes the cork **upward**.\n“It isn’t heavy”, so the push does not depend\xa0on the displaced water – F = −kx."
STATED = {"point": 1, "quote": "The water pushes the cork upward.", "finding": "stated"}
DENIED = {"point": 2, "quote": "the push does not depend on the displaced water", "finding": "contradicted"}
MISSING = {"point": 3, "quote": "", "finding": "missing"}


@pytest.mark.parametrize(
    ("findings", "score"),
    [
        ("s", 1.0), ("m", 0.0), ("c", 0.0),
        ("ss", 1.0), ("sm", 0.5), ("mm", 0.0), ("sc", 0.0), ("cm", 0.0),
        ("sss", 1.0), ("ssm", 0.5), ("smm", 0.25), ("ssc", 0.25), ("smc", 0.0), ("scc", 0.0),
        ("ssss", 1.0), ("sssm", 0.75), ("sssc", 0.5), ("ssmm", 0.5), ("smmm", 0.25), ("sscm", 0.25),
        ("sssss", 1.0), ("ssssm", 0.75), ("ssssc", 0.5), ("sssmm", 0.5), ("ssmmm", 0.25), ("smmmm", 0.0),
        ("ssssss", 1.0), ("sssssm", 0.75), ("sssssc", 0.5), ("ssssmm", 0.5), ("sssmmm", 0.5), ("ssmmmm", 0.25), ("smmmmm", 0.0),
        ("sssssssssm", 0.75), ("cccc", 0.0),
    ],
)  # fmt: skip
def test_the_score_is_the_share_of_stated_less_contradicted_points_rounded_down(findings: str, score: float) -> None:
    names = {"s": Finding.STATED, "m": Finding.MISSING, "c": Finding.CONTRADICTED}
    assert share_score([names[letter] for letter in findings]) == score
    assert share_score([names[letter] for letter in reversed(findings)]) == score


def test_a_share_of_no_points_is_refused() -> None:
    with pytest.raises(ValueError, match="no key points"):
        share_score([])


@pytest.mark.parametrize(
    "quote",
    [
        "The water pushes the cork **upward**.",
        "The water pushes the cork upward",
        "the water\n pushes  the cork upward.",
        '"It isn\'t heavy"',
        "It isn't heavy",
        "the push does not depend on the displaced water - F = -kx",
        "displaced water \\u2013 F = \\u2212kx",
        "upward.\\n\\u201cIt isn",
        "kx",
    ],
)
def test_a_quote_that_differs_in_typography_stands_in_the_answer(quote: str) -> None:
    assert is_quoted(quote, ANSWER)


@pytest.mark.parametrize(
    "quote",
    [
        "",
        " ",
        '""',
        ".",
        "...",
        "**",
        "F",
        "F =",
        "The water lifts the cork",
        "The water ... upward",
        "F = kx",
        "All key points are stated.",
    ],
)
def test_a_quote_that_is_invented_shortened_or_says_nothing_does_not(quote: str) -> None:
    assert not is_quoted(quote, ANSWER)


@pytest.mark.parametrize(("quote", "found"), [(r"\frac{1}{2}mv^2", True), (r"\\frac{1}{2}mv^2", True), (r"\nabla E", True), ("2mv", False)])
def test_a_formula_is_quoted_with_its_backslash_or_with_its_escape(quote: str, found: bool) -> None:
    assert is_quoted(quote, r"The energy is \frac{1}{2}mv^2 and \nabla E is small.") is found


def read(points: object, **changes: Any) -> tuple[str, float | None, str]:
    verdict = parse_points_reply(json.dumps({"reasoning": "r", "points": points, **changes}), "end_turn", key_points=POINTS, answer=ANSWER)
    return str(verdict.outcome), verdict.score, str(verdict.cause)


def test_findings_come_back_in_the_order_of_the_key_points_with_their_quotes() -> None:
    reply = [
        {"type": "thinking", "thinking": "{}"},
        {"type": "text", "text": json.dumps({"reasoning": "r", "points": [MISSING, STATED, DENIED]})},
    ]
    verdict = parse_points_reply(reply, "end_turn", key_points=POINTS, answer=ANSWER)
    assert (verdict.outcome, verdict.score, verdict.reasoning) == ("score", 0.0, "r")
    assert [(one.point, one.finding, one.quote) for one in verdict.points] == [
        (POINTS[0], "stated", STATED["quote"]),
        (POINTS[1], "contradicted", DENIED["quote"]),
        (POINTS[2], "missing", None),
    ]


@pytest.mark.parametrize(
    ("points", "cause"),
    [
        ([STATED, DENIED], "wrong_points"),
        ([STATED, DENIED, STATED], "wrong_points"),
        ([STATED, DENIED, MISSING, STATED], "wrong_points"),
        ([STATED, DENIED, MISSING, {**MISSING, "point": 4}], "wrong_points"),
        ([STATED, DENIED, {**MISSING, "point": 0}], "wrong_points"),
        ([], "wrong_points"),
        ([STATED, DENIED, {**MISSING, "point": True}], "wrong_type"),
        ([STATED, DENIED, {**MISSING, "point": "3"}], "wrong_type"),
        ([{**STATED, "quote": None}, DENIED, MISSING], "wrong_type"),
        ([STATED, DENIED, {**MISSING, "finding": None}], "wrong_type"),
        ({"1": STATED}, "wrong_type"),
        ([STATED, DENIED, {**MISSING, "finding": "implied"}], "off_menu"),
        ([STATED, DENIED, {**MISSING, "finding": "Stated"}], "off_menu"),
        ([STATED, DENIED, {"point": 3, "finding": "missing"}], "wrong_keys"),
        ([STATED, DENIED, {**MISSING, "score": 1}], "wrong_keys"),
        ([STATED, DENIED, "missing"], "wrong_keys"),
        ([{**STATED, "quote": "The answer states it."}, DENIED, MISSING], "quote_not_in_answer"),
        ([{**STATED, "quote": ""}, DENIED, MISSING], "quote_not_in_answer"),
        ([STATED, {**DENIED, "quote": "it does not sink"}, MISSING], "quote_not_in_answer"),
    ],
)  # fmt: skip
def test_what_is_not_one_finding_with_a_true_quote_for_each_point_is_asked_again(points: object, cause: str) -> None:
    assert read(points) == ("retry", None, cause)


def test_a_missing_point_needs_no_quote_and_no_true_one() -> None:
    for quote in ("", None, "nothing of the kind"):
        assert read([STATED, DENIED, {**MISSING, "quote": quote}])[0] == "score"


@pytest.mark.parametrize("extra", [{"score": 1}, {"grade": "A"}, {"notes": {"score": 1}}])
def test_a_second_verdict_next_to_the_findings_is_none(extra: dict[str, object]) -> None:
    assert read([STATED, DENIED, MISSING], **extra) == ("retry", None, "wrong_keys")
    assert read([STATED, DENIED, MISSING], notes="sure")[0] == "score"


def test_a_reply_on_the_five_steps_is_no_reply_on_points_and_a_cut_or_refused_one_is_never_read() -> None:
    for reply, stop, outcome in (
        ({"reasoning": "r", "score": 1}, "end_turn", "retry"),
        ({"reasoning": "r", "points": [STATED, DENIED, MISSING]}, "max_tokens", "retry"),
        ({"reasoning": "r", "points": [STATED, DENIED, MISSING]}, "refusal", "failure"),
    ):
        assert parse_points_reply(json.dumps(reply), stop, key_points=POINTS, answer=ANSWER).outcome == outcome
