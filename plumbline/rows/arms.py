"""The arms of an evaluation, weights x context, and which of them are compared. Pure."""

import re
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from pydantic import ConfigDict, RootModel, field_validator

from plumbline.pipeline.record import Params
from plumbline.pipeline.refused import Refused

Pair = tuple[str, str]
"""Two arms: the reference, and the one that is measured against it."""
ARM_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = frozenset({"n", "delta", "general", "complete", "valid"})
"""Names that stand next to the arms in metrics/scores.json, or next to their files."""
NO_CONTEXT = "none"
CONTEXTS = (NO_CONTEXT, "examples", "passages", "shuffled")
"""The files of data/context."""

WeightsKind = Literal["base", "model", "file", "adapter"]
WEIGHTS: tuple[WeightsKind, ...] = ("base", "model", "file", "adapter")


class ArmParams(Params):
    """Who answers, and what stands before the question."""

    weights: str
    """models/base; models/adapter, on top of base; a .yaml file that names another model of the hub; or a .jsonl file of answers made elsewhere."""
    context: str
    """One of the files that `retrieve` writes: data/context/{none,examples,passages,shuffled}.jsonl."""

    @field_validator("weights")
    @classmethod
    def known(cls, weights: str) -> str:
        """Refuse an unknown path, so that base never answers for it in silence."""
        path = PurePosixPath(weights)
        if path.suffix not in (".yaml", ".yml", ".jsonl") and path.name not in ("base", "adapter"):
            raise ValueError("give models/base, models/adapter, a .yaml file that names another model, or a .jsonl file of answers")
        return weights

    @property
    def weights_kind(self) -> WeightsKind:
        """What sort of path `weights` is."""
        path = PurePosixPath(self.weights)
        if path.suffix == ".jsonl":
            return "file"
        if path.suffix in (".yaml", ".yml"):
            return "model"
        return "adapter" if path.name == "adapter" else "base"

    @property
    def context_name(self) -> str:
        """`none`, `examples`, `passages` or `shuffled`."""
        return PurePosixPath(self.context).stem

    @property
    def is_trained(self) -> bool:
        """Whether the adapter of this pipeline answers."""
        return self.weights_kind == "adapter"


def place(name: str, arm: ArmParams) -> tuple[int, int, str]:
    """Sort key of an arm: arms without the adapter come first, and arms without a context before those with one."""
    known = arm.context_name in CONTEXTS
    return WEIGHTS.index(arm.weights_kind), CONTEXTS.index(arm.context_name) if known else len(CONTEXTS), name


class Arms(RootModel[dict[str, ArmParams]]):
    """The arms by name, in the order of files and pages."""

    model_config = ConfigDict(frozen=True, strict=True)

    @field_validator("root")
    @classmethod
    def named(cls, arms: dict[str, ArmParams]) -> dict[str, ArmParams]:
        """Names become file names and columns; `place` decides the order, whatever the order in params.yaml."""
        if not arms:
            raise ValueError(
                "no arm is declared. Declare at least one, such as base: {weights: models/base, context: data/context/none.jsonl}"
            )
        for name in arms:
            if not ARM_NAME.fullmatch(name) or name in RESERVED:
                raise ValueError(
                    f"{name!r} is not a name for an arm. Use a small letter, then small letters, digits and _, 40 at most, "
                    f"and none of {', '.join(sorted(RESERVED))}"
                )
        return {name: arms[name] for name in sorted(arms, key=lambda name: place(name, arms[name]))}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.root)

    @property
    def trained(self) -> tuple[str, ...]:
        """The arms in which the adapter answers."""
        return tuple(name for name, arm in self.root.items() if arm.is_trained)


class Comparisons(RootModel[list[list[str]]]):
    """Pairs of arms, declared before the run; the first is the headline."""

    model_config = ConfigDict(frozen=True, strict=True)

    def of(self, arms: Arms) -> tuple[Pair, ...]:
        """The pairs. Refused unless each holds two different declared arms, and no pair occurs twice, in either order."""
        pairs: list[Pair] = []
        for entry in self.root:
            if len(entry) != 2 or entry[0] == entry[1]:
                raise Refused(f"params.yaml: comparisons holds {entry}. Write [reference, arm], two different arms.")
            if unknown := [name for name in entry if name not in arms.root]:
                raise Refused(
                    f"params.yaml: comparisons holds {entry}, but there is no arm {unknown[0]}; the arms are {', '.join(arms.names)}. "
                    "Remove the comparison, or declare the arm."
                )
            first, second = entry
            if (first, second) in pairs or (second, first) in pairs:
                raise Refused(f"params.yaml: comparisons holds {first} and {second} twice. Declare each pair once.")
            pairs.append((first, second))
        if not pairs and len(arms.names) > 1:
            raise Refused("params.yaml: comparisons is empty. Declare at least one pair, such as [base, tuned].")
        return tuple(pairs)


class Compared(NamedTuple):
    """The arms, and the pairs of them that are compared."""

    arms: Arms
    comparisons: tuple[Pair, ...]
