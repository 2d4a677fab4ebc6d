"""The errors for a file or setting of the user that a stage cannot use."""


class Refused(ValueError):
    """A file or setting of the user cannot be used: the message alone says what was found, where, and what would be accepted."""


class InputRefused(Refused):
    """A whole file is refused; nothing was written. `reason` is a stable snake_case code."""

    def __init__(self, reason: str, message: str) -> None:
        """`message` says what was found, where, what would be accepted and what to do next."""
        super().__init__(f"{reason}: {message}")
        self.reason = reason
