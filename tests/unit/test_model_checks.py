"""What was measured of an architecture is judged by name, with the number, and with a remedy that can be followed."""

import pytest

from plumbline.preflight.check import Check
from plumbline.preflight.model_checks import Share, check_lora_modules, check_packed_gradients


def lora(num_adapted: int = 14, num_expected: int = 14, *unmatched: str, num_linear: int = 14, **more: object) -> Check:
    given = {"num_layers": 2, "num_fused": 0, "num_left_to_experts": 0, "problem": "", "share": None} | more
    return check_lora_modules(num_adapted, num_expected, unmatched, num_linear, **given)  # type: ignore[arg-type]


def test_wrong_target_modules_fail() -> None:
    assert lora(2).status == "fail"
    assert lora(0, 0, "query").status == "fail"
    assert lora().status == "pass"
    assert "14 modules adapted, 14 expected, 14 linear layers in the two-layer probe" in lora().found


def test_fewer_layers_than_all_are_a_choice_that_is_said_aloud() -> None:
    check = lora(4, 4)
    assert check.status == "warn" and "4 modules adapted, 4 expected, 14 linear layers" in check.found


def test_the_share_of_the_weights_is_said() -> None:
    check = lora(share=Share(num_weights=6_979_588_096, num_adapted=6_979_321_856))
    assert check.status == "pass" and "100.0% of the base's 6,979,588,096 weights without its vocabulary" in check.found


def test_experts_left_out_warn_with_their_share_and_their_names() -> None:
    share = Share(num_weights=1000, num_adapted=8, experts_left_out={"mlp.experts.gate_up_proj": 600, "mlp.experts.down_proj": 390})
    check = lora(12, 12, num_linear=12, share=share)
    assert check.status == "warn" and "the experts hold 99% of them, and are not adapted" in check.found
    assert "Set lora.target_parameters to [mlp.experts.gate_up_proj, mlp.experts.down_proj]" in check.remedy


def test_fused_tensors_and_what_they_take_along_are_counted() -> None:
    check = lora(15, 15, num_linear=15, num_fused=3, num_left_to_experts=9, share=Share(num_weights=1000, num_adapted=994))
    assert check.status == "pass"
    assert "3 fused tensors adapted; 9 linear layers not adapted: PEFT takes their names for experts" in check.found


def test_experts_alone_are_an_adapter() -> None:
    assert lora(0, 0, num_fused=6).status == "warn"
    assert lora(0, 0).status == "fail"


def test_a_vision_tower_is_left_out_and_the_report_says_so() -> None:
    check = lora(share=Share(num_weights=1000, num_adapted=1000, towers=["model.vision_tower"]))
    assert check.status == "pass" and "model.vision_tower left out: only the text model is trained" in check.found


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        ("lora.ParamWrapper does not work with lora_dropout != 0.", "Set lora.dropout to 0"),
        ("Target modules {'query'} not found in the base model.", "Set lora.target_modules to all-linear"),
    ],
)
def test_what_peft_refuses_fails_in_its_own_words(problem: str, remedy: str) -> None:
    check = lora(0, problem=problem)
    assert check.status == "fail" and problem in check.found and remedy in check.remedy


def test_packing_that_changes_gradients_fails_and_padding_is_the_remedy() -> None:
    assert check_packed_gradients(4e-7, 1e-5, packed=True, problem="").status == "pass"
    for difference in (0.5, float("nan")):
        check = check_packed_gradients(difference, 1e-5, packed=True, problem="")
        assert check.status == "fail" and "Set train.packing to false" in check.remedy
    check = check_packed_gradients(float("inf"), 1e-5, packed=True, problem="RuntimeError: a soft cap")
    assert check.status == "fail" and "packed rows cannot be computed: RuntimeError: a soft cap" in check.found


def test_padding_that_changes_gradients_fails_and_rows_alone_are_the_remedy() -> None:
    check = check_packed_gradients(0.5, 1e-5, packed=False, problem="")
    assert check.status == "fail" and "PLUMBLINE_MICRO_BATCH_TOKENS=1" in check.remedy and "train.packing" not in check.remedy
