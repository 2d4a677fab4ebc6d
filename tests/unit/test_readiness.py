"""Each planted defect is caught by the check that is there for it."""

from plumbline.preflight import readiness as r

BOS, EOS = 1, 2
GOOD = [1, 5, 6, 7, 2]
LABELS = [-100, -100, 6, 7, 2]


def test_a_sound_row_passes_every_check_of_rows() -> None:
    checks = [
        r.check_one_bos([GOOD], BOS, has_template_bos=True),
        r.check_eos_trained([LABELS], EOS),
        r.check_prompt_masked([LABELS], [2]),
        r.check_no_truncation([5], 5),
        r.check_special_tokens({"a": GOOD}, {1, 2}, 2),
    ]
    assert {check.status for check in checks} == {"pass"}


def test_a_doubled_bos_fails() -> None:
    assert r.check_one_bos([GOOD, [1, *GOOD]], BOS, has_template_bos=True).status == "fail"


def test_a_missing_bos_fails_where_the_template_writes_one() -> None:
    assert r.check_one_bos([GOOD, GOOD[1:]], BOS, has_template_bos=True).status == "fail"


def test_a_template_without_bos_passes_and_a_bos_from_elsewhere_fails() -> None:
    check = r.check_one_bos([GOOD[1:]], BOS, has_template_bos=False)
    assert check.status == "pass" and "the template writes no BOS" in check.found
    assert r.check_one_bos([GOOD], BOS, has_template_bos=False).status == "fail"


def test_a_bos_that_opens_every_turn_or_ends_the_last_passes() -> None:
    assert r.check_one_bos([[1, 5, 2, 1, 6, 7, 2], [1, 5, 6, 1]], BOS, has_template_bos=True).status == "pass"


def test_a_tokenizer_without_bos_passes() -> None:
    assert r.check_one_bos([GOOD], None, has_template_bos=False).status == "pass"


def test_thinking_with_little_room_is_a_warning() -> None:
    assert [r.check_thinking(on, tokens).status for on, tokens in ((True, 96), (True, 2048), (False, 96))] == ["warn", "pass", "pass"]


def test_a_missing_eos_fails() -> None:
    assert r.check_eos_trained([LABELS[:-1]], EOS).status == "fail"


def test_an_eos_that_is_masked_fails() -> None:
    assert r.check_eos_trained([[*LABELS[:-1], -100]], EOS).status == "fail"


def test_loss_on_the_prompt_fails() -> None:
    assert r.check_prompt_masked([[-100, 5, 6, 7, 2]], [2]).status == "fail"


def test_a_completion_without_loss_fails() -> None:
    assert r.check_prompt_masked([[-100] * 5], [2]).status == "fail"


def test_a_row_that_would_be_cut_fails_and_names_the_length_to_set() -> None:
    check = r.check_no_truncation([5, 900], 512)
    assert check.status == "fail" and "900" in check.remedy


def test_control_tokens_from_the_text_fail() -> None:
    check = r.check_special_tokens({"fine": GOOD, "odd": [1, 5, 1, 2]}, {1, 2}, 2)
    assert check.status == "fail" and check.found.endswith("control tokens: odd")


def test_adapters_that_are_not_fp32_fail() -> None:
    assert r.check_adapter_dtype({"torch.float32"}).status == "pass"
    assert r.check_adapter_dtype({"torch.float32", "torch.float16"}).status == "fail"
    assert r.check_adapter_dtype(set()).status == "fail"


def test_rows_not_learnt_by_heart_fail() -> None:
    assert r.check_overfit(0.01, 8, 8, 8).status == "pass"
    assert r.check_overfit(0.01, 8, 8, 7).status == "fail"
    assert r.check_overfit(1.0, 5, 8, 8).status == "fail"


def test_a_hot_schedule_a_dry_run_and_a_missing_warmup_warn() -> None:
    assert r.check_heat(2.0, 2e-4, 2e-4).status == "warn"
    assert r.check_heat(0.5, 2e-4, 2e-4).status == "pass"
    assert r.check_num_steps(200, 5).status == "warn"
    assert r.check_num_steps(50, None).status == "warn"
    assert r.check_num_steps(200, None).status == "pass"
    assert r.check_warmup(0).status == "warn"


def test_training_data_that_never_answers_as_the_benchmark_asks_warns() -> None:
    numeric = [("Which force?", "Force is 12 newtons.")] * 9 + [("Which force?", "Explanation: F = ma\nAnswer: 12 N")]
    assert r.check_answer_format(numeric, {"numeric"}).status == "pass"
    assert r.check_answer_format(numeric, {"numeric", "mcq"}).status == "warn"
    choice = ("Which unit?\nA) watt\nB) newton", "Answer: newton")
    assert r.check_answer_format([*numeric, choice], {"numeric", "mcq"}).status == "pass"
    assert r.check_answer_format([], {"explanation"}).status == "pass"
