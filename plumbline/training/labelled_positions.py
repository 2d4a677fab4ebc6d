"""The parts after the last attention treat each position alone, so they are computed only where there is a label.

transformers does this for the head (`logits_to_keep`). Here the last block's gated MLP follows: it is as wide as three attentions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from plumbline.model.on_meta import TRIAL_ERRORS
from plumbline.training.fused_blocks import is_gated_mlp, is_on_cpu


def last_mlp(model: Any) -> torch.nn.Module | None:
    """The last gated MLP of a model on a processor, if leaving it out elsewhere keeps the logits that count. Tried on one packed row."""
    if not is_on_cpu(model):
        return None
    found = [module for module in model.modules() if is_gated_mlp(module)]
    if not found:
        return None
    was_training = model.training
    model.eval()
    try:
        theirs, ours = _logits(model, None), _logits(model, found[-1])
    except TRIAL_ERRORS:  # it takes no packed rows, or cannot be asked for some positions alone
        return None
    finally:
        model.train(was_training)
    relative, absolute = (1e-4, 1e-5) if theirs.dtype == torch.float32 else (2e-2, 2e-2)
    return found[-1] if ours.shape == theirs.shape and torch.allclose(ours, theirs, rtol=relative, atol=absolute) else None


def _logits(model: Any, mlp: torch.nn.Module | None) -> torch.Tensor:
    """Logits of two positions out of six; `mlp` is computed only there."""
    num_tokens, kept = 6, torch.tensor([2, 4])
    boundaries = torch.tensor([0, num_tokens], dtype=torch.int32)
    packed = {"cu_seq_lens_q": boundaries, "cu_seq_lens_k": boundaries, "max_length_q": num_tokens, "max_length_k": num_tokens}
    with torch.no_grad(), only_at(mlp, kept):
        found: torch.Tensor = model(
            input_ids=torch.arange(num_tokens)[None],
            position_ids=torch.arange(num_tokens)[None],
            use_cache=False,
            logits_to_keep=kept,
            **packed,
        ).logits
    return found


@contextmanager
def only_at(mlp: torch.nn.Module | None, positions: torch.Tensor) -> Iterator[None]:
    """Compute `mlp` at these positions of one row, (T,) of int64, and let it be 0 elsewhere. If `mlp` is None, nothing changes.

    Only if the gradient does not compute the forward again: at that time the whole MLP is back.
    """
    if mlp is None:
        yield
        return
    whole = mlp.forward

    def in_part(x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x).index_copy(1, positions, whole(x.index_select(1, positions)))

    mlp.forward = in_part  # type: ignore[method-assign]
    try:
        yield
    finally:
        mlp.forward = whole  # type: ignore[method-assign]
