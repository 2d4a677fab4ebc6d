"""What must be read with care, one sentence for each cause, however many answers it affects, and what a run cannot tell. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from plumbline.number_text import counted
from plumbline.reporting.ledger import KIND_NAMES, ArmLedger, KindLedger
from plumbline.reporting.validity import MAX_UNPARSED_RATE, Gate, Severity
from plumbline.reporting.words import arm_words, direction_of, joined, pair_direction
from plumbline.rows.question import KINDS, Kind
from plumbline.statistics import Direction

MOST = 0.5
"""Above this share of unread answers, a score says nothing about what a model knows."""
READ: tuple[Kind, ...] = ("mcq", "numeric")
"""The kinds with answers that a rule reads."""


class Unread(NamedTuple):
    """How many answers of the two arms compared first could not be read, on one kind."""

    kind: Kind
    num_unparsed: int
    num_answers: int

    @property
    def words(self) -> str:
        return f"{self.num_unparsed:,} of {self.num_answers:,} on {KIND_NAMES[self.kind]}"


def unread_answers(ledgers: Mapping[Kind, KindLedger]) -> list[Unread]:
    """The kinds that are read by rule, with the answers of the first comparison that could not be read."""
    found: list[Unread] = []
    for kind in READ:
        ledger = ledgers.get(kind)
        if ledger is not None and ledger.headline_pair is not None:
            arms = [ledger.arms[name] for name in ledger.headline_pair]
            found.append(Unread(kind, sum(arm.num_unparsed for arm in arms), sum(arm.num_answers for arm in arms)))
    return found


def cannot_tell(ledgers: Mapping[Kind, KindLedger]) -> str:
    """That a run cannot tell whether tuning helped, because most answers could not be read; empty if it can, or if a kind shows something."""
    unread = unread_answers(ledgers)
    if sum(one.num_unparsed for one in unread) <= MOST * sum(one.num_answers for one in unread):
        return ""
    if any(direction_of(ledger) in (Direction.BETTER, Direction.WORSE) for ledger in ledgers.values()):
        return ""
    told = ", ".join(one.words for one in unread if one.num_unparsed)
    return f"Most answers could not be read ({told}): this run cannot tell whether tuning helped."


def unread_clause(ledgers: Mapping[Kind, KindLedger]) -> str:
    """That a shown difference is also one of format, because many answers of one of its arms could not be read; empty if none is."""
    told: list[str] = []
    for kind in READ:
        ledger = ledgers.get(kind)
        if ledger is None:
            continue
        shown = [pair for pair, found in ledger.pairs.items() if pair_direction(found) in (Direction.BETTER, Direction.WORSE)]
        arms = dict.fromkeys(arm for pair in shown for arm in pair if ledger.arms[arm].unparsed_rate > MAX_UNPARSED_RATE)
        if arms:
            counts = [f"{ledger.arms[arm].num_unparsed:,} of {ledger.arms[arm].num_answers:,} from {arm_words(arm)}" for arm in arms]
            told.append(f"on {KIND_NAMES[kind]} {joined(counts)}")
    if not told:
        return ""
    return f"Answers that could not be read count as wrong ({'; '.join(told)}), so the differences there measure the answer format as well."


def likely_reason(preflight: Mapping[str, object]) -> str:
    """What preflight found in training rows and steps that makes answers unreadable; empty if it found nothing."""
    checks = preflight.get("checks")
    found = checks if isinstance(checks, Mapping) else {}
    reasons: list[str] = []
    if (text := str(found.get("answer_format", ""))).startswith("warn: "):
        reasons.append(text.removeprefix("warn: "))
    if (text := str(found.get("num_steps", ""))).startswith("warn: "):
        reasons.append("few training steps")
    return "; ".join(reasons)


def steps_gates(preflight: Mapping[str, object], *, is_trained: bool) -> list[Gate]:
    """A warning if preflight found too few training steps; none if no arm was trained, or if there were enough."""
    checks = preflight.get("checks")
    found = re.fullmatch(r"warn: (\d+) of (\d+) planned steps", str(checks.get("num_steps", "")) if isinstance(checks, Mapping) else "")
    if not is_trained or found is None or found[1] != found[2]:  # fewer than planned is a dry run, which the page says first
        return []
    said = f"training had only {counted(int(found[1]), 'step')}, few to learn from: lower train.tokens_per_step or raise train.epochs"
    return [Gate(name="num_steps", severity=Severity.WARNING, ok=False, value=None, limit=None, text=said)]


def per_kind(ledgers: Mapping[Kind, KindLedger], gates: Sequence[Gate], cause: str, words: Mapping[tuple[Kind, str], str]) -> str:
    """What failed of one cause, kind by kind and arm by arm: "on multiple choice 7 of 20 (base), 5 of 20 (tuned)"."""
    failed = {gate.name for gate in gates}
    parts: list[str] = []
    for kind in KINDS:
        arms = [arm for arm in ledgers[kind].arms if f"{cause}_{kind}_{arm}" in failed] if kind in ledgers else []
        if arms:
            parts.append(f"on {KIND_NAMES[kind]} " + ", ".join(f"{words[kind, arm]} ({arm_words(arm)})" for arm in arms))
    return "; ".join(parts)


def is_read(counts: ArmLedger) -> bool:
    """Whether a score says more than that nothing could be read."""
    return counts.num_unparsed < counts.num_answers


def care_texts(ledgers: Mapping[Kind, KindLedger], gates: Sequence[Gate], preflight: Mapping[str, object]) -> list[str]:
    """The warnings; those of one cause are joined at the place of the first, and a single one keeps its words."""
    failed = [gate for gate in gates if gate.severity is Severity.WARNING and not gate.ok]
    cells: dict[tuple[Kind, str], ArmLedger] = {
        (kind, arm): counts for kind, ledger in ledgers.items() for arm, counts in ledger.arms.items()
    }
    unread_whole = {f"scores_vary_{kind}_{arm}" for (kind, arm), counts in cells.items() if not is_read(counts)}
    failed = [gate for gate in failed if gate.name not in unread_whole]  # all unread: every score is 0 for that one reason
    reason = likely_reason(preflight)
    because = f". Likely reason: {reason}" if reason else ""
    endings = {
        "unparsed": ("answers that could not be read", f": the scores measure the format as well{because}"),
        "truncated": ("answers cut at answer.max_new_tokens", "; raise it"),
        "scores_vary": ("all scores of an arm alike", ": look at the answers before you believe them"),
    }
    told: list[str] = []
    merged: set[str] = set()
    for gate in failed:
        cause = next((name for name in endings if gate.name.startswith(f"{name}_")), "")
        together = [one for one in failed if cause and one.name.startswith(f"{cause}_")]
        if len(together) < 2:
            told.append(gate.text + (because if cause == "unparsed" else ""))
        elif cause not in merged:
            merged.add(cause)
            what, ending = endings[cause]
            told.append(f"{what}: {per_kind(ledgers, together, cause, cell_words(cells, cause))}{ending}")
    return told


def cell_words(cells: Mapping[tuple[Kind, str], ArmLedger], cause: str) -> dict[tuple[Kind, str], str]:
    """What is said about one kind and arm, for a cause."""
    if cause == "scores_vary":
        return {key: f"all {joined([f'{score:g}' for score in counts.histogram])}" for key, counts in cells.items() if counts.histogram}
    name = "num_unparsed" if cause == "unparsed" else "num_truncated"
    return {key: f"{getattr(counts, name):,} of {counts.num_answers:,}" for key, counts in cells.items()}
