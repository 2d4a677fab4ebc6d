"""One picture of all curves: a panel per benchmark, ours and the naive way over the sizes."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.measurements import Curve, Measured

OURS, NAIVE, OTHERS = "#2b6cb0", "#c05621", ("#2f855a", "#805ad5", "#718096")
MUTED, GRID = "#4a5568", "#e2e8f0"
COLUMNS = 2


def draw_curves(benches: Sequence[Measured], picture: Path) -> None:
    """Write a PNG, or nothing if there is no curve."""
    drawn = [(found, found.curve) for found in benches if found.curve is not None]
    if not drawn:
        return
    num_rows = -(-len(drawn) // COLUMNS)
    figure = Figure(figsize=(5.2 * COLUMNS, 4.0 * num_rows), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)  # type: ignore[union-attr]
    panels = figure.subplots(num_rows, COLUMNS, squeeze=False).flatten()
    for axes, (found, curve) in zip(panels, drawn, strict=False):
        is_of_cases = any(isinstance(point.x, str) for point in curve.points)
        draw = draw_cases if is_of_cases else draw_sizes
        draw(axes, curve)
        axes.set_title(f"{found.title}\n", loc="left", fontsize=11.5)
        axes.text(0, 1.015, headline(curve), transform=axes.transAxes, fontsize=9.5, color=MUTED, va="bottom")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=9, loc="lower right" if is_of_cases else "upper left")
    for axes in panels[len(drawn) :]:
        axes.set_visible(False)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=140)


def headline(curve: Curve) -> str:
    """How many times better than the naive way, and where."""
    compared = [point for point in curve.points if point.ratio is not None]
    if not compared:
        return curve.unit
    ratios = [point.ratio.median for point in compared if point.ratio]
    if any(isinstance(point.x, str) for point in curve.points):
        times = f"{min(ratios):.2g} to {max(ratios):.2g}" if len(ratios) > 1 else f"{ratios[0]:.2g}"
        return f"{times} times better than {curve.naive}"
    return f"{ratios[-1]:.2g} times better than {curve.naive}, at {compared[-1].size} {curve.x}"


def arms_of(curve: Curve) -> list[tuple[str, str]]:
    """Each arm and its colour."""
    arms = curve.arms
    others = [arm for arm in arms if arm not in (curve.ours, curve.naive)]
    return [(arm, OURS if arm == curve.ours else NAIVE if arm == curve.naive else OTHERS[others.index(arm) % len(OTHERS)]) for arm in arms]


def draw_sizes(axes: Axes, curve: Curve) -> None:
    """Lines on logarithmic axes, with the range of the repetitions."""
    for arm, colour in arms_of(curve):
        at = [(float(point.x), point.arms[arm]) for point in curve.points if arm in point.arms]
        medians = [one.median for _, one in at]
        errors = [[one.median - one.least for _, one in at], [one.most - one.median for _, one in at]]
        axes.errorbar(
            [x for x, _ in at], medians, yerr=errors, color=colour, marker="o", markersize=5, capsize=2.5, linewidth=1.8, label=arm
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.margins(x=0.08, y=0.12)
    axes.set_xticks([float(point.x) for point in curve.points], [point.size for point in curve.points], fontsize=9)
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=0)
    axes.set_xlabel(curve.x)
    axes.set_ylabel("seconds" if curve.unit == "s" else curve.unit)
    axes.grid(which="major", color=GRID, linewidth=0.8)


def draw_cases(axes: Axes, curve: Curve) -> None:
    """A bar per case and arm, with the ratio at its end."""
    arms = arms_of(curve)
    height = 0.8 / len(arms)
    for place, (arm, colour) in enumerate(arms):
        at = [(index, point, point.arms[arm]) for index, point in enumerate(curve.points) if arm in point.arms]
        rows = [index + (place - (len(arms) - 1) / 2) * height for index, _, _ in at]
        errors = [[one.median - one.least for *_, one in at], [one.most - one.median for *_, one in at]]
        medians = [one.median for *_, one in at]
        axes.barh(rows, medians, height=0.9 * height, xerr=errors, color=colour, label=arm, error_kw={"linewidth": 1, "ecolor": MUTED})
        for row, (_, point, one) in zip(rows, at, strict=True):
            if arm == curve.ours and point.ratio is not None:
                axes.text(one.most, row, f"  {point.ratio.median:.2g} x", va="center", fontsize=9, color=OURS)
    axes.margins(x=0.14)
    axes.set_yticks(range(len(curve.points)), [point.size for point in curve.points], fontsize=9)
    axes.set_ylim(len(curve.points) + 0.45, -0.55)  # room for the legend
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel(curve.unit)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
