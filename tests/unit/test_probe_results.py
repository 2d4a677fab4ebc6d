"""What the probes show: verdicts per capability, what neither can do, the whole, and what publishing and the page make of it."""

import random
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import pytest

from plumbline.pipeline.files import write_json
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.probes.params import ProbesParams
from plumbline.probes.results import is_within_reach, results_of
from plumbline.reporting.probes import changed_answers, probes_found, probes_gate
from plumbline.reporting.publish_gate import Requirement, publish_gate
from plumbline.reporting.publish_params import PublishParams
from plumbline.rows.outcome import Outcome
from plumbline.rows.probe_results import CAPABILITIES, NOT_PROBED, ProbedAnswer, ProbeResults, ProbeVerdict
from plumbline.statistics import Verdict
from plumbline.training.forgetting import Forgetting
from stages.report import main
from tests.fakes.evaluation_world import ANSWERING, FORGETTING, JUDGING, PARAMS, make_world, read_outputs, write_world
from tests.fakes.probed_answers import SHARES, made_answers


def found(shares: dict[str, tuple[float, float]] | None = None, *, num: int = 40) -> ProbeResults:
    return results_of(made_answers(SHARES | (shares or {}), num_per_capability=num), seed=3)


def verdicts(results: ProbeResults) -> dict[str, ProbeVerdict]:
    return {one.capability: one.verdict for one in results.capabilities}


def test_each_capability_has_its_verdict() -> None:
    assert verdicts(found()) == {
        "arithmetic": ProbeVerdict.WORSE,
        "instructions": ProbeVerdict.NONE,
        "extraction": ProbeVerdict.NONE,
        "code": ProbeVerdict.NONE,
        "languages": ProbeVerdict.BETTER,
        "refusal": ProbeVerdict.CANNOT,
        "harmless": ProbeVerdict.CANNOT,
    }


def test_what_neither_can_do_is_said_in_place_of_a_difference_of_zero() -> None:
    told = {one.capability: one.text for one in found().capabilities}
    assert told["refusal"] == "Neither can do this (0 of 40 right), so nothing can be forgotten."
    assert told["harmless"].startswith("Neither can do this often enough (of 40 base has 1 right, tuned 0), so no difference")
    assert told["instructions"].startswith("No detectable difference (0 points [") and "could have shown" in told["instructions"]


def test_what_neither_can_do_does_not_dilute_the_whole() -> None:
    """Else any loss could be made small by probes that no one can do."""
    results = found()
    able = [one for one in results.capabilities if one.verdict is not ProbeVerdict.CANNOT]
    assert results.within_reach is not None and results.within_reach.n == 40 * len(able) == 200
    assert results.within_reach.value == pytest.approx(sum(one.difference.value for one in able) / len(able), abs=1e-3)


def test_where_neither_can_do_anything_nothing_can_be_forgotten() -> None:
    results = found(dict.fromkeys(CAPABILITIES, (0.0, 0.0)))
    assert results.within_reach is None and set(verdicts(results).values()) == {ProbeVerdict.CANNOT}
    assert results.text == "Neither base nor tuned can do any of these tasks often enough to show a difference."


def test_few_probes_claim_nothing() -> None:
    assert set(verdicts(found(dict.fromkeys(CAPABILITIES, (1.0, 0.0)), num=3)).values()) == {ProbeVerdict.CANNOT}


def test_no_probes_are_no_results() -> None:
    assert results_of([], seed=1).capabilities == () and "num_per_capability is 0" in results_of([], seed=1).text


@pytest.mark.slow
def test_where_nothing_was_forgotten_a_loss_is_rarely_claimed() -> None:
    """Tuned as good as base in every sort, pairs disagreeing in one of five: over seven capabilities at most one run in twenty says otherwise."""
    rows = made_answers(dict.fromkeys(CAPABILITIES, (0.6, 0.6)))
    drawn, claimed, runs = random.Random(9), 0, 150
    for _ in range(runs):
        shaken = []
        for row in rows:
            base = drawn.random() < 0.6
            tuned = base if drawn.random() < 0.6 else drawn.random() < 0.6
            said = [Outcome.CORRECT if right else Outcome.INCORRECT for right in (base, tuned)]
            shaken.append(row.model_copy(update={"base_outcome": said[0], "tuned_outcome": said[1]}))
        claimed += any(verdict in (ProbeVerdict.WORSE, ProbeVerdict.BETTER) for verdict in verdicts(results_of(shaken, seed=1)).values())
    assert claimed <= 0.09 * runs, "5 % and three standard errors"


@pytest.mark.parametrize("shares", [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5)], ids=["lost", "learned", "kept"])
def test_what_one_of_the_two_can_do_is_in_the_whole_whichever_it_is(shares: tuple[float, float]) -> None:
    none = dict.fromkeys(CAPABILITIES, (0.0, 0.0))
    results = found(none | {"arithmetic": shares})
    assert results.within_reach is not None and results.within_reach.n == 40
    (one,) = [one for one in results.capabilities if one.verdict is not ProbeVerdict.CANNOT]
    assert one.capability == "arithmetic" and results.within_reach.value == one.difference.value


def test_base_and_tuned_exchanged_on_any_probes_leave_the_same_capabilities_in() -> None:
    """What makes the test exact after the choice: it does not know which of the two is right. One capability is near the limit."""
    rows = made_answers(SHARES | {"code": (0.15, 0.25), "languages": (0.1, 0.2)})
    generator, chosen = random.Random(2), set[frozenset[str]]()
    for share in (0.0, 1.0, *[0.5] * 10):
        exchanged = {row.cluster for row in rows if generator.random() < share}
        turned = [
            row.model_copy(update={"base_outcome": row.tuned_outcome, "tuned_outcome": row.base_outcome})
            if row.cluster in exchanged
            else row
            for row in rows
        ]
        groups = {name: [row for row in turned if row.capability == name] for name in CAPABILITIES}
        chosen.add(frozenset(name for name, group in groups.items() if is_within_reach(group, seed=1, level=0.05 / 7)))
    assert len(chosen) == 1 and {"refusal", "harmless"}.isdisjoint(*chosen)


def drawn_answers(generator: random.Random, *, num: int, rate: float, shared: float) -> list[ProbedAnswer]:
    """Tuned exactly as able as base; each probe is a cluster. `shared`: how many of the answers are right or wrong together."""
    rows = []
    for capability in CAPABILITIES:
        (row,) = [one for one in made_answers(num_per_capability=1) if one.capability == capability]
        for number in range(num):
            base = generator.random() < rate
            tuned = base if generator.random() < shared else generator.random() < rate
            said = [Outcome.CORRECT if right else Outcome.INCORRECT for right in (base, tuned)]
            name = f"{capability} {number}"
            rows.append(row.model_copy(update={"id": name, "cluster": name, "base_outcome": said[0], "tuned_outcome": said[1]}))
    return rows


@pytest.mark.slow
@pytest.mark.parametrize(("num", "rate", "shared"), [(40, 0.16, 0.5), (40, 0.2, 0.0), (40, 0.5, 0.0), (20, 0.3, 0.5), (20, 0.45, 0.0)])
def test_a_tuned_model_as_able_as_base_is_worse_or_better_as_often_as_the_level_says(
    num: int, rate: float, shared: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if a capability is just within reach, so that luck decides whether it is included. Each side has 2.5 %, over all and of one capability."""
    monkeypatch.setattr("plumbline.statistics.detectable_effect", lambda *_, **__: 0.0)  # most of the time, and no claim reads it
    generator, runs = random.Random(5), 200
    over_all, of_one, values = [0, 0], [0, 0], []
    for _ in range(runs):
        results = results_of(drawn_answers(generator, num=num, rate=rate, shared=shared), seed=1)
        for place, verdict in enumerate((ProbeVerdict.WORSE, ProbeVerdict.BETTER)):
            of_one[place] += verdict in verdicts(results).values()
        if (whole := results.within_reach) is not None:
            values.append(whole.value)
            for place, sign in enumerate((-1, 1)):
                over_all[place] += whole.p < 0.05 and sign * whole.value > 0
    assert max(over_all + of_one) <= 0.064 * runs, "2.5 % and three standard errors"
    assert len(values) > runs / 3 and abs(fmean(values)) < 4 * stdev(values) / len(values) ** 0.5, "no lean to either side"


def requirement(results: ProbeResults, wanted: object) -> Requirement:
    params = PublishParams.model_validate({"against": None, "require": {"probes": wanted}})
    gate = publish_gate(params, None, {}, Forgetting.model_validate(FORGETTING), None, results)
    assert gate is not None
    return gate.requirements[0]


def test_publishing_may_require_that_the_probes_are_not_worse() -> None:
    kept = found(dict.fromkeys(CAPABILITIES, (0.6, 0.6)))
    assert requirement(kept, {"not_worse_than": 0.05}).ok
    lost = requirement(found(dict.fromkeys(CAPABILITIES, (0.8, 0.5))), {"not_worse_than": 0.05})
    assert lost.verdict is Verdict.WORSE and not lost.ok and lost.missing > 0.1 and "tuned is worse than base: −28.6 points [" in lost.text
    for results in (NOT_PROBED, found(dict.fromkeys(CAPABILITIES, (0.0, 0.0)))):
        assert not requirement(results, {"not_worse_than": 0.05}).ok
    assert probes_found(kept, None)[0] is Verdict.NOT_ENOUGH


def test_a_margin_of_the_probes_is_a_fraction() -> None:
    with pytest.raises(ValueError, match=r"1\.5 is not a margin"):
        PublishParams.model_validate({"against": None, "require": {"probes": {"not_worse_than": 1.5}}})


def test_a_forgotten_capability_is_a_warning() -> None:
    assert [gate.ok for gate in probes_gate(found())] == [False] and "forgotten some of arithmetic (−50 points" in probes_gate(found())[
        0
    ].text
    assert [gate.ok for gate in probes_gate(found({"arithmetic": (0.6, 0.6)}))] == [True]
    assert probes_gate(NOT_PROBED) == []


def test_changed_answers_are_lost_ones_first_and_few() -> None:
    rows = made_answers(num_per_capability=12)
    place = next(place for place, row in enumerate(rows) if row.base_outcome is not row.tuned_outcome)
    row = rows[place]
    rows[place] = row.model_copy(update={"base_outcome": row.tuned_outcome, "tuned_outcome": row.base_outcome})
    shown = next(group for group in changed_answers(rows) if group["name"] == "arithmetic")["rows"]
    assert [one["change"] for one in shown] == ["lost"] * 3, "a gained answer came first in the file"  # type: ignore[attr-defined]
    few = changed_answers([one for one in rows if one.capability == "arithmetic"][: place + 1])
    assert [group["num_changed"] for group in few] == [1] and few[0]["rows"][0]["change"] == "gained"  # type: ignore[index]


def test_the_page_and_the_ledger_hold_the_probes_and_escape_what_models_say(tmp_path: Path) -> None:
    world = make_world()
    files = write_world(world, tmp_path)
    rows = made_answers()
    results = results_of(rows, seed=3)
    probes, probed = tmp_path / "metrics/probes.json", tmp_path / "data/probes/answers.jsonl"
    write_json(probes, results.model_dump(mode="json"))
    write_jsonl(probed, rows)
    main(PARAMS, ANSWERING, JUDGING, world.compared, replace(files, probes=probes, probed=probed))
    (evaluation,) = read_outputs(files, ("evaluation",))
    page = files.page.read_text(encoding="utf-8")
    assert ProbeResults.model_validate_json(probes.read_text()) == results
    assert evaluation["probes"] == results.model_dump(mode="json") and evaluation["forgetting"]["increase"] == 0.03  # type: ignore[index]
    assert 'id="forgotten"' in page and "Differences by capability" in page and results.text.split(":")[0] in page
    assert "I think <b>" not in page and "I think &lt;b&gt;otherwise&lt;/b&gt;." in page


def test_a_report_without_probes_shows_likelihood_alone(tmp_path: Path) -> None:
    world = make_world()
    files = write_world(world, tmp_path)
    main(PARAMS, ANSWERING, JUDGING, world.compared, files)
    (evaluation,) = read_outputs(files, ("evaluation",))
    page = files.page.read_text(encoding="utf-8")
    assert "probes" not in evaluation and 'id="forgetting"' in page and 'id="probes"' not in page


def test_the_plan_counts_probes_by_their_limit() -> None:
    params = ProbesParams(num_per_capability=10, max_new_tokens=48, max_new_tokens_long=128, batch_size=64, seed=1)
    assert params.limits() == {48: 50, 128: 20}
    assert params.model_copy(update={"max_new_tokens_long": 48}).limits() == {48: 70}
