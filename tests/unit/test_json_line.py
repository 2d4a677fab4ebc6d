"""A line is read in the only way in which it can be read, or refused by name; no other error is raised, whatever the line holds."""

import json
from collections.abc import Sequence

import pytest

from plumbline.cleaning.cleaned_row import Rejected
from plumbline.cleaning.codes import Action, Reason, Repair, Rule
from plumbline.cleaning.json_line import LineRefused, parse_line
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.row_cleaning import clean_line

DEEP = 100_000
POLICY = Policy("alpaca", dict.fromkeys(Rule, Action.FLAG), min_output_characters=1, max_output_characters=4000)
RUNAWAYS = {
    "lists": "[" * DEEP,
    "objects": '{"a":' * DEEP,
    "escaped brackets": "\\u005b" * DEEP,
    "brackets in an open string": '["' + "[" * DEEP,
    "python brackets": "{'a': " + "(" * DEEP,
    "python signs": "{'a': " + "-" * DEEP + "1}",
    "python sum": "{'a': " + "1+" * DEEP + "1}",
    "python calls": "{'a': a" + "()" * DEEP + "}",
    "python attributes": "{'a': a" + ".b" * DEEP + "}",
    "fences": "```\n" * DEEP + "x" + "\n```" * DEEP,
}


@pytest.mark.parametrize("runaway", RUNAWAYS.values(), ids=RUNAWAYS.keys())
@pytest.mark.parametrize("wrappings", [(), ("line",), ("line", "line"), ("output",), ("output", "line"), ("bare output",)], ids="-".join)
def test_no_nesting_escapes_as_an_error(runaway: str, wrappings: Sequence[str]) -> None:
    line = runaway
    for wrapping in wrappings:
        if wrapping == "line":
            line = json.dumps(line)
        elif wrapping == "output":
            line = json.dumps({"instruction": "Why?", "output": line})
        else:
            line = f'{{"instruction": "Why?", "output": {line}}}'
    clean_line(line.encode(), POLICY, POLICY.active)


@pytest.mark.parametrize("line", ["[" * DEEP, json.dumps("[" * DEEP), json.dumps('{"a":' * DEEP)])
def test_a_line_nested_too_deep_says_so(line: str) -> None:
    verdict = clean_line(line.encode(), POLICY, POLICY.active)
    assert isinstance(verdict, Rejected)
    assert (verdict.reason, verdict.detail) == (Reason.TOO_DEEP, "nested deeper than 64 levels")


def test_a_python_line_with_a_key_twice_is_refused_as_the_json_form_is() -> None:
    for line in (
        '{"instruction": "x?", "output": "A", "output": "B"}',
        "{'instruction': 'x?', 'output': 'A', 'output': 'B'}",
        "{'instruction': 'x?', 'output': {'a': 1}, 'out' 'put': 'B'}",
        "{'instruction': 'x?', 'output': 'A', 'output': 'A'}",
    ):
        with pytest.raises(LineRefused, match="key 'output' occurs twice") as refused:
            parse_line(line.encode())
        assert refused.value.reason == Reason.DUPLICATE_KEY
    assert parse_line(b"{'instruction': 'x?', 'output': 'A'}") == ({"instruction": "x?", "output": "A"}, [Repair.LINE_PYTHON_LITERAL])
