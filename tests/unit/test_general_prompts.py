"""General prompts are divided once and for all, and nothing that measures is ever trained on."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.answering.general import read_prompts
from plumbline.embedded.benchmark import choice_questions, explanation_questions, numeric_questions
from plumbline.embedded.general import general_prompts
from plumbline.embedded.training_rows import training_rows
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.preflight.readiness import check_general_prompts
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.general_prompt import GeneralPrompt
from plumbline.rows.question import KINDS
from plumbline.training.general_prompts import is_replayable, num_replay_rows, part_of, replay_rows

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261123
PROMPTS = general_prompts(num_prompts=400, seed=SEED)


def answer(id: str, **changes: object) -> GeneralAnswer:
    content = {"id": id, "prompt": f"Say {id}.", "response": id, "num_tokens": 3, "stopped": "eos"}
    return GeneralAnswer.model_validate(content | {"part": part_of(id, seed=5, measured_fraction=0.25)} | changes)


ANSWERS = [answer(f"p{number}") for number in range(200)]


@given(st.lists(st.text(min_size=1), unique=True, min_size=1), st.text(min_size=1))
def test_another_prompt_never_moves_one(ids: list[str], another: str) -> None:
    parts = {id: part_of(id, seed=5, measured_fraction=0.25) for id in ids}
    assert parts == {id: part_of(id, seed=5, measured_fraction=0.25) for id in reversed([*ids, another]) if id in parts}


def test_the_division_is_the_one_that_it_was() -> None:
    """Pinned: an answer that once measured must measure in a later version as well, or it may have been trained on."""
    measured = [number for number in range(40) if part_of(f"p{number}", seed=5, measured_fraction=0.25) == "measured"]
    assert measured == [8, 16, 19, 27, 31, 32]


def test_a_larger_measured_fraction_only_takes_from_replay() -> None:
    measured = [{a.id for a in ANSWERS if part_of(a.id, seed=5, measured_fraction=share) == "measured"} for share in (0, 0.25, 0.5, 1)]
    assert measured[0] == set() and measured[0] < measured[1] < measured[2] < measured[3] == {a.id for a in ANSWERS}
    assert 30 <= len(measured[1]) <= 70


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 0), (0.05, 53), (0.1, 111), (0.5, 1000)])
def test_replay_rows_are_this_share_of_all_rows(fraction: float, expected: int) -> None:
    assert num_replay_rows(1000, fraction) == expected
    rows = replay_rows(ANSWERS, num_training_rows=1000, replay_fraction=fraction, seed=1)
    assert len(rows) == expected and len(rows) / (1000 + len(rows)) == pytest.approx(fraction, abs=0.001)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_a_share_that_is_none_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="replay_fraction"):
        num_replay_rows(1000, fraction)


@pytest.mark.parametrize("seed", range(20))
def test_what_measures_is_never_replayed_nor_is_a_cut_or_empty_answer(seed: int) -> None:
    cut, empty = answer("cut", part="replay", stopped="max_new_tokens"), answer("empty", part="replay", response=" ")
    rows = replay_rows([*ANSWERS, cut, empty], num_training_rows=1000, replay_fraction=0.5, seed=seed)
    assert {row.part for row in rows} == {"replay"}
    assert not {"cut", "empty"} & {row.id for row in rows}
    assert not is_replayable(cut) and not is_replayable(empty)


def test_rows_come_again_only_when_all_have_come() -> None:
    usable = sum(map(is_replayable, ANSWERS))
    rows = replay_rows(ANSWERS, num_training_rows=1000, replay_fraction=0.3, seed=1)
    counts = Counter(row.id for row in rows)
    assert len(counts) == usable and max(counts.values()) - min(counts.values()) <= 1 < max(counts.values())


def test_the_order_of_the_file_changes_no_row_and_the_seed_changes_which_come_first() -> None:
    def ids(answers: list[GeneralAnswer], seed: int) -> list[str]:
        return [row.id for row in replay_rows(answers, num_training_rows=100, replay_fraction=0.2, seed=seed)]

    assert ids(ANSWERS, 1) == ids(ANSWERS[::-1], 1) != ids(ANSWERS, 2)


def test_replay_without_anything_to_replay_is_refused_and_without_being_asked_for_is_nothing() -> None:
    measured = [row for row in ANSWERS if row.part == "measured"]
    assert replay_rows(measured, num_training_rows=1000, replay_fraction=0.0, seed=1) == []
    with pytest.raises(ValueError, match=r"none of the \d+ general answers can be replayed"):
        replay_rows(measured, num_training_rows=1000, replay_fraction=0.1, seed=1)


# ---- the prompts of the embedded world


def test_embedded_prompts_are_distinct_and_longer_lists_begin_with_shorter_ones() -> None:
    assert len({prompt.id for prompt in PROMPTS}) == len({prompt.prompt for prompt in PROMPTS}) == 400
    assert general_prompts(num_prompts=100, seed=SEED) == PROMPTS[:100]
    assert general_prompts(num_prompts=100, seed=SEED + 1) != PROMPTS[:100]


def test_no_embedded_prompt_is_asked_by_the_benchmark_or_by_a_training_row() -> None:
    questions = [
        *choice_questions(num_questions=160, seed=SEED),
        *numeric_questions(num_questions=160, seed=SEED),
        *explanation_questions(num_questions=80, seed=SEED),
    ]
    asked = [text for question in questions for text in (question.question, exam_prompt(question, dict.fromkeys(KINDS, "")))]
    taught = [row.instruction for row in training_rows(num_rows=4400, seed=SEED)]
    texts = [prompt.prompt for prompt in PROMPTS]
    assert check_general_prompts(texts, asked=asked, taught=taught).status == "pass"
    firsts = {text.split("\n")[0] for text in texts}
    assert not firsts & {text.split("\n")[0] for text in [*asked, *taught]}


def test_a_prompt_of_the_benchmark_fails_preflight_and_one_of_a_row_warns() -> None:
    prompts = ["Name the unit of force.", "Sing."]
    assert check_general_prompts(prompts, asked=["Which force?"], taught=["Which unit?"]).status == "pass"
    assert check_general_prompts(prompts, asked=["name the  unit of force."], taught=[]).status == "fail"
    assert check_general_prompts(prompts, asked=[], taught=["SING."]).status == "warn"


# ---- the prompts for a real instruct model


def test_the_example_file_holds_distinct_prompts_of_every_sort() -> None:
    prompts = list(read_jsonl(ROOT / "examples/general_prompts.jsonl", GeneralPrompt))
    assert len(prompts) >= 120 and len({prompt.id for prompt in prompts}) == len({prompt.prompt for prompt in prompts}) == len(prompts)
    sorts = Counter(prompt.id.rsplit("-", 1)[0] for prompt in prompts)
    assert set(sorts) == {"arithmetic", "code", "facts", "lists", "manners", "reasoning", "rewriting", "translation"}
    assert min(sorts.values()) >= 12


def test_a_prompt_that_stands_twice_in_one_line_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"id": "a", "prompt": "Say a."}\n{"id": "b", "prompt": "Say b.", "prompt": "Say c."}\n')
    with pytest.raises(Refused, match="line 2: the key 'prompt' occurs twice in one object; remove one of them"):
        read_prompts(path)
    path.write_text('{"id": "a", "prompt": "Say a."}\n')
    assert [prompt.id for prompt in read_prompts(path)] == ["a"]
