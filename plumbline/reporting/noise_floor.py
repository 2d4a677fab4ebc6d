"""How far a score moves although the model is the same: one arm answered twice, in two batch plans. Pure.

The floor of a kind is the farther end of the 95 % interval of the change of its score. Questions count one by one, not by cluster: what varies
is the rounding of a batch, on these very questions, and the questions of a cluster are spread over the batches (docs/decisions.md).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from plumbline.answering.noise_plan import NoisePlan
from plumbline.reporting.gathered import Gathered
from plumbline.reporting.ledger import KindLedger
from plumbline.reporting.scored import Scored
from plumbline.reporting.slices import Slice
from plumbline.rows.answer import Answer
from plumbline.rows.arms import Arms, Pair
from plumbline.rows.outcome import score_of
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, paired_comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFloor:
    """One kind of question, answered twice."""

    num_questions: int
    """Of this kind in the report."""
    num_asked: int
    """Of these, asked again."""
    num_changed: int
    """Texts that are not the same."""
    comparison: Comparison | None
    """The second answers against the first, on the questions scored both times; None without such questions."""

    @property
    def floor(self) -> float | None:
        """No difference up to this one is claimed, in 0..1; None if the second answers have no scores.

        0 if every question was asked again and every text was the same: then the batch plan changes nothing here.
        """
        if self.comparison is None:
            return None
        if not self.num_changed and self.num_asked == self.num_questions:
            return 0.0
        low, high = self.comparison.ci95
        return max(-low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """The floor of each kind, or why there is no floor."""

    plan: NoisePlan
    arm: str | None
    """Who answered twice; None if no arm has the weights and the context of the plan."""
    kinds: Mapping[Kind, KindFloor]

    @property
    def reason(self) -> str | None:
        """Why there is no floor; None if there is one."""
        if self.plan.reason is not None:
            return self.plan.reason
        if self.arm is None:
            return (
                f"no arm has the weights {self.plan.weights} and the context {self.plan.context}: set noise_floor.weights and "
                "noise_floor.context to those of an arm, or noise_floor.fraction to 0"
            )
        return None

    def of_pair(self, kind: Kind, pair: Pair, arms: Arms) -> float:
        """What a comparison must exceed; 0 if nothing is known, or if both arms answered elsewhere."""
        found = self.kinds.get(kind)
        if found is None or found.floor is None or all(arms.root[name].weights_kind == "file" for name in pair):
            return 0.0
        return found.floor


def texts_of(answers: Iterable[Answer]) -> dict[str, dict[int | None, str]]:
    """Question -> its text, or those of its samples: drawn by the same seeds, they change only if rounding changes a draw."""
    found: dict[str, dict[int | None, str]] = defaultdict(dict)
    for answer in answers:
        found[answer.id][answer.sample] = answer.response
    return dict(found)


def noise_floor(gathered: Gathered, questions: Sequence[Question], scored: Sequence[Scored], *, seed: int) -> NoiseFloor | None:
    """Compare both askings on the reported questions, kind by kind; None if no second one was tried. `scored`: of the arms."""
    asked_twice = gathered.asked_twice
    if asked_twice is None:
        return None
    plan = asked_twice.plan
    same = [name for name, arm in gathered.arms.root.items() if (arm.weights, arm.context) == (plan.weights, plan.context)]
    if plan.reason is not None or not same:
        return NoiseFloor(plan=plan, arm=None, kinds={})
    arm = same[0]
    first = texts_of(answer for answer in gathered.answers if answer.arm == arm)
    before = {row.id: row.score for row in scored if row.arm == arm}
    again = texts_of(asked_twice.answers)
    found: dict[str, list[float]] = defaultdict(list)
    for grade in asked_twice.grades:
        found[grade.id].append(score_of(grade.outcome, grade.score))
    for judgement in asked_twice.judgements:
        found[judgement.id] += [] if judgement.score is None else [judgement.score]
    after = {id: fmean(samples) for id, samples in found.items() if samples}
    kinds: dict[Kind, KindFloor] = {}
    for kind in KINDS:
        ids = [question.id for question in questions if question.kind == kind]
        asked = [id for id in ids if id in again and id in first]
        both = [(low, high) for id in asked if (low := before.get(id)) is not None and (high := after.get(id)) is not None]
        if ids:
            kinds[kind] = KindFloor(
                num_questions=len(ids),
                num_asked=len(asked),
                num_changed=sum(first[id] != again[id] for id in asked),
                comparison=paired_comparison([low for low, _ in both], [high for _, high in both], clusters=None, seed=seed)
                if both
                else None,
            )
    return NoiseFloor(plan=plan, arm=arm, kinds=kinds)


def held_to_floor(ledgers: Mapping[Kind, KindLedger], noise: NoiseFloor | None, arms: Arms) -> Mapping[Kind, KindLedger]:
    """The ledgers with the floor of each comparison. A contrast is of two gains, and each may move by the floor."""
    if noise is None:
        return ledgers
    return {
        kind: replace(
            ledger,
            pairs={pair: replace(found, floor=noise.of_pair(kind, pair, arms)) for pair, found in ledger.pairs.items()},
            contrasts={
                square: replace(found, floor=2 * noise.of_pair(kind, (square.base, square.tuned), arms))
                for square, found in ledger.contrasts.items()
            },
        )
        for kind, ledger in ledgers.items()
    }


def slices_held_to_floor(slices: Sequence[Slice], noise: NoiseFloor | None, arms: Arms) -> list[Slice]:
    """The slices with the floor of their kind: a part of the questions moves no less."""
    return list(slices) if noise is None else [replace(one, floor=noise.of_pair(one.kind, one.pair, arms)) for one in slices]
