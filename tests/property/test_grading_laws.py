"""What holds for every answer: notation, unit, white space and the order of the options never move a verdict."""

import math
import string
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from plumbline.grading.choices import parse_choices
from plumbline.grading.mcq import grade_mcq
from plumbline.grading.number_tokens import read_number
from plumbline.grading.numeric import grade_numeric
from plumbline.grading.unit_notation import parse_unit
from plumbline.grading.units import convert
from plumbline.rows.outcome import Outcome

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

# The first conversion loads pint, and the machine may be busy: no deadline for one example.
LAW = settings(max_examples=60, deadline=None)

# Families of units of one dimension: name -> spellings.
FAMILIES = [
    ["m", "km", "cm", "mm", "μm", "nm", "ft", "mi", "meters", "kilometres", r"\mathrm{m}", r"\text{ cm}", "inches"],
    ["s", "ms", "min", "h", "μs", "hours", "seconds", "days", r"\mathrm{s}"],
    [
        "m/s",
        "km/h",
        "cm/s",
        "mph",
        r"\mathrm{m/s}",
        r"\mathrm{~m}\,\mathrm{s}^{-1}",
        "m s^-1",
        "m·s⁻¹",
        "meters per second",
        r"\frac{\text{m}}{\text{s}}",
    ],
    ["N", "kN", "KN", "mN", "kg m/s^2", "kg·m/s²", "newtons", "dyn", r"\mathrm{kg\,m\,s^{-2}}", "g cm/s^2"],
    ["J", "kJ", "Mj", "MJ", "eV", "kWh", "cal", "N·m", "joules", "kg m^2/s^2", "W s", "erg"],
    ["Pa", "kPa", "bar", "atm", "N/m^2", "mmHg", "pascals", "kg/(m s^2)"],
    ["V", "mV", "kV", "J/C", "volts", "W/A"],
    ["Ω", "kΩ", r"\Omega", "ohm", "kohm", "MOhm", "megohms", "KΩ", "V/A", r"\mathrm{k\Omega}", "ohms"],
    ["rad/s", "rpm", "rev/min", "deg/s", r"\mathrm{rad/s}", "radians per second", "Hz", "rev/s"],
    ["kg/m^3", "g/cm^3", "g/mL", "kg/L", r"\mathrm{kg/m^3}", "kg m^-3"],
    ["J/(kg K)", "J/kg·K", "J kg^{-1} K^{-1}", "kJ/(kg K)", "cal/(g °C)", "J/kg/K"],
]

mantissas = st.integers(min_value=1000, max_value=9999).map(lambda digits: digits / 1000)
exponents = st.integers(min_value=-34, max_value=30)
signs = st.sampled_from([1, -1])
numbers = st.builds(lambda sign, mantissa, exponent: (sign * mantissa, exponent), signs, mantissas, exponents)


def notations(mantissa: float, exponent: int) -> list[str]:
    """Return every way of writing mantissa x 10^exponent that the grader reads."""
    minus, digits = ("−" if mantissa < 0 else ""), f"{abs(mantissa):.3f}"
    signed = f"{mantissa:.3f}"
    written = [
        f"{signed}e{exponent}",
        f"{signed}E{exponent:+d}",
        f"{signed} x 10^{exponent}",
        f"{signed}*10**{exponent}",
        f"{signed} \\times 10^{{{exponent}}}",
        f"{signed}\\cdot10^{{{exponent}}}",
        f"{minus}{digits} × 10{str(exponent).translate(SUPERSCRIPTS)}",
        f"{minus} {digits} × 10^({exponent})",
        f"${signed} \\times 10^{{{exponent}}}$",
    ]
    if 0 <= exponent <= 9:
        written.append(f"{float(f'{mantissa:.3f}e{exponent}'):,.3f}")
        written.append(f"{float(f'{mantissa:.3f}e{exponent}'):,.3f}".replace(",", "{,}"))
    return written


@LAW
@given(numbers)
def test_every_notation_reads_as_the_same_number(number: tuple[float, int]) -> None:
    mantissa, exponent = number
    expected = float(f"{mantissa:.3f}e{exponent}")
    for written in notations(mantissa, exponent):
        grade = grade_numeric(f"The answer is {written}", f"{mantissa:.3f}e{exponent}", None)
        assert grade.outcome == Outcome.CORRECT, written
        assert grade.extracted is not None
        assert math.isclose(grade.extracted, expected, rel_tol=1e-9), written


@LAW
@given(
    numbers,
    st.sampled_from(["{} N", "Answer: {} N", "F = {} N", "\\boxed{{{}\\,\\mathrm{{N}}}}", "So the force is {} N.", '{{"answer": "{} N"}}']),
)
def test_notation_never_moves_a_verdict(number: tuple[float, int], frame: str) -> None:
    mantissa, exponent = number
    for factor, outcome in ((1.0, Outcome.CORRECT), (1.2, Outcome.INCORRECT), (-1.0, Outcome.INCORRECT), (10.0, Outcome.INCORRECT)):
        target = f"{mantissa * factor:.6f}e{exponent}"
        for written in notations(mantissa, exponent):
            text = frame.format(written.replace("\\", "\\\\") if frame.startswith("{{") else written)
            assert grade_numeric(text, target, "N").outcome == outcome, text


@LAW
@given(
    st.sampled_from(FAMILIES).flatmap(lambda family: st.tuples(st.sampled_from(family), st.sampled_from(family))),
    st.floats(min_value=1e-6, max_value=1e6),
    st.sampled_from([0.5, 0.94, 0.96, 1.0, 1.04, 1.06, 2.0, 10.0]),
)
def test_a_change_of_unit_never_moves_a_verdict(units: tuple[str, str], value: float, factor: float) -> None:
    written, asked = units
    source, target = parse_unit(written), parse_unit(asked)
    assert source is not None
    assert target is not None
    converted = convert(value * factor, source, target)
    assert converted is not None
    expected = Outcome.CORRECT if abs(1 - 1 / factor) <= 0.05 else Outcome.INCORRECT
    grade = grade_numeric(f"The result is {value:.12e} {written}.", f"{converted:.12e}", asked)
    assert grade.outcome == expected
    assert "unit_mismatch" not in grade.flags


@LAW
@given(st.sampled_from([(a, b) for a in FAMILIES for b in FAMILIES if a is not b]), st.data())
def test_a_unit_of_another_dimension_is_never_right(families: tuple[list[str], list[str]], data: st.DataObject) -> None:
    written, asked = data.draw(st.sampled_from(families[0])), data.draw(st.sampled_from(families[1]))
    grade = grade_numeric(f"Answer: 5 {written}", "5", asked)
    assert grade.outcome == Outcome.INCORRECT
    assert grade.extracted is None
    assert "unit_mismatch" in grade.flags


@LAW
@given(st.integers(min_value=-30, max_value=30).filter(bool), mantissas)
def test_a_slip_of_the_decimal_point_is_wrong_and_counted(shift: int, mantissa: float) -> None:
    grade = grade_numeric(f"{mantissa:.3f}e{shift} J", f"{mantissa:.3f}", "J")
    assert grade.outcome == Outcome.INCORRECT
    assert "power_of_ten" in grade.flags


@LAW
@given(st.sampled_from(["T", "G", "M", "k", "m", "μ", "n", "p"]), st.sampled_from(["m", "s", "J", "W", "Pa", "V", "Hz", "N"]), mantissas)
def test_a_wrong_prefix_is_wrong_and_named(prefix: str, unit: str, mantissa: float) -> None:
    assume(prefix + unit != "Gs")  # gauss
    grade = grade_numeric(f"Answer: {mantissa:.3f} {prefix}{unit}", f"{mantissa:.3f}", unit)
    assert grade.outcome == Outcome.INCORRECT
    assert "prefix_error" in grade.flags


@LAW
@given(
    st.integers(min_value=1, max_value=86399),
    st.sampled_from(
        [
            ("{} h", "{} min", "{} s"),
            ("{}h", "{}m", "{}s"),
            ("{} hours", "{} minutes", "{} seconds"),
            (r"{}\,\text{{h}}", r"{}\,\text{{min}}", r"{}\,\text{{s}}"),
        ]
    ),
    st.sampled_from([" ", ", ", " and "]),
    st.sampled_from(["{}", "Answer: {}", "t = {}", "The time is {}.", "\\boxed{{{}}}"]),
)
@example(5400, ("{} h", "{} min", "{} s"), " and ", "Answer: {}")
def test_a_time_in_parts_is_their_sum(seconds: int, units: tuple[str, str, str], link: str, frame: str) -> None:
    counts = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    parts = [unit.format(count) for count, unit in zip(counts, units, strict=True) if count]
    assume(units[0] != "{}h" or (link == " " and parts != [f"{counts[1]}m"] and not (counts[0] == 0 and counts[2] == 0)))
    grade = grade_numeric(frame.format(link.join(parts)), str(seconds), "s")
    assert grade.outcome == Outcome.CORRECT and grade.extracted is not None
    assert math.isclose(grade.extracted, seconds)


@LAW
@given(
    st.integers(min_value=1, max_value=999),
    st.sampled_from([("hundred", 2), ("thousand", 3), ("million", 6), ("billion", 9), ("trillion", 12), ("hundred thousand", 5)]),
    st.sampled_from([("", 1), ("-", -1), ("negative ", -1), ("minus ", -1), ("positive ", 1)]),
    st.sampled_from(["{} J", "Answer: {} J", "The energy is {} joules.", "E = {} J", "\\boxed{{{}\\,\\mathrm{{J}}}}"]),
)
def test_a_scale_or_a_sign_in_words_is_part_of_the_number(number: int, scale: tuple[str, int], sign: tuple[str, int], frame: str) -> None:
    text = frame.format(f"{sign[0]}{number} {scale[0]}")
    for target, outcome in (
        (sign[1] * number * 10 ** scale[1], Outcome.CORRECT),
        (sign[1] * number, Outcome.INCORRECT),
        (-sign[1] * number * 10 ** scale[1], Outcome.INCORRECT),
    ):
        assert grade_numeric(text, str(target), "J").outcome == outcome, text


@LAW
@given(
    st.sampled_from(
        ["12 N", "Answer: 12 N", "F = 12 N", "The force is 12 N.", "Explanation: F = m a = 3 x 4 = 12 N\nAnswer: 12 N", "15 N", "no idea"]
    ),
    st.sampled_from([" ", "\n", "\t", "\r\n", "\u00a0", "\u2009", "\u200b", "  \n\n "]),
    st.sampled_from([" ", "\n", "\t", "\u00a0", "\u2009", "\u202f", "  "]),
)
def test_white_space_never_moves_a_numeric_verdict(response: str, around: str, between: str) -> None:
    outcome = grade_numeric(response, "12", "N").outcome
    assert grade_numeric(around + response + around, "12", "N").outcome == outcome
    inner = between if "\n" not in between else " "
    assert grade_numeric(response.replace(" ", inner), "12", "N").outcome == outcome


OPTION_TEXTS = [
    "Net force is zero",
    "Power",
    "Moment of inertia",
    "12 N",
    "The third law",
    "Kinetic energy",
    "5 m/s",
    "It doubles",
    r"$\frac{1}{2}mv^2$",
    "It does not change",
    "None of the above",
    "Cannot be determined",
    "Infinite",
]
FRAMES = [
    "{letter}",
    "({letter})",
    "{letter}. {text}",
    "({letter}) {text}",
    "Answer: {letter}",
    "Answer: ({letter}) {text}",
    "The answer is {letter}.",
    "Therefore the correct option is ({letter}).",
    "\\boxed{{{letter}}}",
    "**Answer:** {letter}) {text}",
    '{{"answer": "{letter}"}}',
    "Explanation: because of the definition.\nAnswer: {letter}",
    "Option {letter} is correct.",
    "The answer is {text}.",
    "{text}",
]


@LAW
@given(st.permutations(OPTION_TEXTS), st.integers(0, 3), st.integers(0, 3), st.sampled_from(FRAMES))
def test_shuffled_options_grade_alike(texts: list[str], said: int, wanted: int, frame: str) -> None:
    before = dict(zip("ABCD", texts[:4], strict=True))
    assume("\\" not in before["ABCD"[said]] or "text" not in frame)
    for turn in range(4):
        order = [(place + turn) % 4 for place in range(4)]
        choices = {"ABCD"[place]: texts[source] for place, source in enumerate(order)}
        letter, target = "ABCD"[order.index(said)], "ABCD"[order.index(wanted)]
        grade = grade_mcq(frame.format(letter=letter, text=texts[said]), choices, target)
        assert grade.reading == "value", frame
        assert (grade.outcome == Outcome.CORRECT) == (said == wanted)


@LAW
@given(st.permutations(OPTION_TEXTS), st.sampled_from(["({}) {}", "{}) {}", "{}. {}", "[{}] {}"]), st.sampled_from([" ", "\n"]))
def test_options_are_parsed_out_of_a_question_and_their_echo_commits_to_nothing(texts: list[str], frame: str, joint: str) -> None:
    choices = dict(zip("ABCD", texts[:4], strict=True))
    listed = joint.join(frame.format(letter, text) for letter, text in choices.items())
    assert parse_choices("Which one?" + joint + listed) == ("Which one?", choices)
    assert grade_mcq(listed, choices, "A").reading == "none"


@LAW
@given(st.sampled_from("ABCD"), st.sampled_from("ABCD"))
def test_two_declared_letters_are_a_conflict_unless_the_first_is_taken_back(first: str, second: str) -> None:
    assume(first != second)
    choices = {"A": "red", "B": "green", "C": "blue", "D": "black"}
    assert grade_mcq(f"The answer is {first}. The answer is {second}.", choices, second).outcome == Outcome.UNPARSED
    assert grade_mcq(f"The answer is {first}. Wait, that is wrong. The answer is {second}.", choices, second).outcome == Outcome.CORRECT


@given(st.text(max_size=300))
@example("")
@example("\\boxed{")
@example('{"answer": ')
@example("(" * 200 + "5")
@settings(max_examples=300, deadline=None)
def test_any_text_gets_an_outcome_and_a_span_inside_it(response: str) -> None:
    numeric = grade_numeric(response, "12", "N")
    mcq = grade_mcq(response, {"A": "Net force is zero", "B": "12 N"}, "A")
    for grade in (numeric, mcq):
        assert grade.outcome in (Outcome.CORRECT, Outcome.INCORRECT, Outcome.UNPARSED)
        assert (grade.reading == "value") == (grade.outcome != Outcome.UNPARSED)
        assert grade.span is None or 0 <= grade.span[0] < grade.span[1] <= len(response)


@given(st.text(alphabet=string.digits + " .,-+eE^*/{}()\\$×10⁻⁹½π%NmJs=\n", max_size=120))
@settings(max_examples=300, deadline=None)
def test_reading_a_number_never_fails(text: str) -> None:
    number = read_number(text, 0)
    assert number is None or (math.isfinite(number.value) and 0 <= number.start < number.end <= len(text))


PIECES = [
    " ",
    "\n",
    "(",
    "{",
    "\\boxed{",
    "1,",
    "5 m/s ",
    "5 \\pm ",
    "½",
    "$",
    "- ",
    "= ",
    "The answer is ",
    "(A) ",
    "\\frac{1}{",
    '{"a":',
    "e",
    "A) x\n",
    "π",
    "is 5 ",
    "×10",
    "wait ",
]


@pytest.mark.parametrize("piece", PIECES)
def test_no_text_makes_grading_slow(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    start = time.process_time()
    grade_numeric(text, "12", "N")
    grade_mcq(text, {"A": "Net force is zero", "B": "12 N"}, "A")
    assert time.process_time() - start < 2.0
