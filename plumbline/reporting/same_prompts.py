"""Arms that had the same prompts: if a context held nothing for a kind, there is nothing to compare. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from plumbline.reporting.gathered import Gathered
from plumbline.reporting.ledger import KindLedger
from plumbline.reporting.validity import Gate, Severity
from plumbline.reporting.words import arm_words, nothing_in_it
from plumbline.rows.arms import NO_CONTEXT
from plumbline.rows.question import Kind, Question


def empty_contexts(questions: Sequence[Question], gathered: Gathered) -> dict[str, list[Kind]]:
    """Name of a context -> the kinds for which it holds nothing, whatever the question."""
    found: dict[str, list[Kind]] = {}
    for name, given in gathered.contexts.items():
        held = {one.id for one in given.values() if one.turns or one.passages}
        by_kind: dict[Kind, list[bool]] = {}
        for question in questions:
            by_kind.setdefault(question.kind, []).append(question.id in held)
        found[name] = [kind for kind, ones in by_kind.items() if not any(ones)]
    return found


def told_alike(by_kind: Mapping[Kind, KindLedger], questions: Sequence[Question], gathered: Gathered) -> dict[Kind, KindLedger]:
    """The ledgers, with the arms that had the prompts of an arm without a context. What was answered elsewhere is left alone."""
    empty, arms = empty_contexts(questions, gathered), gathered.arms.root
    bare = {arm.weights: name for name, arm in arms.items() if arm.context_name == NO_CONTEXT}
    return {
        kind: replace(
            ledger,
            same_prompts={
                name: bare[arm.weights]
                for name, arm in arms.items()
                if arm.weights_kind != "file" and kind in empty.get(arm.context_name, ()) and arm.weights in bare
            },
        )
        for kind, ledger in by_kind.items()
    }


def same_prompts_gates(by_kind: Mapping[Kind, KindLedger], gathered: Gathered) -> list[Gate]:
    """A warning for each arm that had the prompts of another one; none if every context held something for every kind."""
    alike: dict[tuple[str, str], list[Kind]] = {}
    for kind, ledger in by_kind.items():
        for pair in ledger.same_prompts.items():
            alike.setdefault(pair, []).append(kind)
    return [
        Gate(
            name=f"context_of_{arm}",
            severity=Severity.WARNING,
            ok=False,
            value=None,
            limit=None,
            text=nothing_in_it(arm_words(arm), gathered.arms.root[arm].context_name, arm_words(bare), kinds),
        )
        for (arm, bare), kinds in alike.items()
    ]
