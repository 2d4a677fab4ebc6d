"""Valid, complete, good: three questions about a run, each with its own consequence. Pure.

Valid: the numbers mean what they say; else the metrics say `valid: false` and the stage exits non-zero.
Complete: the planned training ran to its end; else `complete: false`, a banner, exit 0.
Good: nothing looks odd; else warnings. A tuned model that is worse is valid, complete and good.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from plumbline.intervals import units_of
from plumbline.judging.causes import RETRYABLE, JudgeCause
from plumbline.number_text import counted
from plumbline.reporting.judge_quality import named_probes
from plumbline.reporting.ledger import KIND_NAMES, KindLedger
from plumbline.reporting.slices import MIN_CLUSTERS, MIN_QUESTIONS
from plumbline.rows.answer import ELSEWHERE, Answer
from plumbline.rows.arms import Arms
from plumbline.rows.choice_balance import unbalanced_letters
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Kind, Question
from plumbline.training.forgetting import Forgetting

MIN_COVERAGE = 0.99
"""Share of due judgements that must have a verdict, in each arm."""
MAX_UNPARSED_RATE = 0.20
MAX_TRUNCATION_RATE = 0.02
NOT_DUE = frozenset({JudgeCause.JUDGE_OFF, JudgeCause.NO_KEY_POINTS})
"""No one was asked, and no one should have been: the judge did not fail."""
NAMED = 5
"""How many ids an error text lists."""


class Severity(StrEnum):
    """What follows from a gate that is not ok."""

    INVALID = "invalid"
    """The run stops."""
    WARNING = "warning"
    """It is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One check with its limit, for the ledger and the page."""

    name: str
    severity: Severity
    ok: bool
    value: float | None
    limit: float | None
    text: str
    """What was found, in a sentence; empty if ok."""


def listed(ids: Iterable[str]) -> str:
    """The first few of some ids, and how many more there are."""
    ordered = sorted(ids)
    more = f" and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
    return ", ".join(ordered[:NAMED]) + more


Numbered = Answer | Grade | Judgement


def sample_problems(rows: Sequence[Numbered], due: Collection[str], name: str) -> list[str]:
    """Each due id once, or each of its samples once, and no other id."""
    if all(row.sample is None for row in rows):
        return id_problems([row.id for row in rows], due, name)
    twice = [f"{id} (sample {sample})" for (id, sample), count in Counter((row.id, row.sample) for row in rows).items() if count > 1]
    ids = {row.id for row in rows}
    mixed = {row.id for row in rows if row.sample is None} & {row.id for row in rows if row.sample is not None}
    problems = [f"{name}: more than one for {listed(twice)}"] if twice else []
    problems += [f"{name}: answers with and without a sample number for {listed(mixed)}"] if mixed else []
    return problems + id_problems(sorted(ids), due, name)


def unlike_problems(answers: Sequence[Answer], verdicts: Sequence[Grade | Judgement], due: Collection[str], name: str) -> list[str]:
    """A verdict for each sample and for nothing else; the ids were checked before."""
    said = {(row.id, row.sample) for row in answers if row.id in due}
    told = {(row.id, row.sample) for row in verdicts if row.id in due}
    shared = {id for id, _ in said} & {id for id, _ in told}
    found = {id for id, _ in said ^ told} & shared
    return [f"{name}: there is not one for each sample of {listed(found)}"] if found else []


def id_problems(found: Sequence[str], due: Collection[str], name: str) -> list[str]:
    """Each due id exactly once, and no other."""
    problems: list[str] = []
    if repeated := [key for key, count in Counter(found).items() if count > 1]:
        problems.append(f"{name}: more than one for {listed(repeated)}")
    if missing := set(due) - set(found):
        problems.append(f"{name}: none for {listed(missing)}")
    if strangers := set(found) - set(due):
        problems.append(f"{name}: not in the benchmark, or of another kind: {listed(strangers)}")
    return problems


def item_problems(
    questions: Sequence[Question], arms: Sequence[str], answers: Sequence[Answer], grades: Sequence[Grade], judgements: Sequence[Judgement]
) -> list[str]:
    """Why these files are not one evaluation. In one, every arm answers the whole benchmark, and each answer has one verdict."""
    ruled = {question.id for question in questions if question.kind != "explanation"}
    judged = {question.id for question in questions if question.kind == "explanation"}
    problems = ["the benchmark holds no question"] if not questions else []
    if repeated := [key for key, count in Counter(question.id for question in questions).items() if count > 1]:
        problems.append(f"benchmark: more than one question with id {listed(repeated)}")
    for arm in arms:
        said = [answer for answer in answers if answer.arm == arm]
        graded = [grade for grade in grades if grade.arm == arm]
        told = [judgement for judgement in judgements if judgement.arm == arm]
        problems += sample_problems(said, ruled | judged, f"{arm} answers")
        for verdicts, ids, name in ((graded, ruled, f"{arm} grades"), (told, judged, f"{arm} judgements")):
            problems += sample_problems(verdicts, ids, name) or unlike_problems(said, verdicts, ids, name)
    return problems


def reference_problems(questions: Sequence[Question]) -> list[str]:
    """Questions with a target that cannot be right."""
    bad: list[str] = []
    for question in questions:
        if question.answer_kind == "letters":
            fine = set(question.target.split(",")) <= question.choices.keys()
        elif question.answer_kind == "expression":
            fine = bool(question.target.strip())
        elif question.kind == "mcq":
            fine = question.target in question.choices if question.choices else bool(re.fullmatch("[A-Z]", question.target))
        elif question.kind == "numeric":
            fine = any(character.isdigit() for character in question.target)
        else:
            fine = bool(question.target.strip() or question.key_points)
        if not fine:
            bad.append(question.id)
    return [f"references: no usable target for {listed(bad)}"] if bad else []


def identity_problems(judgements: Sequence[Judgement]) -> list[str]:
    """Scores of two judges are not on one scale, whichever arm they are in."""
    problems: list[str] = []
    if len(identities := {judgement.judge_id for judgement in judgements}) > 1:
        problems.append(f"judge: {len(identities)} identities ({listed(identities)}) in one evaluation; judge all arms again with one")
    models = {reply.model for judgement in judgements for reply in judgement.replies if reply.model is not None}
    if len(models) > 1:
        problems.append(f"judge: the API answered as {listed(models)}; pin one model and judge again")
    return problems


def engine_problems(answers: Sequence[Answer], arms: Sequence[str]) -> list[str]:
    """Another engine, or another version of one, writes another text: arms must not differ by it. Answers made elsewhere are exempt."""
    engines = {answer.engine for answer in answers} - {ELSEWHERE}
    if len(engines) < 2:
        return []
    by_arm = "; ".join(f"{arm}: {listed({answer.engine for answer in answers if answer.arm == arm})}" for arm in arms)
    return [f"engine: the answers were generated by {len(engines)} engines ({by_arm}); answer all arms again with one"]


def is_due(judgement: Judgement) -> bool:
    """Whether a judge should have judged this answer."""
    return judgement.cause not in NOT_DUE


def remedy(causes: Collection[str]) -> str:
    """How to get the missing verdicts, for the causes found: another run helps only if a reply may still come."""
    told: list[str] = []
    if any(cause in RETRYABLE for cause in causes):
        told.append("run dvc repro again")
    if final := sorted(cause for cause in causes if cause not in RETRYABLE):
        ways = "set another judge.model, or raise judge.epoch, which has all explanations judged again"
        if JudgeCause.TRUNCATED in final:
            ways = f"raise judge.max_tokens, {ways}"
        told.append(f"{', '.join(final)} {'is' if len(final) == 1 else 'are'} final, and another run does not ask again: {ways}")
    return "; ".join(told)


def coverage_gates(judgements: Sequence[Judgement], arms: Sequence[str]) -> list[Gate]:
    """Share of due judgements that have a verdict, per arm."""
    gates: list[Gate] = []
    for arm in arms:
        due = [judgement for judgement in judgements if judgement.arm == arm and is_due(judgement)]
        if due:
            covered = sum(judgement.outcome is not Outcome.UNJUDGED for judgement in due)
            coverage = covered / len(due)
            causes = Counter(judgement.cause for judgement in due if judgement.outcome is Outcome.UNJUDGED)
            why = ", ".join(f"{cause}: {count}" for cause, count in sorted(causes.items()))
            text = f"only {covered} of {len(due)} {arm} explanations have a verdict ({why}); {remedy(causes)}"
            ok = coverage >= MIN_COVERAGE
            gates.append(
                Gate(
                    name=f"judge_coverage_{arm}",
                    severity=Severity.INVALID,
                    ok=ok,
                    value=coverage,
                    limit=MIN_COVERAGE,
                    text="" if ok else text,
                )
            )
    return gates


def cost_gate(cost_usd: float | None, max_cost_usd: float | None) -> list[Gate]:
    """What judging cost against its cap; no gate if no one was paid or no cap is set."""
    if cost_usd is None or max_cost_usd is None:
        return []
    ok = cost_usd <= max_cost_usd
    text = f"judging cost {cost_usd:.2f} USD, above judge.max_cost_usd = {max_cost_usd:.2f}"
    return [Gate(name="judge_cost_usd", severity=Severity.INVALID, ok=ok, value=cost_usd, limit=max_cost_usd, text="" if ok else text)]


def probe_gates(probes: Mapping[str, object]) -> list[Gate]:
    """Whether the judge gave answers of known worth their known score; no gate if it was not probed."""
    asked, failed = probes["num_canaries"], probes["num_canaries_failed"]
    if not asked:
        return []
    text = f"the judge misjudged {failed} of {counted(int(str(asked)), 'answer')} of known worth{named_probes(probes)}"
    ok = failed == 0
    return [Gate(name="judge_canaries", severity=Severity.WARNING, ok=ok, value=None, limit=None, text="" if ok else text)]


def quality_gates(
    ledgers: Mapping[Kind, KindLedger],
    *,
    num_labels: int,
    uncalibrated: str | None,
    judged_by_model: bool,
    judge_model: str | None = None,
    judge_ends: str | None = None,
) -> list[Gate]:
    """What does not stop a run, but must be read together with its numbers."""
    gates: list[Gate] = []

    def warn(name: str, ok: bool, text: str, value: float | None = None, limit: float | None = None) -> None:
        gates.append(Gate(name=name, severity=Severity.WARNING, ok=ok, value=value, limit=limit, text="" if ok else text))

    for kind, ledger in ledgers.items():
        name = KIND_NAMES[kind]
        for arm, counts in ledger.arms.items():
            unparsed, cut = counts.unparsed_rate, counts.truncation_rate
            warn(
                f"unparsed_{kind}_{arm}",
                unparsed <= MAX_UNPARSED_RATE,
                f"{counts.num_unparsed} of {counts.num_answers} {arm} answers on {name} could not be read: the score measures the format as well",
                unparsed,
                MAX_UNPARSED_RATE,
            )
            warn(
                f"truncated_{kind}_{arm}",
                cut <= MAX_TRUNCATION_RATE,
                f"{counts.num_truncated} of {counts.num_answers} {arm} answers on {name} were cut at answer.max_new_tokens; raise it",
                cut,
                MAX_TRUNCATION_RATE,
            )
            only = next(iter(counts.histogram), None)
            warn(
                f"scores_vary_{kind}_{arm}",
                counts.n < 2 or len(counts.histogram) != 1,
                f"every {arm} score on {name} is {only}: look at the answers before you believe it",
            )
    if "explanation" in ledgers and any(pair.comparison is not None for pair in ledgers["explanation"].pairs.values()):
        who = "the judge" if judged_by_model else "the key-point rule"
        why = uncalibrated if num_labels else f"no one has compared {who} with human verdicts"
        warn("judge_calibrated", uncalibrated is None, f"uncalibrated: {why}")
    if judge_model is not None:
        text = f"the judge {judge_model} stops answering on {judge_ends}: choose its successor and run both on the same answers before that"
        warn("judge_model_stays", judge_ends is None, text)
    return gates


def balance_gate(questions: Sequence[Question]) -> Gate:
    """Whether an arm that always names one letter would score near chance."""
    text = unbalanced_letters(questions)
    return Gate(name="letters_balanced", severity=Severity.WARNING, ok=text is None, value=None, limit=None, text=text or "")


def cluster_gates(questions: Sequence[Question]) -> list[Gate]:
    """A warning for each kind with questions in so few clusters, or so uneven ones, that an interval of 95 % is not known to hold."""
    gates: list[Gate] = []
    for kind, name in KIND_NAMES.items():
        sizes = Counter(question.cluster for question in questions if question.kind == kind)
        n, units = sizes.total(), units_of(np.zeros(sizes.total()), list(sizes.elements()))
        if n < MIN_QUESTIONS or not units.clustered or units.effective_number >= MIN_CLUSTERS:
            continue
        least = f"an interval of 95 % is known to hold from {MIN_CLUSTERS} on, so add questions in new clusters"
        uneven = f", the largest of {max(sizes.values())}, and count as about {units.effective_number:.1f} clusters of equal size"
        text = f"the {n} questions on {name} lie in {counted(len(sizes), 'cluster')}{uneven if units.effective_number < len(sizes) else ''}: {least}"
        gates.append(
            Gate(
                name=f"clusters_{kind}",
                severity=Severity.WARNING,
                ok=False,
                value=units.effective_number,
                limit=float(MIN_CLUSTERS),
                text=text,
            )
        )
    return gates


def forgetting_gate(forgetting: Forgetting, max_forgetting_nats: float) -> Gate:
    """Whether tuned would still say what base said outside the domain."""
    ok = forgetting.increase <= max_forgetting_nats
    is_open = forgetting.increase_low is not None and forgetting.increase_low <= 0
    text = (
        f"tuned {'may have' if is_open else 'has'} forgotten some of what base could do{' (it is not shown: the interval holds 0)' if is_open else ''}: "
        f"on {forgetting.num_prompts} general prompts its loss on base's own answers is {forgetting.increase:.2f} nats a token higher than base's (limit {max_forgetting_nats:g}); try train.replay_fraction=0.05, "
        "a lower learning rate or fewer epochs"
    )
    return Gate(
        name="forgetting_nats",
        severity=Severity.WARNING,
        ok=ok,
        value=forgetting.increase,
        limit=max_forgetting_nats,
        text="" if ok else text,
    )


def final_part_gate(num_others: int) -> Gate:
    """Whether only this run has used the part that is kept for one claim; its own arms are declared and do not count."""
    ok = num_others == 0
    text = (
        f"the final part has been used for {counted(num_others, 'other arm')} before: the best of several looks better than it is; "
        "choose on the development part, and claim on questions that no one has looked at"
    )
    return Gate(name="final_part_uses", severity=Severity.WARNING, ok=ok, value=float(num_others), limit=0.0, text="" if ok else text)


def incompleteness(answers: Sequence[Answer], arms: Arms, training: Mapping[str, object]) -> str | None:
    """Why an arm is not the planned one, in words; None if each is. The training counts only if its adapter answers."""
    if arms.trained and training.get("complete") is not True:
        done, planned = training.get("num_done_steps"), training.get("num_planned_steps")
        if isinstance(done, int) and isinstance(planned, int):
            return f"training ended after {done} of {planned} planned steps"
        return "the adapter comes from a run that was not trained to its planned end"
    marked = sorted({answer.arm for answer in answers if not answer.complete})
    if marked:
        return f"the answers of {', '.join(marked)} are marked as those of a model that was not trained to its planned end"
    return None
