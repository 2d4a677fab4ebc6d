"""Cleaned rows in the shapes that other trainers read. Pure."""

from collections.abc import Mapping

from plumbline.pipeline.refused import Refused
from plumbline.rows.instruction_row import InstructionRow
from plumbline.training.prompt import training_prompt


def as_messages(row: InstructionRow) -> dict[str, object]:
    """A conversation with the user message that the training here uses; an answer that is not trained has weight 0."""
    messages: list[Mapping[str, object]] = []
    for exchange in row.earlier:
        weight: dict[str, object] = {} if exchange.is_trained else {"weight": 0}
        messages += [{"role": "user", "content": exchange.user}, {"role": "assistant", "content": exchange.assistant, **weight}]
    messages += [
        {"role": "user", "content": training_prompt(row.instruction, row.input)},
        {"role": "assistant", "content": row.output},
    ]
    return {"messages": messages}


def as_alpaca(row: InstructionRow) -> dict[str, object]:
    """Instruction, input and output; earlier exchanges as `history`, pairs of question and answer.

    Refused if an earlier answer is not trained on: pairs cannot say so, and their reader would train on it.
    """
    if any(not exchange.is_trained for exchange in row.earlier):
        raise Refused(
            f"{row.origin.file}, line {row.origin.line}: an earlier answer is not trained on, which Alpaca rows cannot say. "
            "Write the rows as messages (--as messages)."
        )
    found: dict[str, object] = {"instruction": row.instruction, "input": row.input, "output": row.output}
    history = [[exchange.user, exchange.assistant] for exchange in row.earlier]
    return found | {"history": history} if history else found


SHAPES = {"messages": as_messages, "alpaca": as_alpaca}
