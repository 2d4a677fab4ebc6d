"""What the script of the report page reads: each shared text once, contexts by question, and long texts cut, as the page says."""

from pathlib import Path
from typing import Any

import pytest

from plumbline.reporting import entries, entry_contexts
from plumbline.reporting.entries import arm_labels, arm_style, page_entries, without_repeats
from plumbline.reporting.entry_contexts import page_contexts
from plumbline.reporting.gather import used_contexts
from plumbline.reporting.scored import join_verdicts
from plumbline.rows.arms import Arms
from plumbline.rows.context import Context, ContextPassage, ContextTurn
from tests.fakes.evaluation_world import ANSWERING, FIVE, PAIRS_OF_FIVE, SEVEN, World, arm, make_world, write_lines


def passages(key: str, *texts: str) -> Context:
    return Context(
        id=key, turns=(), passages=tuple(ContextPassage(id=f"notes.md:{text[:1]}", score=1.0, text=text) for text in texts), recall=0.5
    )


def examples(key: str, *users: str) -> Context:
    return Context(id=key, turns=tuple(ContextTurn(user=user, assistant="yes") for user in users), passages=(), recall=None)


def entries_of(world: World, contexts: dict[str, dict[str, Context]] | None = None) -> dict[str, Any]:
    answers = [answer for name in world.arms for answer in world.answers[name]]
    return page_entries(
        world.questions,
        answers,
        join_verdicts(world.questions, answers, world.grades, world.judgements),
        world.grades,
        world.judgements,
        arms=Arms(world.arms),
        pairs=world.comparisons,
        contexts=contexts or {},
        instructions=ANSWERING.instructions.model_dump(),
        overlapping=[],
    )


def test_a_passage_that_two_questions_or_two_contexts_share_stands_once() -> None:
    found = page_contexts(
        {"passages": {"q1": passages("q1", "a", "b"), "q2": passages("q2", "b", "c")}, "shuffled": {"q1": passages("q1", "b", "c")}},
        ["q1", "q2"],
    )
    assert found.content["passages"] == [["notes.md:a", "a"], ["notes.md:b", "b"], ["notes.md:c", "c"]]
    assert found.by_question["q1"] == [{"p": [0, 1], "r": 0.5}, {"p": [1, 2], "r": 0.5}]
    assert found.by_question["q2"] == [{"p": [1, 2], "r": 0.5}, None]


def test_the_examples_of_a_kind_stand_once() -> None:
    found = page_contexts({"examples": {key: examples(key, "how fast?", "how far?") for key in ("q1", "q2")}}, ["q1", "q2"])
    assert found.content["examples"] == [[["how fast?", "yes"], ["how far?", "yes"]]]
    assert found.by_question == {"q1": [{"e": 0}], "q2": [{"e": 0}]}


def test_passages_of_questions_that_are_not_shown_are_not_on_the_page() -> None:
    found = page_contexts({"passages": {"q1": passages("q1", "a"), "q2": passages("q2", "b")}}, ["q2"])
    assert found.content["passages"] == [["notes.md:b", "b"]]


def test_passages_past_the_limit_are_cut_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_contexts, "MAX_PASSAGE_CHARACTERS", 12)
    found = page_contexts({"passages": {"q1": passages("q1", "ab", "c" * 30)}}, ["q1"])
    assert found.content["passages"] == [["notes.md:a", "ab"], ["notes.md:c", "c" * 10, 20]]
    assert found.left_out == ["Passages longer than 10 characters are cut here; the files under data/context have them whole."]


def test_an_answer_that_an_earlier_arm_gave_is_the_place_of_that_arm() -> None:
    contents: list[dict[str, object]] = [{"t": "A", "w": "good", "s": 1.0}, {"t": "B", "w": "good", "s": 1.0}, {"t": "A", "s": 1.0}]
    assert without_repeats(contents) == [{"t": "A", "w": "good", "s": 1.0}, {"t": "B", "w": 0, "s": 1.0}, {"t": 0, "s": 1.0}]


def test_long_answers_are_cut_behind_what_was_read_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(num_mcq=6, num_numeric=0, num_explanation=0)
    for name in world.arms:
        world.answers[name] = [
            one.model_copy(update={"response": f"{one.response} {name} {one.id} " + 200 * "x"}) for one in world.answers[name]
        ]
    monkeypatch.setattr(entries, "MAX_ANSWER_CHARACTERS", 12 * 5)
    found = entries_of(world)
    answers = {(one.arm, one.id): one.response for name in world.arms for one in world.answers[name]}
    spans = {(grade.arm, grade.id): grade.span for grade in world.grades}
    for row in found["rows"]:
        for place, name in enumerate(world.arms):
            content, key = row[f"r{place}"], (name, row["i"])
            span = spans[key]
            end = max(5, span[1] if span else 0)
            assert (content["t"], content["more"]) == (answers[key][:end], len(answers[key]) - end)
    assert found["left_out"] == ["Answers longer than 5 characters are cut here; the files under data/answers have them whole."]


def by_name(found: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """An entry with its arms by name, and their shared texts in full."""
    names = {arm["key"]: arm["name"] for arm in found["arms"]}

    def whole(answer: dict[str, Any]) -> dict[str, Any]:
        return {key: row[f"r{value}"][key] if key in ("t", "w") and isinstance(value, int) else value for key, value in answer.items()}

    return {names.get(key, key): whole(value) if key in names else value for key, value in row.items()}


def test_another_arm_changes_no_order_and_no_entry_of_the_other_arms() -> None:
    five, seven = (entries_of(make_world(arms=arms, comparisons=PAIRS_OF_FIVE)) for arms in (FIVE, SEVEN))
    for found in (five, seven):
        names = [arm["name"].replace(" ", "_") for arm in found["arms"]]
        assert [(names[first], names[second]) for first, second in found["pairs"]] == list(PAIRS_OF_FIVE)
    for before, after in zip(five["rows"], seven["rows"], strict=True):
        shown = by_name(five, before)
        assert shown == {key: value for key, value in by_name(seven, after).items() if key in shown}


def test_an_arm_alone_is_compared_with_no_one() -> None:
    world = make_world(arms={"base": FIVE["base"]}, comparisons=(("base", "base"),))
    assert entries_of(world)["pairs"] == []


def test_labels_say_which_context_an_arm_had() -> None:
    world = make_world(num_mcq=1, num_numeric=0, num_explanation=0, arms=FIVE, comparisons=PAIRS_OF_FIVE)
    found = entries_of(world, {"examples": {}, "passages": {}})
    assert [label.get("context") for label in found["arms"]] == [None, 0, 1, None, 1]


@pytest.mark.parametrize(
    ("weights", "context", "style"),
    [
        ("models/base", "none", "w-base c-none"),
        ("models/adapter", "passages", "w-adapter c-passages"),
        ("models/other.yaml", "examples", "w-model c-examples"),
        ("answers.jsonl", "my <context>", "w-file c-other"),
    ],
)
def test_the_style_of_an_arm_says_who_answers_and_what_came_before(weights: str, context: str, style: str) -> None:
    assert arm_style(arm(weights, context)) == style


def test_keys_of_arms_are_their_places() -> None:
    assert [label["key"] for label in arm_labels(Arms(FIVE))] == ["r0", "r1", "r2", "r3", "r4"]


def test_only_contexts_that_an_arm_uses_are_read(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("none", "examples", "passages", "shuffled")}
    write_lines(paths["passages"], [passages("q1", "a")])
    write_lines(paths["examples"], [examples("q1", "how fast?")])
    found = used_contexts(paths, Arms(FIVE))
    assert list(found) == ["examples", "passages"]
    assert found["passages"]["q1"].passages[0].text == "a"
