"""Does an answer hold a Python function with the requested name and arguments? The code is parsed, and never run. Pure."""

import ast
import re
import warnings
from collections.abc import Iterator

FENCED = re.compile(r"```[\w+-]*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
START = re.compile(r"^(?:def|async def|import|from|class|@)\b|^@", re.MULTILINE)
LONGEST_LINES = 400


def parsed(code: str) -> ast.Module | None:
    """The code as a tree; None if it is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an escape such as "\d" causes a warning, which does not matter here
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def blocks(response: str) -> Iterator[str]:
    """What may be code: each fenced block. Without one: the response from its first statement on, and its longest beginning that parses."""
    fenced = FENCED.findall(response)
    if fenced:
        yield from fenced
        yield "\n".join(fenced)
        return
    start = START.search(response)
    if start is None:
        return
    lines = response[start.start() :].splitlines()[:LONGEST_LINES]
    for count in range(len(lines), 0, -1):
        code = "\n".join(lines[:count])
        if parsed(code) is not None:
            yield code
            return


def num_arguments_of(function: ast.FunctionDef) -> int | None:
    """How many arguments a function names; None if it takes any number."""
    found = function.args
    if found.vararg is not None or found.kwarg is not None:
        return None
    return len(found.posonlyargs) + len(found.args) + len(found.kwonlyargs)


def returns_value(function: ast.FunctionDef) -> bool:
    """Whether the function returns a value anywhere: a stub or a cut beginning does not."""
    return any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(function))


def fault_of(response: str, *, name: str, num_arguments: int) -> str | None:
    """Why the answer holds no such function; None if it does."""
    faults: list[str] = []
    for code in blocks(response):
        tree = parsed(code)
        if tree is None:
            faults.append("the code cannot be parsed")
            continue
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        asked = [function for function in functions if function.name == name]
        if not asked:
            names = ", ".join(function.name for function in functions)
            faults.append(f"it defines {names}, not {name}" if names else f"it defines no function {name}")
            continue
        function = asked[-1]  # if a name is defined twice, the last one counts
        found = num_arguments_of(function)
        if found != num_arguments:
            faults.append(f"{name} takes {'any number of' if found is None else found} arguments, not {num_arguments}")
        elif not returns_value(function):
            faults.append(f"{name} returns no value")
        else:
            return None
    return faults[0] if faults else "there is no code"
