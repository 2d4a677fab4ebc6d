"""Arms and their comparisons: what is accepted, and what each refusal says to do."""

import pytest
from pydantic import ValidationError

from plumbline.pipeline.refused import Refused
from plumbline.rows.arms import RESERVED, ArmParams, Arms, Comparisons
from tests.fakes.evaluation_world import SEVEN

ARMS = Arms(SEVEN)


@pytest.mark.parametrize("name", ["base", "b", "base_passages", "r2d2", "a" * 40])
def test_a_name_that_can_be_a_file_and_a_column_is_accepted(name: str) -> None:
    assert Arms({name: SEVEN["base"]}).names == (name,)


@pytest.mark.parametrize(
    "name", ["", "Base", "2nd", "_base", "base passages", "base-2", "../base", "b.jsonl", "bäse", "a" * 41, *sorted(RESERVED)]
)
def test_a_name_that_cannot_is_refused_with_what_can(name: str) -> None:
    with pytest.raises(
        ValidationError, match=r"is not a name for an arm. Use a small letter, then small letters, digits and _, 40 at most"
    ) as found:
        Arms({name: SEVEN["base"]})
    assert repr(name) in str(found.value) and all(reserved in str(found.value) for reserved in RESERVED)


def test_without_an_arm_no_one_answers() -> None:
    with pytest.raises(
        ValidationError, match=r"Declare at least one, such as base: \{weights: models/base, context: data/context/none\.jsonl\}"
    ):
        Arms({})


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ("models/base", "base"),
        ("models/adapter", "adapter"),
        ("examples/other_model.yaml", "model"),
        ("examples/other_model.yml", "model"),
        ("examples/answers.jsonl", "file"),
    ],
)
def test_the_path_of_the_weights_says_who_answers(weights: str, kind: str) -> None:
    arm = ArmParams(weights=weights, context="data/context/passages.jsonl")
    assert (arm.weights_kind, arm.is_trained, arm.context_name) == (kind, kind == "adapter", "passages")


def test_the_trained_arms_are_those_in_which_the_adapter_answers() -> None:
    assert ARMS.trained == ("tuned", "tuned_passages")


def test_comparisons_keep_their_order_and_may_meet_in_an_arm() -> None:
    declared = [["base", "tuned"], ["base_passages", "tuned"], ["base", "base_passages"]]
    assert Comparisons(declared).of(ARMS) == (("base", "tuned"), ("base_passages", "tuned"), ("base", "base_passages"))


def test_an_arm_that_answers_alone_is_compared_with_nothing() -> None:
    assert Comparisons([]).of(Arms({"base": SEVEN["base"]})) == ()


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ([["base"]], r"holds \['base'\]\. Write \[reference, arm\], two different arms"),
        ([["base", "tuned", "base_passages"]], r"holds \[.*\]\. Write \[reference, arm\], two different arms"),
        ([["base", "base"]], r"holds \['base', 'base'\]\. Write \[reference, arm\], two different arms"),
        (
            [["base", "nonsense"]],
            r"there is no arm nonsense; the arms are base, .*tuned_passages\. Remove the comparison, or declare the arm\.",
        ),
        ([["base", "tuned"], ["base", "tuned"]], r"holds base and tuned twice\. Declare each pair once"),
        ([["base", "tuned"], ["tuned", "base"]], r"holds tuned and base twice\. Declare each pair once"),
        ([], r"comparisons is empty\. Declare at least one pair, such as \[base, tuned\]"),
    ],
    ids=["one arm", "three arms", "itself", "no such arm", "twice", "both ways", "none"],
)
def test_a_comparison_that_is_none_is_refused_with_what_to_do(declared: list[list[str]], said: str) -> None:
    with pytest.raises(Refused, match=rf"params\.yaml: comparisons.*{said}|params\.yaml: {said}"):
        Comparisons(declared).of(ARMS)


@pytest.mark.parametrize("weights", ["models/merged", "adapters/physics_v2", "examples/answers.csv", "", "models/base/model.safetensors"])
def test_weights_that_no_arm_can_have_are_refused_and_not_answered_by_base(weights: str) -> None:
    with pytest.raises(ValueError, match=r"give models/base, models/adapter, a \.yaml file"):
        ArmParams(weights=weights, context="data/context/none.jsonl")
    with pytest.raises(ValueError, match="give models/base"):
        Arms.model_validate({"base": {"weights": weights, "context": "data/context/none.jsonl"}})
