"""Every code that `clean` can write: what an output is, why a line was rejected, what was repaired, what to look at."""

from enum import StrEnum


class OutputClass(StrEnum):
    """What an output is before cleaning; after cleaning only the text classes remain."""

    PLAIN = "plain"
    LOOKS_LIKE_JSON = "looks_like_json"
    """Begins with a brace or bracket and is text: set notation, LaTeX groups, a reference."""
    JSON_SCALAR = "json_scalar"
    """A bare number, true, false or null: text that happens to be JSON."""
    JSON_OBJECT = "json_object"
    JSON_LIST = "json_list"
    PYTHON_LITERAL = "python_literal"
    """A dict, list or set as Python prints it, or JSON that only Python's looser escapes can read."""
    ENCODED_TWICE = "encoded_twice"
    """A JSON string, most often with JSON inside."""
    BROKEN_JSON = "broken_json"
    EMPTY = "empty"
    WRONG_TYPE = "wrong_type"
    """The output field is not a string."""
    UNREADABLE = "unreadable"
    """The line has no output to look at: it is not a JSON object, or lacks the field."""


STRUCTURED = frozenset(
    {OutputClass.JSON_OBJECT, OutputClass.JSON_LIST, OutputClass.PYTHON_LITERAL, OutputClass.ENCODED_TWICE, OutputClass.BROKEN_JSON}
)
"""Classes that no kept output has, unless its instruction asked for JSON."""


class BrokenCause(StrEnum):
    """Why an output that begins as JSON is not JSON."""

    INVALID_ESCAPE = "invalid_escape"
    CONTROL_CHARACTER = "control_character"
    TRAILING_COMMA = "trailing_comma"
    BARE_VALUE = "bare_value"
    """A value without quotes that is not a JSON number: `$16.78$`, `20*pi/180`."""
    TRUNCATED = "truncated"
    TRAILING_TEXT = "trailing_text"
    UNREADABLE = "unreadable"


class Reason(StrEnum):
    """Why a line is in quarantined.jsonl."""

    INVALID_UTF8 = "invalid_utf8"
    CONTROL_CHAR = "control_char"
    LONE_SURROGATE = "lone_surrogate"
    NONCHARACTER = "noncharacter"
    INVISIBLE_TEXT = "invisible_text"
    COMBINING_RUN = "combining_run"
    OVERSIZE_LINE = "oversize_line"
    TOO_DEEP = "too_deep"
    TRUNCATED = "truncated"
    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    TRAILING_DATA = "trailing_data"
    DUPLICATE_KEY = "duplicate_key"
    NON_FINITE_NUMBER = "non_finite_number"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    MISSING_KEY = "missing_key"
    WRONG_TYPE = "wrong_type"
    EMPTY_FIELD = "empty_field"
    UNSUPPORTED_TURNS = "unsupported_turns"
    TOOL_CALLS = "tool_calls"
    """A turn calls a tool or comes from one, or the row names tools; no prompt here shows tools."""
    UNTRAINED = "untrained"
    """Every answer is marked as one that must not be trained on (`weight: 0`)."""
    UNUSED_KEY = "unused_key"
    """A key changes the meaning of the row, and nothing here reads that key."""
    STRINGIFIED_JSON = "stringified_json"
    LATEX_ESCAPE_SWALLOWED = "latex_escape_swallowed"
    VALUE_LOST = "value_lost"
    """The conversion to text would have lost a value or a key: a gap in our code, not a fault of the row."""
    STRUCTURED_RESIDUE = "structured_residue"
    """The cleaned text would still parse as JSON or as a Python container."""


class Repair(StrEnum):
    """Changes that lose nothing, recorded per row."""

    BYTE_ORDER_MARK = "byte_order_mark"
    LINE_SEPARATOR = "line_separator"
    LINE_ENDING = "line_ending"
    OUTER_SPACE = "outer_space"
    NFC = "nfc"
    ZERO_WIDTH = "zero_width"
    BIDI_CONTROL = "bidi_control"
    MOJIBAKE = "mojibake"
    LATEX_ESCAPE_SWALLOWED = "latex_escape_swallowed"
    LINE_INVALID_ESCAPE = "line_invalid_escape"
    LINE_TRAILING_COMMA = "line_trailing_comma"
    LINE_PYTHON_LITERAL = "line_python_literal"
    LINE_ENCODED_TWICE = "line_encoded_twice"
    STRINGIFIED_JSON = "stringified_json"
    WRONG_TYPE = "wrong_type"
    INVALID_ESCAPE = "invalid_escape"
    CONTROL_CHARACTER = "control_character"
    TRAILING_COMMA = "trailing_comma"
    BARE_VALUE = "bare_value"
    PYTHON_LITERAL = "python_literal"
    ENCODED_TWICE = "encoded_twice"


class Notice(StrEnum):
    """Flags that no parameter switches off: the row is kept, and a person may want to look at it."""

    REPLACEMENT_CHAR = "replacement_char"
    PRIVATE_USE = "private_use"
    MOJIBAKE = "mojibake"
    LATEX_SUSPECT = "latex_suspect"
    """A tab or line break that may be the rest of a swallowed LaTeX command, with more than one reading."""
    EXTRA_KEYS = "extra_keys"
    JSON_REQUESTED = "json_requested"
    """The output is JSON because the instruction asks for JSON: left as it is."""
    STRUCTURE_REQUESTED = "structure_requested"
    """The output is a list or a value of code because the instruction asks for one: left as it is."""


OCCASIONAL = frozenset({Reason.TOOL_CALLS, Reason.UNTRAINED, Reason.UNUSED_KEY, Notice.STRUCTURE_REQUESTED})
"""Codes that most sources never have; the summary lists one only if it occurs."""


class Action(StrEnum):
    """What happens to a row that breaks a quality rule."""

    FLAG = "flag"
    """It is kept, with the rule's code among its flags."""
    QUARANTINE = "quarantine"
    OFF = "off"
    """The rule is not applied."""


class Rule(StrEnum):
    """Quality rules of params.yaml: the code of each is its parameter's name, and its value there is an `Action`."""

    CONTEXT_LEAK = "context_leak"
    REFUSAL = "refusal"
    ANSWER_REPEATS_QUESTION = "answer_repeats_question"
    NO_ANSWER = "no_answer"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    SPECIAL_TOKEN = "special_token"
    SECRET = "secret"
    PERSONAL_DATA = "personal_data"
    JUDGE_INSTRUCTION = "judge_instruction"
    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    NEAR_DUPLICATE = "near_duplicate"


class RowRefused(ValueError):
    """A row must not be kept: `reason` is the code that is written, `detail` says what was found and where."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
