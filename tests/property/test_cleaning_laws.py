"""What is true of cleaning whatever comes in."""

import ast
import json
import warnings
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.cleaning.chunk_cleaning import clean_chunk
from plumbline.cleaning.cleaned_row import Cleaned
from plumbline.cleaning.codes import Action, Reason, Rule
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.repair_examples import example_of
from plumbline.cleaning.row_cleaning import clean_line
from plumbline.rows.instruction_row import Origin

POLICY = Policy("alpaca", dict.fromkeys(Rule, Action.FLAG), min_output_characters=1, max_output_characters=4000)
ACTIVE = POLICY.active
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=12)
awkward = st.sampled_from(
    ["\\frac{1}{2}", "$5$", "\t", "\n", '"', "{", "}", "[", "]", ":", ",", "{10}^{2}", '{"a": 1}', "[1, 2]", "Î¸", "\u200b", "5", "x"]
)
scalars = st.one_of(
    words, st.lists(awkward, max_size=4).map("".join), st.integers(-(10**9), 10**9), st.booleans(), st.none(), st.floats(-1e6, 1e6)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(words, st.sampled_from(["explanation", "answer", "unit"])), inner, max_size=4),
    ),
)
outputs = st.one_of(
    st.lists(st.one_of(words, awkward), max_size=6).map(" ".join),
    values.map(lambda value: json.dumps(value, ensure_ascii=False)),
    values.map(repr),
    values.map(lambda value: json.dumps(json.dumps(value))),
    st.text(max_size=30),
)


def line_of(instruction: str, output: object) -> bytes:
    return json.dumps({"instruction": instruction, "input": "", "output": output}).encode()


def is_container(text: str) -> bool:
    """Whether JSON or Python reads a text as an object, dict or list."""
    try:
        if isinstance(json.loads(text), dict | list):
            return True
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return isinstance(ast.literal_eval(text.strip()), dict | list)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False


@settings(deadline=None, max_examples=100)
@given(outputs)
def test_no_kept_output_is_a_container(output: str) -> None:
    verdict = clean_line(line_of("What is it?", output), POLICY, ACTIVE)
    assert not isinstance(verdict, Cleaned) or not is_container(verdict.output)


@settings(deadline=None, max_examples=100)
@given(outputs)
def test_cleaning_twice_is_cleaning_once(output: str) -> None:
    once = clean_line(line_of("What is it?", output), POLICY, ACTIVE)
    if isinstance(once, Cleaned):
        twice = clean_line(line_of(once.instruction, once.output), POLICY, ACTIVE)
        assert isinstance(twice, Cleaned)
        assert (twice.instruction, twice.output, twice.repairs) == (once.instruction, once.output, ())


def scalar_leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in scalar_leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in scalar_leaves(item)]
    return [] if value is None else [value if isinstance(value, str) else json.dumps(value)]


plain = st.text(st.characters(categories=["Ll", "Lu", "Nd"], max_codepoint=0x7F), min_size=1, max_size=8)
# A unit moves behind its number, and an answer to the end: the law after the next looks at these.
keys = plain.filter(lambda key: key.casefold() not in ("unit", "units", "answer", "explanation"))
plain_values = st.recursive(
    st.one_of(plain, st.integers(-999, 999)),
    lambda inner: st.one_of(st.lists(inner, min_size=1, max_size=4), st.dictionaries(keys, inner, min_size=1, max_size=4)),
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(keys, plain_values, min_size=1, max_size=4))
def test_every_value_and_key_of_an_object_is_in_the_kept_text(value: dict[str, Any]) -> None:
    verdict = clean_line(line_of("What is it?", json.dumps(value, ensure_ascii=False)), POLICY, ACTIVE)
    assert isinstance(verdict, Cleaned)
    position = 0
    for leaf in scalar_leaves(value):
        position = verdict.output.index(leaf, position) + len(leaf)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(keys, min_size=1, max_size=4, unique_by=str.casefold),
    st.lists(st.one_of(st.integers(-999, 999), st.lists(st.integers(-999, 999), min_size=1, max_size=3)), min_size=4, max_size=4),
    st.sampled_from(["m", "m/s", "N", "°C", "kg m^2"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_unit_stands_behind_every_number_beside_it(
    names: list[str], numbers: list[Any], unit: str, explained: bool, order: Any
) -> None:
    beside = dict(zip([*names, *(["answer"] if explained else [])], [*numbers[: len(names)], 7], strict=False))
    members = [*beside.items(), ("unit", unit), *([("explanation", "Because.")] if explained else [])]
    order.shuffle(members)
    verdict = clean_line(line_of("What is it?", json.dumps(dict(members))), POLICY, ACTIVE)
    assert isinstance(verdict, Cleaned)
    position = 0
    for leaf in scalar_leaves([value for key, value in members if key in beside and key != "answer"]):
        position = verdict.output.index(f" {leaf} {unit}", position) + len(leaf)
    assert not explained or verdict.output.endswith(f"\nAnswer: 7 {unit}")


FORM_KEYS = st.sampled_from(["explanation", "answer", "Answer", "unit", "units", "x 5", "m", "v"])
FORM_LEAVES = st.one_of(scalars, st.sampled_from(["5", "m", "s", "$5$", "5 m", "none", "", "m/s", "1,000", "Unit: m", "x\n5"]))
form_values = st.recursive(FORM_LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FORM_KEYS, inner, max_size=4)))


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(FORM_KEYS, form_values, min_size=1, max_size=5))
def test_what_is_written_passes_the_proof(value: dict[str, Any]) -> None:
    verdict = clean_line(line_of("What is it?", json.dumps(value)), POLICY, ACTIVE)
    assert isinstance(verdict, Cleaned) or verdict.reason != Reason.VALUE_LOST, verdict.detail


lines = st.one_of(
    st.just(b""),
    st.just(b" \t"),
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")),
    outputs.map(lambda output: line_of("Why?", output)),
    values.map(lambda value: line_of("Why?", value)),
    values.map(lambda value: json.dumps(value).encode()),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(lines, max_size=8))
def test_lines_are_kept_or_quarantined_or_blank(given_lines: list[bytes]) -> None:
    result = clean_chunk(given_lines, 1, "source.jsonl", POLICY)
    kept = [json.loads(line) for line in result.kept.splitlines()]
    quarantined = [json.loads(line) for _, line in result.quarantined]
    assert len(given_lines) == len(kept) + len(quarantined) + result.num_blank
    numbers = sorted(row["origin"]["line"] for row in kept + quarantined)
    assert numbers == [number for number, line in enumerate(given_lines, start=1) if line.strip()]


@settings(deadline=None, max_examples=100)
@given(lines)
def test_an_example_of_a_repair_shows_a_difference(line: bytes) -> None:
    verdict = clean_line(line, POLICY, ACTIVE) if line.strip() else None
    if isinstance(verdict, Cleaned):
        for code in verdict.repairs:
            example = example_of(code, "id", Origin(file="source.jsonl", line=1), line, POLICY)
            # A number in place of an answer becomes its text, which looks the same.
            assert example.before != example.after or (code == "wrong_type" and example.before == str(json.loads(line)["output"]))
