"""Whether the base's architecture can be trained like this, judged from what was measured on it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plumbline.preflight.check import Check


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many weights of the base's text model, without its vocabulary, lie in matrices that are adapted."""

    num_weights: int
    num_adapted: int
    experts_left_out: Mapping[str, int] = field(default_factory=dict)
    """End of the name of a fused tensor -> its weights in all layers."""
    towers: Sequence[str] = ()
    """Names of modules for images and sounds."""


def check_lora_modules(
    num_adapted: int,
    num_expected: int,
    unmatched: Sequence[str],
    num_linear: int,
    *,
    num_layers: int,
    num_fused: int,
    num_left_to_experts: int,
    problem: str,
    share: Share | None,
) -> Check:
    """The adapter adapts the layers that the parameters name. The check warns of fewer than all linear layers, and of experts left out.

    PEFT's default would take only q_proj and v_proj: that learns less and forgets more (PEFT's method comparison, 2026).
    """
    as_named = num_adapted == num_expected and num_adapted + num_fused > 0 and not unmatched and not problem
    found = f"{num_adapted} modules adapted, {num_expected} expected, {num_linear} linear layers in the {_word(num_layers)}-layer probe"
    found += f"; {num_fused} fused tensors adapted" if num_fused else ""
    found += f"; {num_left_to_experts} linear layers not adapted: PEFT takes their names for experts" if num_left_to_experts else ""
    found += f"; no module is named {', '.join(unmatched)}" if unmatched else ""
    found += f"; PEFT refuses: {problem}" if problem else ""
    remedies = []
    if not as_named:
        remedies = [
            "Set lora.dropout to 0: PEFT has no dropout for experts that are one tensor."
            if "lora_dropout" in problem
            else "Set lora.target_modules to all-linear or to names of linear layers of the base model, and lora.target_parameters to null."
        ]
    elif num_expected < num_linear:
        remedies = ["Set lora.target_modules to all-linear, unless you mean fewer layers."]
    if share is not None:
        found += f"; {share.num_adapted / max(1, share.num_weights):.1%} of the base's {share.num_weights:,} weights without its vocabulary"
        found += f"; {', '.join(share.towers)} left out: only the text model is trained" if share.towers else ""
    if share is not None and share.experts_left_out:
        found += f"; the experts hold {sum(share.experts_left_out.values()) / share.num_weights:.0%} of them, and are not adapted"
        remedies.append(
            f"Set lora.target_parameters to [{', '.join(share.experts_left_out)}], unless you want the experts to stay as they are."
        )
    status = "fail" if not as_named else "warn" if remedies else "pass"
    return Check.model_validate({"name": "lora_modules", "status": status, "found": found, "remedy": " ".join(remedies)})


def check_packed_gradients(relative_difference: float, limit: float, *, packed: bool, problem: str) -> Check:
    """Rows that share a batch change no gradient: documents in one row must not see each other. The loss would not show it."""
    ok = relative_difference <= limit
    what = "between packed and padded gradients" if packed else "between gradients of padded rows and of each row alone"
    found = f"relative difference {relative_difference:.1e} {what} (limit {limit:.0e})"
    if problem:
        found = f"{'packed' if packed else 'padded'} rows cannot be computed: {problem}"
    remedy = (
        "Set train.packing to false: this architecture mixes documents that share a row."
        if packed
        else "Set PLUMBLINE_MICRO_BATCH_TOKENS=1 in the environment: then rows are trained one at a time, without padding."
    )
    return Check(name="packed_gradients", status="pass" if ok else "fail", found=found, remedy="" if ok else remedy)


def _word(number: int) -> str:
    return {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}.get(number, str(number))
