"""Find question and answer in an object, by the keys that play their parts. Pure."""

from collections.abc import Mapping
from typing import Any

from plumbline.cleaning.codes import Reason
from plumbline.cleaning.json_line import LineRefused, json_type
from plumbline.cleaning.raw_row import RawExchange, RawRow
from plumbline.cleaning.row_columns import ALPACA, Columns
from plumbline.cleaning.turns import (
    MARKS,
    NOT_TRAINED,
    answer_of_turn,
    is_blocks,
    is_trained,
    list_of,
    row_of_exchanges,
    row_of_turns,
    text_of_turn,
)

MEANT = {
    **dict.fromkeys(("tools", "functions", "tool_calls", "function_call"), Reason.TOOL_CALLS),
    **dict.fromkeys(
        ("history", "system", "system_prompt", "context", "images", "image", "videos", "audios", "audio", "rejected"), Reason.UNUSED_KEY
    ),
}
"""Keys that change the meaning of a row. If one is not read, the row is put aside; it never counts as an extra key."""
TURN_FORMATS = {"messages": "messages", "conversations": "sharegpt"}
"""Key of the turns -> the value of `clean.format` that reads it."""
USUAL = frozenset({"instruction", "input", "output"})
EMPTY: tuple[Any, ...] = (None, "", "[]", [], {})


def read_row(content: Mapping[str, Any], columns: Columns) -> RawRow:
    """The row in an object. LineRefused says what is missing, or what is there and cannot be used."""
    if columns is ALPACA and content.keys() == USUAL:  # most rows: nothing to look for
        return RawRow(
            text_of(content["instruction"], "instruction"),
            "" if content["input"] is None else text_of(content["input"], "input"),
            content["output"],
            has_extra_keys=False,
        )
    required(content, columns.needed)
    refuse_unused(content, columns)
    extra = any(value is not None and is_unread(key, columns) for key, value in content.items())
    system = text_of_turn(content[columns.system], "system") if columns.system and content.get(columns.system) not in EMPTY else ""
    if columns.messages:
        return row_of_turns(list_of(content[columns.messages], columns.messages), system, has_extra_keys=extra)
    assert columns.instruction and columns.output, "columns name turns, or a question and an answer"
    asked, answer = content[columns.instruction], content[columns.output]
    if isinstance(asked, list) and isinstance(answer, list) and not is_blocks(asked):
        return row_of_turns([*asked, *answer], system, has_extra_keys=extra)
    given = content.get(columns.input) if columns.input else None
    about = "" if given is None else text_of(given, columns.input or "input")
    history = content.get(columns.history) if columns.history else None
    exchanges = [*history_of(history), RawExchange(text_of(asked, columns.instruction), answer_of_turn(answer), is_trained=True)]
    row = row_of_exchanges(exchanges, system, has_extra_keys=extra)
    return row._replace(input=about)


def history_of(history: Any) -> list[RawExchange]:
    """Earlier exchanges as pairs of texts, as LLaMA-Factory writes them."""
    if history in EMPTY:
        return []
    pairs = list_of(history, "history")
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in pairs):
        raise LineRefused(Reason.WRONG_TYPE, "history is not a list of pairs of texts: a question and its answer")
    return [RawExchange(asked, answer, is_trained=True) for asked, answer in pairs]


def is_unread(key: str, columns: Columns) -> bool:
    """Whether a key of a row says nothing to any reader: no column names it, and it does not decide whether the row is kept."""
    return key not in columns.used and key not in MEANT and key not in MARKS


def refuse_unused(content: Mapping[str, Any], columns: Columns) -> None:
    """LineRefused if a key changes the meaning of the row and is not read."""
    for key, reason in MEANT.items():
        if key in content and key not in columns.used and content[key] not in EMPTY:
            remedy = "is not read; name it in clean.columns, or remove it"
            raise LineRefused(
                reason,
                f"key {key!r} changes the meaning of the row and {remedy if reason is Reason.UNUSED_KEY else f'offers tools: {NOT_TRAINED}'}",
            )
    if not is_trained({key: content.get(key) for key in MARKS if key not in columns.used}):
        raise LineRefused(Reason.UNTRAINED, "the row is marked as not to be trained on; remove the mark or the row")


def required(content: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """LineRefused names the first key that is missing."""
    for key in keys:
        if key not in content:
            turns = next((format_ for name, format_ in TURN_FORMATS.items() if name in content), None)
            hint = f"; for rows of chat turns set clean.format to {turns}, or give them their own file" if turns else ""
            raise LineRefused(Reason.MISSING_KEY, f"no key {key!r}; found {sorted(content)[:8]}{hint}")


def text_of(value: Any, name: str) -> str:
    """The text of a field. LineRefused if it is not text."""
    if isinstance(value, list):
        value = answer_of_turn(value)
    if not isinstance(value, str):
        raise LineRefused(Reason.WRONG_TYPE, f"{name} is a JSON {json_type(value)}; it must be text")
    return value
