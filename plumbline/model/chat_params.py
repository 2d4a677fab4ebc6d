"""How conversations with a base model are written."""

from plumbline.pipeline.record import Params


class ChatParams(Params):
    """The chat template of a hub model, and the values that replace what it would read from outside."""

    chat_template: str | None
    """None: the one that the model ships. Else a name among those it ships, or of a file of `examples/chat_templates`."""
    template_date: str
    """The date for a template that asks for today's, such as 2026-11-01: answers must not change from one day to the next."""
    thinking: bool
    """Whether a template with a thinking block opens it."""
