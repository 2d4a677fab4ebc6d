"""What the report page shows, as plain values for a template. Pure."""

from collections.abc import Mapping, Sequence

from plumbline.number_text import counted
from plumbline.reporting.calibration_words import page_of
from plumbline.reporting.care import cannot_tell
from plumbline.reporting.checkpoint_questions import checkpoint_words
from plumbline.reporting.decide import Evaluation
from plumbline.reporting.entries import arm_labels, arm_style
from plumbline.reporting.facts import capital, checks_of, fact_groups, facts
from plumbline.reporting.final_part import final_part_words
from plumbline.reporting.gathered import Gathered
from plumbline.reporting.ledger import KIND_NAMES
from plumbline.reporting.noise_words import noise_rows, noise_sentence
from plumbline.reporting.numbers import whole_verdict
from plumbline.reporting.panel_words import panel_page
from plumbline.reporting.probes import changed_answers, probe_rows
from plumbline.reporting.publish_gate import PublishGate, Requirement
from plumbline.reporting.publish_words import in_points
from plumbline.reporting.tables import (
    MAX_PAIRS_DRAWN,
    comparison_rows,
    confusions,
    context_rows,
    contrast_rows,
    kind_card,
    overlap_rows,
    pair_words,
    prompt_rows,
    score_rows,
    slice_rows,
    topic_rows,
    uncertainty_rows,
)
from plumbline.reporting.validity import Gate
from plumbline.reporting.verdict import evaluation_headline, overall
from plumbline.reporting.words import arm_note, arm_title, arm_words, forgetting_words, sentences_of
from plumbline.rows.arms import NO_CONTEXT
from plumbline.rows.question import KINDS
from plumbline.statistics import Direction, Verdict


def sentence(text: str) -> str:
    """A finding as a sentence."""
    return f"{capital(text)}."


def banners(problems: Sequence[str], incomplete: str | None, care: Sequence[str]) -> list[dict[str, object]]:
    """What must be read before any number."""
    shown: list[dict[str, object]] = []
    if problems:
        shown.append({"level": "invalid", "title": "Not valid", "texts": [sentence(problem) for problem in problems]})
    if incomplete is not None:
        text = f"{sentence(incomplete)} These numbers are those of a dry run, not of the planned model."
        shown.append({"level": "incomplete", "title": "Not complete", "texts": [text]})
    if care:
        shown.append({"level": "warning", "title": "Read with care", "texts": [sentence(text) for text in care]})
    return shown


def eyebrow(arms: Sequence[str], num_questions: int, part: str) -> str:
    """What was compared on what."""
    who = f"{arm_title(arms[0])} against {arm_words(arms[1])}" if len(arms) == 2 else "One arm" if len(arms) == 1 else f"{len(arms)} arms"
    return f"{who} on the same {counted(num_questions, 'question')}" + (f" · {part} part of the benchmark" if part != "all" else "")


def title_words(evaluation: Evaluation) -> str:
    """The first line of the page. It claims nothing if the numbers are not valid, and names a dry run."""
    if evaluation.problems:
        return "This evaluation is not valid."
    words = cannot_tell(evaluation.ledgers) or evaluation_headline(evaluation.ledgers, evaluation.arms, evaluation.comparisons)
    return words if evaluation.incomplete is None else f"Dry run only: {words[0].lower()}{words[1:]}"


def gate_cell(gate: Gate) -> dict[str, object]:
    return {
        "name": gate.name.replace("_", " "),
        "ok": gate.ok,
        "severity": gate.severity,
        "detail": "" if gate.limit is None else f"{0 if gate.value is None else gate.value:.4g}, limit {gate.limit:.4g}",
        "text": sentence(gate.text) if gate.text else "",
    }


def publishing_rows(gate: PublishGate | None) -> list[dict[str, object]]:
    """What publishing requires, what was shown, and the sentence; empty if nothing is required."""
    return [
        {
            "name": {"general": "general prompts", "probes": "probes"}.get(one.name) or KIND_NAMES[one.name],  # type: ignore[index]
            "required": "better" if one.margin is None else f"not worse than by {margin_words(one)}",
            "verdict": one.verdict,
            "met": "met" if one.ok else "not met",
            "direction": Direction.BETTER if one.ok else Direction.WORSE if one.verdict is Verdict.WORSE else Direction.NONE,
            "text": one.text,
        }
        for one in (gate.requirements if gate is not None else ())
    ]


def margin_words(requirement: Requirement) -> str:
    """The loss that is allowed, with its unit."""
    assert requirement.margin is not None
    return f"{requirement.margin:g} nats a token" if requirement.name == "general" else f"{in_points(requirement.margin)} points"


def part_sentence(evaluation: Evaluation) -> str:
    """Which part of the benchmark was used, and how often the final part was; empty if nothing was scored."""
    if not evaluation.is_scored:
        return ""
    words = final_part_words(
        evaluation.num_final_part_uses,
        evaluation.num_own_uses,
        part=evaluation.part,
        num_questions=len(evaluation.questions),
        num_questions_in_benchmark=evaluation.num_questions_in_benchmark,
    )
    if evaluation.checkpoint is not None:
        words += checkpoint_words(evaluation.checkpoint.num_reported, evaluation.checkpoint.num_evaluations)
    if not evaluation.left_out:
        return words
    reasons = ", ".join(f"{reason.replace('_', ' ')} ({count})" for reason, count in evaluation.left_out.items())
    num = sum(evaluation.left_out.values())
    return f"{words} {counted(num, 'row')} of the benchmark file {'was' if num == 1 else 'were'} not asked: {reasons}."


def page_context(evaluation: Evaluation, gathered: Gathered, provenance: Mapping[str, object]) -> dict[str, object]:
    """All values that the template names. `provenance`: what made these numbers, by title."""
    first, second = evaluation.shown_pair
    by_kind, problems, incomplete = evaluation.ledgers, evaluation.problems, evaluation.incomplete
    comparisons = [
        found for ledger in by_kind.values() if ledger.headline is not None and (found := ledger.headline.comparison) is not None
    ]
    return {
        "eyebrow": eyebrow(evaluation.arms.names, sum(ledger.n for ledger in by_kind.values()), evaluation.part),
        "arms": arm_labels(evaluation.arms),
        "arm_notes": [
            {"name": arm_words(name), "note": arm_note(arm), "style": arm_style(arm)} for name, arm in evaluation.arms.root.items()
        ],
        "styles": {arm_words(name): arm_style(arm) for name, arm in evaluation.arms.root.items()},
        "pairs": [pair_words(pair) for pair in evaluation.comparisons],
        "num_pairs_drawn": min(MAX_PAIRS_DRAWN, len(evaluation.comparisons)),
        "first": arm_words(first),
        "second": arm_words(second),
        "runs": [],
        "gained_by": f"by {arm_words(second)} against {arm_words(first)}",
        "worst_first": f"what {arm_words(first)} could answer and {arm_words(second)} cannot",
        "headline": title_words(evaluation),
        "verdict": sentences_of(whole_verdict(evaluation)) if evaluation.is_valid else [],
        "part": part_sentence(evaluation),
        "direction": overall(by_kind, evaluation.arms, evaluation.comparisons) if evaluation.is_valid else "invalid",
        "valid": evaluation.is_valid,
        "complete": incomplete is None,
        "banners": banners(problems, incomplete, evaluation.care),
        "cards": [kind_card(by_kind[kind]) for kind in KINDS if kind in by_kind],
        "publishing": publishing_rows(evaluation.publishing),
        "noise": {"sentence": noise_sentence(evaluation.noise), "rows": noise_rows(evaluation.noise)},
        "scores": score_rows(by_kind),
        "comparisons": comparison_rows(by_kind) if len(evaluation.comparisons) > 1 else [],
        "contrasts": contrast_rows(by_kind),
        "context_rows": context_rows(evaluation.context_uses),
        "has_context": any(arm.context_name != NO_CONTEXT for arm in evaluation.arms.root.values()),
        "prompt_rows": prompt_rows(evaluation.prompt_tokens),
        "has_logprob": any(counts.logprob is not None for ledger in by_kind.values() for counts in ledger.arms.values()),
        "confusions": confusions(evaluation.questions, gathered.grades, evaluation.arms.names) if "mcq" in by_kind else [],
        "overlaps": overlap_rows(by_kind),
        "slices": slice_rows(evaluation.slices),
        "uncertainty": uncertainty_rows(by_kind),
        "judge": {"title": "", "rows": [], "notes": []} if evaluation.calibration is None else page_of(evaluation.calibration),
        "panel": panel_page(evaluation.panel),
        "num_gained": sum(comparison.num_second_only for comparison in comparisons),
        "num_lost": sum(comparison.num_first_only for comparison in comparisons),
        "topics": topic_rows(evaluation.scored, evaluation.shown_pair) if evaluation.comparisons else [],
        "gates": [gate_cell(gate) for gate in evaluation.gates],
        "preflight": checks_of(gathered.documents["preflight"]),
        "sections": {
            "training": fact_groups(gathered.documents["training"], "run"),
            "data": fact_groups(gathered.documents["data"], "rows"),
        },
        "forgetting": forgetting_words(gathered.forgetting),
        "probes": probe_rows(gathered.probes),
        "probes_text": gathered.probes.text,
        "probes_changed": changed_answers(gathered.probed),
        "provenance": [{"title": capital(name), "facts": facts(value)} for name, value in provenance.items()],
        "kinds": [{"kind": kind, "name": KIND_NAMES[kind]} for kind in KINDS if kind in by_kind],
    }
