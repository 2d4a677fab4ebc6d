"""The value of an output that is structured, with every member and every digit as written. Pure."""

MAX_DEPTH = 32


class Written(str):
    """A number, constant or expression, as written: never evaluated, never reformatted."""

    __slots__ = ()


class Members(list["tuple[str, Value]"]):
    """The members of an object in their order; a key that occurs twice is kept twice."""


Value = str | Written | list["Value"] | Members
