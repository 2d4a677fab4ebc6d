"""Does a context still help once the model is tuned? The gain that it brings tuned against the gain that it brings base. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from plumbline.reporting.scored import Scored
from plumbline.rows.arms import NO_CONTEXT, Arms, Pair, WeightsKind
from plumbline.statistics import Comparison, paired_comparison


class Square(NamedTuple):
    """Four arms: base and adapter, each without a context and with the same one."""

    context: str
    base: str
    base_with: str
    tuned: str
    tuned_with: str

    @property
    def formula(self) -> str:
        """(tuned_passages - tuned) - (base_passages - base)."""
        return f"({self.tuned_with} - {self.tuned}) - ({self.base_with} - {self.base})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The difference of two gains, question by question."""

    comparison: Comparison
    """delta and ci95 of the difference of the gains, in -2..2; first_mean is the gain of base, second_mean that of tuned."""
    p_holm: float | None
    floor: float = 0.0
    """No difference up to this one is claimed (noise_floor.py)."""


def squares_of(arms: Arms, comparisons: Sequence[Pair]) -> list[Square]:
    """A square for each context, if its gain is declared for base and for an adapter: [base, base_passages] and [tuned, tuned_passages]."""
    gains: dict[tuple[WeightsKind, str], Pair] = {}
    for pair in comparisons:
        bare, other = sorted(pair, key=lambda name: arms.root[name].context_name != NO_CONTEXT)
        one, two = arms.root[bare], arms.root[other]
        if one.weights == two.weights and one.context_name == NO_CONTEXT != two.context_name:
            gains.setdefault((one.weights_kind, two.context_name), (bare, other))
    return [
        Square(context, *gains["base", context], *gains["adapter", context])
        for context in dict.fromkeys(context for _, context in gains)
        if ("base", context) in gains and ("adapter", context) in gains
    ]


def contrast_of(
    rows: Mapping[str, Mapping[str, Scored]], square: Square, *, seed: int, num_resamples: int, level: float
) -> Comparison | None:
    """Compare the two gains on the questions that all four arms have a score for; `rows`: arm -> question id -> row. None without such questions.

    (tw - t) - (bw - b) is twice (tw + b) / 2 - (t + bw) / 2: two scores in 0..1, so interval and test are those of any comparison of two arms.
    """
    corners = [rows.get(arm, {}) for arm in square[1:]]
    found: list[tuple[float, float, float, float, str]] = []
    for key, row in corners[0].items():
        scores = [corner[key].score for corner in corners if key in corner]
        known = [score for score in scores if score is not None]
        if len(known) == len(corners):
            found.append((known[0], known[1], known[2], known[3], row.cluster))
    if not found:
        return None
    half = paired_comparison(
        [(tuned + base_with) / 2 for _, base_with, tuned, _, _ in found],
        [(tuned_with + base) / 2 for base, _, _, tuned_with, _ in found],
        clusters=[cluster for *_, cluster in found],
        seed=seed,
        num_resamples=num_resamples,
        level=level,
    )
    gains = [(base_with - base, tuned_with - tuned) for base, base_with, tuned, tuned_with, _ in found]
    of_base, of_tuned = (sum(values) / len(gains) for values in zip(*gains, strict=True))
    return replace(
        half,
        first_mean=of_base,
        second_mean=of_tuned,
        delta=2 * half.delta,
        ci95=(2 * half.ci95[0], 2 * half.ci95[1]),
        minimum_detectable_effect=2 * half.minimum_detectable_effect,
    )
