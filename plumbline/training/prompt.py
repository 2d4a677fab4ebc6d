"""What the user says in a training row. Pure."""


def training_prompt(instruction: str, context: str) -> str:
    """Join an Alpaca instruction and its input, which may be empty, as one user message."""
    return f"{instruction}\n\n{context}" if context else instruction
