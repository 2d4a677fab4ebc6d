"""How often the questions of the claim have been looked at: each look at another arm is one more draw to choose from. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plumbline.number_text import counted
from plumbline.reporting.benchmark_parts import Part
from plumbline.reporting.final_part_use import FinalPartUse


def uses_final_part(part: Part) -> bool:
    """Whether a report on this part scores the final questions: alone, or within the whole benchmark."""
    return part != "development"


def uses_of(uses: Iterable[FinalPartUse], benchmark_sha256: str) -> frozenset[FinalPartUse]:
    """The uses of one benchmark; the same answers scored twice are one use."""
    return frozenset(use for use in uses if use.benchmark_sha256 == benchmark_sha256)


def own_uses(sha256: Mapping[str, str], arms: Sequence[str], comparisons: Sequence[Sequence[str]]) -> frozenset[FinalPartUse]:
    """A use for each arm but the reference of the first comparison: that one is measured against, not chosen. `sha256`: of the inputs by name."""
    reference = comparisons[0][0] if comparisons else None
    return frozenset(
        FinalPartUse(benchmark_sha256=sha256["benchmark"], answers_sha256=sha256[f"{arm} answers"]) for arm in arms if arm != reference
    )


def uses_in(evaluation: Mapping[str, Any]) -> frozenset[FinalPartUse]:
    """The uses that a metrics/evaluation.json stands for; none if it scores the development part or nothing."""
    if not uses_final_part(evaluation["part"]["name"]) or not evaluation["kinds"]:
        return frozenset()
    # An older evaluation names no arms; it has these two.
    arms, comparisons = evaluation.get("arms", {"base": {}, "tuned": {}}), evaluation.get("comparisons", [["base", "tuned"]])
    return own_uses(evaluation["sha256"], list(arms), comparisons)


def final_part_words(num_uses: int, num_own: int, *, part: Part, num_questions: int, num_questions_in_benchmark: int) -> str:
    """Which part was used, and how often the final part was, in a sentence or two.

    `num_uses`: arms that were scored on the final part, without references; `num_own` of them by this report.
    """
    arms = f"In this repository {counted(num_uses, 'arm')} {'has' if num_uses == 1 else 'have'} been scored so far on"
    own = f"{num_own} of them in this run"
    if part == "all":
        whole = f"The whole benchmark: {counted(num_questions, 'question')}, none kept aside for choosing."
        if num_uses <= num_own:  # no one else has looked: there is nothing to count
            return whole
        return f"{whole} {arms} its questions, {own}; references do not count. The best of several looks better than it is."
    if part == "development":
        return (
            f"Development part: {num_questions} of {num_questions_in_benchmark} questions, for choosing among runs, not for a claim. "
            f"{arms} the other questions, the final part."
        )
    which = f"Final part: {num_questions} of {num_questions_in_benchmark} questions."
    return f"{which} {arms} the final part, {own}; references do not count."
