"""Write what was decided: the numbers as JSON and CSV, and the page to read."""

from collections.abc import Mapping, Sequence

from plumbline.pages.page import render_page
from plumbline.pipeline.files import write_json, write_text
from plumbline.reporting.decide import Evaluation
from plumbline.reporting.entries import page_entries
from plumbline.reporting.gather import ReportFiles
from plumbline.reporting.gathered import Gathered
from plumbline.reporting.judge_quality import rounded_tree
from plumbline.reporting.ledger import KIND_NAMES
from plumbline.reporting.numbers import confusion_table, context_headline, evaluation_numbers, headline, scores_table
from plumbline.reporting.page import page_context
from plumbline.reporting.params import ReportParams
from plumbline.reporting.publish_gate import gate_record
from plumbline.reporting.publish_params import PublishParams
from plumbline.reporting.tables import MAX_PAIRS_DRAWN, pair_words
from plumbline.reporting.words import arm_words, pair_direction
from plumbline.rows.answer_params import AnswerParams, decoding_of
from plumbline.rows.probe_results import NAMES, ProbeResults, ProbeVerdict
from plumbline.statistics import Direction


def write_numbers(evaluation: Evaluation, gathered: Gathered, params: ReportParams, files: ReportFiles, publishing: PublishParams) -> None:
    """Write the scores, the whole ledger, and the tables of the plots."""
    # If nothing is required, nothing is written, so that a run without a requirement keeps its bytes.
    gate = {} if evaluation.publishing is None else {"publish": gate_record(publishing, evaluation.publishing)}
    write_json(
        files.scores,
        headline(evaluation.ledgers, evaluation.arms.names, complete=evaluation.incomplete is None, problems=evaluation.problems),
    )
    write_json(
        files.evaluation,
        evaluation_numbers(evaluation, development_fraction=params.development_fraction, sha256=gathered.sha256)
        | forgotten_numbers(gathered)
        | gate,
    )
    write_json(files.context, context_headline(evaluation.context_uses, evaluation.prompt_tokens))
    write_text(files.scores_by_kind, scores_table(evaluation.ledgers))
    write_text(
        files.mcq_confusion,
        confusion_table(evaluation.questions, gathered.grades if evaluation.is_scored else [], evaluation.arms.names),
    )


def forgotten_numbers(gathered: Gathered) -> dict[str, object]:
    """What was forgotten, by likelihood and by capability, as other stages have it."""
    found: dict[str, object] = {"forgetting": gathered.forgetting.model_dump()}
    return found | ({"probes": gathered.probes.model_dump(mode="json")} if gathered.probes.capabilities else {})


def write_page(evaluation: Evaluation, gathered: Gathered, params: ReportParams, answering: AnswerParams, files: ReportFiles) -> None:
    """Write the page. If the files are one evaluation, it holds every question with all answers, worst first."""
    entries: dict[str, object] = {"arms": [], "rows": []}
    if evaluation.is_scored:
        entries = page_entries(
            evaluation.questions,
            gathered.answers,
            evaluation.scored,
            gathered.grades,
            gathered.judgements,
            arms=evaluation.arms,
            pairs=evaluation.comparisons or [evaluation.shown_pair],
            contexts=gathered.contexts,
            instructions=answering.instructions.model_dump(),
            overlapping=evaluation.overlapping,
        )
    provenance = {
        "inputs (sha256)": {name: digest[:16] for name, digest in gathered.sha256.items()},
        "base model": gathered.documents["base model"],
        "adapter": gathered.documents["adapter"],
        "decoding": decoding_of(answering.model_dump()),
        "judge": rounded_tree(evaluation.judge),
        "report": params.model_dump(),
        **({"packages": gathered.versions} if gathered.versions else {}),
    }
    page = render_page(
        template=files.template,
        style=files.style,
        script=files.script,
        context=page_context(evaluation, gathered, provenance) | {"left_out": entries.get("left_out", [])},
        entries=entries,
        figures=page_figures(evaluation, gathered.loss) | probe_figures(gathered.probes),
    )
    write_text(files.page, page)


def page_figures(evaluation: Evaluation, loss: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The figures for which there are numbers: name -> SVG."""
    # Imported here: the numbers are written before matplotlib loads (0.3 s).
    from plumbline.pages.figures import draw_loss
    from plumbline.pages.score_figures import ArmScore, PairDifference, draw_differences, draw_scores

    named = [(KIND_NAMES[kind], ledger) for kind, ledger in evaluation.ledgers.items()]
    looks = evaluation.arms.root
    scores = [
        ArmScore(name, arm_words(arm), looks[arm].weights_kind, looks[arm].context_name, counts.estimate.mean, *counts.estimate.ci95)
        for name, ledger in named
        for arm, counts in ledger.arms.items()
        if counts.estimate is not None
    ]
    differences = [
        PairDifference(
            name,
            pair_words(pair),
            looks[pair[1]].weights_kind,
            found.delta,
            *found.ci95,
            pair_direction(compared) in (Direction.BETTER, Direction.WORSE),
        )
        for name, ledger in named
        for pair, compared in list(ledger.pairs.items())[:MAX_PAIRS_DRAWN]
        if (found := compared.comparison) is not None and not ledger.is_alike(pair)
    ]
    figures: dict[str, str] = {}
    if scores:
        figures["scores"] = draw_scores(scores, [(name, ledger.chance) for name, ledger in named if ledger.chance is not None])
    if differences:
        figures["differences"] = draw_differences(differences)
    if loss:
        figures["loss"] = draw_loss(
            [(int(row["step"]), number(row["train_loss"]), number(row["validation_loss"])) for row in loss],
            scores=[(int(row["step"]), float(row["development_score"])) for row in loss if row.get("development_score")],
        )
    return figures


def probe_figures(probes: ProbeResults) -> dict[str, str]:
    """The differences by capability, if any was probed."""
    if not probes.capabilities:
        return {}
    # Imported here, as above.
    from plumbline.pages.probe_figures import CapabilityChange, draw_capabilities

    changes = [
        CapabilityChange(
            NAMES[one.capability],
            one.difference.value,
            *one.difference.ci95,
            one.verdict in (ProbeVerdict.BETTER, ProbeVerdict.WORSE),
            one.verdict is not ProbeVerdict.CANNOT,
        )
        for one in probes.capabilities
    ]
    return {"probes": draw_capabilities(changes)}


def number(cell: str) -> float | None:
    """A cell of a CSV table; empty for no value."""
    return float(cell) if cell else None
