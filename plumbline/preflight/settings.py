"""The training that preflight checks, and the limits of its checks."""

from dataclasses import dataclass
from typing import Protocol

from plumbline.rows.training_params import LoraParams, TrainParams


class Limits(Protocol):
    """Limits of the checks, as the stage's section of params.yaml holds them."""

    @property
    def num_overfit_rows(self) -> int: ...
    @property
    def max_heat(self) -> float: ...
    @property
    def max_gradient_difference(self) -> float: ...
    @property
    def num_shown_rows(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The training that is to be checked."""

    limits: Limits
    lora: LoraParams
    training: TrainParams
    max_new_tokens: int
    """Most tokens of an answer."""
    instructions: dict[str, str]
    """Kind of question -> closing instruction."""
