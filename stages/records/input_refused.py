"""The error for an input file that must not enter the training data at all."""


class InputRefused(ValueError):
    """A whole file is refused; nothing was written. `reason` is a stable snake_case code."""

    def __init__(self, reason: str, message: str) -> None:
        """`message` says what was found, where, what would be accepted and what to do next."""
        super().__init__(f"{reason}: {message}")
        self.reason = reason
