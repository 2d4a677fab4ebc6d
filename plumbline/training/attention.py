"""Attention for packed rows that never looks across documents and never pays for the whole row.

Source of the scheme: packed rows come with `cu_seq_lens_q`, the boundaries of their documents; transformers hands
them to a registered attention function, with no mask.
"""

from typing import Any

import torch
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

PER_DOCUMENT = "per_document"
CAUSAL = (-1, 0)  # varlen_attn's default window, (-1, -1), is not causal
MAX_GROWTH = 8
"""Padded documents may hold this many times the tokens. With more, one long document among short ones would cost too much memory."""


def attend_to_padding(model: PreTrainedModel) -> None:
    """Let the model attend as it does after loading: rows may be padded. This is sdpa if the architecture has it (Gemma 2 does not)."""
    model.set_attn_implementation("sdpa" if model._supports_sdpa else "eager")


def attend_per_document(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    sliding_window: int | None = None,
    dropout: float = 0.0,
    **others: object,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each document of one packed row. With `sliding_window`, a token sees at most that many tokens, with itself.

    Shapes: query (1, H, T, D), key and value (1, K, T, D) with K a divisor of H, cu_seq_lens_q (num_documents + 1,).
    Returns (1, T, H, D). Raises RuntimeError for a batch that is not packed: padded rows need a mask, and a registered
    function gets none. It also raises for a model with a soft cap or sinks in its attention (`softcap`, `s_aux`): they would be left out.
    """
    if others.get("softcap") is not None or others.get("s_aux") is not None:
        raise RuntimeError(
            "The attention of this model has a soft cap or sinks, and packed rows would train without them. Set train.packing to false."
        )
    if cu_seq_lens_q is None or query.shape[0] != 1:
        raise RuntimeError("Per-document attention got a batch that is not packed. Call attend_to_padding(model) first.")
    if query.is_cuda and query.dtype in (torch.float16, torch.bfloat16) and query.shape[-1] % 8 == 0 and not dropout:
        q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
        longest = max_length_q if max_length_q is not None else int(cu_seq_lens_q.diff().max())
        window = CAUSAL if sliding_window is None else (sliding_window - 1, 0)
        # Without `return_aux` it returns one tensor.
        flat: Any = varlen_attn(q, k, v, cu_seq_lens_q, cu_seq_lens_q, longest, longest, scale=scaling, window_size=window, enable_gqa=True)
        return flat.unsqueeze(0), None
    lengths = cu_seq_lens_q.diff().tolist()
    window_cuts = sliding_window is not None and max(lengths) > sliding_window
    if query.is_cuda and not window_cuts and len(lengths) * max(lengths) <= MAX_GROWTH * query.shape[2]:
        return _attend_padded(query, key, value, lengths, scaling=scaling, dropout=dropout), None
    # In half precision a CPU takes twice the time for the gradient, and the gradient is less exact.
    dtype = torch.promote_types(query.dtype, torch.float32) if query.device.type == "cpu" else query.dtype
    documents = zip(*(states.to(dtype).split(lengths, dim=2) for states in (query, key, value)), strict=True)
    attended = torch.cat([_attend(q, k, v, scaling, sliding_window, dropout).transpose(1, 2) for q, k, v in documents], dim=1)
    return attended.to(query.dtype), None


def _attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None, sliding_window: int | None, dropout: float
) -> torch.Tensor:
    """One document."""
    length = query.shape[2]
    if sliding_window is None or length <= sliding_window:
        return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, dropout_p=dropout, enable_gqa=True)
    back = torch.arange(length, device=query.device)[:, None] - torch.arange(length, device=query.device)
    seen = (back >= 0) & (back < sliding_window)
    return scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scaling, dropout_p=dropout, enable_gqa=True)


def _attend_padded(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: list[int], *, scaling: float | None, dropout: float = 0.0
) -> torch.Tensor:
    """The same with one document a row, padded at its end, where no token looks: a GPU would wait for one launch per document.

    Shapes: query (1, H, T, D), key and value (1, K, T, D). Returns (1, T, H, D).
    """
    longest, num_tokens = max(lengths), query.shape[2]
    where = torch.cat([torch.arange(length) + row * longest for row, length in enumerate(lengths)]).to(query.device)

    def padded(states: torch.Tensor) -> torch.Tensor:
        _, heads, _, width = states.shape
        rows = states.new_zeros(len(lengths) * longest, heads, width).index_copy(0, where, states[0].transpose(0, 1))
        return rows.view(len(lengths), longest, heads, width).transpose(1, 2)

    q, k, v = padded(query), padded(key), padded(value)
    attended = scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, dropout_p=dropout, enable_gqa=True)
    return attended.transpose(1, 2).reshape(-1, *attended.shape[1::2]).index_select(0, where).view(1, num_tokens, *attended.shape[1::2])


AttentionInterface.register(PER_DOCUMENT, attend_per_document)
