"""Pages from Jinja templates, with every value escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from plumbline.pipeline.files import write_text


def write_page(page: Path, *, template: Path, context: dict[str, Any]) -> None:
    """Render a template beside the stages into one HTML file; an unknown name in it is an error."""
    environment = Environment(
        loader=FileSystemLoader(template.parent), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    write_text(page, environment.get_template(template.name).render(context))
