"""What the report page shows, as plain values for a template: every number already worded. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.reporting.facts import capital, checks_of, fact_groups, facts
from plumbline.reporting.ledger import KIND_NAMES, KindLedger, Scored
from plumbline.reporting.numbers import confusion_counts, letter_pairs
from plumbline.reporting.validity import Gate, Severity
from plumbline.reporting.words import (
    direction_of,
    forgetting_words,
    headline_words,
    kind_words,
    p_words,
    points,
    span,
    verdict_words,
)
from plumbline.rows.answer import ARMS, Answer, Arm
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Reading
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, Direction, Estimate, IntervalMethod, PairedTest
from plumbline.training.forgetting import Forgetting

MAX_TOPICS_LISTED = 400
"""Past this a topic is a question, and a list of topics helps nobody."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One question on the page."""

    content: dict[str, object]
    """What the page's script reads; short keys, since there are thousands."""
    order: tuple[float, float, int]
    """Worst first: lost before unchanged before gained, and within each the lower tuned score first."""


def percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %".replace(".0 %", " %")


def utf16_offset(text: str, index: int) -> int:
    """Position of a character as a browser counts: a character beyond U+FFFF takes two places there."""
    return index + sum(ord(character) > 0xFFFF for character in text[:index])


def arm_content(answer: Answer, scored: Scored, verdict: Grade | Judgement) -> dict[str, object]:
    """One arm's answer; keys without a value are left out."""
    content: dict[str, object] = {"t": answer.response, "o": scored.outcome.value, "s": scored.score}
    if scored.truncated:
        content["cut"] = 1
    if isinstance(verdict, Grade):
        if verdict.extracted is not None:
            content["x"] = verdict.extracted
        if verdict.span is not None:
            content["m"] = [utf16_offset(answer.response, position) for position in verdict.span]
        if verdict.tier is not None:
            content["r"] = verdict.tier
        if verdict.reading is not Reading.VALUE:
            content["rd"] = verdict.reading
        if verdict.flags:
            content["f"] = list(verdict.flags)
        if verdict.logprob_choice is not None:
            content["l"] = verdict.logprob_choice
    else:
        content["w"] = verdict.reasoning
        content["c"] = verdict.cause
    return content


def change_of(base: Scored, tuned: Scored) -> str:
    """`gained`, `lost`, `right` (both), `wrong` (neither), `same` (equal partial scores), or `open` where a score is missing."""
    if base.score is None or tuned.score is None:
        return "open"
    if tuned.score != base.score:
        return "gained" if tuned.score > base.score else "lost"
    return {0.0: "wrong", 1.0: "right"}.get(tuned.score, "same")


def question_content(question: Question, index: int, instructions: Mapping[str, str]) -> dict[str, object]:
    """What the page's script shows of a question besides the answers; `index`: its place in the benchmark, from 0."""
    content: dict[str, object] = {
        "i": question.id,
        "n": index + 1,
        "k": question.kind,
        "g": question.cluster,
        "q": exam_prompt(question, instructions),
        "a": f"{question.target} {question.unit}" if question.unit else question.target,
    }
    if question.kind == "mcq" and question.target in question.choices:
        content["a"] = f"{question.target}) {question.choices[question.target]}"
    if question.key_points:
        content["p"] = list(question.key_points)
    return content


def page_entries(
    questions: Sequence[Question],
    answers: Sequence[Answer],
    scored: Sequence[Scored],
    grades: Sequence[Grade],
    judgements: Sequence[Judgement],
    *,
    instructions: Mapping[str, str],
    overlapping: Collection[str],
) -> dict[str, object]:
    """Every question with both answers, worst first, as the page's script reads them."""
    answered = {(answer.arm, answer.id): answer for answer in answers}
    verdicts: dict[tuple[Arm, str], Grade | Judgement] = {(grade.arm, grade.id): grade for grade in grades}
    verdicts |= {(judgement.arm, judgement.id): judgement for judgement in judgements}
    rows = {(row.arm, row.id): row for row in scored}
    near = frozenset(overlapping)
    entries: list[Entry] = []
    for index, question in enumerate(questions):
        base, tuned = rows["base", question.id], rows["tuned", question.id]
        content = question_content(question, index, instructions)
        content["h"] = change_of(base, tuned)
        if question.id in near:
            content["near"] = 1
        for arm in ARMS:
            key = (arm, question.id)
            content[arm] = arm_content(answered[key], rows[key], verdicts[key])
        delta = 0.0 if base.score is None or tuned.score is None else tuned.score - base.score
        entries.append(Entry(content, (delta, 2.0 if tuned.score is None else tuned.score, index)))
    return {"arms": ARM_LABELS, "rows": [entry.content for entry in sorted(entries, key=lambda entry: entry.order)]}


def estimate_cell(estimate: Estimate | None) -> dict[str, str]:
    if estimate is None:
        return {"value": "–", "interval": ""}
    return {"value": points(estimate.mean), "interval": span(estimate.ci95)}


def comparison_cell(comparison: Comparison | None) -> dict[str, object]:
    if comparison is None:
        return {"value": "–", "interval": "", "n": 0}
    return {"value": points(comparison.delta, sign=True), "interval": span(comparison.ci95), "n": comparison.n}


TESTS = {
    PairedTest.MCNEMAR: "exact McNemar test",
    PairedTest.MCNEMAR_CLUSTERED: "exact sign-flip test over clusters",
    PairedTest.SIGN_FLIP: "sign-flip permutation test",
    PairedTest.SIGN_FLIP_CLUSTERED: "sign-flip permutation test over clusters",
}
METHODS = {
    IntervalMethod.WILSON: "Wilson interval",
    IntervalMethod.WILSON_UNITS: "Wilson interval over clusters (no spread seen)",
    IntervalMethod.TANGO: "Tango score interval",
    IntervalMethod.BCA: "BCa bootstrap",
    IntervalMethod.CLUSTER_BCA: "cluster bootstrap (BCa)",
    IntervalMethod.UNSEEN_UNITS: "bound for units not seen (no spread seen)",
}


def kind_card(ledger: KindLedger) -> dict[str, object]:
    """The card of one kind: its verdict and the numbers behind it."""
    comparison = ledger.comparison
    card: dict[str, object] = {
        "kind": ledger.kind,
        "name": KIND_NAMES[ledger.kind],
        "direction": direction_of(ledger),
        "sentence": kind_words(ledger),
        "n": ledger.n,
        "delta": None,
    }
    if comparison is not None:
        card |= {
            "delta": points(comparison.delta, sign=True),
            "interval": span(comparison.ci95),
            "base": points(comparison.base_mean),
            "tuned": points(comparison.tuned_mean),
            "pairs": comparison.n,
            "units": comparison.num_units,
            "clustered": comparison.num_units < comparison.n,
            "p": p_words(comparison.p_value),
            "p_holm": p_words(ledger.p_holm),
            "test": TESTS[comparison.test],
            "method": METHODS[comparison.ci_method],
            "lost": comparison.num_base_only,
            "gained": comparison.num_tuned_only,
            "detectable": points(comparison.minimum_detectable_effect),
        }
    return card


def bounds_words(low: float, high: float) -> str:
    """The score with every failure as wrong, then as right; one number where nothing failed."""
    return points(low) if points(low) == points(high) else f"{points(low)}–{points(high)}"


def score_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """The table of scores: a line per kind and arm."""
    rows: list[dict[str, object]] = []
    for kind, ledger in ledgers.items():
        for arm, counts in ledger.arms.items():
            rows.append(
                {
                    "kind": KIND_NAMES[kind],
                    "arm": arm,
                    "score": estimate_cell(counts.estimate),
                    "n": counts.n,
                    "chance": points(ledger.chance) if ledger.chance is not None else "–",
                    "correct": counts.num_correct,
                    "incorrect": counts.num_incorrect,
                    "unparsed": counts.num_unparsed,
                    "unjudged": counts.num_unjudged,
                    "unparsed_rate": percent(counts.unparsed_rate),
                    "bounds": bounds_words(counts.failures_as_zero, counts.failures_as_one),
                    "truncated": counts.num_truncated,
                    "logprob": estimate_cell(counts.logprob) if counts.logprob is not None else None,
                }
            )
    return rows


def confusions(questions: Sequence[Question], grades: Sequence[Grade]) -> list[dict[str, object]]:
    """Letters given against letters right, a table per arm; `share`: of the row, for its shade."""
    tables: list[dict[str, object]] = []
    for arm in ARMS:
        targets, letters, counts = confusion_counts(letter_pairs(questions, grades, arm))
        rows = [
            {"target": target, "cells": [{"count": count, "share": f"{count / max(1, sum(line)):.2f}"} for count in line]}
            for target, line in zip(targets, counts, strict=True)
        ]
        tables.append({"arm": arm, "letters": ["none" if letter == "unparsed" else letter for letter in letters], "rows": rows})
    return tables


def overlap_rows(ledgers: Mapping[Kind, KindLedger]) -> list[dict[str, object]]:
    """Differences with all questions, without those near the training rows, and on those alone."""
    return [
        {
            "kind": KIND_NAMES[kind],
            "num_overlapping": ledger.num_overlapping,
            "all": comparison_cell(ledger.comparison),
            "without": comparison_cell(ledger.without_overlap),
            "only": comparison_cell(ledger.overlap_only),
        }
        for kind, ledger in ledgers.items()
        if ledger.num_overlapping
    ]


def topic_rows(scored: Sequence[Scored]) -> list[dict[str, object]]:
    """Mean scores per cluster, the greatest loss first; empty where topics are as many as questions, or too many to read."""
    clusters: dict[str, dict[Arm, list[float | None]]] = {}
    for row in scored:
        clusters.setdefault(row.cluster, {arm: [] for arm in ARMS})[row.arm].append(row.score)
    if len(clusters) > MAX_TOPICS_LISTED or all(len(scores["base"]) == 1 for scores in clusters.values()):
        return []
    rows: list[tuple[float, str, dict[str, object]]] = []
    for name, scores in clusters.items():
        both = [(low, high) for low, high in zip(scores["base"], scores["tuned"], strict=True) if low is not None and high is not None]
        if both:
            base, tuned = (sum(values) / len(both) for values in zip(*both, strict=True))
            row = {
                "topic": name,
                "n": len(both),
                "base": points(base),
                "tuned": points(tuned),
                "delta": points(tuned - base, sign=True),
                "direction": Direction.BETTER if tuned > base else Direction.WORSE if tuned < base else Direction.NONE,
            }
            rows.append((tuned - base, name, row))
    return [row for _, _, row in sorted(rows, key=lambda entry: entry[:2])]


def sentence(text: str) -> str:
    """A finding as a sentence."""
    return f"{capital(text)}."


def banners(problems: Sequence[str], incomplete: str | None, gates: Sequence[Gate]) -> list[dict[str, object]]:
    """What must be read before any number."""
    shown: list[dict[str, object]] = []
    if problems:
        shown.append({"level": "invalid", "title": "Not valid", "texts": [sentence(problem) for problem in problems]})
    if incomplete is not None:
        text = f"{sentence(incomplete)} These numbers are those of a dry run, not of the planned model."
        shown.append({"level": "incomplete", "title": "Not complete", "texts": [text]})
    if warnings := [sentence(gate.text) for gate in gates if gate.severity is Severity.WARNING and not gate.ok]:
        shown.append({"level": "warning", "title": "Read with care", "texts": warnings})
    return shown


ARM_LABELS = [{"key": "base", "label": "Base"}, {"key": "tuned", "label": "Tuned"}]


def eyebrow(num_questions: int, part: str) -> str:
    """What was compared on what."""
    return f"Base against tuned on the same {num_questions} questions" + (f" · {part} part of the benchmark" if part != "all" else "")


def title_words(ledgers: Mapping[Kind, KindLedger], *, problems: Sequence[str], incomplete: str | None) -> str:
    """The first line of the page: no claim from numbers that are not valid, none without its reserve from a dry run."""
    if problems:
        return "This evaluation is not valid."
    words = headline_words(ledgers)
    return words if incomplete is None else f"Dry run only: {words[0].lower()}{words[1:]}"


def overall_direction(ledgers: Mapping[Kind, KindLedger]) -> Direction:
    """Colour of the headline: mixed results have none."""
    found = {direction_of(ledger) for ledger in ledgers.values()}
    if Direction.BETTER in found and Direction.WORSE not in found:
        return Direction.BETTER
    if Direction.WORSE in found and Direction.BETTER not in found:
        return Direction.WORSE
    return Direction.NONE


def page_context(
    *,
    part: str,
    part_words: str,
    ledgers: Mapping[Kind, KindLedger],
    scored: Sequence[Scored],
    confusions: Sequence[Mapping[str, object]],
    problems: Sequence[str],
    incomplete: str | None,
    gates: Sequence[Gate],
    documents: Sequence[tuple[str, str, Mapping[str, object]]],
    preflight: Mapping[str, object],
    forgetting: Forgetting,
    provenance: Mapping[str, object],
) -> dict[str, object]:
    """All that the template names. `documents`: (section, title, content) of the other stages' metrics, `preflight`: those of preflight."""
    changes = {kind: ledger.comparison for kind, ledger in ledgers.items() if ledger.comparison is not None}
    sections: dict[str, list[dict[str, object]]] = {}
    for section, title, content in documents:
        sections.setdefault(section, []).extend(fact_groups(content, title))
    return {
        "eyebrow": eyebrow(sum(ledger.n for ledger in ledgers.values()), part),
        "arms": ARM_LABELS,
        "runs": [],
        "gained_by": "by tuning",
        "worst_first": "what base could and tuned cannot",
        "headline": title_words(ledgers, problems=problems, incomplete=incomplete),
        "verdict": "" if problems else verdict_words(ledgers),
        "part": part_words,
        "direction": "invalid" if problems else overall_direction(ledgers),
        "valid": not problems,
        "complete": incomplete is None,
        "banners": banners(problems, incomplete, gates),
        "cards": [kind_card(ledgers[kind]) for kind in KINDS if kind in ledgers],
        "scores": score_rows(ledgers),
        "has_logprob": any(counts.logprob is not None for ledger in ledgers.values() for counts in ledger.arms.values()),
        "confusions": confusions,
        "overlaps": overlap_rows(ledgers),
        "num_gained": sum(comparison.num_tuned_only for comparison in changes.values()),
        "num_lost": sum(comparison.num_base_only for comparison in changes.values()),
        "topics": topic_rows(scored),
        "gates": [
            {
                "name": gate.name.replace("_", " "),
                "ok": gate.ok,
                "severity": gate.severity,
                "detail": "" if gate.limit is None else f"{0 if gate.value is None else gate.value:.4g}, limit {gate.limit:.4g}",
                "text": sentence(gate.text) if gate.text else "",
            }
            for gate in gates
        ],
        "preflight": checks_of(preflight),
        "sections": sections,
        "forgetting": forgetting_words(forgetting),
        "provenance": [{"title": capital(name), "facts": facts(value)} for name, value in provenance.items()],
        "kinds": [{"kind": kind, "name": KIND_NAMES[kind]} for kind in KINDS if kind in ledgers],
    }
