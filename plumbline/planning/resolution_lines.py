"""What the benchmark can show, as lines of the plan; the disagreement of the arms is that of the last run, if its grades are here. Reads data/grades."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import section_of
from plumbline.planning.line import Line
from plumbline.planning.resolution import Resolution, resolutions
from plumbline.reporting.contrasts import squares_of
from plumbline.reporting.params import ReportParams
from plumbline.reporting.publish_params import PublishParams
from plumbline.rows.arms import Arms, Comparisons, Pair
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import score_of
from plumbline.rows.question import Question

WANTED = (0.05, 0.1)
"""The differences for which the plan says how many questions they take."""


def resolution_lines(
    root: Path, params: Mapping[str, Any], questions: Sequence[Question], wanted: Sequence[float], *, here: bool
) -> list[Line]:
    """Lines of every kind. `here`: whether the base model of this plan is the one that the last run used; the grades of another say nothing."""
    arms = section_of(params, "arms", Arms)
    comparisons = section_of(params, "comparisons", Comparisons).of(arms)
    if not comparisons:
        return []
    report, publish = section_of(params, "report", ReportParams), section_of(params, "publish", PublishParams)
    found = resolutions(
        questions,
        last_differences(root, comparisons[0]) if here else {},
        part=report.part,
        development_fraction=report.development_fraction,
        num_tests_of_a_kind=len(comparisons) + len(squares_of(arms, comparisons)),
        wanted=wanted,
        margins={name: publish.margin(name) for name in publish.require},
    )
    return [line for one in found for line in lines_of(one, comparisons[0])]


def last_differences(root: Path, pair: Pair) -> dict[str, float]:
    """Question -> second arm minus first, of the run that left its grades here; empty without such a run."""
    graded, judged = root / "data/grades/graded.jsonl", root / "data/grades/judged.jsonl"
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    if graded.is_file():
        for grade in read_jsonl(graded, Grade):
            found[grade.arm, grade.id].append(score_of(grade.outcome, grade.score))
    if judged.is_file():
        for one in read_jsonl(judged, Judgement):
            if one.score is not None:
                found[one.arm, one.id].append(one.score)
    scores = {key: fmean(samples) for key, samples in found.items()}
    first, second = pair
    return {name: scores[second, name] - score for (arm, name), score in scores.items() if arm == first and (second, name) in scores}


def lines_of(found: Resolution, pair: Pair) -> list[Line]:
    """One kind: what is shown now, and what more would take."""
    clusters = f" in {found.num_clusters} cluster{'' if found.num_clusters == 1 else 's'}" if found.num_clusters < found.n else ""
    differ = f"{pair[0]} and {pair[1]} " + (
        f"are assumed to differ on {100 * found.share:.0f}% of them"
        if found.is_assumed
        else f"differed on {100 * found.share:.0f}% of them in the last run"
    )
    shown = (
        "are too few to show any difference"
        if found.detectable >= 1
        else f"show a true difference of {points(found.detectable)} in 4 runs of 5"
    )
    lines = [Line(found.kind, f"{found.n:,} questions{clusters} {shown}", f"computed for p < {found.level:.2g}; {differ}")]
    takes = [f"{points(effect)} {about(count)}" for effect, count in found.takes.items()]
    if takes:
        lines.append(Line("", f"a difference of {', of '.join(takes)}", "computed: clusters like these" if clusters else "computed"))
    if found.margin is not None:
        told = f"not worse by {points(found.margin)}, as publish.require asks, {about(found.margin_takes)}"
        lines.append(Line("", told, "computed: for two arms that are equally good"))
    return lines


def points(fraction: float) -> str:
    """A difference in points; below ten with one digit, if it is not whole."""
    value = 100 * fraction
    return f"{value:.0f} points" if value >= 10 or value == round(value) else f"{value:.1f} points"


def about(count: int | None) -> str:
    """How many questions, to two digits."""
    if count is None:
        return "takes more than a million questions, or is impossible"
    scale = 10 ** max(0, math.floor(math.log10(max(count, 1))) - 1)
    return f"takes about {math.ceil(count / scale) * scale:,} questions"
