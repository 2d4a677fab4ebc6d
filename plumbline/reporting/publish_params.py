"""What must be shown about a tuned model before it is published: section `publish` of params.yaml. Pure."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import field_validator, model_validator

from plumbline.pipeline.record import Params
from plumbline.pipeline.refused import Refused
from plumbline.rows.arms import Arms, Pair
from plumbline.rows.question import KINDS, Kind

Subject = Kind | Literal["general", "probes"]
"""Questions of a kind, base's own answers to general prompts, or the probes of what base or tuned can do."""
AGAINST_BASE = ("general", "probes")
"""Always measured against base."""
SUBJECTS: tuple[str, ...] = (*KINDS, *AGAINST_BASE)
ACCEPTED = "write better, or {not_worse_than: 0.03}"


class NotWorseThan(Params):
    """Non-inferiority: the loss is shown to be smaller than a margin that was chosen before the run."""

    not_worse_than: float
    """Of a kind and of `probes` a fraction of the scale, 0.03 being 3 points; of `general` nats a token. Above 0, and below 1 except for `general`."""


class PublishParams(Params):
    """Which comparison decides about publishing, and what it must show."""

    against: str | None
    """The arm that the tuned model is measured against; null if no kind is named below."""
    require: dict[Subject, Literal["better"] | NotWorseThan]
    """Kind, `general` or `probes` -> what must be shown. Empty: nothing."""

    @field_validator("require", mode="before")
    @classmethod
    def understood(cls, require: Any) -> Any:
        """Say what is accepted, in place of one message for each form that was tried."""
        if not isinstance(require, dict):
            raise ValueError("write {} to require nothing, or {mcq: better, general: {not_worse_than: 0.1}}")
        for name, wanted in require.items():
            if name not in SUBJECTS:
                raise ValueError(f"{name!r} cannot be required; write {', '.join(SUBJECTS)}")
            margin = wanted.get("not_worse_than") if isinstance(wanted, dict) and len(wanted) == 1 else None
            if isinstance(wanted, NotWorseThan) or wanted == "better":
                continue
            if not isinstance(margin, float | int) or isinstance(margin, bool):
                raise ValueError(f"{name}: {ACCEPTED}")
            if margin <= 0 or (margin >= 1 and name != "general"):
                raise ValueError(f"{name}: {margin:g} is not a margin; write a fraction of the scale, above 0 and below 1 (0.03: 3 points)")
        return {
            name: {"not_worse_than": float(wanted["not_worse_than"])} if isinstance(wanted, dict) else wanted
            for name, wanted in require.items()
        }

    @model_validator(mode="after")
    def against_someone(self) -> "PublishParams":
        """A kind is judged by a comparison; the others are always measured against base."""
        if self.against is None and (kinds := [name for name in self.require if name not in AGAINST_BASE]):
            raise ValueError(f"require names {', '.join(kinds)}, so against must name an arm, such as base")
        return self

    def margin(self, name: Subject) -> float | None:
        """The margin of a requirement; None if it asks for better."""
        wanted = self.require[name]
        return wanted.not_worse_than if isinstance(wanted, NotWorseThan) else None


NOTHING_REQUIRED = PublishParams(against=None, require={})


def deciding_pair(params: PublishParams, arms: Arms, comparisons: Sequence[Pair]) -> Pair | None:
    """(reference, tuned arm) that decides, the reference first; None if no kind is required.

    A tuned arm without a context goes before one with a context; then the first that was declared. Refused if no declared comparison measures it.
    """
    if params.against is None:
        return None
    if params.against not in arms.root:
        raise Refused(f"params.yaml: publish.against is {params.against}, which is not an arm; the arms are {', '.join(arms.names)}.")
    if arms.root[params.against].is_trained:
        raise Refused(
            f"params.yaml: publish.against is {params.against}, an arm with the adapter itself; name an arm without it, such as base."
        )
    others = [second if first == params.against else first for first, second in comparisons if params.against in (first, second)]
    tuned = sorted((name for name in others if arms.root[name].is_trained), key=lambda name: arms.root[name].context_name != "none")
    if not tuned:
        raise Refused(
            f"params.yaml: no declared comparison measures a tuned arm against {params.against}, as publish.against asks; "
            f"add one such as [{params.against}, tuned] to comparisons, or name another arm."
        )
    return params.against, tuned[0]
