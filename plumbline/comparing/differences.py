"""The paired differences of runs from the first one, and their p values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plumbline.comparing.bridges import Crossing, JudgeBridge
from plumbline.comparing.comparability import REFUSED_BY, crossed, refusal
from plumbline.comparing.compared_run import Run
from plumbline.reporting.ledger import compare_pairs
from plumbline.rows.question import KINDS, Kind
from plumbline.statistics import Comparison, holm, strictest_level


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run against the reference on one kind."""

    comparison: Comparison | None
    refused: str | None
    """Why there is no comparison; None if there is one, or nothing to compare."""
    across: Crossing | None = None
    """The bridge, if two judges scored the two sides. The difference then includes that of the judges as well."""


def cell(reference: Run, run: Run, kind: Kind, *, seed: int, num_resamples: int, level: float, bridges: Sequence[JudgeBridge] = ()) -> Cell:
    """Compare the answers of two runs, or say why that would mean nothing. Scores stay as each judge gave them: a bridge moves no score."""
    refused = refusal(reference, run, kind, bridges=bridges)
    if refused is not None:
        return Cell(comparison=None, refused=refused)
    before, after = reference.scored(), run.scored()
    pairs = [(row.score, after[key].score, row.cluster) for key, row in before.items() if row.kind == kind]
    across = crossed(reference, run, bridges) if kind in REFUSED_BY["judge"] else None
    return Cell(comparison=compare_pairs(pairs, seed=seed, num_resamples=num_resamples, level=level), refused=None, across=across)


def compare_runs(
    runs: Sequence[Run], *, seed: int, num_resamples: int, bridges: Sequence[JudgeBridge] = ()
) -> dict[tuple[str, Kind], Cell]:
    """(run, kind) -> its comparison with the first run."""
    kinds = {row.kind for row in runs[0].scored().values()}
    level = strictest_level(len(runs[1:]) * len(kinds))
    return {
        (run.name, kind): cell(runs[0], run, kind, seed=seed, num_resamples=num_resamples, level=level, bridges=bridges)
        for run in runs[1:]
        for kind in KINDS
    }


def adjusted(cells: Mapping[tuple[str, Kind], Cell]) -> dict[str, float]:
    """`run kind` -> p value adjusted for all comparisons made: looking at many runs finds something by chance.

    A comparison across two judges gets no p value: it would test answers and judges in one.
    """
    return holm(
        {
            f"{name} {kind}": one.comparison.p_value
            for (name, kind), one in cells.items()
            if one.comparison is not None and one.across is None
        }
    )
