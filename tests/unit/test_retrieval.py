"""Contexts: what is read from a corpus, what is a leak, what is found, which rows are examples, and which question lends its passages."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from plumbline.pipeline.refused import Refused
from plumbline.retrieval.bm25 import Bm25Scorer
from plumbline.retrieval.corpus_files import read_corpus
from plumbline.retrieval.examples import choose_examples, kind_like
from plumbline.retrieval.found import needs_in, recall_at
from plumbline.retrieval.leaks import LeakFinder, asks
from plumbline.retrieval.pieces import Piece, markdown_sections
from plumbline.retrieval.ranking import Ranked, best_of
from plumbline.retrieval.search_words import search_words
from plumbline.retrieval.shuffling import donors
from plumbline.rows.instruction_row import InstructionRow, Origin
from plumbline.rows.question import Kind, Question
from plumbline.splitting.benchmark_overlap import BenchmarkIndex


def words(text: str) -> int:
    """Tokens of these tests."""
    return len(text.split())


def mcq(question: str = "Which device turns motion into electrical energy?", id: str = "m", cluster: str = "c") -> Question:
    choices = {"A": "wave speed", "B": "generator", "C": "speed", "D": "lamp"}
    return Question(id=id, kind="mcq", question=question, choices=choices, target="B", unit=None, key_points=(), cluster=cluster)


def numeric(question: str, target: str, unit: str | None, id: str = "n", cluster: str = "c") -> Question:
    return Question(id=id, kind="numeric", question=question, choices={}, target=target, unit=unit, key_points=(), cluster=cluster)


def explanation(question: str = "Why does ice float on water?", id: str = "e") -> Question:
    points = ("ice is less dense than water", "buoyancy carries its weight")
    target = "Ice is less dense than water, so buoyancy carries its weight."
    return Question(id=id, kind="explanation", question=question, choices={}, target=target, unit=None, key_points=points, cluster="c")


def piece(text: str, asked: str = "") -> Piece:
    return Piece(id="notes.md:1", text=text, num_tokens=words(text), asked=asked)


def finder(*questions: Question) -> LeakFinder:
    index = BenchmarkIndex(questions, ngram_words=8, ngram_share=0.5, near_similarity=0.7)
    return LeakFinder(questions, index, near_share=0.6)


# --- words -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("g is 9.81 m/s^2.", ["g", "is", "9.81", "m/s^2"]),
        ("9.81 m/s², m/s^{2}", ["9.81", "m/s^2", "m/s^2"]),
        ("H_2O, H₂O and H2O", ["h2o", "h2o", "and", "h2o"]),
        ("2kg at 10^-12 m", ["2", "kg", "at", "10^-12", "m"]),
        ("6.63e-34 J s", ["6.63e-34", "j", "s"]),
        ("1,000,000 J", ["1000000", "j"]),
        ("forces/masses, heat/work", ["force", "masse", "heat", "work"]),
        ("Newton's second laws", ["newton", "second", "law"]),
        ("the mass of a gas", ["the", "mass", "of", "a", "gas"]),
        ("v_{max} in ms^-1", ["vmax", "in", "ms^-1"]),
        (r"5 \mathrm{kg}", ["5", "kg"]),
        ("", []),
    ],
)
def test_formulas_numbers_and_units_are_words(text: str, found: list[str]) -> None:
    assert search_words(text) == found


# --- corpus ------------------------------------------------------------------------------------------------------------------

MARKDOWN = """Intro line.

# Mechanics

## Force

Force is mass times acceleration.

Weight is a force.

```python
# no heading
x = 1

y = 2
```

## Empty

Heat
====

Heat flows.
"""


def test_markdown_is_cut_at_headings_which_become_the_breadcrumb() -> None:
    sections = markdown_sections(MARKDOWN)
    assert [section.breadcrumb for section in sections] == ["", "Mechanics", "Mechanics > Force", "Mechanics > Empty", "Heat"]
    assert [paragraph.line for paragraph in sections[2].paragraphs] == [7, 9, 11]
    assert "# no heading" in sections[2].paragraphs[2].text and "y = 2" in sections[2].paragraphs[2].text


def test_pieces_name_file_and_line_and_hold_at_most_so_many_tokens(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/notes.md").write_text(MARKDOWN, encoding="utf-8")
    (tmp_path / "b.txt").write_text("One two three. Four five six.\nSeven.\n\nEight nine.\n", encoding="utf-8")
    rows = [{"text": "A fact."}, {"instruction": "Why?", "input": "", "output": "So."}, {"text": " "}, {"text": "A  fact.", "source": "x"}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    (tmp_path / "figure.png").write_bytes(b"\x89PNG")
    read = read_corpus(tmp_path, max_tokens=12, count=words)
    assert read.unread == ["figure.png"]
    assert read.dropped == Counter({"heading_only": 2, "empty": 1, "repeat": 1})
    found = {one.id: one for one in read.pieces}
    assert found["b.txt:1"].text == "One two three. Four five six.\nSeven.\nEight nine."
    assert found["sub/notes.md:7"].text.startswith("Mechanics > Force\nForce is mass")
    assert (found["rows.jsonl:2"].text, found["rows.jsonl:2"].asked) == ("Why?\nSo.", "Why?")
    assert all(one.num_tokens <= 12 for one in read.pieces)
    assert len(found) == len(read.pieces)


def test_a_long_row_becomes_several_pieces_of_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "One two three. Four five six. Seven eight nine."}), encoding="utf-8")
    read = read_corpus(path, max_tokens=4, count=words)
    assert [(one.id, one.text) for one in read.pieces] == [
        ("rows.jsonl:1", "One two three."),
        ("rows.jsonl:1#2", "Four five six."),
        ("rows.jsonl:1#3", "Seven eight nine."),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A first one. This sentence goes on\nin a second line.", ["A first one.", "This sentence goes on\nin a second line."]),
        ("Forces are:\n- a body's weight\n- the lift of a wing", ["Forces are:\n- a body's weight", "- the lift of a wing"]),
        ("| a | b | c |\n| d | e | f |", ["| a | b | c |", "| d | e | f |"]),
        ("one two three four\nfive six seven eight", ["one two three four\nfive six seven eight"]),
        ("one two three four five\nsix seven eight nine ten", ["one two three four five", "six seven eight nine ten"]),
    ],
)
def test_a_paragraph_that_is_too_long_is_cut_where_a_reader_would(text: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert [one.text for one in read_corpus(tmp_path / "a.txt", max_tokens=8, count=words).pieces] == found


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"text": "ok"}\n{"text": \n', r"a\.jsonl, line 2: not JSON"),
        ("a.jsonl", b'{"text": "ok"}\n[1]\n', r"a\.jsonl, line 2: not an object"),
        ("a.jsonl", b'{"title": "x"}\n', r"a\.jsonl, line 1: neither a text nor an instruction .*'title'.*A row is"),
        ("a.txt", b"ok\nM\xfcller\n", r"a\.txt, line 2: not UTF-8.*Save the file as UTF-8"),
        ("a.pdf", b"x", r"a\.pdf: files of the corpus end in .*Convert it"),
        ("a.txt", b" \n", r"a\.txt: the corpus holds no text.*retrieve\.corpus"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refused, match=said):
        read_corpus(tmp_path / name, max_tokens=10, count=words)


def test_a_corpus_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"nowhere does not exist.*retrieve\.corpus"):
        read_corpus(tmp_path / "nowhere", max_tokens=10, count=words)
    with pytest.raises(Refused, match="no file in it ends in"):
        read_corpus(tmp_path, max_tokens=10, count=words)


# --- leaks -------------------------------------------------------------------------------------------------------------------

PROBLEM = numeric("A crate of mass 12 kg has an acceleration of 3.5 m/s^2. Which force acts on it?", "42", "N")


@pytest.mark.parametrize(
    ("question", "text", "reason"),
    [
        pytest.param(mcq(), "Which device turns motion into electrical energy?", "asks_the_question", id="the question alone"),
        pytest.param(
            mcq(),
            "Energy changes its form. Which device turns motion into electrical energy? Think.",
            "asks_the_question",
            id="inside a text",
        ),
        pytest.param(
            mcq(), "Q: Which device turns motion into electrical energy?\nA: generator", "asks_the_question", id="with its answer"
        ),
        pytest.param(
            mcq(),
            "In a car or in a house, which device turns motion into electrical energy nowadays? A generator.",
            "question_and_answer",
            id="nearly, answered",
        ),
        pytest.param(explanation(), "Exercise 4. Why does ice float on water? Discuss.", "asks_the_question", id="an exercise"),
        pytest.param(PROBLEM, PROBLEM.question, "asks_the_question", id="a problem"),
        pytest.param(
            PROBLEM,
            "A crate of mass 12 kg has an acceleration of 3.5 m/s^2. The force on it is 42 N.",
            "problem_with_its_numbers",
            id="a worked problem that does not ask",
        ),
    ],
)
def test_a_copy_of_a_question_is_a_leak(question: Question, text: str, reason: str) -> None:
    leak = finder(question).find(piece(text))
    assert leak is not None and leak.reason == reason


@pytest.mark.parametrize(
    ("question", "text"),
    [
        pytest.param(mcq(), "A generator turns motion into electrical energy.", id="the fact that answers it"),
        pytest.param(
            mcq(), "The device that turns motion into electrical energy is the generator.", id="the fact in the words of the question"
        ),
        pytest.param(mcq(), "Which device turns heat into motion? An engine. A generator makes electrical energy.", id="another question"),
        pytest.param(
            mcq(), "In a car or in a house, which device turns motion into electrical energy nowadays?", id="nearly, without the answer"
        ),
        pytest.param(explanation(), "Ice is less dense than water, so buoyancy carries its weight.", id="the reference itself, as a fact"),
        pytest.param(PROBLEM, "A crate of mass 8 kg has an acceleration of 2 m/s^2. Which force acts on it? F = 16 N", id="other numbers"),
        pytest.param(PROBLEM, "A force of 42 N acts on it.", id="the same number alone"),
    ],
)
def test_a_fact_that_answers_a_question_is_no_leak(question: Question, text: str) -> None:
    assert finder(question).find(piece(text)) is None


def test_the_question_of_an_instruction_row_asks_although_it_has_no_question_mark() -> None:
    question = explanation("Two ways in which heat moves through a solid wall")
    text = "Two ways in which heat moves through a solid wall"
    assert finder(question).find(piece(f"{text}\nBy conduction.", asked=text)) is not None
    assert finder(question).find(piece(f"{text} are known.")) is None


@pytest.mark.parametrize(
    ("sentence", "is_asked"),
    [
        ("Why?", True),
        ('He said: "Why?"', True),
        ("3. Find the force.", True),
        ("Question: Explain inertia.", True),
        ("State the second law.", True),
        ("Work out the speed.", True),
        ("Work is force times path.", False),
        ("State functions depend on the state.", False),
        ("Findings vary.", False),
        ("The force is 3 N.", False),
    ],
)
def test_what_asks(sentence: str, is_asked: bool) -> None:
    assert asks(sentence) is is_asked


# --- what is found -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "text", "found"),
    [
        (mcq(), "Use a Generator here.", True),
        (mcq(), "Generators are useful; the generate step is not.", False),
        (mcq().model_copy(update={"target": "C"}), "The wave speed is high.", False),
        (mcq().model_copy(update={"target": "C"}), "The speed is high.", True),
        (PROBLEM, "so F = 42 N", True),
        (PROBLEM, "so F = 0.042 kN", True),
        (PROBLEM, "so F = 42.1 N", True),
        (PROBLEM, "so F = 43 N", False),
        (PROBLEM, "there are 42 of them", False),
        (PROBLEM, "it takes 42 s", False),
        (numeric("How many?", "42", None), "there are 42 of them", True),
        (numeric("Which share?", "42", "%"), "a share of 42 %", True),
        (numeric("Which share?", "42", "%"), "a share of 42", False),
    ],
)
def test_a_choice_or_a_number_with_its_unit_is_found_in_a_text(question: Question, text: str, found: bool) -> None:
    assert bool(needs_in(question, text)) is found


def test_recall_of_key_points_adds_up_over_passages_and_is_none_without_key_points() -> None:
    texts = ["Ice is less dense than water.", "Snow is white.", "Buoyancy carries its weight."]
    assert recall_at(explanation(), texts) == [0.5, 0.5, 1.0]
    assert recall_at(explanation(), []) == []
    assert recall_at(explanation().model_copy(update={"key_points": ()}), texts) is None


def test_equal_scores_go_by_text_and_scores_of_zero_are_left_out() -> None:
    scores = np.array([1.0, 2.0, 1.0, 0.0, 1.0], dtype=np.float32)
    assert best_of(scores, ["d", "x", "a", "e", "c"], 3) == [Ranked(1, 2.0), Ranked(2, 1.0), Ranked(4, 1.0)]
    assert best_of(scores, ["d", "x", "a", "e", "c"], 9) == [Ranked(1, 2.0), Ranked(2, 1.0), Ranked(4, 1.0), Ranked(0, 1.0)]


def test_a_corpus_or_a_query_without_words_finds_nothing() -> None:
    assert best_of(Bm25Scorer(["...", "-"]).scores("force"), ["...", "-"], 2) == []
    assert best_of(Bm25Scorer(["force", "mass"]).scores("?"), ["force", "mass"], 2) == []


# --- examples ----------------------------------------------------------------------------------------------------------------


def row(instruction: str, output: str, id: str = "r") -> InstructionRow:
    return InstructionRow(id=id, instruction=instruction, input="", output=output, origin=Origin(file="f", line=1), repairs=(), flags=())


@pytest.mark.parametrize(
    ("instruction", "output", "kind"),
    [
        ("Choose one.\nA) lamp\nB) fire", "Answer: fire", "mcq"),
        ("Find the force.", "Explanation: F = m a\nAnswer: 12 N", "numeric"),
        ("Find the force.", "The force is 12 N.", "numeric"),
        ("Find the ratio.", "It follows that r = 0.5", "numeric"),
        ("Find the weight.", "240", None),
        ("Why does it float?", "Because it is less dense than water is.", "explanation"),
        ("When was it found?", "It was found by a young clerk in 1905", "explanation"),
        ("Which is it?", "Answer: the lamp in the other room there", None),
        ("Is it so?", "Yes.", None),
    ],
)
def test_a_row_is_like_a_kind_by_its_choices_or_by_what_it_answers(instruction: str, output: str, kind: Kind | None) -> None:
    assert kind_like(row(instruction, output)) == kind


def chosen(rows: list[InstructionRow], *questions: Question, num: int = 2, max_tokens: int = 50) -> dict[Kind, list[str]]:
    found = choose_examples(
        rows,
        BenchmarkIndex(questions, ngram_words=8, ngram_share=0.5, near_similarity=0.7),
        wanted={"mcq": num, "numeric": num, "explanation": num},
        asked=[question.kind for question in questions],
        max_tokens=max_tokens,
        token_counts=[words(f"{one.instruction} {one.output}") for one in rows],
        seed=1,
    )
    return {kind: [turn.assistant for turn in one.turns] for kind, one in found.items()}


def test_examples_are_far_from_the_benchmark_short_and_unlike_each_other() -> None:
    near = row(PROBLEM.question.replace("12", "13"), "It is 45.5 N", "near")
    long = row("Find the charge. " + "Well. " * 60, "It is 3 C", "long")
    alike = [row(f"Find the work of lifting {n} boxes by hand up a ladder.", f"It takes {n} J", f"alike{n}") for n in range(5, 15)]
    other = row("How warm does this room get?", "295 K", "other")
    found = chosen([near, long, *alike, other], PROBLEM)["numeric"]
    assert len(found) == 2 and "295 K" in found and "It is 45.5 N" not in found and "It is 3 C" not in found


def test_the_examples_do_not_depend_on_the_order_of_the_rows_and_stay_when_others_come() -> None:
    rows = [row(f"Tell about {topic}.", f"{topic} is a thing that we know well", topic) for topic in ("heat", "light", "sound", "mass")]
    assert chosen(rows, explanation()) == chosen(rows[::-1], explanation())
    assert chosen([*rows, row("Find it.", "3 N", "n")], explanation()) == chosen(rows, explanation())


def test_a_kind_without_rows_to_show_is_asked_without_and_no_kind_with_any_is_refused() -> None:
    with pytest.raises(
        Refused, match=r"no example for mcq questions, so they are asked without.*list of choices.*has none\. Add such rows"
    ):
        chosen([row("Find it.", "3 N")], mcq())
    with pytest.raises(Refused, match=r"1 of 1 come near a benchmark question and 0 have more than 50 tokens"):
        chosen([row(PROBLEM.question, "42 N")], PROBLEM)
    assert chosen([row("Find it.", "3 N")], mcq(), num=0) == {"mcq": []}
    assert chosen([row("How warm does this room get?", "295 K")], mcq(), PROBLEM) == {"mcq": [], "numeric": ["295 K"]}


def test_numbered_parts_of_a_question_are_no_options() -> None:
    assert kind_like(row("Find (1) the force (2) the work.", "It is done by the hand of the man that pulls.")) == "explanation"
    assert kind_like(row("Which is a force? (A) newton (B) joule", "A")) == "mcq"


# --- shuffled ----------------------------------------------------------------------------------------------------------------


def test_no_question_gets_its_own_passages_or_those_of_its_cluster_where_another_one_is_there() -> None:
    questions = [mcq(id=f"m{n}", cluster=f"c{n % 3}") for n in range(9)] + [
        numeric("x", "1", None, id=f"n{n}", cluster="d") for n in range(3)
    ]
    questions.append(explanation())
    lent = donors(questions, seed=3)
    by_id = {question.id: question for question in questions}
    assert lent["e"] is None
    for id, lender in lent.items():
        if lender is None:
            continue
        assert lender != id and by_id[lender].kind == by_id[id].kind
        if by_id[id].kind == "mcq":
            assert by_id[lender].cluster != by_id[id].cluster
    given = [lender for lender in lent.values() if lender is not None]
    assert len(set(given)) == len(given)
