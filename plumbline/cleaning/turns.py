"""Read a conversation: alternating turns of a user and an assistant, with what may stand around them. Pure."""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.cleaning.codes import Reason
from plumbline.cleaning.json_line import LineRefused, json_type, refuse_deep, strict_loads
from plumbline.cleaning.raw_row import RawExchange, RawRow

ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model", "bing", "bard", "claude"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(
        ("tool", "function", "function_call", "function_response", "observation", "ipython", "tool_call", "tool_response"), "tool"
    ),
}
CALLS = ("tool_calls", "function_call", "tool_call_id")
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
MARKS = ("weight", "train", "loss", "training")
"""Keys of a turn or a row that say whether it is trained: OpenAI, Mistral and axolotl, ms-swift."""
USUAL = frozenset({"role", "content", "from", "value", *CALLS, *THOUGHTS, *MARKS})
NOT_TRAINED = (
    "rows with tools are recognised but not trained on, since no prompt here offers tools. Write the call and its result as text into "
    "the turns, or remove the tools if no turn uses them"
)
TEXT_BLOCKS = ("text", "input_text", "output_text")
CALL_BLOCKS = ("tool_use", "tool_result", "function_call", "tool_call")


def row_of_turns(turns: Sequence[Any], system: str, *, has_extra_keys: bool) -> RawRow:
    """The exchanges of a conversation; a system turn stands before the first question. LineRefused if they are not a conversation.

    Turns after the last answer that is trained are left out: nothing is learnt from them.
    """
    if turns and all(isinstance(turn, str) for turn in turns):  # UltraChat: alternating texts of user and assistant
        turns = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(turns)]
    read = [turn_of(turn) for turn in turns]
    if read and read[0][0] == "system":
        system = "\n\n".join(text for text in (system, text_of_turn(read[0][1], "system")) if text)
        read = read[1:]
    roles = [role for role, _, _ in read]
    if not read or roles != ["user", "assistant"] * (len(read) // 2):
        raise LineRefused(
            Reason.UNSUPPORTED_TURNS,
            f"turns are {roles[:8]} after the system turn, if any; user and assistant must alternate, and the last turn must be an assistant's",
        )
    exchanges = [
        RawExchange(text_of_turn(asked, "user"), answer_of_turn(answer), is_trained)
        for (_, asked, _), (_, answer, is_trained) in zip(read[::2], read[1::2], strict=True)
    ]
    extra = has_extra_keys or any(not turn.keys() <= USUAL and any(turn[key] is not None for key in turn.keys() - USUAL) for turn in turns)
    return row_of_exchanges(exchanges, system, has_extra_keys=extra)


def row_of_exchanges(exchanges: Sequence[RawExchange], system: str, *, has_extra_keys: bool) -> RawRow:
    """A row that ends with its last trained answer. LineRefused if no answer may be trained on."""
    last = max((place for place, exchange in enumerate(exchanges) if exchange.is_trained), default=None)
    if last is None:
        raise LineRefused(Reason.UNTRAINED, "every answer is marked as not to be trained on; remove the mark or the row")
    first, *rest = exchanges[: last + 1]
    first = first._replace(user=f"{system}\n\n{first.user}" if system and first.user else system or first.user)
    *earlier, final = [first, *rest]
    return RawRow(final.user, "", final.assistant, has_extra_keys, tuple(earlier))


def turn_of(turn: Any) -> tuple[str, Any, bool]:
    """Role, content and whether it is trained. LineRefused if it is not a turn, or is a tool's."""
    if not isinstance(turn, Mapping):
        raise LineRefused(Reason.WRONG_TYPE, f"a turn is a JSON {json_type(turn)}; it must be an object with role and content")
    given, content = (turn["role"], "content") if "role" in turn else (turn.get("from"), "value")
    if not isinstance(given, str) or (content not in turn and not any(turn.get(key) for key in CALLS)):
        raise LineRefused(Reason.WRONG_TYPE, "a turn has neither role and content nor from and value")
    role = ROLES.get(given.strip().lower())
    if role is None:
        raise LineRefused(Reason.UNSUPPORTED_TURNS, f"a turn has the role {given[:40]!r}; it must be system, user or assistant")
    if role == "tool" or any(turn.get(key) for key in CALLS):
        raise LineRefused(Reason.TOOL_CALLS, f"a turn of role {given[:40]!r} calls a tool or comes from one; {NOT_TRAINED}")
    if thought := next((key for key in THOUGHTS if turn.get(key)), None):
        raise LineRefused(
            Reason.UNUSED_KEY,
            f"a turn has {thought!r}, and the answer would be trained without it; write it into the content, or remove it",
        )
    return role, turn.get(content), is_trained(turn)


def is_trained(marked: Mapping[str, Any]) -> bool:
    """Whether a turn or row may be trained on, by the marks that tools write. LineRefused for a weight between 0 and 1."""
    for key in MARKS:
        value = marked.get(key)
        if value in (0, "0", "0.0", "false", "False"):
            return False
        if value is not None and value not in (1, "", "1", "1.0", "true", "True"):
            raise LineRefused(
                Reason.UNUSED_KEY,
                f"{key} is {str(value)[:40]!r}, and no answer counts in part here; write 0 or 1, or remove the key",
            )
    return True


def text_of_turn(content: Any, role: str) -> str:
    """What a system or user turn says; an empty text if a system turn is null."""
    if content is None and role == "system":
        return ""
    if isinstance(content, list):
        content = joined_blocks(content)
    if not isinstance(content, str):
        raise LineRefused(Reason.WRONG_TYPE, f"{role} is a JSON {json_type(content)}; it must be text")
    return content


def answer_of_turn(content: Any) -> Any:
    """What an assistant turn says; content that is neither text nor blocks of text stays as it came."""
    return joined_blocks(content) if isinstance(content, list) and is_blocks(content) else content


def is_blocks(content: Sequence[Any]) -> bool:
    """Whether a list is content in blocks, as the clients of hosted models return it."""
    return bool(content) and all(isinstance(block, Mapping) and isinstance(block.get("type"), str) for block in content)


def joined_blocks(content: list[Any]) -> Any:
    """The texts of the blocks, one per line; a list of anything else stays as it came. LineRefused for a block that is not text."""
    if not is_blocks(content):
        return content
    for block in content:
        if block["type"] in CALL_BLOCKS:
            raise LineRefused(Reason.TOOL_CALLS, f"a block of type {block['type']!r}; {NOT_TRAINED}")
        if block["type"] not in TEXT_BLOCKS or not isinstance(block.get("text"), str):
            raise LineRefused(Reason.WRONG_TYPE, f"a block of type {block['type'][:40]!r}; only blocks of text are read")
    return "\n".join(block["text"] for block in content)


def list_of(value: Any, name: str) -> list[Any]:
    """A list, or the list that a text holds, as in tables of text. LineRefused if it is not a list."""
    found = value
    if isinstance(value, str):
        refuse_deep(value)
        try:
            found = strict_loads(value)
        except json.JSONDecodeError:
            try:
                found = ast.literal_eval(value.strip())
            except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
                found = value
    if not isinstance(found, list):
        raise LineRefused(Reason.WRONG_TYPE, f"{name} is a JSON {json_type(value)}; it must be a list, or the JSON of a list as text")
    return found
