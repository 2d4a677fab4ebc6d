"""Find question and answer in an object of each known shape. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from plumbline.cleaning.codes import Reason
from plumbline.cleaning.json_line import LineRefused, json_type


class RawRow(NamedTuple):
    """Instruction and input as text; the output as it came, for it may be no text."""

    instruction: str
    input: str
    output: Any
    has_extra_keys: bool


def from_alpaca(content: Mapping[str, Any]) -> RawRow:
    """`instruction`, `output`, and `input` where there is one. Spelling is exact: a key of another case is another key."""
    required(content, "instruction", "output")
    extra = not content.keys() <= {"instruction", "input", "output"}
    given = content.get("input")
    return RawRow(
        text_of(content["instruction"], "instruction"), "" if given is None else text_of(given, "input"), content["output"], extra
    )


def from_prompt_completion(content: Mapping[str, Any]) -> RawRow:
    """`prompt` and `completion`, as text or as one message each."""
    required(content, "prompt", "completion")
    prompt, completion = content["prompt"], content["completion"]
    if isinstance(prompt, list) and isinstance(completion, list):
        return from_turns([*prompt, *completion], content.keys() != {"prompt", "completion"})
    return RawRow(text_of(prompt, "prompt"), "", completion, content.keys() != {"prompt", "completion"})


def from_messages(content: Mapping[str, Any]) -> RawRow:
    """`messages`: an optional system turn, one user turn, one assistant turn."""
    required(content, "messages")
    if not isinstance(content["messages"], list):
        raise LineRefused(Reason.WRONG_TYPE, f"messages is a JSON {json_type(content['messages'])}; a list of turns is read")
    return from_turns(content["messages"], content.keys() != {"messages"})


def from_turns(turns: list[Any], has_extra_keys: bool) -> RawRow:
    """Question and answer of a conversation of one exchange; the system turn stands before the question."""
    if not all(isinstance(turn, dict) and isinstance(turn.get("role"), str) and "content" in turn for turn in turns):
        raise LineRefused(Reason.WRONG_TYPE, "a turn is no object with role and content")
    roles = [turn["role"] for turn in turns]
    if roles not in (["user", "assistant"], ["system", "user", "assistant"]):
        raise LineRefused(Reason.UNSUPPORTED_TURNS, f"turns are {roles[:8]}; read are an optional system, one user and one assistant turn")
    *before, answer = turns
    question = "\n\n".join(text_of(turn["content"], turn["role"]) for turn in before if turn["content"] != "")
    extra = has_extra_keys or any(turn.keys() != {"role", "content"} for turn in turns)
    return RawRow(question, "", answer["content"], extra)


def required(content: Mapping[str, Any], *keys: str) -> None:
    """LineRefused names the first key that is not there."""
    for key in keys:
        if key not in content:
            hint = "; for rows of chat turns set clean.format to messages" if "messages" in content else ""
            raise LineRefused(Reason.MISSING_KEY, f"no key {key!r}; found {sorted(content)[:8]}{hint}")


def text_of(value: Any, name: str) -> str:
    """LineRefused where a field that must be text is none."""
    if not isinstance(value, str):
        raise LineRefused(Reason.WRONG_TYPE, f"{name} is a JSON {json_type(value)}; text is read")
    return value


SHAPES = {
    "alpaca": from_alpaca,
    "csv": from_alpaca,
    "parquet": from_alpaca,
    "messages": from_messages,
    "prompt_completion": from_prompt_completion,
}
