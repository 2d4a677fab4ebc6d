"""What the files of an evaluation say: is it valid, is it complete, who is better, what looks odd. Pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from plumbline.judging.prices import judging_cost_usd, paid_replies
from plumbline.reporting.benchmark_parts import Part, questions_of
from plumbline.reporting.calibration import Calibration, calibrated_by_people
from plumbline.reporting.calibration_words import calibration_gates, calibration_numbers
from plumbline.reporting.care import care_texts, steps_gates
from plumbline.reporting.checkpoint_questions import CheckpointQuestions, checkpoint_questions, claim_problems
from plumbline.reporting.context_use import ContextUse, PromptTokens, context_uses, prompt_tokens
from plumbline.reporting.contrasts import squares_of
from plumbline.reporting.final_part import uses_final_part
from plumbline.reporting.gathered import Gathered
from plumbline.reporting.judge_quality import judge_account, probe_numbers
from plumbline.reporting.ledger import KindLedger, ledgers
from plumbline.reporting.noise_floor import NoiseFloor, held_to_floor, noise_floor, slices_held_to_floor
from plumbline.reporting.noise_words import noise_gates
from plumbline.reporting.panel import Panel, panel_of, scores_of
from plumbline.reporting.panel_words import panel_gates, panel_numbers
from plumbline.reporting.params import JudgeSettings, ReportParams
from plumbline.reporting.probes import probes_gate
from plumbline.reporting.publish_gate import PublishGate, publish_gate
from plumbline.reporting.publish_params import NOTHING_REQUIRED, PublishParams, deciding_pair
from plumbline.reporting.same_prompts import same_prompts_gates, told_alike
from plumbline.reporting.scored import Scored, join_verdicts
from plumbline.reporting.slices import Slice, slices_of
from plumbline.reporting.validity import (
    Gate,
    balance_gate,
    cluster_gates,
    cost_gate,
    coverage_gates,
    engine_problems,
    final_part_gate,
    forgetting_gate,
    identity_problems,
    incompleteness,
    item_problems,
    probe_gates,
    quality_gates,
    reference_problems,
)
from plumbline.reporting.variance_words import drawing_gates
from plumbline.rows.answer_params import GREEDY, AnswerParams, decoding_of
from plumbline.rows.arms import Arms, Pair
from plumbline.rows.question import Kind, Question

NO_LABELS: Mapping[str, object] = {"num_labels": 0, "is_calibrated": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All that is known about the arms, unrounded and without words."""

    arms: Arms
    comparisons: Sequence[Pair]

    decoding: Mapping[str, object]
    """What of section `answer` can change an answer, for every arm."""
    part: Part
    questions: Sequence[Question]
    """Of the reported part."""
    num_questions_in_benchmark: int
    left_out: Mapping[str, int]
    """Reason -> rows of the benchmark file that no arm was asked."""
    num_final_part_uses: int
    num_own_uses: int
    """Of these, by this report."""
    checkpoint: CheckpointQuestions | None
    """The questions that chose the adapter's checkpoint; None if the validation loss did."""
    overlapping: AbstractSet[str]
    """Ids of the questions that are near the training rows."""
    is_scored: bool
    """False if the files are not one evaluation: an answer without a verdict, or with two."""
    scored: Sequence[Scored]
    ledgers: Mapping[Kind, KindLedger]
    slices: Sequence[Slice]
    """The comparisons on the questions of each tag; empty if no question has a tag."""
    context_uses: Sequence[ContextUse]
    prompt_tokens: Sequence[PromptTokens]
    problems: Sequence[str]
    """Why the evaluation is not valid."""
    incomplete: str | None
    """Why the tuned model is not the planned one."""
    gates: Sequence[Gate]
    care: Sequence[str]
    """The warnings in words, those of one cause together."""
    calibration: Calibration | None
    """What people's labels say about the judge and each declared difference; None if nothing is scored."""
    panel: Panel | None
    """What a second judge says; None without one."""
    judge: Mapping[str, object]
    """Who judged, at what cost, how often it was right about answers of known worth, and what people say about it."""
    noise: NoiseFloor | None
    """How one arm changed when it was asked again; None if that was not tried, or nothing is scored."""
    publishing: PublishGate | None
    """Whether all is shown that publishing requires; None if nothing is required, or nothing is scored."""

    @property
    def shown_pair(self) -> Pair:
        """The two arms that order the questions by their difference: those of the first comparison; an arm that answers alone, twice."""
        return self.comparisons[0] if self.comparisons else (self.arms.names[0], self.arms.names[0])

    @property
    def is_valid(self) -> bool:
        return not self.problems


def whole_evaluation_problems(gathered: Gathered) -> list[str]:
    """Why nothing can be scored: the files do not hold one verdict for each answer to each question."""
    return item_problems(gathered.questions, gathered.arms.names, gathered.answers, gathered.grades, gathered.judgements)


def verdict_gates(
    gathered: Gathered,
    by_kind: Mapping[Kind, KindLedger],
    calibration: Calibration | None,
    judging: JudgeSettings,
    *,
    judge_ends: str | None,
    answering: AnswerParams,
) -> list[Gate]:
    """What must be read together with the verdicts: capabilities that were forgotten, unreadable and cut answers, how far the judge can be believed."""
    return [
        *same_prompts_gates(by_kind, gathered),
        *steps_gates(gathered.documents["preflight"], is_trained=bool(gathered.arms.trained)),
        *(probes_gate(gathered.probes) if gathered.arms.trained else []),
        *quality_gates(
            by_kind,
            num_labels=0 if calibration is None else calibration.num_labels,
            uncalibrated=None if calibration is None else calibration.uncalibrated,
            judged_by_model=any(reply.model is not None for judgement in gathered.judgements for reply in judgement.replies),
            judge_model=judging.claude_model,
            judge_ends=judge_ends,
        ),
        *([] if calibration is None else calibration_gates(calibration)),
        *drawing_gates(answering),
    ]


def stopping_gates(gathered: Gathered, judging: JudgeSettings, cost_usd: float | None) -> list[Gate]:
    """The gates that make the evaluation not valid if they are not ok."""
    return [
        *coverage_gates(gathered.judgements, gathered.arms.names),
        *cost_gate(cost_usd, judging.max_cost_usd if judging.backend == "claude" else None),
    ]


def problems_of(gathered: Gathered, broken: Sequence[str], stopping: Sequence[Gate]) -> list[str]:
    """Why the evaluation is not valid. `broken`: why nothing can be scored."""
    return [
        *broken,
        *reference_problems(gathered.questions),
        *engine_problems(gathered.answers, gathered.arms.names),
        *identity_problems(gathered.judgements),
        *(gate.text for gate in stopping if not gate.ok),
    ]


def people_s_opinion(gathered: Gathered, questions: Sequence[Question], params: ReportParams) -> Calibration:
    """What people's labels say about the judge, and about each declared difference on the reported part."""
    return calibrated_by_people(
        gathered.questions,
        gathered.answers,
        gathered.judgements,
        gathered.labels,
        comparisons=gathered.comparisons,
        reported=[question.id for question in questions],
        seed=params.seed,
        second=scores_of(gathered.second_judgements) if gathered.second_judgements else None,
    )


def second_opinion(gathered: Gathered, questions: Sequence[Question], params: ReportParams, judging: JudgeSettings) -> Panel | None:
    """What the second judge says about the reported part, if there is one."""
    if judging.second is None:
        return None
    return panel_of(
        questions,
        gathered.judgements,
        gathered.second_judgements,
        judging.second,
        first_name=judging.name,
        arms=gathered.arms.names,
        comparisons=gathered.comparisons,
        seed=params.seed,
        num_resamples=params.num_resamples,
    )


def judge_checks(probes: object, calibration: Calibration | None) -> dict[str, object]:
    """What probes and people's labels say of the judge, for metrics/evaluation.json."""
    return {"probes": probes, "calibration": NO_LABELS if calibration is None else calibration_numbers(calibration)}


def decide(
    gathered: Gathered,
    params: ReportParams,
    answering: AnswerParams,
    judging: JudgeSettings,
    *,
    judge_ends: str | None,
    publishing: PublishParams = NOTHING_REQUIRED,
) -> Evaluation:
    """Score the reported part and check everything. `judge_ends`: the day on which the judge's model stops answering, if that is known."""
    broken = whole_evaluation_problems(gathered)
    deciding = deciding_pair(publishing, gathered.arms, gathered.comparisons)
    questions = questions_of(gathered.questions, part=params.part, development_fraction=params.development_fraction)
    overlapping = {row.question_id for row in gathered.overlaps if row.score >= params.overlap_score}
    own = gathered.own_uses if uses_final_part(params.part) and not broken else frozenset()
    num_uses = len(gathered.uses | own)
    # Probes and second askings are paid for as answers are, and count against the same cap.
    paid = paid_replies([*gathered.judgements, *gathered.checks])
    cost_usd = judging_cost_usd(paid, judging.claude_model)
    stopping = stopping_gates(gathered, judging, cost_usd)
    scored: Sequence[Scored] = []
    by_kind: Mapping[Kind, KindLedger] = {}
    calibration: Calibration | None = None
    panel: Panel | None = None
    if not broken:
        scored = join_verdicts(questions, gathered.answers, gathered.grades, gathered.judgements)
        by_kind = ledgers(
            questions,
            scored,
            comparisons=gathered.comparisons,
            squares=squares_of(gathered.arms, gathered.comparisons),
            overlapping=overlapping,
            seed=params.seed,
            num_resamples=params.num_resamples,
        )
        calibration = people_s_opinion(gathered, questions, params)
        panel = second_opinion(gathered, questions, params, judging)
    noise = None if broken else noise_floor(gathered, questions, scored, seed=params.seed)
    by_kind = held_to_floor(told_alike(by_kind, questions, gathered), noise, gathered.arms)
    slices = slices_of(questions, scored, gathered.comparisons, seed=params.seed, num_resamples=params.num_resamples)
    checkpoint = checkpoint_questions(gathered.documents["adapter"], questions, gathered.arms.trained)
    probes = probe_numbers(gathered.checks)
    warnings = [
        *([forgetting_gate(gathered.forgetting, params.max_forgetting_nats)] if gathered.arms.trained else []),
        *([final_part_gate(num_uses - len(own))] if params.part == "final" else []),
        *probe_gates(probes),
        balance_gate(questions),
        *cluster_gates(questions),
        *verdict_gates(gathered, by_kind, calibration, judging, judge_ends=judge_ends, answering=answering),
        *noise_gates(noise, gathered.comparisons[0][0] if gathered.comparisons else None),
        *panel_gates(panel),
    ]
    return Evaluation(
        arms=gathered.arms,
        comparisons=gathered.comparisons,
        decoding={**GREEDY, **decoding_of(answering.model_dump())},
        part=params.part,
        questions=questions,
        num_questions_in_benchmark=len(gathered.questions),
        left_out=gathered.left_out,
        num_final_part_uses=num_uses,
        num_own_uses=len(own),
        checkpoint=checkpoint,
        overlapping=overlapping,
        is_scored=not broken,
        scored=scored,
        ledgers=by_kind,
        slices=slices_held_to_floor(slices, noise, gathered.arms),
        context_uses=[] if broken else context_uses(questions, gathered, scored, params),
        prompt_tokens=[] if broken else prompt_tokens(gathered.answers, gathered.arms),
        problems=[*problems_of(gathered, broken, stopping), *claim_problems(checkpoint, part=params.part)],
        incomplete=incompleteness(gathered.answers, gathered.arms, gathered.documents["training"]),
        gates=[*stopping, *warnings],
        care=care_texts(by_kind, warnings, gathered.documents["preflight"]),
        calibration=calibration,
        noise=noise,
        panel=panel,
        publishing=None if broken else publish_gate(publishing, deciding, by_kind, gathered.forgetting, calibration, gathered.probes),
        judge=judge_account(gathered.judgements, judging, paid, cost_usd) | judge_checks(probes, calibration) | panel_numbers(panel),
    )
