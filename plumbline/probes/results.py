"""What the probes show about tuned and base: for each capability the paired difference, its test and its words. Pure."""

from collections.abc import Mapping, Sequence

from plumbline.number_text import signed
from plumbline.rows.outcome import Outcome
from plumbline.rows.probe_results import (
    CAPABILITIES,
    NAMES,
    Capability,
    CapabilityResult,
    ProbedAnswer,
    ProbeDifference,
    ProbeResults,
    ProbeScore,
    ProbeVerdict,
)
from plumbline.statistics import Comparison, Direction, holm, mean_estimate, paired_comparison, shown_direction, strictest_level

DIGITS = 4


def right(outcome: Outcome) -> float:
    """The score of an outcome. An answer that cannot be read is wrong."""
    return float(outcome is Outcome.CORRECT)


def scores_of(rows: Sequence[ProbedAnswer]) -> tuple[list[float], list[float], list[str]]:
    """Scores of base, scores of tuned, and the cluster of each probe."""
    return [right(row.base_outcome) for row in rows], [right(row.tuned_outcome) for row in rows], [row.cluster for row in rows]


def compared(rows: Sequence[ProbedAnswer], *, seed: int, level: float) -> Comparison:
    """Tuned compared with base on the same probes. The units are the clusters."""
    base, tuned, clusters = scores_of(rows)
    return paired_comparison(base, tuned, clusters=clusters, seed=seed, level=level)


def is_within_reach(rows: Sequence[ProbedAnswer], *, seed: int, level: float) -> bool:
    """Whether a difference could be shown at all, by the loss of every probe that base or tuned has right.

    It does not matter which of the two is right, so the same answers may be compared afterwards: if tuned is as able as base,
    the test on the selected capabilities is exact. If base's answers alone selected them, tuned would look worse.
    """
    base, tuned, clusters = scores_of(rows)
    either = [max(pair) for pair in zip(base, tuned, strict=True)]
    return paired_comparison(either, [0.0] * len(either), clusters=clusters, seed=seed, level=level).p_value < level


def difference_of(found: Comparison) -> ProbeDifference:
    """The numbers of a comparison, rounded."""
    return ProbeDifference(
        n=found.n,
        num_clusters=found.num_units,
        value=round(found.delta, DIGITS) + 0.0,
        ci95=(round(found.ci95[0], DIGITS) + 0.0, round(found.ci95[1], DIGITS) + 0.0),
        p=float(f"{found.p_value:.3g}"),
        test=found.test,
        minimum_detectable_effect=round(found.minimum_detectable_effect, DIGITS),
        num_gained=found.num_second_only,
        num_lost=found.num_first_only,
    )


def score_of(rows: Sequence[ProbedAnswer], *, of_tuned: bool) -> ProbeScore:
    """The share of probes that one model has right."""
    base, tuned, clusters = scores_of(rows)
    found = mean_estimate(tuned if of_tuned else base, clusters=clusters)
    return ProbeScore(value=round(found.mean, DIGITS), ci95=(round(found.ci95[0], DIGITS), round(found.ci95[1], DIGITS)))


def points(fraction: float) -> str:
    """A difference in points with its sign."""
    return signed(100 * fraction, 0)


def verdict_of(found: Comparison, p_holm: float, *, within_reach: bool) -> ProbeVerdict:
    """The verdict. A shown difference counts even if neither can do much. If no difference could be shown, the verdict is never NONE."""
    direction = shown_direction(found.ci95, p_holm)
    if direction is Direction.BETTER:
        return ProbeVerdict.BETTER
    if direction is Direction.WORSE:
        return ProbeVerdict.WORSE
    return ProbeVerdict.NONE if within_reach else ProbeVerdict.CANNOT


def words_of(verdict: ProbeVerdict, found: Comparison) -> str:
    """The verdict as a sentence."""
    num_base, num_tuned = round(found.first_mean * found.n), round(found.second_mean * found.n)
    amount = f"{points(found.delta)} points [{points(found.ci95[0])}, {points(found.ci95[1])}], n = {found.n}"
    if verdict is ProbeVerdict.CANNOT:
        if num_base == num_tuned == 0:
            return f"Neither can do this (0 of {found.n} right), so nothing can be forgotten."
        return f"Neither can do this often enough (of {found.n} base has {num_base} right, tuned {num_tuned}), so no difference could be shown."
    if verdict is ProbeVerdict.NONE:
        could = found.minimum_detectable_effect
        resolved = f"these probes could have shown {100 * could:.0f} points" if could < 1 else "these probes are too few to show one"
        return f"No detectable difference ({amount}); {resolved}."
    word = "Some of this was forgotten" if verdict is ProbeVerdict.WORSE else "Tuned does this better than base"
    return f"{word}: {amount}."


def results_of(rows: Sequence[ProbedAnswer], *, seed: int) -> ProbeResults:
    """The results of all capabilities, corrected by Holm, and of all probes of those that base or tuned can do."""
    groups: dict[Capability, list[ProbedAnswer]] = {name: [row for row in rows if row.capability == name] for name in CAPABILITIES}
    groups = {name: group for name, group in groups.items() if group}
    if not groups:
        return ProbeResults(capabilities=(), within_reach=None, text="No capability was probed: probes.num_per_capability is 0.")
    level = strictest_level(len(groups))
    found = {name: compared(group, seed=seed, level=level) for name, group in groups.items()}
    adjusted = holm({name: one.p_value for name, one in found.items()})
    reach = {name: is_within_reach(group, seed=seed, level=level) for name, group in groups.items()}
    capabilities = tuple(
        CapabilityResult(
            capability=name,
            base=score_of(group, of_tuned=False),
            tuned=score_of(group, of_tuned=True),
            difference=difference_of(found[name]),
            p_holm=float(f"{adjusted[name]:.3g}"),
            num_cut=sum(row.num_cut for row in group),
            verdict=(verdict := verdict_of(found[name], adjusted[name], within_reach=reach[name])),
            text=words_of(verdict, found[name]),
        )
        for name, group in groups.items()
    )
    able = [row for name, group in groups.items() if reach[name] for row in group]
    whole = compared(able, seed=seed, level=strictest_level(1)) if able else None
    return ProbeResults(
        capabilities=capabilities,
        within_reach=None if whole is None else difference_of(whole),
        text=summary_words({one.capability: one.verdict for one in capabilities}, whole),
    )


def summary_words(verdicts: Mapping[Capability, ProbeVerdict], whole: Comparison | None) -> str:
    """What was forgotten, in two sentences."""
    named = {verdict: [NAMES[name] for name, one in verdicts.items() if one is verdict] for verdict in ProbeVerdict}
    if whole is None:
        return "Neither base nor tuned can do any of these tasks often enough to show a difference."
    parts = [
        f"{word} {', '.join(named[verdict])}"
        for verdict, word in (
            (ProbeVerdict.WORSE, "forgotten in part:"),
            (ProbeVerdict.BETTER, "better:"),
            (ProbeVerdict.NONE, "no difference shown on"),
            (ProbeVerdict.CANNOT, "neither can do:"),
        )
        if named[verdict]
    ]
    told = "; ".join(parts)
    amount = f"{points(whole.delta)} points [{points(whole.ci95[0])}, {points(whole.ci95[1])}], n = {whole.n}"
    return f"{told[0].upper()}{told[1:]}. Over all that either of them can do: {amount}."
