"""Which numbers of a configuration are widths and counts, and how small each may become. Pure.

The names come from transformers' configuration classes. The sizes fit each other: four heads of 16 make the width of 64. A state-space
layer is twice as wide as the model and has eight heads of 16.
"""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = 64
HEADS = 4
HEAD_DIM = 16
ROTARY_DIM = 8

SIZES: tuple[tuple[str, int], ...] = (
    (r"hidden_size|n_embd|d_model|word_embed_proj_dim|lru_width|attention_hidden_size", HIDDEN),
    (r"\w*intermediate_size\w*|n_inner|ffn_dim|ff_dim|block_ff_dim|ffn_hidden_size|mlp_hidden_size|mamba_d_ssm", 2 * HIDDEN),
    (r"num_attention_heads|n_head|n_heads|num_attn_heads", HEADS),
    (r"head_dim|kv_channels|v_head_dim|qk_nope_head_dim|global_head_dim|swa_head_dim|query_pre_attn_scalar", HEAD_DIM),
    (r"qk_rope_head_dim|rotary_dim", ROTARY_DIM),
    (r"qk_head_dim", HEAD_DIM + ROTARY_DIM),
    (r"q_lora_rank", 24),
    (r"kv_lora_rank|hidden_size_per_layer_input|adapter_rank|laurel_rank", 16),
    (r"index_head_dim", HEAD_DIM),
    (r"num_heads|mamba_n_heads|n_mamba_heads|mamba_num_heads", 2 * HIDDEN // HEAD_DIM),
    (r"mamba_d_head|mamba_head_dim|mamba_headdim|linear_key_head_dim|linear_value_head_dim", HEAD_DIM),
    (r"time_step_rank|mamba_dt_rank", HIDDEN // 16),
    (r"linear_num_key_heads", 2),
    (r"linear_num_value_heads", HEADS),
)
"""Pattern of the whole name -> the size that a number becomes."""
LIMITS: tuple[tuple[str, int], ...] = (
    (r"num_key_value_heads|num_kv_heads|n_head_kv|num_global_key_value_heads|index_n_heads", 2),
    (r"num_local_experts|num_experts|n_routed_experts|moe_num_experts|num_total_experts", 4),
    (r"num_experts_per_tok|moe_topk|moe_top_k|moe_k|experts_per_token|num_experts_per_token", 2),
    (r"n_group|num_expert_groups", 2),
    (r"topk_group|n_shared_experts|num_shared_experts|moe_num_shared_experts", 1),
    (r"state_size|mamba_d_state|ssm_state_size", 8),
    (r"n_groups|mamba_n_groups|mamba_ngroups", 2),
    (r"chunk_size|mamba_chunk_size|block_size", 32),
)
"""Pattern of the whole name -> the largest value allowed."""
WINDOW = re.compile(r"sliding_window|attention_chunk_size|local_attention|attention_window_size")
NOISE = re.compile(r"\w*dropout\w*|\w*_pdrop|layerdrop|router_jitter_noise|input_jitter_noise")
"""Random numbers in training: with them, gradients could not be compared."""
DROPPED = ("quantization_config", "per_layer_config", "auto_map")


def narrowed(content: Mapping[str, Any], *, names: Mapping[str, str], window: int | None) -> dict[str, Any]:
    """A configuration's content with small widths and counts. `names`: standard name -> name in the class, its `attribute_map`."""
    standard = {own: name for name, own in names.items()}
    is_low_rank = bool(content.get("kv_lora_rank")) and bool(content.get("qk_rope_head_dim"))
    # With low rank, keys have as many heads as queries, and head_dim is the size of the rotated part.
    of_low_rank = {"num_key_value_heads": HEADS, "head_dim": ROTARY_DIM} if is_low_rank else {}
    small: dict[str, Any] = {}
    for name, value in content.items():
        if name not in DROPPED:
            small[name] = of_low_rank.get(name, _narrow(standard.get(name, name), value, window=window))
    is_recurrent_alone = "num_heads" in content and "state_size" in content
    rotary = ROTARY_DIM if is_low_rank else HEAD_DIM
    if isinstance(small.get("rope_parameters"), dict) and not is_recurrent_alone:
        small["rope_parameters"] = _narrow_rotation(small["rope_parameters"], rotary)
    vocabulary, pad = content.get("vocab_size"), content.get("pad_token_id")
    if isinstance(vocabulary, int) and isinstance(pad, int) and pad >= vocabulary:
        small["pad_token_id"] = None  # an id outside the embedding would be refused
    return small


def _narrow(name: str, value: Any, *, window: int | None) -> Any:
    if isinstance(value, list) and value and all(isinstance(each, int) and not isinstance(each, bool) for each in value):
        return [_narrow(name, each, window=window) for each in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if NOISE.fullmatch(name):
        return type(value)(0)
    if WINDOW.fullmatch(name):
        return value if window is None else min(int(value), window)
    for pattern, size in SIZES:
        if re.fullmatch(pattern, name):
            return type(value)(size)
    for pattern, limit in LIMITS:
        if re.fullmatch(pattern, name):
            return min(value, limit)
    return value


def _narrow_rotation(parameters: Mapping[str, Any], dim: int) -> dict[str, Any]:
    """Shorten lists with a number for each pair of rotated values to the smaller number of pairs. Each kind of layer may have its own."""
    half = max(1, int(dim * float(parameters.get("partial_rotary_factor") or 1.0)) // 2)
    small: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, dict):
            small[name] = _narrow_rotation(value, dim)
        elif name in ("short_factor", "long_factor") and isinstance(value, list):
            small[name] = value[:half]
        elif name == "mrope_section" and isinstance(value, list):
            each = half // len(value)
            small[name] = [each + (place < half - each * len(value)) for place in range(len(value))]
        else:
            small[name] = value
    return small
