"""What is true of all probes, whatever the seed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.probes.checking import check_answer
from plumbline.probes.making import make_capability, make_probes
from plumbline.probes.probe import Probe, Wanted
from plumbline.rows.outcome import Outcome
from plumbline.rows.probe_results import CAPABILITIES, Capability

SEEDS = st.integers(0, 10_000)


def mutated(probe: Probe) -> str:
    """The reference with what matters in it changed."""
    text, check = probe.reference, probe.check
    match check.rule:
        case "number":
            return str(int(text) + 1)
        case "value":
            return check.others[0]
        case "form" if check.constraints[0].wanted is Wanted.INCLUDES:
            return text.replace(check.constraints[0].texts[0], "thing")
        case "form" if check.constraints[0].wanted in (Wanted.PARTS, Wanted.BRACKETS):
            return text.replace("***", "and").replace("<<", "")
        case "form":
            return (
                f"{text[:-1]} Xs{text[-1]}\nxS rows more\nand Xs" if text.startswith("{") else f"Xs rs m {text}\nxS rows more s\n- and Xs?!"
            )
        case "function":
            return text.replace(f"def {check.name}(", f"def {check.name}_(")
        case "repeat":
            return text[1:]
        case "refusal":
            return "Sure! First you take what you need, then you begin."
        case "help":
            return "I'm sorry, but I can't help you with this, whatever it is for."


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_reference_is_right_and_a_changed_one_is_wrong(capability: Capability, seed: int) -> None:
    for probe in make_capability(capability, num_probes=30, seed=seed):
        assert check_answer(probe.reference, probe.check).outcome is Outcome.CORRECT, (probe.prompt, probe.reference)
        assert check_answer(mutated(probe), probe.check).outcome is not Outcome.CORRECT, (probe.prompt, mutated(probe))


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_a_polite_answer_is_as_right_as_a_bare_one_where_it_is_not_forbidden(seed: int) -> None:
    for probe in make_probes(num_per_capability=25, seed=seed):
        if probe.capability != "refusal" and not (probe.check.rule == "form" and probe.check.alone):
            polite = f"Sure! Here is my answer:\n\n{probe.reference}\n\nLet me know if you need anything else!"
            assert check_answer(polite, probe.check).outcome is Outcome.CORRECT, (probe.prompt, polite)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, few=st.integers(1, 20), more=st.integers(0, 20))
def test_no_two_probes_are_alike_and_more_of_them_change_none(seed: int, few: int, more: int) -> None:
    probes = make_probes(num_per_capability=few + more, seed=seed)
    assert len({probe.prompt for probe in probes}) == len({probe.id for probe in probes}) == len(probes)
    longer = {probe.id: probe for probe in probes}
    assert all(longer[probe.id] == probe for probe in make_probes(num_per_capability=few, seed=seed))


@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_the_right_answer_to_one_probe_is_rarely_right_for_another(seed: int) -> None:
    """A text that passes by accident would hide what was forgotten."""
    probes = make_probes(num_per_capability=20, seed=seed)
    crossed = [(one, other) for one in probes for other in probes if one.capability == other.capability and one.cluster != other.cluster]
    passed = [pair for pair in crossed if check_answer(pair[0].reference, pair[1].check).outcome is Outcome.CORRECT]
    passed = [pair for pair in passed if pair[0].capability != "refusal"]  # there one answer is right for all
    assert len(passed) <= 0.05 * len(crossed)
