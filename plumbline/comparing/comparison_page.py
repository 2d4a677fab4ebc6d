"""The words and numbers of the page of a comparison, as the report's template names them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.comparing.compared_run import Run, kinds_of
from plumbline.comparing.comparison_tables import run_rows
from plumbline.reporting.ledger import KIND_NAMES
from plumbline.reporting.words import arm_title
from plumbline.statistics import Direction


def page_context(
    runs: Sequence[Run],
    shown: Mapping[str, Any],
    *,
    note: str,
    banners: Mapping[str, Sequence[str]],
    matrix: Sequence[Mapping[str, Any]],
    settings: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """All values that the template names. `shown`: the questions with their answers; `banners`: title -> sentences."""
    names = [run.name for run in runs]
    changes = [row["h"] for row in shown["rows"]]
    return {
        "headline": f"{names[0]} against {names[1]}" if len(names) == 2 else f"{len(names)} runs compared",
        "eyebrow": f"{arm_title(runs[0].arm)} on the same questions; the reference is {names[0]}",
        "verdict": [],
        "part": note,
        "direction": Direction.NONE,
        "banners": [
            {"level": "warning", "title": title, "texts": [f"{text}." for text in texts]} for title, texts in banners.items() if texts
        ],
        "cards": [],
        "scores": [],
        "topics": [],
        "sections": {},
        "runs": run_rows(runs),
        "matrix": matrix,
        "settings": settings,
        "kinds": [{"kind": kind, "name": KIND_NAMES[kind]} for kind in kinds_of(runs)],
        "arms": shown["arms"],
        "num_gained": changes.count("gained"),
        "num_lost": changes.count("lost"),
        "gained_by": f"against {names[0]}",
        "worst_first": f"what {names[0]} could answer and the others cannot",
        "provenance": [{"title": run.name, "facts": run_facts(run)} for run in runs],
    }


def run_facts(run: Run) -> list[tuple[str, str]]:
    """Where the numbers of a run come from."""
    return [
        (f"{run.arm} answers", run.evaluation["sha256"][f"{run.arm} answers"][:16]),
        ("judge", run.identity["judge"]),
        ("benchmark", run.identity["benchmark"][:16]),
        ("part", run.identity["part"]),
    ]
