"""What reports of other people's files have shown: nothing is swallowed, reshaped, dropped or refused in the wrong words."""

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from plumbline.pipeline.refused import InputRefused
from tests.pipeline.test_clean import clean, write_lines


def outputs(source: Path, folder: Path, **changes: Any) -> list[str]:
    return [row.output for row in clean(source, folder, **changes)[0]]


def refusal(source: Path, folder: Path, **changes: Any) -> InputRefused:
    with pytest.raises(InputRefused) as refused:
        clean(source, folder, **changes)
    assert not folder.exists() or not list(folder.iterdir()), "something was written"
    return refused.value


def alpaca(output: Any, instruction: str = "What is it?", **more: Any) -> dict[str, Any]:
    return {"instruction": instruction, "input": "", "output": output, **more}


def messages(*turns: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns], **more}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('instruction,output\nWhy?,So\nWhat?,"The amount\nWhen?,Now\n', "line 3: the file ends inside a quoted field"),
        (
            'instruction,output\nWhy?,So\nWhat?,"The amount\nWhen?,"Now"\nWho?,I\n',
            "line 3: text follows the closing quote of a field",
        ),
        ('instruction,output\nWhat?,"The amount\n' + "When?,Now\n" * 150_000, "line 2: a field is over 1 MiB"),
    ],
    ids=["to the end", "to the next quote", "beyond a field"],
)
def test_a_quote_that_is_never_closed_refuses_the_file(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(content)
    error = refusal(tmp_path / "rows.csv", tmp_path / "out", format="csv")
    assert error.reason == "broken_csv" and words in str(error)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pyarrow.array([b"The joule."], pyarrow.binary()), "The joule."),
        (pyarrow.array([decimal.Decimal("9.810")], pyarrow.decimal128(10, 3)), "9.810"),
        (pyarrow.array([datetime.datetime(2008, 9, 10, tzinfo=datetime.UTC)], pyarrow.timestamp("ns")), "2008-09-10T00:00:00"),
        (pyarrow.array([datetime.date(2008, 9, 10)]), "2008-09-10"),
        (pyarrow.array(["The joule."]).dictionary_encode(), "The joule."),
        (pyarrow.array([42], pyarrow.int8()), "42"),
        (pyarrow.array([2**63], pyarrow.uint64()), "9223372036854775808"),
        (pyarrow.array([9.81]), "9.81"),
        (pyarrow.array([0.1], pyarrow.float32()), "0.1"),
        (pyarrow.array([0.5], pyarrow.float16()), "0.5"),
        (pyarrow.array([6.63e-34], pyarrow.float32()), "6.63e-34"),
    ],
    ids=["binary", "decimal", "timestamp", "date", "dictionary", "int", "large int", "double", "float", "half", "small float"],
)
def test_a_parquet_cell_becomes_text_and_never_what_python_prints(column: Any, expected: str, tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"instruction": ["What?"], "output": column}), tmp_path / "rows.parquet")
    assert outputs(tmp_path / "rows.parquet", tmp_path / "out", format="parquet") == [expected]


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pyarrow.array([b"Caf\xe9", b"yes"], pyarrow.binary()), "invalid_utf8"),
        (pyarrow.array([b"Caf\xe9", b"yes"], pyarrow.binary()).view(pyarrow.string()), "invalid_utf8"),
        (pyarrow.array([datetime.timedelta(1), None], pyarrow.duration("s")), "wrong_type"),
        (pyarrow.array([float("inf"), float("nan")]), "non_finite_number"),
    ],
    ids=["binary", "text", "duration", "infinity; and a number that is missing is none"],
)
def test_a_cell_that_is_no_text_puts_its_record_aside(column: Any, reason: str, tmp_path: Path) -> None:
    table = pyarrow.table({"instruction": ["What?", "So?"], "output": ["one", "two"], "more": column})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    kept, quarantined, _ = clean(tmp_path / "rows.parquet", tmp_path / "out", format="parquet")
    assert [row.output for row in kept] == ["two"]
    assert [(row.reason, row.origin.line) for row in quarantined] == [(reason, 1)]


USER, DONE = {"role": "user", "content": "Weather?"}, {"role": "assistant", "content": "It is sunny."}
CALL = {"name": "weather", "arguments": '{"city": "Graz"}'}
WITH_TOOLS: dict[str, dict[str, Any]] = {
    "OpenAI": {"messages": [
        USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": CALL}]},
        {"role": "tool", "tool_call_id": "1", "content": "sunny"}, DONE,
    ]},
    "older OpenAI": {"messages": [USER, {"role": "assistant", "content": "", "function_call": CALL}, {"role": "function", "content": "sunny"}, DONE]},
    "Anthropic": {"messages": [
        USER, {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "sunny"}]}, DONE,
    ]},
    "ShareGPT": {"conversations": [
        {"from": "human", "value": "Weather?"}, {"from": "function_call", "value": json.dumps(CALL)},
        {"from": "observation", "value": "sunny"}, {"from": "gpt", "value": "It is sunny."},
    ]},
    "offered": {"messages": [USER, DONE], "tools": [{"type": "function", "function": {"name": "weather"}}]},
    "offered as text": {"messages": [USER, DONE], "tools": '[{"name": "weather"}]'},
    "functions": {"messages": [USER, DONE], "functions": [{"name": "weather"}]},
}  # fmt: skip


@pytest.mark.parametrize("row", WITH_TOOLS.values(), ids=list(WITH_TOOLS))
def test_rows_with_tools_are_recognised_counted_and_put_aside_with_a_remedy(
    row: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = "messages" if "messages" in row else "conversations"
    plain = {key: [USER, DONE]}
    kept, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", [row, plain, row]), tmp_path / "out", format="auto")
    assert [one.output for one in kept] == ["It is sunny."]
    assert [one.reason for one in quarantined] == ["tool_calls"] * 2
    assert "rows with tools are recognised but not trained on" in quarantined[0].detail
    assert "2 of 3 rows offer or call tools and are put aside: rows with tools are recognised but not trained on" in caplog.text
    error = refusal(write_lines(tmp_path / "alone.jsonl", [row]), tmp_path / "alone", format="auto")
    assert error.reason == "no_rows" and "Reasons: tool_calls 1." in str(error) and "remove the tools if no turn uses them" in str(error)
    if key == "messages" and row[key] == [USER, DONE]:  # the remedy works
        assert outputs(write_lines(tmp_path / "without.jsonl", [{key: row[key]}]), tmp_path / "without", format="auto") == ["It is sunny."]


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        ("42", "42"), ("-0.5", "-0.5"), ("6.63e-34", "6.63e-34"), ("0", "0"), ("null", "empty_field"), ("true", "wrong_type"),
        ("18446744073709551616", "number_out_of_range"),
    ],
)  # fmt: skip
def test_a_number_is_an_answer_null_is_none_and_a_boolean_is_put_aside(
    written: str, verdict: str, standardize: bool, tmp_path: Path
) -> None:
    rows = [f'{{"instruction": "How many?", "output": {written}}}', json.dumps(alpaca("A push."))]
    turns = [{"role": "user", "content": "How many?"}, {"role": "assistant", "content": "ANSWER"}]
    chat = [json.dumps({"messages": turns}).replace('"ANSWER"', written), json.dumps(messages(("user", "What?"), ("assistant", "A push.")))]
    for name, lines, shape in (("rows", rows, "alpaca"), ("chat", chat, "messages")):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        kept, quarantined, _ = clean(path, tmp_path / name, format=shape, standardize=standardize)
        found = [row.reason for row in quarantined] or [row.output for row in kept][:1]
        assert found == ([verdict] if standardize or verdict != "wrong_type" else ["true"])
        if quarantined and verdict == "wrong_type":
            assert "output is a JSON boolean; write the answer out as text, a number, an object or a list" in quarantined[0].detail


def test_numbers_that_are_missing_in_a_parquet_column_of_answers_are_empty(tmp_path: Path) -> None:
    table = pyarrow.table({"instruction": ["a?", "b?", "c?", "d?"], "output": [1.5, float("nan"), None, 2.0]})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    kept, quarantined, _ = clean(tmp_path / "rows.parquet", tmp_path / "out", format="auto")
    assert [(row.output, row.repairs) for row in kept] == [("1.5", ("wrong_type",)), ("2.0", ("wrong_type",))]
    assert [(row.reason, row.detail) for row in quarantined] == [("empty_field", "output is empty")] * 2


def test_blocks_of_text_are_text_in_every_turn(tmp_path: Path) -> None:
    block = {"type": "text", "text": "A push."}
    rows = [
        messages(("user", [block]), ("assistant", [block, {"type": "text", "text": "Or a pull."}])),
        messages(("user", "And?"), ("assistant", [block, {"type": "image_url", "image_url": {"url": "x"}}])),
        messages(("user", "Then?"), ("assistant", [{"type": "tool_use", "name": "f", "input": {}}])),
    ]
    asked = {"type": "text", "text": "What is force?"}
    pairs = [{"prompt": [asked], "completion": [block]}, {"prompt": "And?", "completion": [block]}]
    assert outputs(write_lines(tmp_path / "pairs.jsonl", pairs), tmp_path / "pairs", format="prompt_completion") == ["A push.", "A push."]
    kept, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format="messages")
    assert [(row.instruction, row.output, row.repairs) for row in kept] == [("A push.", "A push.\nOr a pull.", ())]
    assert [row.reason for row in quarantined] == ["wrong_type", "tool_calls"]


@pytest.mark.parametrize(
    "text",
    [
        "A mesa custa R$ 100\ne R$ 20 de frete.",
        "Cena: US$ 5\ni US$ 3 za dostawę.",
        "Fee: $25\tan hour; deposit: $100.",
        "Il biglietto costa $ 10\ne il treno $ 5.",
        "Cena 5 $\ni 3 $ za to.",
        "print $total\ne $sum",
        "echo $a\top ${b}",
    ],
)
def test_money_and_variables_are_no_latex(text: str, tmp_path: Path) -> None:
    assert outputs(write_lines(tmp_path / "rows.jsonl", [alpaca(text)]), tmp_path / "out") == [text]


ARRAY = '[{"instruction": "What?", "output": "A push, {or} [a] \\"pull\\"."},\n {"instruction": "Why?", "output": "So."}\n]\n'


@pytest.mark.parametrize("content", [ARRAY, ARRAY.replace("\n", ""), ARRAY.replace("},", "},\n"), "\ufeff " + ARRAY, "[\n" + ARRAY[1:]])
def test_a_json_array_is_refused_as_lines_and_read_when_asked(content: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(content, encoding="utf-8")
    error = refusal(tmp_path / "rows.json", tmp_path / "out", format="alpaca")
    assert error.reason == "not_jsonl" and "jq -c" in str(error) and "auto" in str(error)
    kept, quarantined, _ = clean(tmp_path / "rows.json", tmp_path / "out", format="auto")
    assert [(row.output, row.origin.line) for row in kept] == [('A push, {or} [a] "pull".', 1), ("So.", 2)] and not quarantined


@pytest.mark.parametrize(
    ("output", "is_refusal"),
    [
        ("I'm sorry to hear that. Drink water and rest.", False),
        ("I am so sorry for the delay of your order.", False),
        ("I'm sorry you don't feel well. Rest.", False),
        ("As an AI language model I am happy to explain: isotopes are atoms.", False),
        ("I cannot thank you enough for this.", False),
        ("I can't wait to see the results.", False),
        ("I'm sorry, but I cannot answer that.", True),
        ("I'm sorry, but the text does not mention the mass.", True),
        ("I am sorry, there is not enough to go on.", True),
        ("Sorry, I can't help with that.", True),
        ("I'm sorry.", True),
        ("As an AI language model, I don't have opinions.", True),
        ("I cannot determine the mass.", True),
    ],
)
def test_an_apology_is_no_refusal(output: str, is_refusal: bool, tmp_path: Path) -> None:
    rows = [alpaca(output), alpaca("A push.", "What is force?")]
    _, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out")
    assert [row.reason for row in quarantined] == (["refusal"] if is_refusal else [])


@pytest.mark.parametrize(
    ("question", "output", "expected"),
    [
        ("Continue the function body.", "    a = w * h\n    return a\n", "    a = w * h\n    return a"),
        ("Continue.", "\n\tif x:\n\t\treturn x", "\tif x:\n\t\treturn x"),
        ("Say hello.", "   Hello\nworld", "Hello\nworld"),
        ("What does the list comprehension [2*i for i in range(3)] give?", "[0, 2, 4]", "[0, 2, 4]"),
        ("Write the vertices of the triangle.", "[(0, 0), (1, 0), (0, 1)]", "[(0, 0), (1, 0), (0, 1)]"),
        ("Multiply the matrices A and B.", "[[1, 2], [3, 4]]", "[[1, 2], [3, 4]]"),
        ("What does dict(a=1) give in Python?", "{'a': 1}", "{'a': 1}"),
        ("Give a list of two forces.", '["weight", "friction"]', "- weight\n- friction"),
        ("What are the speeds?", "[1, 2]", "- 1\n- 2"),
        ("Quote Newton.", '"If I have seen further it is by standing on giants."', '"If I have seen further it is by standing on giants."'),
        ("What is it?", '"It is\\nencoded."', "It is\nencoded."),
    ],
)
def test_code_and_lists_that_were_asked_for_stay(question: str, output: str, expected: str, tmp_path: Path) -> None:
    assert outputs(write_lines(tmp_path / "rows.jsonl", [alpaca(output, question)]), tmp_path / "out") == [expected]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (alpaca("A push.", tools=[{"name": "f"}]), "tool_calls"),
        (alpaca("A push.", context="A ball falls."), "unused_key"),
        *((alpaca("A push.", **{mark: 0}), "untrained") for mark in ("weight", "train", "loss", "training")),
        (alpaca("A push.", loss=0.5), "unused_key"),
        (alpaca("A push.", history="nonsense"), "wrong_type"),
        (alpaca("A push.", images=["a.png"]), "unused_key"),
        (alpaca("A push.", train=True, loss=1, weight=None), None),
        (alpaca("A push.", tools=[], context="", history=[], system=None), None),
    ],
)
def test_a_key_that_says_how_a_row_is_meant_is_used_or_the_row_put_aside(row: dict[str, Any], reason: str | None, tmp_path: Path) -> None:
    kept, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", [row, alpaca("Fine.", "Why?", id=5)]), tmp_path / "out")
    assert [one.reason for one in quarantined] == ([reason] if reason else [])
    assert kept[-1].flags == ("extra_keys",) and (reason or kept[0].flags == ())


@pytest.mark.parametrize("shape", ["messages", "auto"])
@pytest.mark.parametrize("mark", ["weight", "train", "loss", "training"])
def test_a_conversation_that_is_marked_as_a_whole_is_not_trained(mark: str, shape: str, tmp_path: Path) -> None:
    marked = messages(("user", "What?"), ("assistant", "A push."), **{mark: False})
    plain = messages(("user", "Why?"), ("assistant", "So."), **{mark: True})
    kept, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", [marked, plain]), tmp_path / "out", format=shape)
    assert [one.reason for one in quarantined] == ["untrained"] and [(row.output, row.flags) for row in kept] == [("So.", ())]


@pytest.mark.parametrize("shape", ["messages", "auto"])
def test_a_system_text_beside_the_turns_is_used(shape: str, tmp_path: Path) -> None:
    rows = [messages(("user", "What is force?"), ("assistant", "A push."), system="Be short.")]
    (kept,), _, _ = clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format=shape)
    assert (kept.instruction, kept.flags) == ("Be short.\n\nWhat is force?", ())


def test_system_and_history_of_alpaca_rows_are_used(tmp_path: Path) -> None:
    row = alpaca("A push.", "What is force?", system="Answer as a pirate.", history=[["Hi", "Hello"], ["And?", "Yes."]])
    (kept,), _, _ = clean(write_lines(tmp_path / "rows.jsonl", [row]), tmp_path / "out")
    assert [(one.user, one.assistant) for one in kept.earlier] == [("Answer as a pirate.\n\nHi", "Hello"), ("And?", "Yes.")]
    assert (kept.instruction, kept.output, kept.flags) == ("What is force?", "A push.", ())


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ({"weight": 0}, "untrained"),
        ({"train": False}, "untrained"),
        ({"weight": 0.5}, "unused_key"),
        ({"tool_calls": [{"id": "1"}]}, "tool_calls"),
        ({"reasoning_content": "Because."}, "unused_key"),
        ({"weight": 1, "tool_calls": None, "name": None, "reasoning_content": ""}, None),
    ],
)
def test_a_key_of_a_turn_is_used_or_the_row_put_aside(turn: dict[str, Any], reason: str | None, tmp_path: Path) -> None:
    marked = {"messages": [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "A push.", **turn}]}
    plain = messages(("system", None), ("user", "Why?"), ("assistant", "So."))
    kept, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", [marked, plain]), tmp_path / "out", format="messages")
    assert [one.reason for one in quarantined] == ([reason] if reason else [])
    assert all(row.flags == () for row in kept) and kept[-1].instruction == "Why?"


def test_a_csv_record_of_another_width_says_how_wide_it_is(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("instruction,output\nWhat is force, in short?,A push\nWhat is mass?,Matter\n")
    _, (row,), _ = clean(tmp_path / "rows.csv", tmp_path / "out", format="csv")
    assert row.detail == "the record has 3 fields and the header 2; a text that holds ',' needs quotes around it"
    assert row.raw == '["What is force", " in short?", "A push"]'


@pytest.mark.parametrize("cut", [4, 400, -1])
def test_a_truncated_parquet_file_is_refused_without_a_traceback(cut: int, tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"instruction": ["What?"] * 99, "output": ["A push."] * 99}), tmp_path / "whole")
    (tmp_path / "rows.parquet").write_bytes((tmp_path / "whole").read_bytes()[:cut])
    error = refusal(tmp_path / "rows.parquet", tmp_path / "out", format="parquet")
    assert error.reason == "broken_parquet" and "download or write it again" in str(error)


def test_a_file_without_a_usable_row_counts_the_reasons_in_words(tmp_path: Path) -> None:
    error = refusal(
        write_lines(tmp_path / "rows.jsonl", [{"instruction": 1, "output": "x"}, {"instruction": "x"}]), tmp_path / "out", format="alpaca"
    )
    assert "Reasons: wrong_type 1, missing_key 1. The first, line 1" in str(error) and "<Reason" not in str(error)


@pytest.mark.parametrize(
    "content",
    [
        "instruction;input;output\nWhy?;;So, yes.\n",
        "instruction\tinput\toutput\nWhy?\t\tSo, yes.\n",
        "instruction|input|output\nWhy?||So, yes.\n",
    ],
)
def test_a_table_with_another_separator_is_read(content: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(content)
    assert outputs(tmp_path / "rows.csv", tmp_path / "out", format="csv") == ["So, yes."]
