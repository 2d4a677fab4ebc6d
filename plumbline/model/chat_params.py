"""How conversations with a base model are written."""

from plumbline.pipeline.record import Params


class ChatParams(Params):
    """Which chat template a hub model gets, and what stands in it instead of what it would read from outside."""

    chat_template: str | None
    """None: the one that the model ships. Else a name among those it ships, or of a file of `examples/chat_templates`."""
    template_date: str
    """The date that a template sees which asks for today's, as 2026-11-01: answers must not change from one day to the next."""
    thinking: bool
    """Whether a template with a thinking block opens it."""
