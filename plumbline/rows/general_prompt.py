"""One thing to ask that the domain rows do not teach."""

from plumbline.pipeline.record import Record


class GeneralPrompt(Record):
    """Base's own answer to it shows what base could do; how likely tuned finds that answer shows what is left of it."""

    id: str
    """Names the prompt in `general.prompts`; its hash says whether the prompt measures or may be replayed."""
    prompt: str
    """The user's message, as it is sent."""
