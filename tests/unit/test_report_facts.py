"""The metrics of other stages as lines of the report: names in words, values for reading, zeros in one line."""

import pytest

from plumbline.reporting.facts import checks_of, fact_groups, facts


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ({"num_planned_steps": 4154}, [("planned steps", "4,154")]),
        ({"complete": True, "repo": None, "explanation": ""}, [("complete", "yes"), ("repo", "none"), ("explanation", "(empty)")]),
        ({"files": {"chat_template.jinja": "0f" * 32}}, [("files · chat_template.jinja", "0f0f0f0f0f0f0f0f")]),
        ({"lora": {"target_modules": ["q", "v"], "r": 16}}, [("lora · target modules", "q, v"), ("lora · r", "16")]),
        ({"lines": [{"a": 1}, {"a": 2}]}, [("lines", "2 entries")]),
        ({"update_norm_ratio": 0.30951234}, [("largest norm of update / weight", "0.309512")]),
    ],
    ids=["count", "words for no value", "file and hash", "nested", "objects", "fraction"],
)
def test_a_document_becomes_lines(document: dict[str, object], lines: list[tuple[str, str]]) -> None:
    assert facts(document) == lines


def test_of_many_counts_the_zeros_are_one_line_and_titles_have_units() -> None:
    groups = fact_groups({"kept": 3, "forgetting": {f"num_{letter}": int(letter == "a") for letter in "abcdefghi"}}, "rows")
    assert groups == [
        {"title": "Rows", "facts": [("kept", "3")]},
        {"title": "Forgetting, nats a token", "facts": [("a", "1"), ("8 other measures are", "0")]},
    ]


def test_checks_keep_their_status_and_what_was_found() -> None:
    found = checks_of({"ready": True, "checks": {"num_steps": "pass: 4 of 4: all", "heat": "warn: hot", "one_bos": "fail: two"}})
    assert [(check["name"], check["ok"], check["severity"], check["detail"]) for check in found] == [
        ("steps", True, "invalid", "4 of 4: all"),
        ("heat", False, "warning", "hot"),
        ("one bos", False, "invalid", "two"),
    ]
