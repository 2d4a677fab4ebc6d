"""Parameters that train and preflight share: preflight proves that this very training can succeed."""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

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
    """Name endings of fused tensors that are not modules, such as the experts of gpt-oss; None: PEFT decides."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `target_parameters` if there are none: the record of such an adapter stays as it was before they could be named."""
        content: dict[str, Any] = write(self)
        return content if self.target_parameters is not None else {k: v for k, v in content.items() if k != "target_parameters"}

    @property
    def scale(self) -> float:
        """What the adapter's product is multiplied by."""
        return self.alpha / (self.r**0.5 if self.use_rslora else self.r)


class TrainParams(Params):
    """The optimisation. Hardware decides the micro-batch, but none of these."""

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
    """How often the run is evaluated; the adapter of the best evaluation is kept, by `select_by`."""
    early_stop_patience: int | None
    """Stop after this many evaluations without improvement; None: never."""
    replay_fraction: float
    """Share of all training rows, 0-1, that are base's own answers to general prompts, appended to the domain's; 0: none."""
    seed: int
    select_by: Literal["validation_loss", "development_score"] = "validation_loss"
    """What chooses the kept checkpoint: the validation loss, or the score on questions of the benchmark's development part."""
    num_selection_questions: int = Field(default=64, ge=1)
    """At most this many of these questions; read only with `development_score`."""

    @property
    def selects_by_score(self) -> bool:
        """Whether questions of the benchmark choose the checkpoint."""
        return self.select_by == "development_score"

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the two if the loss chooses: the record of such an adapter stays as it was before there was a choice."""
        content: dict[str, Any] = write(self)
        return content if self.selects_by_score else {k: v for k, v in content.items() if k not in ("select_by", "num_selection_questions")}
