"""Parameters that train and preflight share: preflight proves that this very training can succeed."""

from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from plumbline.pipeline.record import Params


class LoraParams(Params):
    """The adapter's shape."""

    r: int
    """Rank."""
    alpha: int
    """The adapter is scaled by alpha / r (alpha / sqrt(r) with use_rslora)."""
    dropout: float
    target_modules: Literal["all-linear"] | list[str]
    """`all-linear`: every linear layer but the head; else names of modules."""
    use_rslora: bool
    target_parameters: list[str] | None = None
    """Ends of the names of fused tensors that no module holds apart, the experts of gpt-oss say; None: those that PEFT takes for modules."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `target_parameters` where there are none: the record of such an adapter stays what it was before they could be named."""
        content: dict[str, Any] = write(self)
        return content if self.target_parameters is not None else {k: v for k, v in content.items() if k != "target_parameters"}

    @property
    def scale(self) -> float:
        """What the adapter's product is multiplied by."""
        return self.alpha / (self.r**0.5 if self.use_rslora else self.r)


class TrainParams(Params):
    """The optimisation; hardware chooses the micro-batch, never these."""

    epochs: float
    max_steps: int | None
    """Optimiser steps at most; None: epochs decide. A run that ends before its epochs is marked incomplete."""
    learning_rate: float
    """Peak, after warm-up."""
    warmup_fraction: float
    """Share of the steps, 0-1."""
    lr_schedule: Literal["cosine", "linear", "constant_with_warmup"]
    tokens_per_step: int
    """Tokens that one optimiser step sees: rows per step = tokens_per_step / max_length when packed."""
    max_length: int
    """Tokens of a packed row, and the longest example allowed: longer ones fail preflight, none is truncated."""
    packing: bool
    max_grad_norm: float
    evaluations_per_epoch: int
    """How often the validation loss is taken; the adapter with the lowest is kept."""
    early_stop_patience: int | None
    """Stop after so many evaluations without improvement; None: never."""
    replay_fraction: float
    """Share of all training rows, 0-1, that are base's own answers to general prompts, appended to the domain's; 0: none."""
    seed: int
