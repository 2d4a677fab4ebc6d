"""What holds however an answer is dressed: emphasis, brackets, labels, languages and denials never make a wrong reading."""

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plumbline.grading.answer_cues import LANGUAGES
from plumbline.grading.markup import without_markup
from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
from plumbline.grading.option_labels import ROMAN
from plumbline.grading.unit_names import look_up
from plumbline.rows.outcome import Outcome
from tests.property.test_grading_laws import FRAMES, LAW, OPTION_TEXTS

WRAPS = ["**{}**", "*{}*", "***{}***", "__{}__", "_{}_", "`{}`", "<b>{}</b>", "<em>{}</em>"]
QUANTITY_FRAMES = [
    "{}",
    "Answer: {}",
    "The force is {}.",
    "F = {}",
    "So the answer is {}",
    "The first force is 3 N. The net force is {}.",
    "F = (3 kg)(4 m/s²) = {}",
    "### Answer\n\n{}",
    "Net force:\n* {}",
]
CHOICES = {"A": "red", "B": "green", "C": "blue", "D": "black"}


@LAW
@given(
    st.integers(-999, 999).filter(bool),
    st.sampled_from(WRAPS),
    st.sampled_from(["number", "unit", "quantity", "none"]),
    st.sampled_from(QUANTITY_FRAMES),
    st.sampled_from([1.0, 1.2, -1.0, 10.0]),
)
def test_emphasis_never_moves_a_numeric_verdict(number: int, wrap: str, dressed: str, frame: str, factor: float) -> None:
    value, unit = f"{number / 10}", "N"
    if dressed == "number":
        value = wrap.format(value)
    if dressed == "unit":
        unit = wrap.format(unit)
    quantity = f"{value} {unit}"
    response = frame.format(wrap.format(quantity) if dressed == "quantity" else quantity)
    assert (grade_numeric(response, str(factor * number / 10), "N").outcome == Outcome.CORRECT) == (factor == 1.0), response


@LAW
@given(st.sampled_from("ABCD"), st.sampled_from("ABCD"), st.sampled_from(WRAPS), st.sampled_from(FRAMES))
def test_emphasis_never_moves_a_choice(said: str, wanted: str, wrap: str, frame: str) -> None:
    assume("boxed" not in frame and "{{" not in frame)
    plain = grade_mcq(frame.format(letter=said, text=CHOICES[said]), CHOICES, wanted)
    dressed = grade_mcq(frame.format(letter=wrap.format(said), text=CHOICES[said]), CHOICES, wanted)
    assert (plain.outcome, plain.extracted) == (dressed.outcome, dressed.extracted)


@LAW
@given(st.text(alphabet="*_~`-•> \nab12<>/=#()$\\", max_size=60))
def test_what_is_blanked_out_moves_nothing(text: str) -> None:
    plain = without_markup(text)
    assert len(plain) == len(text)
    assert all(after in (before, " ", "\n", "^", "_", "{", "}") for before, after in zip(text, plain, strict=True))


EXPRESSIONS = [
    ("({a}+{b})/{c}", lambda a, b, c: (a + b) / c),
    ("{a}({b}+{c})", lambda a, b, c: a * (b + c)),
    ("{a}({b}/{c})", lambda a, b, c: a * b / c),
    ("({a})/({b})", lambda a, b, c: a / b),
    ("({a}*{b})/{c}", lambda a, b, c: a * b / c),
    ("{a}-({b}/{c})^2", lambda a, b, c: a - (b / c) ** 2),
    ("{a}({b})-{c}", lambda a, b, c: a * b - c),
    ("({a}-{b})({c})", lambda a, b, c: (a - b) * c),
    ("{a}**0.{b}", lambda a, b, c: a ** (b / 10 ** len(str(b)))),
    ("{a}^{{1/{b}}}", lambda a, b, c: a ** (1 / b)),
    (r"\left({a}+{b}\right)\left({c}\right)", lambda a, b, c: (a + b) * c),
    (r"\log_{{{a}}} {b}", lambda a, b, c: None),
    (r"\sin({a})", lambda a, b, c: None),
    (r"\sqrt[{a}]{{{b}}}", lambda a, b, c: b ** (1 / a)),
    ("({a} kg)({b} m/s)", lambda a, b, c: None),
    ("({a} N)/{b}", lambda a, b, c: a / b),
    ("{a}mg", lambda a, b, c: None),
    (r"\frac{{{a}}}{{{b}}}mv^2", lambda a, b, c: None),
]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 97),
    st.integers(2, 97),
    st.integers(2, 97),
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(["{}", "Answer: {}", "The answer is {}", "x = {}", "\\boxed{{{}}}", "Therefore x = {}."]),
    st.sampled_from(["", "N", None]),
)
def test_a_part_of_what_needs_evaluating_is_never_the_answer(
    a: int, b: int, c: int, expression: tuple, frame: str, unit: str | None
) -> None:
    written, evaluate = expression
    value = evaluate(a, b, c)
    response = frame.format(written.format(a=a, b=b, c=c))
    for part in {a, b, c, a + b, a * b, b * c, a / b, b / c}:
        if value is None or abs(value - part) > 0.06 * abs(part):
            assert grade_numeric(response, str(part), unit).outcome != Outcome.CORRECT, (response, part)
    if value:
        assert grade_numeric(response, str(value), unit).outcome != Outcome.INCORRECT or unit == "N", (response, value)


WRONG = [
    "{} is wrong because energy is conserved.",
    "{} cannot be right.",
    "{} can't be right.",
    "{} can be ruled out, since momentum is conserved.",
    "{} was eliminated.",
    "{} is clearly incorrect.",
    "{}, but it is incorrect.",
    "{} isn't right.",
    "{} violates conservation of energy.",
    "The answer is not {}.",
    "The answer cannot be {}.",
    "I would rule out {}.",
    "It can't be {}.",
    "Answer: {} is wrong.",
    "{} ✗",
]


@LAW
@given(
    st.sampled_from("ABCD"),
    st.sampled_from(["{}", "({})", "[{}]", "Option {}", "**{}**", "**({})**"]),
    st.sampled_from(WRONG),
    st.booleans(),
)
def test_a_letter_that_is_said_to_be_wrong_is_never_the_choice(letter: str, bracket: str, sentence: str, has_texts: bool) -> None:
    response = sentence.format(bracket.format(letter))
    choices = CHOICES if has_texts or "✗" in sentence else {}
    assert grade_mcq(response, choices, letter).outcome != Outcome.CORRECT, response
    other = "ABCD"["ABCD".index(letter) - 1]
    assert grade_mcq(f"{response}\nAnswer: ({other})", choices, other).outcome == Outcome.CORRECT, response


@LAW
@given(
    st.lists(st.sampled_from("ABCD"), min_size=2, max_size=4, unique=True),
    st.sampled_from([", ", "; ", " and ", " & ", "/", " or ", " ", ", and ", "、"]),
    st.sampled_from(["{}", "({})", "[{}]"]),
    st.sampled_from(["Answer: {}", "The answer is {}.", "\\boxed{{{}}}", "{}", "**Answer:** {}", "Antwort: {}", "答案：{}"]),
)
def test_several_letters_are_never_read_as_one(letters: list[str], joint: str, bracket: str, frame: str) -> None:
    response = frame.format(joint.join(bracket.format(letter) for letter in letters))
    grade = grade_mcq(response, CHOICES, letters[0])
    assert grade.outcome == Outcome.UNPARSED, response


LABELS = [
    list("ABCD"),
    list("abcd"),
    list("PQRS"),
    ["1", "2", "3", "4"],
    list(ROMAN[:4]),
    ["(1)", "(2)", "(3)", "(4)"],
    ["I", "II", "III", "IV"],
]


@settings(max_examples=200, deadline=None)
@given(st.permutations(OPTION_TEXTS), st.integers(0, 3), st.integers(0, 3), st.sampled_from(FRAMES), st.sampled_from(LABELS))
def test_other_labels_grade_alike(texts: list[str], said: int, wanted: int, frame: str, labels: list[str]) -> None:
    assume("\\" not in texts[said] or "text" not in frame)
    choices = dict(zip(labels, texts[:4], strict=True))
    response = frame.format(letter=labels[said].strip("()").upper() if labels[0] == "a" else labels[said].strip("()"), text=texts[said])
    grade = grade_mcq(response, choices, labels[wanted])
    assert grade.reading == "value", response
    assert (grade.outcome == Outcome.CORRECT) == (said == wanted), response


@LAW
@given(
    st.integers(2, 26),
    st.integers(0, 25),
    st.integers(0, 25),
    st.sampled_from(["letters", "numbers", "roman"]),
    st.sampled_from(FRAMES[:13]),
)
def test_up_to_twenty_six_options_grade_alike(count: int, said: int, wanted: int, kind: str, frame: str) -> None:
    assume(said < count and wanted < count)
    words = [f"colour {chr(97 + place)}{chr(97 + place)}" for place in range(26)]
    labels = {
        "letters": [chr(65 + place) for place in range(26)],
        "numbers": [str(place + 1) for place in range(26)],
        "roman": list(ROMAN),
    }[kind]
    choices = dict(zip(labels[:count], words[:count], strict=True))
    response = frame.format(letter=labels[said], text=words[said])
    grade = grade_mcq(response, choices, labels[wanted])
    assert grade.extracted == labels[said], response
    assert (grade.outcome == Outcome.CORRECT) == (said == wanted), response


# language -> (what declares, what denies)
SENTENCES = {
    "German": (["Antwort: {}", "Die richtige Antwort ist {}.", "Die Antwort lautet {}."], ["Die Antwort ist nicht {}."]),
    "French": (["Réponse : {}", "La bonne réponse est {}."], ["La réponse n'est pas {}."]),
    "Spanish": (["Respuesta: {}", "La respuesta correcta es {}."], ["La respuesta no es {}."]),
    "Portuguese": (["Resposta: {}", "A resposta correta é {}."], ["A resposta não é {}."]),
    "Italian": (["Risposta: {}", "La risposta corretta è {}."], ["La risposta non è {}."]),
    "Dutch": (["Antwoord: {}", "Het juiste antwoord is {}."], ["Het antwoord is niet {}."]),
    "Polish": (["Odpowiedź: {}", "Prawidłowa odpowiedź to {}."], ["Odpowiedź to nie {}."]),
    "Russian": (["Ответ: {}", "Правильный ответ — {}."], ["Ответ не {}."]),
    "Turkish": (["Cevap: {}", "Doğru cevap: {}"], ["Cevap: {} değil"]),
    "Chinese": (["答案：{}", "正确答案是{}。", "答案为 {}"], ["答案不是{}。"]),
    "Japanese": (["答え：{}", "正解は{}です。"], ["正解は{}ではありません。"]),
    "Korean": (["정답: {}", "정답은 {}입니다."], ["정답은 {}가 아닙니다."]),
}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_each_language_of_the_table_declares_and_denies(language: str) -> None:
    declares, denies = SENTENCES[language]
    for said in ("B", "(B)", "**B**", "Ｂ"):
        for frame in declares:
            assert grade_mcq(frame.format(said), CHOICES, "B").outcome == Outcome.CORRECT, frame.format(said)
            assert grade_mcq(frame.format(said), CHOICES, "C").outcome == Outcome.INCORRECT
        for frame in denies:
            assert grade_mcq(frame.format(said), CHOICES, "B").outcome != Outcome.CORRECT, frame.format(said)
    for frame in declares:
        assert grade_numeric(frame.format("12,5 N"), "12.5", "N").outcome == Outcome.CORRECT, frame
        assert grade_numeric(frame.format("12,5 N"), "125", "N").outcome == Outcome.INCORRECT, frame


SYMBOLS = ["kg", "m", "s", "K", "N", "J", "W", "C", "V", "A", "T", "mol", "Pa"]


@LAW
@given(st.lists(st.sampled_from(SYMBOLS), min_size=2, max_size=3, unique=True), st.sampled_from(["", "^2", "^-1", "⁻²"]))
def test_a_unit_without_gaps_is_the_unit_with_gaps(symbols: list[str], power: str) -> None:
    joined, spaced = "".join(symbols), "·".join(symbols)
    # "ms" is a millisecond, and so on: there the letters have a meaning of their own.
    assume(look_up(joined) is None and not any(look_up("".join(symbols[place : place + 2])) for place in range(len(symbols) - 1)))
    # Single small letters alone spell a word, "sm": they are read as no unit.
    assume(not (joined.islower() and all(len(symbol) == 1 for symbol in symbols)))
    assert grade_numeric(f"5 {joined}{power}", "5", f"{spaced}{power}").outcome == Outcome.CORRECT
    assert grade_numeric(f"5 {joined}{power}", "6", f"{spaced}{power}").outcome == Outcome.INCORRECT


PIECES = [
    "*a ", "**", "_a ", "~~", "<b>", "</think>", "<think>", "\\left(", "(1)", "1(", "A; ", "A C ", "答案是", "(A) ", "- 1\n", "\\approx",
    "Answer\n", "1 J = ", "where ", "kgm", "0.(3)", "1.5555(2)", "0,1", "A: ", "1) ", "is (A) red ",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_no_dress_makes_grading_slow(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    start = time.process_time()
    grade_numeric(text, "12", "N")
    grade_mcq(text, CHOICES, "A")
    grade_mcq(text, {"1": "red", "2": "green"}, "1")
    assert time.process_time() - start < 3.0
