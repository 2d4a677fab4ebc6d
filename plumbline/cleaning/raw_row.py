"""A row as its shape gives it: texts found, nothing cleaned. Pure."""

from typing import Any, NamedTuple


class RawExchange(NamedTuple):
    """What a user said and what was answered, before the last exchange of a conversation."""

    user: str
    assistant: Any
    """As it came: it may not be text."""
    is_trained: bool
    """False: it is shown, but no loss is computed on it."""


class RawRow(NamedTuple):
    """Instruction and input as text; the output as it came, since it may not be text."""

    instruction: str
    input: str
    output: Any
    has_extra_keys: bool
    earlier: tuple[RawExchange, ...] = ()
    """Exchanges before the last one, the oldest first."""
