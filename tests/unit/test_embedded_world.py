"""The embedded data set: the questions of the benchmark are new to a trained model, and the faults are those of the study's file."""

import json
import re
from collections import Counter

import pytest

from plumbline.embedded.benchmark import choice_questions, explanation_questions, numeric_questions
from plumbline.embedded.corpus import corpus_texts
from plumbline.embedded.defects import STUDY_COUNTS, STUDY_ROWS, with_defects
from plumbline.embedded.explanations import BENCHMARK, CORPUS, TRAINING
from plumbline.embedded.numbers import is_held_out, operand_tuples, result_of
from plumbline.embedded.questions import KINDS
from plumbline.embedded.relations import RELATIONS, Operand, Relation
from plumbline.embedded.training_rows import training_rows
from plumbline.judging.key_points import judge_key_points

SEED = 20261123
TOPICS = {
    "mechanics", "energy", "momentum", "rotation", "gravitation", "fluids",
    "heat", "waves", "circuits", "magnetism", "optics", "units",
}  # fmt: skip
ROWS = training_rows(num_rows=4400, seed=SEED)
DAMAGED = with_defects(ROWS, seed=SEED)
CORPUS_TEXTS = list(corpus_texts(num_texts=3000, seed=SEED))
QUESTIONS = [
    *choice_questions(num_questions=160, seed=SEED),
    *numeric_questions(num_questions=160, seed=SEED),
    *explanation_questions(num_questions=80, seed=SEED),
]

CONVERTED = {"g": ("kg", 1000), "mA": ("A", 1000), "mV": ("V", 1000), "mJ": ("J", 1000), "mN": ("N", 1000), "cm": ("m", 100)}
"""Small unit -> SI unit and divisor. Kilo units and powers of ten leave the number of the tables as it is."""

Found = set[tuple[str, tuple[float, ...]]]


def value_of(number: str, unit: str, operand: Operand) -> float:
    """The number of a question as the tables hold it."""
    if unit in (operand.unit, f"k{operand.unit}"):
        return int(number)
    if (unit, operand.unit) == ("min", "s"):
        return int(number) * 60
    assert CONVERTED[unit][0] == operand.unit, (unit, operand)
    return int(number) / CONVERTED[unit][1]


def units_of(operand: Operand) -> str:
    small = [unit for unit, (si, _) in CONVERTED.items() if si == operand.unit]
    return "|".join(map(re.escape, [operand.unit, f"k{operand.unit}", *small, *(["min"] if operand.unit == "s" else [])]))


def question_pattern(wording: str, relation: Relation) -> re.Pattern[str]:
    pattern = re.escape(wording)
    for operand in relation.operands:
        number = rf"(?P<{operand.symbol}>\d+)(?: x 10\^\d+)? (?P<{operand.symbol}_unit>{units_of(operand)})"
        pattern = pattern.replace(re.escape("{" + operand.symbol + "}"), number)
    return re.compile(pattern)


def operands_of_questions(questions: list[str]) -> Found:
    """Read the operands out of benchmark questions, by their wordings; every question must be readable."""
    patterns = [(relation, question_pattern(wording, relation)) for relation in RELATIONS for wording in relation.benchmark]
    found: Found = set()
    for question in questions:
        hits = [
            (relation.id, tuple(value_of(match[o.symbol], match[f"{o.symbol}_unit"], o) for o in relation.operands))
            for relation, pattern in patterns
            if (match := pattern.fullmatch(question))
        ]
        assert len(hits) == 1, question
        found.add(hits[0])
    return found


def operands_of_worked(texts: list[str]) -> list[tuple[str, tuple[float, ...]]]:
    """Read the operands from worked steps, anywhere in a text."""
    found: list[tuple[str, tuple[float, ...]]] = []
    for text in texts:
        for line in text.split("\n"):
            for relation in RELATIONS:
                if relation.formula and line.startswith(f"{relation.symbol} = {relation.formula} = "):
                    middle = line.removeprefix(f"{relation.symbol} = {relation.formula} = ").split(" = ")[0]
                    middle = re.sub(r"10\^\d+|\^2|1/2 x", "", middle)
                    found.append((relation.id, tuple(map(int, re.findall(r"\d+", middle)))))
                elif not relation.formula:
                    unit = re.escape(relation.operands[0].unit)
                    if match := re.match(
                        rf"{relation.symbol} = (\d+) {unit} = \1 [x/] {relation.factor} {re.escape(relation.unit)} =", line
                    ):
                        found.append((relation.id, (int(match[1]),)))
    return found


@pytest.fixture(scope="module")
def benchmark_operands() -> Found:
    numeric = [q.question for q in QUESTIONS if q.kind == "numeric"]
    found = operands_of_questions(numeric)
    assert len(found) == len(numeric)
    return found


def test_no_training_row_uses_the_numbers_of_a_benchmark_problem(benchmark_operands: Found) -> None:
    found = operands_of_worked(["\n".join(row.steps) for row in ROWS if row.shape == "numeric"])
    assert len(found) >= sum(row.shape == "numeric" for row in ROWS)
    assert not benchmark_operands & set(found)


def test_no_corpus_text_uses_the_numbers_of_a_benchmark_problem(benchmark_operands: Found) -> None:
    found = operands_of_worked(CORPUS_TEXTS)
    assert len(found) > 500
    assert not benchmark_operands & set(found)


def test_the_leak_test_sees_a_leak(benchmark_operands: Found) -> None:
    force = next(relation for relation in RELATIONS if relation.id == "force")
    leaked = next(values for relation, values in sorted(benchmark_operands) if relation == "force")
    text = f"Any words.\n{force.symbol} = {force.formula} = {int(leaked[0])} x {int(leaked[1])} x 10^4 = 0 N"
    assert benchmark_operands & set(operands_of_worked([text]))


def test_held_out_operands_are_a_fifth_of_the_table_and_found_by_the_reader() -> None:
    for relation in RELATIONS:
        table = operand_tuples(relation)
        assert len(table) == len(set(table))
        held_out = [values for values in table if is_held_out(relation, values, seed=SEED)]
        assert 4 <= len(held_out) <= 0.4 * len(table), relation.id


def test_wordings_of_corpus_training_and_benchmark_are_disjoint() -> None:
    for relation in RELATIONS:
        assert len({*relation.corpus, *relation.training, *relation.benchmark}) == sum(
            map(len, (relation.corpus, relation.training, relation.benchmark))
        )
    for kind in KINDS.values():
        sets = [set(kind.corpus_questions), set(kind.training), set(kind.training_choice), set(kind.benchmark)]
        assert len(set.union(*sets)) == sum(map(len, sets))
    for kind in TRAINING:
        assert not set(BENCHMARK[kind]) & {*TRAINING[kind], *CORPUS[kind]}


def test_no_training_row_asks_a_benchmark_question() -> None:
    asked = {row.instruction.split("\n")[0].strip() for row in ROWS}
    assert not [question.id for question in QUESTIONS if question.question in asked]


def test_every_question_can_be_answered_and_ids_are_unique() -> None:
    assert len({q.id for q in QUESTIONS}) == len(QUESTIONS)
    assert len({(q.question, *q.choices.values()) for q in QUESTIONS}) == len(QUESTIONS)
    assert Counter(q.kind for q in QUESTIONS) == {"mcq": 160, "numeric": 160, "explanation": 80}
    for question in QUESTIONS:
        assert question.id.startswith(question.cluster)
        if question.kind == "mcq":
            assert question.target in question.choices
            assert len(set(question.choices.values())) == 4
    letters = Counter(q.target for q in QUESTIONS if q.kind == "mcq")
    assert min(letters[letter] for letter in "ABCD") > 20


def test_numeric_questions_include_conversions_and_scientific_notation() -> None:
    numeric = [q for q in QUESTIONS if q.kind == "numeric"]
    assert sum("10^" in q.question for q in numeric) >= 25
    assert sum(bool(re.search(r"\d (?:km|cm|g|mA|mV|min|kJ|kN|kW|kV|mJ|mN|kHz|kohm)\b", q.question)) for q in numeric) >= 25
    assert all(q.unit for q in numeric)


def test_the_answer_of_a_worked_step_is_what_the_relation_gives() -> None:
    for row in ROWS:
        if row.shape == "numeric":
            last = row.steps[-1].split(" = ")[-1]
            assert last == f"{row.answer} {row.unit}"
    assert result_of(next(r for r in RELATIONS if r.id == "kinetic_energy"), (4, 3)) == 18


def content_words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


def test_every_key_point_stands_in_one_sentence_of_its_reference() -> None:
    for question in QUESTIONS:
        if question.kind == "explanation":
            sentences = [content_words(part) for part in re.split(r"[.]\s*", question.target)]
            assert 2 <= len(question.key_points) <= 4, question.id
            for point in question.key_points:
                assert any(content_words(point) <= words for words in sentences), (question.id, point)


def test_the_reference_of_an_explanation_earns_full_marks_and_another_reference_none_of_them_all() -> None:
    explanations = [q for q in QUESTIONS if q.kind == "explanation"]
    for question, other in zip(explanations, [*explanations[1:], explanations[0]], strict=True):
        own = judge_key_points(question.target, question.key_points, question=question.question, reference=question.target)
        assert own.score == 1, (question.id, own)
        if other.target != question.target:
            wrong = judge_key_points(other.target, question.key_points, question=question.question, reference=question.target)
            assert wrong.score < 1, question.id


def test_rows_cover_all_topics_and_shapes() -> None:
    assert {row.topic for row in ROWS} == TOPICS
    assert {row.shape for row in ROWS} == {"numeric", "choice", "fact", "explanation"}
    assert len({row.instruction for row in ROWS}) == len(ROWS)


def test_defects_have_the_proportions_of_the_study() -> None:
    assert len(DAMAGED) == len(ROWS)
    counts = Counter(row.defect for row in DAMAGED)
    for defect, count in STUDY_COUNTS.items():
        assert abs(counts[defect] / len(ROWS) - count / STUDY_ROWS) < 0.001, defect
    assert counts["empty_output"] == sum(row.output == "" for row in DAMAGED) > 0


def test_defects_are_what_they_say() -> None:
    for row in DAMAGED:
        if row.defect == "json_object":
            assert isinstance(json.loads(row.output), dict)
        elif row.defect == "json_list":
            assert isinstance(json.loads(row.output), list)
        elif row.defect in ("python_literal", "broken_json"):
            with pytest.raises(ValueError):
                json.loads(row.output)
        elif row.defect == "swallowed_latex":
            assert re.search(r"\t(imes)|\f(rac)", row.output)


def test_the_same_seed_gives_the_same_and_another_seed_something_else() -> None:
    assert [row.output for row in with_defects(training_rows(num_rows=50, seed=1), seed=1)] == [
        row.output for row in with_defects(training_rows(num_rows=50, seed=1), seed=1)
    ]
    assert numeric_questions(num_questions=20, seed=1) != numeric_questions(num_questions=20, seed=2)
