"""A row as its shape gives it: texts found, nothing cleaned. Pure."""

from typing import Any, NamedTuple


class RawExchange(NamedTuple):
    """What a user said and what was answered, before the last exchange of a conversation."""

    user: str
    assistant: Any
    """As it came, for it may be no text."""
    is_trained: bool
    """False: it is shown, and no loss is on it."""


class RawRow(NamedTuple):
    """Instruction and input as text; the output as it came, for it may be no text."""

    instruction: str
    input: str
    output: Any
    has_extra_keys: bool
    earlier: tuple[RawExchange, ...] = ()
    """Exchanges before the last one, the oldest first."""
