"""Read all that the report is about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.answering.noise_plan import NoisePlan
from plumbline.pipeline.documents import read_object, read_objects, read_table
from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.reporting.final_part import uses_of
from plumbline.reporting.final_part_uses import read_uses
from plumbline.reporting.gathered import Gathered
from plumbline.reporting.human_label import HumanLabel
from plumbline.reporting.second_asking import SecondAsking
from plumbline.rows.answer import Answer
from plumbline.rows.arms import NO_CONTEXT, Arms, Pair
from plumbline.rows.context import Context
from plumbline.rows.grade import Grade
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement
from plumbline.rows.probe_results import NOT_PROBED, ProbedAnswer, ProbeResults
from plumbline.rows.question import Question
from plumbline.splitting.overlap import QuestionOverlap
from plumbline.training.forgetting import Forgetting


@dataclass(frozen=True, kw_only=True)
class NoiseFiles:
    """What was answered a second time, and its verdicts."""

    plan: Path
    answers: Path
    graded: Path
    judged: Path


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """What the stage reads and writes."""

    benchmark: Path
    overlap: Path
    answers: Mapping[str, Path]
    """Arm -> its answers."""
    graded: Path
    judged: Path
    data: Path
    preflight: Path
    training: Path
    loss: Path
    manifest: Path
    adapter: Path
    template: Path
    style: Path
    script: Path
    scores: Path
    context: Path
    evaluation: Path
    scores_by_kind: Path
    mcq_confusion: Path
    page: Path
    checks: Path | None = None
    """Probes of the judge; None: it was not probed."""
    second: Path | None = None
    """Judgements of the second judge, on a share of the questions."""
    labels: Path | None = None
    """People's verdicts on answers, to compare the judge with."""
    pins: Path | None = None
    """Requirements file of the packages that made weights and answers."""
    uses: Path | None = None
    """The tracked record of who was scored on the final part."""
    probes: Path | None = None
    """What was forgotten, by capability; None: nothing was probed."""
    probed: Path | None = None
    """The probes with both answers."""
    contexts: Mapping[str, Path] | None = None
    """Name of a context -> its file; None: the page shows no contexts."""
    journal: Path | None = None
    """The same of this machine, which no run can forget to write."""
    noise: NoiseFiles | None = None
    """None: no one answered a second time."""


def gather(files: ReportFiles, arms: Arms, comparisons: Sequence[Pair]) -> Gathered:
    """Read all inputs. ValueError, with file and line, for one that cannot be read."""
    inputs = {
        "benchmark": files.benchmark,
        "overlap": files.overlap,
        **{f"{arm} answers": path for arm, path in files.answers.items()},
        "grades": files.graded,
        "judgements": files.judged,
        **({} if files.noise is None else {"answers asked again": files.noise.answers}),
    }
    second = list(read_jsonl(files.second, Judgement)) if files.second else []
    if files.second is not None and second:
        inputs["judgements of the second judge"] = files.second
    sha256 = {name: sha256_of(path) for name, path in inputs.items()}
    training = read_object(files.training)
    overlap_lines = list(read_objects(files.overlap))
    return Gathered(
        questions=list(read_jsonl(files.benchmark, Question)),
        arms=arms,
        comparisons=comparisons,
        answers=[answer for name in arms.names for answer in read_jsonl(files.answers[name], Answer)],
        grades=list(read_jsonl(files.graded, Grade)),
        judgements=list(read_jsonl(files.judged, Judgement)),
        checks=list(read_jsonl(files.checks, JudgeCheck)) if files.checks else [],
        second_judgements=second,
        labels=list(read_jsonl(files.labels, HumanLabel)) if files.labels else [],
        # The file holds two other sorts of line, which are not for this page.
        overlaps=[QuestionOverlap.model_validate(row) for row in overlap_lines if row.get("record") == "question"],
        left_out=dict(sorted(Counter(str(row["reason"]) for row in overlap_lines if row.get("record") == "left_out_question").items())),
        forgetting=Forgetting.model_validate(training["forgetting"]),
        uses=uses_of(read_uses(files.uses), sha256["benchmark"]) if files.uses else frozenset(),
        sha256=sha256,
        documents={
            "training": training,
            "data": read_object(files.data),
            "preflight": read_object(files.preflight),
            "base model": read_object(files.manifest),
            "adapter": read_object(files.adapter),
        },
        loss=read_table(files.loss),
        probes=ProbeResults.model_validate_json(files.probes.read_text(encoding="utf-8")) if files.probes else NOT_PROBED,
        probed=list(read_jsonl(files.probed, ProbedAnswer)) if files.probed else [],
        contexts=used_contexts(files.contexts or {}, arms),
        versions=pinned_versions(files.pins) if files.pins else {},
        asked_twice=None if files.noise is None else second_asking(files.noise),
    )


def second_asking(files: NoiseFiles) -> SecondAsking:
    """Read what one arm answered in another batch plan."""
    return SecondAsking(
        plan=NoisePlan.model_validate(read_object(files.plan)),
        answers=list(read_jsonl(files.answers, Answer)),
        grades=list(read_jsonl(files.graded, Grade)),
        judgements=list(read_jsonl(files.judged, Judgement)),
    )


def used_contexts(files: Mapping[str, Path], arms: Arms) -> dict[str, dict[str, Context]]:
    """The contexts that arms use, in the order of the arms: name -> question -> context."""
    names = dict.fromkeys(arm.context_name for arm in arms.root.values())
    return {
        name: {context.id: context for context in read_jsonl(files[name], Context)}
        for name in names
        if name in files and name != NO_CONTEXT
    }


def pinned_versions(pins: Path) -> dict[str, str]:
    """Package -> version of a requirements file."""
    lines = (line.split(";")[0].strip() for line in pins.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))
