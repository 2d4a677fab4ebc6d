"""What holds for every reply of a judge, and for every answer that the key-point rule reads."""

import json
import random
import string
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.judging.causes import JudgeCause
from plumbline.judging.key_points import judge_key_points
from plumbline.judging.point_quotes import is_quoted
from plumbline.judging.point_scores import share_score
from plumbline.judging.point_verdicts import parse_points_reply
from plumbline.judging.precheck import is_no_answer
from plumbline.judging.prompt import SCALE, JudgeItem, render_item
from plumbline.judging.verdicts import parse_judge_reply
from plumbline.rows.finding import Finding

SCORES = st.sampled_from(SCALE)
STOPS = st.sampled_from(["end_turn", "stop_sequence", "tool_use", "refusal", "max_tokens", "pause_turn", None, "brand_new"])


@given(SCORES, st.text(), st.booleans(), st.booleans(), st.sampled_from([None, 1, 4]), st.sampled_from(["", "```json\n", "```\n"]))
def test_reading_undoes_writing(score: float, reasoning: str, score_first: bool, ascii_only: bool, indent: int | None, fence: str) -> None:
    parts: dict[str, Any] = {"score": score, "reasoning": reasoning} if score_first else {"reasoning": reasoning, "score": score}
    text = json.dumps(parts, ensure_ascii=ascii_only, indent=indent)
    verdict = parse_judge_reply(fence + text + ("\n```" if fence else ""), "end_turn", SCALE)
    assert (verdict.outcome, verdict.score) == ("score", score)
    verdict.reasoning.encode("utf-8")


@given(SCORES, SCORES, st.booleans())
def test_a_verdict_quoted_inside_the_reasoning_is_text(score: float, quoted: float, nested: bool) -> None:
    echo = json.dumps({"score": quoted, "reasoning": "x"})
    text = json.dumps({"reasoning": f"The answer says {echo if nested else f'score: {quoted}'}", "score": score})
    assert parse_judge_reply(text, "end_turn", SCALE).score == score


@given(SCORES, SCORES, st.sampled_from(["", "\n", " and ", "\n\nFinal: "]))
def test_two_verdicts_are_none(first: float, second: float, between: str) -> None:
    one, other = (json.dumps({"reasoning": "x", "score": score}) for score in (first, second))
    assert parse_judge_reply(one + between + other, "end_turn", SCALE).outcome == "retry"
    assert parse_judge_reply([{"type": "text", "text": one}, {"type": "text", "text": other}], "end_turn", SCALE).outcome == "retry"


@given(
    st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.booleans() | st.none() | st.text() | st.lists(SCORES, max_size=2)
)
def test_only_a_number_on_the_menu_is_a_score(value: object) -> None:
    verdict = parse_judge_reply(json.dumps({"score": value, "reasoning": "x"}), "end_turn", SCALE)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    on_menu = is_number and any(abs(value - allowed) <= 1e-12 for allowed in SCALE)  # type: ignore[operator]
    assert (verdict.outcome == "score") == on_menu


@given(SCORES, st.text(min_size=1), STOPS)
def test_a_stop_that_is_no_end_never_gives_a_score(score: float, reasoning: str, stop: str | None) -> None:
    verdict = parse_judge_reply(json.dumps({"reasoning": reasoning, "score": score}), stop, SCALE)
    assert (verdict.outcome == "score") == (stop in ("end_turn", "stop_sequence", "tool_use"))
    assert verdict.cause in {cause.value for cause in JudgeCause}


JSONISH = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "text", "name", "input", "score", "reasoning"]) | st.text(), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(JSONISH | st.binary() | st.complex_numbers(), STOPS)
def test_anything_at_all_gives_an_outcome(reply: object, stop: str | None) -> None:
    verdict = parse_judge_reply(reply, stop, SCALE)
    assert verdict.outcome in ("score", "retry", "failure") and (verdict.score in SCALE) == (verdict.outcome == "score")


def mutated(text: str, rng: random.Random) -> str:
    characters = list(text)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(characters) + 1)
        act = rng.randrange(5)
        if act == 0 and place < len(characters):
            del characters[place]
        elif act == 1:
            characters.insert(place, rng.choice(string.printable + "“”−０５\u200b\ud800\U000e0031"))
        elif act == 2 and place < len(characters):
            characters[place] = rng.choice('{}[]",:\\0123456789.eE+-truefalsn')
        elif act == 3:
            other = rng.randrange(len(characters) + 1)
            characters[place:place] = characters[min(place, other) : max(place, other)][:200]
        else:
            del characters[place:]
    return "".join(characters)


def test_ten_thousand_mutations_give_no_crash_and_no_score_off_the_menu(shared: Path) -> None:
    rng = random.Random(20261123)
    lines = (shared / "cases/judging/judge_replies.jsonl").read_text(encoding="ascii").splitlines()
    cases = [case for case in map(json.loads, lines) if len(json.dumps(case["reply"])) < 5000]
    seconds, outcomes = [], {"score": 0, "retry": 0, "failure": 0}
    for number in range(10_000):
        case = cases[number % len(cases)]
        reply = case["reply"]
        if isinstance(reply, str):
            reply = mutated(reply, rng)
        else:
            text = mutated(json.dumps(reply), rng)
            try:
                reply = json.loads(text)
            except ValueError:
                reply = text
        start = time.perf_counter()
        verdict = parse_judge_reply(reply, case["stop_reason"], case["allowed_scores"])
        seconds.append(time.perf_counter() - start)
        outcomes[verdict.outcome] += 1
        assert verdict.outcome != "score" or verdict.score in case["allowed_scores"]
        verdict.reasoning.encode("utf-8")
    print(f"mutations: {outcomes}, p99 {sorted(seconds)[9900] * 1000:.2f} ms")
    assert sorted(seconds)[9900] < 0.05 and outcomes["score"] > 100


POINT_LIST = ("water pushes the cork upward", "cork is less dense than water")
ANSWERS = (
    "The water pushes the cork upward. The cork is less dense than water.",
    "The cork is less dense than water,\n\nand the water pushes it. That cork goes upward.",
    "The water pushes the cork upward. This is false. Cork is denser than water.",
    "<think>The water pushes the cork upward.</think>The cork is\u00a0less dense than **water**.",
    "It is not true that water pushes the cork upward; “cork is more dense than water”.",
    "Nothing.",
)
WORDS = st.lists(st.sampled_from(["water", "pushes", "**up**", "it’s", "–", "F=ma", "\u00a0", "\n", '"so"', "é"]), min_size=1, max_size=12)
FINDINGS = st.lists(st.sampled_from(list(Finding)), min_size=1, max_size=8)


@given(WORDS, st.data())
def test_any_stretch_of_an_answer_with_two_letters_is_a_quote_of_it(words: list[str], data: st.DataObject) -> None:
    answer = " ".join(words)
    begin = data.draw(st.integers(0, len(answer)))
    quote = answer[begin : data.draw(st.integers(begin, len(answer)))]
    assert is_quoted(quote, answer) == (sum(character.isalnum() for character in quote) >= 2)
    assert not is_quoted(f"{quote} qq", answer)


@given(FINDINGS, st.sampled_from([0, 1]))
def test_the_score_of_findings_grows_with_what_is_stated_and_falls_with_what_is_contradicted(findings: list[Finding], place: int) -> None:
    place = min(place, len(findings) - 1)
    tried = {one: share_score([*findings[:place], one, *findings[place + 1 :]]) for one in Finding}
    assert tried[Finding.CONTRADICTED] <= tried[Finding.MISSING] <= tried[Finding.STATED]
    assert set(tried.values()) <= set(SCALE)
    assert (share_score(findings) == 1) == (set(findings) == {Finding.STATED})
    assert share_score(findings) <= findings.count(Finding.STATED) / len(findings)


@given(FINDINGS, st.randoms(use_true_random=False), st.text())
def test_reading_findings_undoes_writing_them_in_any_order(findings: list[Finding], order: random.Random, reasoning: str) -> None:
    names = [f"point {number}" for number in range(len(findings))]
    entries = [
        {"point": number, "quote": "" if one is Finding.MISSING else "The water", "finding": one} for number, one in enumerate(findings, 1)
    ]
    order.shuffle(entries)
    text = json.dumps({"reasoning": reasoning, "points": entries})
    verdict = parse_points_reply(text, "end_turn", key_points=names, answer="The water pushes.")
    assert [one.finding for one in verdict.points] == findings and verdict.score == share_score(findings)
    assert parse_points_reply(text, "end_turn", key_points=[*names, "another"], answer="The water pushes.").outcome == "retry"
    invented = parse_points_reply(text, "end_turn", key_points=names, answer="Another answer.")
    assert (invented.outcome == "score") == (set(findings) == {Finding.MISSING})


@given(JSONISH | st.binary(), STOPS)
def test_anything_at_all_gives_an_outcome_on_points_too(reply: object, stop: str | None) -> None:
    verdict = parse_points_reply(reply, stop, key_points=["k"], answer="a")
    assert verdict.outcome in ("retry", "failure") and verdict.score is None


@given(st.sampled_from(ANSWERS), st.sampled_from([POINT_LIST, POINT_LIST[::-1], POINT_LIST[:1]]))
def test_the_rule_quotes_what_stands_in_the_answer(answer: str, points: tuple[str, ...]) -> None:
    found = judge_key_points(answer, points, question="Why?", reference="So.")
    for finding, quote in zip(found.findings, found.quotes, strict=True):
        assert (quote is None) == (finding is Finding.MISSING)
        assert quote is None or is_quoted(quote, answer)


POINTS = ("water pushes the cork upward", "the push equals the weight of displaced water", "cork is less dense than water")
FULL = (
    "The water pushes the cork upward.",
    "This push equals the weight of the displaced water.",
    "The cork is less dense than the water.",
)
QUESTION = "Why does a cork float?"


def score(answer: str) -> float:
    return judge_key_points(answer, POINTS, question=QUESTION, reference=" ".join(FULL)).score


@given(st.permutations(FULL), st.sampled_from([" ", "\n", "  \n\n"]), st.booleans())
def test_order_case_and_space_of_sentences_do_not_move_the_rule(sentences: list[str], between: str, upper: bool) -> None:
    text = between.join(sentences)
    assert score(text.upper() if upper else text) == 1.0


@given(st.sets(st.sampled_from(range(3)), min_size=1))
def test_the_score_is_the_share_of_stated_points_rounded_down(stated: set[int]) -> None:
    assert score(" ".join(FULL[number] for number in sorted(stated))) == {1: 0.25, 2: 0.5, 3: 1.0}[len(stated)]


@given(st.integers(0, 2), st.sampled_from(["It is false that {}", "It is not true that {}", "No one should say that {}"]))
def test_one_denied_point_spoils_the_answer(number: int, frame: str) -> None:
    denied = frame.format(FULL[number][0].lower() + FULL[number][1:])
    assert score(" ".join([*FULL[:number], denied, *FULL[number + 1 :]])) == 0.0
    assert score(" ".join([*FULL, denied])) == 0.0, "stating it as well does not help"


KEY_WORDS = ("water", "pushes", "cork", "upward", "push", "equals", "weight", "displaced", "water", "cork", "less", "dense", "water")


@given(st.permutations(KEY_WORDS), st.sampled_from([" ", ", ", "\n", "; ", ". ", " and ", " and the ", " of "]))
@settings(max_examples=300)
def test_key_words_in_any_order_and_any_garnish_earn_nothing(words: list[str], between: str) -> None:
    assert score(between.join(words)) == 0.0


EVERY_WORD = tuple(" ".join(POINTS).split())


@given(st.permutations(EVERY_WORD), st.sampled_from([", ", ",", "; ", "\n", "\n- ", ". "]))
@settings(max_examples=300)
def test_every_word_of_the_key_points_in_a_list_earns_nothing(words: list[str], between: str) -> None:
    assert score(between.join(words)) == 0.0


@given(st.text(max_size=300))
def test_any_text_gets_a_score_of_the_scale(text: str) -> None:
    assert score(text) in SCALE
    assert isinstance(is_no_answer(text, QUESTION), bool)


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_prompt_carries_every_answer_whole_between_markers_it_does_not_hold(question: str, answer: str) -> None:
    text = render_item(JudgeItem(question, "r", (), answer))
    marker = text.split("\n")[1]
    assert text.isascii() and text.count(marker) == 3
    assert json.loads(text.split(f"\n{marker}\n")[1])["student_answer"] == answer


@pytest.mark.parametrize("opener", ["Sure!", "Okay.", "Answer:", "Let me think."])
@given(st.lists(st.sampled_from(["Solution:", "Thought process:", "**", "\n", "Let's think step by step."]), max_size=4))
def test_openers_in_a_row_are_no_answer(opener: str, more: list[str]) -> None:
    assert is_no_answer(" ".join([opener, *more]), QUESTION)
