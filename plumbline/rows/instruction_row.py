"""One clean training row, as `clean` keeps it and `split` hands it on."""

from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from plumbline.pipeline.record import Record


class Origin(Record):
    """Where a row came from."""

    file: str
    """Path of the source as given in params.yaml."""
    line: int
    """Number of the physical line in that file, from 1; outside JSON lines the number of the record, without the header."""


class Exchange(Record):
    """What a user said in a conversation, and what was answered."""

    user: str
    assistant: str
    is_trained: bool
    """False: it is shown before the next question, but no loss is computed on it."""


class InstructionRow(Record):
    """An Alpaca row with plain text as output. A conversation is its last exchange, with the earlier ones."""

    id: str
    """Hash of instruction, input, output and what stands before them after cleaning: stable when rows are added or reordered."""
    instruction: str
    input: str
    """Empty if the source had none."""
    output: str
    """Plain text; if the source had both, `Explanation: ...` and a last line `Answer: ...`."""
    origin: Origin
    repairs: tuple[str, ...]
    """Codes of the lossless changes made, sorted."""
    flags: tuple[str, ...]
    """Codes of what a reader may want to review, sorted."""
    earlier: tuple[Exchange, ...] = ()
    """Exchanges of the conversation before this one, the oldest first; not written if there are none."""

    @model_serializer(mode="wrap")
    def without_empty(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The row as written."""
        content = whole(self)
        if not self.earlier:
            del content["earlier"]
        return content
