"""Say which shape the columns of a file would have if one or two were renamed. Pure."""

from collections.abc import Sequence

from plumbline.rows.question import Question
from plumbline.splitting.column_advice import NAMES_OF, NOT_NAMED, near_names, near_words
from plumbline.splitting.columns_remedy import MAPPED_REMEDY, columns_remedy
from plumbline.splitting.known_shapes import Content, Shape
from plumbline.splitting.row_values import Row

OWN = "plumbline"
MAX_LACKING = 2
"""Columns that a file may lack and still be nearly of a shape; another case of a name does not count."""


def nearly_words(rows: Sequence[Row], shapes: Sequence[Shape]) -> str | None:
    """The error for columns that would have a shape if one or two were renamed; None if there is no such shape."""
    content = rows[0].content
    forms = [(shape, form) for shape in shapes for form in shape.forms or (tuple(shape.lacks({})),)]
    if not (found := [(near, shape, form) for shape, form in forms if (near := typos(content, shape, form))]):
        return None
    near, shape, form = min(found, key=lambda one: len(one[0]))
    absent = [name for name in form if name not in content and name not in near.values()]
    also = f" {', '.join(map(repr, absent))} {'is' if len(absent) == 1 else 'are'} missing, too." if absent else ""
    rename = f"Rename the column{'' if len(near) == 1 else 's'}{' and add what is missing' if absent else ''}"
    remedy = columns_remedy(rows, {name: column for column, name in near.items() if name in NAMES_OF})
    # Only in our own shape do the columns say all, and some of its columns hold what a named one cannot.
    can_be_named = shape.name == OWN and remedy != MAPPED_REMEDY and not content.keys() & {*NOT_NAMED}
    other = f", or {remedy[0].lower()}{remedy[1:]}" if can_be_named else "."
    return f"{rows[0].where}: the columns are nearly those of {shape.name}: {near_words(near)}{also} {rename}{other}"


def typos(content: Content, shape: Shape, form: Sequence[str]) -> dict[str, str]:
    """The columns that make a row one of this shape if they are renamed, column -> name; none if too much is missing."""
    lacking = [name for name in form if name not in content]
    known = {*form, *(Question.model_fields if shape.name == OWN else ())}
    near = near_names(lacking, [str(name) for name in content if name not in known])
    other = [name for name in lacking if name.casefold() not in {column.casefold() for column in near}]
    fits = shape.fits({near.get(name, name): value for name, value in content.items()})
    return near if fits and len(other) <= MAX_LACKING and 2 * len(other) <= len(form) else {}
