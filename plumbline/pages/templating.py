"""The one way in which templates are read: pages escape every value, and an unknown name is an error. Touches the template file."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


def read_template(path: Path, *, autoescape: bool, trim_blocks: bool, keep_trailing_newline: bool) -> Template:
    """Return a template, ready to render.

    `autoescape`: True for HTML, False for text. `trim_blocks`: a tag alone on its line leaves no line behind.
    Rendering raises jinja2.UndefinedError for a name that it was not given.
    """
    environment = Environment(
        loader=FileSystemLoader(path.parent),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=trim_blocks,
        lstrip_blocks=trim_blocks,
        keep_trailing_newline=keep_trailing_newline,
    )
    return environment.get_template(path.name)
