"""Pages from Jinja templates, with every value escaped."""

from pathlib import Path
from typing import Any

from plumbline.pages.templating import read_template
from plumbline.pipeline.files import write_text


def write_page(page: Path, *, template: Path, context: dict[str, Any]) -> None:
    """Render a template into one HTML file; an unknown name in it is an error."""
    write_text(page, read_template(template, autoescape=True, trim_blocks=False, keep_trailing_newline=True).render(context))
