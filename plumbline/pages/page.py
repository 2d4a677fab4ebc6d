"""Fill the report's template: one file, no requests, no script but our own. Touches the template files."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from plumbline.pages.templating import read_template

RENDERER = "rendered.js"
"""The script next to that of the page, and loaded before it: it shows LaTeX and Markdown."""


def embedded_json(value: object) -> Markup:
    """JSON for the inside of a script element: no text in it can close that element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def render_page(
    *, template: Path, style: Path, script: Path, context: Mapping[str, object], entries: object, figures: Mapping[str, str]
) -> str:
    """Return the page. Everything in `context` is escaped by the template; `figures` are our own SVG.

    The content security policy names the hash of our script: the browser runs that one and no other, and loads nothing.
    """
    code = "".join(path.read_text(encoding="utf-8") for path in (script.with_name(RENDERER), script))
    digest = base64.b64encode(hashlib.sha256(code.encode("utf-8")).digest()).decode("ascii")
    return read_template(template, autoescape=True, trim_blocks=True, keep_trailing_newline=False).render(
        **context,
        policy=f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        style=Markup(style.read_text(encoding="utf-8")),
        script=Markup(code),
        entries=embedded_json(entries),
        figures={name: Markup(figure) for name, figure in figures.items()},
    )
