"""Cleaned rows in the shapes that other trainers read. Pure."""

from collections.abc import Mapping
from typing import Any

from plumbline.rows.instruction_row import InstructionRow
from plumbline.training.prompt import training_prompt


def earlier_of(row: InstructionRow) -> list[Mapping[str, Any]]:
    """The exchanges that stand before the row, the oldest first; none where rows hold one exchange."""
    return list(row.model_dump().get("earlier", ()))


def as_messages(row: InstructionRow) -> dict[str, object]:
    """A conversation with the user message that the training here uses; an answer that is not trained has weight 0."""
    messages: list[Mapping[str, object]] = []
    for exchange in earlier_of(row):
        weight: dict[str, object] = {} if exchange["is_trained"] else {"weight": 0}
        messages += [{"role": "user", "content": exchange["user"]}, {"role": "assistant", "content": exchange["assistant"], **weight}]
    messages += [
        {"role": "user", "content": training_prompt(row.instruction, row.input)},
        {"role": "assistant", "content": row.output},
    ]
    return {"messages": messages}


def as_alpaca(row: InstructionRow) -> dict[str, object]:
    """Instruction, input and output; what stands before them as `history`, pairs of question and answer."""
    found: dict[str, object] = {"instruction": row.instruction, "input": row.input, "output": row.output}
    earlier = earlier_of(row)
    return found | {"history": [[one["user"], one["assistant"]] for one in earlier]} if earlier else found


SHAPES = {"messages": as_messages, "alpaca": as_alpaca}
