"""The text of a question in a form in which two logs agree. Pure."""

from plumbline.comparing.logs.logged_answer import LoggedAnswer


def text_key(answer: LoggedAnswer) -> str:
    """What is asked, in a form that spaces, capitals and the order of the choices do not change."""
    return "\n".join([normal(answer.question), *sorted(map(normal, answer.choices.values()))])


def normal(text: str) -> str:
    """A text in a form that spaces and capitals do not change."""
    return " ".join(text.split()).casefold()
