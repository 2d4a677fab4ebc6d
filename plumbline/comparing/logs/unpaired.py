"""Why two logs have no question of a kind in common. Touches nothing."""

from collections.abc import Sequence

from plumbline.comparing.counted import counted
from plumbline.comparing.graded_answers import GradedFile
from plumbline.rows.arms import Pair
from plumbline.rows.question import KINDS, Kind


def unpaired(found: GradedFile, pairs: Sequence[Pair]) -> list[str]:
    """A sentence for each kind that two logs both asked without a question in common."""
    texts = {(question.kind, question.id): question.question or question.id for question in found.questions}
    told: list[str] = []
    for kind in KINDS:
        for first, second in pairs:
            ours, theirs = asked_by(found, first, kind), asked_by(found, second, kind)
            if ours and theirs and not set(ours) & set(theirs):
                told.append(
                    f"{kind}: none of the {counted(len(ours), 'question')} of {first} is matched with one of {second}; the first one of {first} "
                    f"begins {texts[kind, ours[0]][:60]!r}, that of {second} {texts[kind, theirs[0]][:60]!r}. If they are the same questions, "
                    "give both logs the same ids and match with --match id"
                )
    return told


def asked_by(found: GradedFile, arm: str, kind: Kind) -> list[str]:
    """The questions of a kind that an arm was asked."""
    return [row.id for row in found.graded if row.arm == arm and row.kind == kind]
