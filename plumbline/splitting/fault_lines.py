"""Show what is wrong with the rows of a file: a line for each problem, with the rows that have it. Pure."""

from collections.abc import Sequence

from plumbline.splitting.fault import Fault

MAX_PROBLEMS = 20
"""Problems that are named; the others are counted."""
MAX_PLACES = 5
"""Rows that are named for a problem; the others are counted."""


def fault_words(faults: Sequence[Fault]) -> str:
    """The faults of one file, with its path once: in one line if the problem is the same."""
    path = path_of(faults[0])
    begin = f"{path}, " if len(faults) == 1 else f"{path}: "
    lines = problem_lines(faults)
    if len(lines) == 1:
        return f"{begin if path else ''}{lines[0]}"
    return "\n  ".join([f"{begin if path else ''}{len(faults)} rows cannot be asked:", *lines])


def problem_lines(faults: Sequence[Fault], noun: str = "problem") -> list[str]:
    """A line for each of the first problems, without the path, and one that counts the others. The order is that of the first rows.

    `noun`: what to call a problem.
    """
    by_problem: dict[str, list[Fault]] = {}
    for fault in faults:
        path = path_of(fault)
        by_problem.setdefault(fault.problem.replace(f"{path}, ", "") if path else fault.problem, []).append(fault)
    groups = [*by_problem.items()]
    lines = [f"{rows_words(alike)}: {problem}" for problem, alike in groups[:MAX_PROBLEMS]]
    if others := groups[MAX_PROBLEMS:]:
        num_rows = sum(len(alike) for _, alike in others)
        lines.append(f"and {len(others)} more {noun}{'s' * (len(others) > 1)} in {num_rows} row{'s' * (num_rows > 1)}")
    return lines


def rows_words(faults: Sequence[Fault]) -> str:
    """The rows with one problem: `line 7 (id 'a')`, or `3 rows (lines 7, 8, 9)`."""
    places = [place_of(fault) for fault in faults]
    if len(faults) == 1:
        return places[0] if faults[0].id is None else f"{places[0]} (id {faults[0].id!r})"
    # A place is `line 7`, `record 7` or `question 7`.
    noun = places[0].partition(" ")[0]
    numbers = ", ".join(place.partition(" ")[2] for place in places[:MAX_PLACES])
    more = f" and {len(places) - MAX_PLACES} more" if len(places) > MAX_PLACES else ""
    return f"{len(faults)} rows ({noun}s {numbers}{more})"


def path_of(fault: Fault) -> str:
    """The file of a row; empty if the place names none."""
    return fault.where.rpartition(", ")[0]


def place_of(fault: Fault) -> str:
    """Where a row stands in its file."""
    return fault.where.rpartition(", ")[2]
