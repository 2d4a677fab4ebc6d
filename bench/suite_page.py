"""The measured tables of docs/benchmarks.md, made from the records of the benchmarks; the text between them stays. Pure."""

from collections.abc import Mapping, Sequence

from bench.measurements import Curve, Machine, Measured, Spread
from plumbline.pages.blocks import BLOCK, filled

MACHINE = "bench-machine"
PREFIX = "bench-"


def number(value: float) -> str:
    """Three digits, with commas from a thousand on."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 or value == 0 else f"{value:.4f}"


def with_range(found: Spread | None) -> str:
    """Median [least, most]; without the range if there was one repetition."""
    if found is None:
        return ""
    return number(found.median) if found.n == 1 else f"{number(found.median)} [{number(found.least)}, {number(found.most)}]"


def curve_table(curve: Curve) -> list[str]:
    """A row per size, a column per arm, the ratio, and the further numbers."""
    arms = curve.arms
    besides = list(dict.fromkeys(name for point in curve.points for name in point.besides))
    ratio = [f"times better than {curve.naive}"] if any(point.ratio for point in curve.points) else []
    lines = [[curve.x, *(f"{arm}, {curve.unit}" for arm in arms), *ratio, *besides, "n"]]
    for point in curve.points:
        cells = [point.size, *(with_range(point.arms.get(arm)) for arm in arms)]
        cells += [f"**{with_range(point.ratio)}**" if point.ratio else ""] if ratio else []
        cells += [number(point.besides[name]) if name in point.besides else "" for name in besides]
        lines.append([*cells, str(point.arms[curve.ours].n)])
    return as_rows(lines)


def as_rows(lines: Sequence[Sequence[str]]) -> list[str]:
    """Markdown: the first line is the head."""
    head, *rows = lines
    return ["| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows]]


def block(found: Measured) -> str:
    """One benchmark: its command, what is compared, and the table, or why it has no table."""
    lines = ["```", found.command, "```", ""]
    if found.not_measured is not None:
        return "\n".join([*lines, f"Not measured: {found.not_measured}.", ""])
    if found.what:
        lines += [found.what, ""]
    if found.curve is not None:
        lines += curve_table(found.curve)
    elif found.table is not None:
        lines += as_rows([found.table.columns, *found.table.rows])
    return "\n".join([*lines, ""])


def machine_line(machine: Machine, *, size: str, wall_seconds: float, bench_seconds: Mapping[str, float]) -> str:
    """Where, with what, and how long."""
    longest = sorted(bench_seconds.items(), key=lambda one: -one[1])
    each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in longest if seconds >= 1)
    return (
        f"Measured by `python -m bench.suite --size {size}` in {wall_seconds:.0f} s on {machine.told()}; "
        f"load {machine.load_at_start:g} at the start. Median [least, most] of n repetitions.\n"
        + (f"Of the time: {each}.\n" if each else "")
    )


def with_blocks(
    text: str, *, machine: Machine, size: str, wall_seconds: float, bench_seconds: Mapping[str, float], benches: Sequence[Measured]
) -> str:
    """The page with every block written again. If a benchmark has no block, it gets one, with a heading, after the benchmark that runs before it."""
    content = {MACHINE: machine_line(machine, size=size, wall_seconds=wall_seconds, bench_seconds=bench_seconds)}
    content |= {PREFIX + found.name: block(found) for found in benches}
    before = MACHINE
    for found in benches:
        name = PREFIX + found.name
        ends = {match["name"]: match.end() for match in BLOCK.finditer(text)}
        if name not in ends:
            end = ends.get(before, len(text.rstrip()))
            new = f"### {found.title}\n\n<!-- numbers: {name} -->\n<!-- end of numbers -->"
            text = f"{text[:end]}\n\n{new}\n{text[end:].removeprefix(chr(10))}"
        before = name
    return filled(text, content)
