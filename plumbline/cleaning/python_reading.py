"""Read an output that is a Python dict, list or set literal, keeping every member and every digit as written. Pure."""

import ast
import re
import warnings

from plumbline.cleaning.structured_value import MAX_DEPTH, Members, Value, Written

SOURCE_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""Lines as Python's parser counts them."""


def read_python(text: str) -> Value | None:
    """Read a Python dict, list or set literal without evaluating anything; None if the text is not one.

    A set of bare numbers is text: set notation (`{1, 2}`) or a LaTeX group (`{10}`).
    """
    if not (text.startswith(("{", "[")) and text.endswith(("}", "]"))):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SyntaxWarning: `\p` is not an escape; it is read as it stands
            tree = ast.parse(text, mode="eval").body
            return python_value(tree, [line.encode() for line in SOURCE_LINES.findall(text)], depth=0)
    except (SyntaxError, ValueError, MemoryError, RecursionError, TypeError):
        return None


def python_value(node: ast.expr, lines: list[bytes], depth: int) -> Value:
    """Turn one literal node of the source `lines` into a value. ValueError for anything that is not a literal."""
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    match node:
        case ast.Constant(value=str() as content):
            return content
        case ast.Constant(value=bool() | None as constant):
            return Written({True: "true", False: "false", None: "null"}[constant])
        case ast.Constant(value=int() | float()) | ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return Written(source_of(node, lines))
        case ast.Dict(keys=keys, values=values):
            if any(key is None for key in keys):
                raise ValueError("** is not a literal")
            pairs = zip([key for key in keys if key is not None], values, strict=True)
            return Members((str(python_value(key, lines, depth + 1)), python_value(item, lines, depth + 1)) for key, item in pairs)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [python_value(item, lines, depth + 1) for item in items]
        case ast.Set(elts=items):
            if depth == 0 and not any(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in items):
                raise ValueError("set notation")
            return [python_value(item, lines, depth + 1) for item in items]
        case _:
            raise ValueError(f"{type(node).__name__} is not a literal")


def source_of(node: ast.expr, lines: list[bytes]) -> str:
    """A node as written. ast.get_source_segment splits the whole text again for each node: 8 s for a line of 4,000 numbers."""
    assert node.end_lineno is not None and node.end_col_offset is not None, "a parsed node has an end"
    *before, last = lines[node.lineno - 1 : node.end_lineno]
    return b"".join([*before, last[: node.end_col_offset]])[node.col_offset :].decode()
