"""Say whether the fine-tune helped: the ledger of all verdicts, the paired differences, and the page to read."""

import logging
import sys
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from pydantic import ConfigDict

from plumbline.answering.exam_prompt import PROMPT_VERSION
from plumbline.judging.prices import judging_cost_usd, paid_replies
from plumbline.pages.page import render_page
from plumbline.pipeline.documents import read_object, read_objects, read_table
from plumbline.pipeline.files import sha256_of, write_json, write_text
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.reporting.benchmark_parts import Part, questions_of
from plumbline.reporting.final_part import final_part_words, uses_final_part, uses_of
from plumbline.reporting.final_part_use import FinalPartUse
from plumbline.reporting.final_part_uses import journal_path, note_use, read_journal, read_uses
from plumbline.reporting.human_label import HumanLabel
from plumbline.reporting.judge_quality import calibrated_by_people, probe_numbers, rounded_tree
from plumbline.reporting.ledger import KIND_NAMES, KindLedger, join_verdicts, ledgers
from plumbline.reporting.numbers import (
    confusion_table,
    gate_numbers,
    headline,
    kind_numbers,
    rounded,
    scores_table,
)
from plumbline.reporting.page import confusions, page_context, page_entries
from plumbline.reporting.validity import (
    Gate,
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
from plumbline.reporting.words import verdict_words
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.grade import Grade
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement, RawReply
from plumbline.rows.question import Kind, Question
from plumbline.splitting.overlap import QuestionOverlap
from plumbline.training.forgetting import Forgetting

log = logging.getLogger("report")


class ReportParams(Params):
    """How the numbers are computed and which questions they are about."""

    seed: int
    """Of the bootstrap and, where no exact test exists, of the permutations."""
    num_resamples: int
    part: Part
    """Questions to report on: `development` for choosing among runs, `final` for the claim, `all` where nothing is chosen."""
    development_fraction: float
    """Share of the clusters in the development part, 0-1."""
    overlap_score: float
    """A question counts as overlapping the training rows from this share (0-1) of its word trigrams on."""
    max_forgetting_nats: float
    """Increase of the negative log-likelihood of base's own answers to general prompts, per token, above which a warning is given."""


class JudgeSettings(Params):
    """What the report shows of the judge; the judge stage checks the section as a whole."""

    model_config = ConfigDict(extra="allow")

    backend: str
    model: str | None
    max_cost_usd: float | None


def main(
    params: ReportParams,
    answering: AnswerParams,
    judging: JudgeSettings,
    *,
    benchmark: Path,
    overlap: Path,
    base: Path,
    tuned: Path,
    graded: Path,
    judged: Path,
    data: Path,
    preflight: Path,
    training: Path,
    loss: Path,
    manifest: Path,
    adapter: Path,
    template: Path,
    style: Path,
    script: Path,
    scores: Path,
    evaluation: Path,
    scores_by_kind: Path,
    mcq_confusion: Path,
    page: Path,
    checks: Path | None = None,
    labels: Path | None = None,
    pins: Path | None = None,
    uses: Path | None = None,
    journal: Path | None = None,
) -> None:
    """Write all numbers and the page; exit non-zero, after writing them, where the evaluation is not valid.

    `uses` is the tracked record of who was scored on the final part, `journal` this machine's. Exit non-zero before anything is scored where
    the final part is asked for and the journal knows of uses that the record lacks: the page would count too few.
    """
    everything = list(read_jsonl(benchmark, Question))
    questions = questions_of(everything, part=params.part, development_fraction=params.development_fraction)
    answers = [*read_jsonl(base, Answer), *read_jsonl(tuned, Answer)]
    grades, judgements = list(read_jsonl(graded, Grade)), list(read_jsonl(judged, Judgement))
    trained = read_object(training)
    forgetting = Forgetting.model_validate(trained["forgetting"])
    # The file holds two other sorts of line, which are the business of `split`.
    near = [QuestionOverlap.model_validate(row) for row in read_objects(overlap) if row.get("record") == "question"]
    overlapping = {row.question_id for row in near if row.score >= params.overlap_score}

    # Coverage and identities are those of the whole files, whichever part is reported.
    broken = item_problems(everything, answers, grades, judgements)
    # Probes and second askings are paid for as answers are, and count against the same cap.
    checked = list(read_jsonl(checks, JudgeCheck)) if checks else []
    paid = paid_replies([*judgements, *checked])
    cost = judging_cost_usd(paid, judging.model)
    gates = [*coverage_gates(judgements), *cost_gate(cost, judging.max_cost_usd if judging.backend == "claude" else None)]
    problems = [*broken, *reference_problems(everything), *engine_problems(answers), *identity_problems(judgements)]
    problems += [gate.text for gate in gates if not gate.ok]
    incomplete = incompleteness(answers, trained)

    inputs = {
        "benchmark": benchmark,
        "overlap": overlap,
        "base answers": base,
        "tuned answers": tuned,
        "grades": graded,
        "judgements": judged,
    }
    hashes = {name: sha256_of(path) for name, path in inputs.items()}
    own = FinalPartUse(benchmark_sha256=hashes["benchmark"], tuned_answers_sha256=hashes["tuned answers"])
    counted = uses_of(read_uses(uses), own.benchmark_sha256) if uses else frozenset[FinalPartUse]()
    if uses_final_part(params.part) and not broken:
        counted |= {own}
    if journal is not None and not broken:
        note_look(own, counted, part=params.part, journal=journal)

    scored = [] if broken else join_verdicts(questions, answers, grades, judgements)
    by_kind: dict[Kind, KindLedger] = {}
    if not broken:
        by_kind = ledgers(questions, scored, overlapping=overlapping, seed=params.seed, num_resamples=params.num_resamples)
    probes = probe_numbers(checked)
    agreement: dict[str, object] = {"num_labels": 0, "is_calibrated": False}
    if labels and not broken:
        agreement = calibrated_by_people(everything, answers, judgements, read_jsonl(labels, HumanLabel), seed=params.seed)
    gates.append(forgetting_gate(forgetting, params.max_forgetting_nats))
    if params.part == "final":
        gates.append(final_part_gate(len(counted)))
    gates += probe_gates(probes)
    asked_model = any(reply.model is not None for judgement in judgements for reply in judgement.replies)
    gates += quality_gates(
        by_kind,
        calibrated=agreement["is_calibrated"] is True,
        judged_by_model=asked_model,
        judge_model=judging.model if judging.backend == "claude" else None,
        judge_ends=announced_end(judging),
    )

    numbers = headline(by_kind, complete=incomplete is None, problems=problems)
    write_json(scores, numbers)
    judge = judge_account(judgements, judging, paid, cost) | {"probes": rounded_tree(probes), "calibration": rounded_tree(agreement)}
    write_json(
        evaluation,
        {
            "schema": "plumbline-evaluation/1",
            "valid": not problems,
            "complete": incomplete is None,
            "invalid_because": problems,
            "incomplete_because": incomplete,
            "verdict": verdict_words(by_kind) if not problems else None,
            "prompt_version": PROMPT_VERSION,
            "part": {
                "name": params.part,
                "development_fraction": rounded(params.development_fraction),
                "num_questions": len(questions),
                "num_questions_in_benchmark": len(everything),
                "num_final_part_uses": len(counted),
            },
            "kinds": {kind: kind_numbers(ledger) for kind, ledger in by_kind.items()},
            "judge": judge,
            "gates": [gate_numbers(gate) for gate in gates],
            "sha256": hashes,
        },
    )
    write_text(scores_by_kind, scores_table(by_kind))
    write_text(mcq_confusion, confusion_table(questions, [] if broken else grades))

    entries: dict[str, object] = {"arms": [], "rows": []}
    if not broken:
        instructions = answering.instructions.model_dump()
        entries = page_entries(questions, answers, scored, grades, judgements, instructions=instructions, overlapping=overlapping)
    provenance = {
        "inputs (sha256)": {name: digest[:16] for name, digest in hashes.items()},
        "base model": read_object(manifest),
        "adapter": read_object(adapter),
        "decoding": answering.model_dump(),
        "judge": judge,
        "report": params.model_dump(),
        **({"packages": pinned_versions(pins)} if pins else {}),
    }
    context = page_context(
        part=params.part,
        part_words=""
        if broken
        else final_part_words(len(counted), part=params.part, num_questions=len(questions), num_questions_in_benchmark=len(everything)),
        ledgers=by_kind,
        scored=scored,
        confusions=confusions(questions, grades) if "mcq" in by_kind else [],
        problems=problems,
        incomplete=incomplete,
        gates=gates,
        documents=[
            ("training", "run", trained),
            ("data", "rows", read_object(data)),
        ],
        preflight=read_object(preflight),
        forgetting=forgetting,
        provenance=provenance,
    )
    figures = page_figures(by_kind, read_table(loss))
    write_text(page, render_page(template=template, style=style, script=script, context=context, entries=entries, figures=figures))
    tell(by_kind, problems, incomplete, gates, page)
    if problems:
        sys.exit(f"report: not valid: {'; '.join(problems)}. The numbers were written with valid: false; see {page}.")


def note_look(own: FinalPartUse, counted: Set[FinalPartUse], *, part: Part, journal: Path) -> None:
    """Write this look at the final part down before it is made; refuse a claim that would count too few of them."""
    missing = uses_of(read_journal(journal), own.benchmark_sha256) - counted - {own}
    if missing:
        text = (
            f"{len(missing)} more tuned models were scored on the final part here than metrics/final_part_uses.jsonl has: "
            "run plumbline final-part, which adds them"
        )
        if part == "final":
            sys.exit(f"report: {text}, then this again. Nothing was scored: the claim would not say how often the part was used.")
        log.warning("%s, then dvc repro", text)
    if uses_final_part(part):
        note_use(journal, own)


def judge_account(
    judgements: Sequence[Judgement], judging: JudgeSettings, paid: Sequence[RawReply], cost_usd: float | None
) -> dict[str, object]:
    """Who judged, how often, what came of it, and what all that was paid for cost: probes and second askings included."""
    replies = [reply for judgement in judgements for reply in judgement.replies]
    causes = [judgement.cause for judgement in judgements]
    return {
        "backend": judging.backend,
        "judge_id": ", ".join(sorted({judgement.judge_id for judgement in judgements})) or None,
        "model_requested": judging.model if judging.backend == "claude" else None,
        "model_returned": ", ".join(sorted({reply.model for reply in replies if reply.model is not None})) or None,
        "num_judgements": len(judgements),
        "num_replies": len(replies),
        "causes": {cause: causes.count(cause) for cause in sorted(set(causes))},
        "input_tokens": sum(reply.input_tokens for reply in paid),
        "output_tokens": sum(reply.output_tokens for reply in paid),
        "cost_usd": rounded(cost_usd),
    }


def pinned_versions(pins: Path) -> dict[str, str]:
    """Package -> version of a requirements file: what made weights and answers."""
    lines = (line.split(";")[0].strip() for line in pins.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))


def announced_end(judging: JudgeSettings) -> str | None:
    """When the judge's model stops answering, if that is known."""
    if judging.backend != "claude" or judging.model is None:
        return None
    # Imported here: without a model as judge, the report must not wait for the SDK (0.7 s).
    from plumbline.judging.end import end_of_life

    return end_of_life(judging.model)


def page_figures(by_kind: Mapping[Kind, KindLedger], loss: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The figures for which there are numbers."""
    # Imported here: the numbers are read and written before matplotlib is waited for (0.3 s).
    from plumbline.pages.figures import draw_differences, draw_loss, draw_scores

    figures: dict[str, str] = {}
    rows = [
        (KIND_NAMES[kind], arm, counts.estimate.mean, *counts.estimate.ci95)
        for kind, ledger in by_kind.items()
        for arm, counts in ledger.arms.items()
        if counts.estimate is not None
    ]
    if rows:
        figures["scores"] = draw_scores(
            rows, [(KIND_NAMES[kind], ledger.chance) for kind, ledger in by_kind.items() if ledger.chance is not None]
        )
    differences = [
        (KIND_NAMES[kind], ledger.comparison.delta, *ledger.comparison.ci95)
        for kind, ledger in by_kind.items()
        if ledger.comparison is not None
    ]
    if differences:
        figures["differences"] = draw_differences(differences)
    if loss:
        points = [(int(row["step"]), number(row["train_loss"]), number(row["validation_loss"])) for row in loss]
        figures["loss"] = draw_loss(points)
    return figures


def number(cell: str) -> float | None:
    """A cell of a CSV table; empty for no value."""
    return float(cell) if cell else None


def tell(by_kind: Mapping[Kind, KindLedger], problems: Sequence[str], incomplete: str | None, gates: Sequence[Gate], page: Path) -> None:
    """The result in the terminal."""
    if not problems:
        log.info("%s", verdict_words(by_kind))
    if incomplete is not None:
        log.warning("not complete: %s", incomplete)
    for gate in gates:
        if gate.severity == "warning" and not gate.ok:
            log.warning("%s", gate.text)
    log.info("read %s", page)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("report", ReportParams),
            load_params("answer", AnswerParams),
            load_params("judge", JudgeSettings),
            benchmark=Path("data/split/benchmark.jsonl"),
            overlap=Path("data/split/overlap.jsonl"),
            base=Path("data/answers/base.jsonl"),
            tuned=Path("data/answers/tuned.jsonl"),
            graded=Path("data/grades/graded.jsonl"),
            judged=Path("data/grades/judged.jsonl"),
            checks=Path("data/grades/judge_checks.jsonl"),
            labels=Path("labels/explanations.jsonl"),
            pins=Path("requirements-model.txt"),
            uses=Path("metrics/final_part_uses.jsonl"),
            journal=journal_path(),
            data=Path("metrics/data.json"),
            preflight=Path("metrics/preflight.json"),
            training=Path("metrics/train.json"),
            loss=Path("metrics/loss.csv"),
            manifest=Path("models/base/manifest.json"),
            adapter=Path("models/adapter/training.json"),
            template=Path("plumbline/pages/templates/report.html.j2"),
            style=Path("plumbline/pages/templates/report.css"),
            script=Path("plumbline/pages/templates/report.js"),
            scores=Path("metrics/scores.json"),
            evaluation=Path("metrics/evaluation.json"),
            scores_by_kind=Path("metrics/scores_by_kind.csv"),
            mcq_confusion=Path("metrics/mcq_confusion.csv"),
            page=Path("metrics/report.html"),
        )
