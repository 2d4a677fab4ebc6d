"""Compare runs question by question, as a table and a page. Touches git, DVC's cache, metrics/comparison.html and the calendar."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from plumbline.commands.final_part import known_uses
from plumbline.commands.outputs import refuse_files_of_the_run, refuse_overwriting
from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.bridge_file import recorded_bridges
from plumbline.comparing.comparability import marks
from plumbline.comparing.compared_run import Run, chosen_questions, first_pair, identity_of
from plumbline.comparing.comparison_page import page_context
from plumbline.comparing.comparison_tables import matrix, text_table
from plumbline.comparing.differences import compare_runs
from plumbline.comparing.question_changes import entries
from plumbline.comparing.regrading import graded_alike
from plumbline.comparing.revisions import (
    WORKSPACE,
    ContentGone,
    NotThere,
    Source,
    experiments,
    open_run,
    read_evaluation,
    read_rows,
    read_settings,
)
from plumbline.comparing.settings import compare_settings, setting_rows, settings_numbers, settings_of, settings_table
from plumbline.comparing.trade_offs import TradeOff, trade_off_rows, trade_off_table, trade_offs
from plumbline.comparing.uncertainty import uncertainty_numbers, uncertainty_of, uncertainty_rows, uncertainty_table
from plumbline.grading.params import GradeParams
from plumbline.grading.tolerance import Tolerance
from plumbline.judging.end import end_of_life, end_warning, today
from plumbline.keeping.committed_results import leaves, locked_outs
from plumbline.pages.page import render_page
from plumbline.params_sections import unknown_sections
from plumbline.pipeline.expanded_stages import expanded_stages, value_at
from plumbline.pipeline.files import write_json, write_text
from plumbline.pipeline.params import read_yaml, section_of
from plumbline.reporting.final_part import uses_of
from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Question

TEMPLATES = Path(__file__).resolve().parents[1] / "pages/templates"
SEED = 11
NUM_RESAMPLES = 10_000
JUDGING = {"comparisons", "grade", "judge", "publish", "report"}
"""Sections that make no answer. A comparison grades again with the present tolerances, and knows each judge by its verdicts."""


def load_run(root: Path, name: str, *, arm: str | None) -> Run:
    """Read all of one run; `arm`: the arm to compare; None for that of its first comparison."""
    source = open_run(root, name)
    evaluation = read_evaluation(source, name)
    params, lock, pipeline = (read_settings(source, path) for path in ("params.yaml", "dvc.lock", "dvc.yaml"))
    if (problem := unknown_sections(params, pipeline)) is not None:
        raise NotThere(f"{name}: {problem} Then run it again, or leave {name} out.")
    if name == WORKSPACE:
        if changed := changed_since_the_run(params, lock, pipeline):
            raise NotThere(
                f"{name}: {', '.join(changed)} in params.yaml changed since its run, so its scores are those of other values. "
                "Run `dvc repro`, or set the values back to those in dvc.lock."
            )
        if waiting := not_run_since(lock):
            raise NotThere(f"{name}: its last run ended before {waiting[0]}, so its scores are those of an earlier run. Run `dvc repro`.")
    questions = list(read_rows(source, "data/split/benchmark.jsonl", Question))
    if arm is not None and arm not in evaluation["arms"]:
        raise NotThere(f"{name} has no arm {arm}; it has {', '.join(evaluation['arms'])}.")
    compared = arm or first_pair(evaluation)[1]
    answers, gone = answers_of(source, list(evaluation["arms"]))
    return Run(
        name=name,
        arm=compared,
        evaluation=evaluation,
        params=params,
        identity=identity_of(evaluation, params, lock, arm=compared),
        questions=chosen_questions(evaluation, questions),
        answers=answers,
        answers_gone=gone,
        grades=list(read_rows(source, "data/grades/graded.jsonl", Grade)),
        judgements=list(read_rows(source, "data/grades/judged.jsonl", Judgement)),
    )


def changed_since_the_run(params: Mapping[str, Any], lock: Mapping[str, Any], pipeline: Mapping[str, Any]) -> list[str]:
    """Names of the parameters that the answers were made with and that now have another value. Empty for a stage that has not run."""
    changed: set[str] = set()
    for name, stage in expanded_stages(pipeline, params).items():
        ran = lock.get("stages", {}).get(name, {}).get("params", {}).get("params.yaml", {})
        for section in (set(stage.get("params", [])) & ran.keys()) - JUDGING:
            values = value_at(params, section)
            if section == "arms":  # an arm that was added or removed changes no answer of the others
                values = {arm: values[arm] for arm in values if arm in ran[section]}
                before = leaves(section, {arm: ran[section][arm] for arm in values})
            else:
                before = leaves(section, ran[section])
            after = leaves(section, values)
            changed |= {leaf for leaf in before.keys() | after.keys() if before.get(leaf) != after.get(leaf)}
    return sorted(changed)


def not_run_since(lock: Mapping[str, Any]) -> list[str]:
    """Names of the stages that ran on another file than the present one of the stage that makes it: a run stopped in front of them."""
    made = locked_outs(lock) if lock.get("stages") else {}
    return [
        name
        for name, stage in lock.get("stages", {}).items()
        if any(dep["path"] in made and made[dep["path"]] != dep["md5"] for dep in stage.get("deps", []))
    ]


def answers_of(source: Source, arms: Sequence[str]) -> tuple[list[Answer], str | None]:
    """The answers of all arms, or none of them and why they cannot be read: the verdicts are in separate files."""
    try:
        return [row for arm in arms for row in read_rows(source, f"data/answers/{arm}.jsonl", Answer)], None
    except ContentGone as gone:
        return [], str(gone).rstrip(".")


def why_partial(run: Run) -> str | None:
    """Why a run cannot be compared although its files can be read: it stopped before answering, and holds the answers of an earlier run."""
    rows = run.answers if run.answers_gone is None else [*run.grades, *run.judgements]
    answered = {(row.arm, row.id) for row in rows}
    missing = [question.id for question in run.questions for arm in run.evaluation["arms"] if (arm, question.id) not in answered]
    if not missing:
        return None
    return f"{run.name} is left out: {len(set(missing))} of its {len(run.questions)} questions have no answers (a run of some stages only)"


def whole_runs(root: Path, names: Sequence[str], *, arm: str | None, named: bool) -> tuple[list[Run], list[str]]:
    """The runs that can be compared, and a sentence for each that is left out. NotThere if a run that was named is partial."""
    runs = [load_run(root, name, arm=arm) for name in names]
    partial = {run.name: why for run in runs if (why := why_partial(run)) is not None}
    if partial and (named or names[0] in partial):
        raise NotThere("; ".join(partial.values()) + ": run the whole pipeline with it (`dvc exp run`, without stage names).")
    whole = [run for run in runs if run.name not in partial]
    if len(whole) < 2:
        raise NotThere(f"only {whole[0].name} is left to compare: " + "; ".join(partial.values()))
    return whole, list(partial.values())


def judge_endings(runs: Sequence[Run]) -> list[str]:
    """A sentence for each judge's model that is near its end of life, or past it."""
    models = sorted({model for run in runs if (model := run.evaluation["judge"].get("model_requested")) is not None})
    return [told for model in models if (told := end_warning(model, end=end_of_life(model), today=today())) is not None]


def present_tolerance(root: Path) -> Tolerance:
    """The tolerance of `grade` in this folder."""
    return section_of(read_yaml(root / "params.yaml"), "grade", GradeParams).tolerance


def main(names: Sequence[str], *, root: Path, page: Path, numbers: Path | None = None, arm: str | None = None, named: bool = True) -> str:
    """Compare runs, write the page (and, if asked to, the numbers of the settings), and return the table for the terminal."""
    recorded, left_out = whole_runs(root, names, arm=arm, named=named)
    alike = graded_alike(recorded, present_tolerance(root), seed=SEED, num_resamples=NUM_RESAMPLES)
    runs, bridges = alike.runs, recorded_bridges(root)
    cells = compare_runs(runs, seed=SEED, num_resamples=NUM_RESAMPLES, bridges=bridges)
    settings = settings_of(runs)
    over_seeds = compare_settings(settings, seed=SEED, num_resamples=NUM_RESAMPLES)
    parts = uncertainty_of(runs, settings)
    traded = trade_offs(runs, seed=SEED, num_resamples=NUM_RESAMPLES)
    shown = entries(runs, runs[0].params["answer"]["instructions"])
    warnings, endings = marks(runs, bridges=bridges), judge_endings(runs)
    gone = [f"the answers of {run.name} are not shown: {run.answers_gone}" for run in runs if run.answers_gone is not None]
    banners = {
        "Answers that are gone": gone,
        "Graded again": alike.told,
        "Not like with like": warnings,
        "The judge does not stay": endings,
    }
    uses = len(uses_of(known_uses(root), runs[0].identity["benchmark"]))
    note = f"{uses} arm{' has' if uses == 1 else 's have'} been scored on the final part of this benchmark, as far as is known here."
    text = render_page(
        template=TEMPLATES / "report.html.j2",
        style=TEMPLATES / "report.css",
        script=TEMPLATES / "report.js",
        context=page_context(
            runs, shown, note=note, banners=banners, matrix=matrix(runs, cells), settings=setting_rows(settings, over_seeds)
        )
        | {"uncertainty": uncertainty_rows(parts)}
        | {"trade_offs": trade_off_rows(traded) if len(traded) > 1 else []},
        entries=shown,
        figures=trade_off_figures(traded),
    )
    write_text(page, text)
    if numbers is not None:
        write_json(numbers, settings_numbers(settings, over_seeds) | {"uncertainty": uncertainty_numbers(parts)})
    lines = [
        text_table(runs, cells),
        settings_table(settings, over_seeds),
        uncertainty_table(parts),
        trade_off_table(traded),
        *(f"! {text}.\n" for text in [*left_out, *gone, *alike.told, *warnings, *endings]),
        f"{note}\n",
        f"read {page}\n",
    ]
    return "".join(lines)


def trade_off_figures(found: Sequence[TradeOff]) -> dict[str, str]:
    """The picture of gain and forgetting, if there are at least two runs."""
    if len(found) < 2:
        return {}
    # Imported here: a comparison that is refused does not wait for matplotlib (0.3 s).
    from plumbline.pages.trade_off_figure import RunPoint, draw_trade_offs

    drawn = [RunPoint(one.label, one.is_replayed, one.gain[:2], one.probes and one.probes[:2], one.nats and one.nats[:2]) for one in found]
    return {"trade_offs": draw_trade_offs(drawn)}


@click.command()
@click.argument("runs", nargs=-1)
@click.option(
    "--page", type=click.Path(path_type=Path), default=Path("metrics/comparison.html"), show_default=True, help="Where the page goes."
)
@click.option("--json", "numbers", type=click.Path(path_type=Path), help="Also write the numbers of settings with several seeds here.")
@click.option("--arm", help="The arm to compare; by default the second arm of each run's first comparison.")
def command(runs: tuple[str, ...], page: Path, numbers: Path | None, arm: str | None) -> None:
    """Compare runs question by question, as a table and a page.

    RUNS are DVC experiments, commits, tags, or `workspace`, which is the folder itself. The first one is the reference. Without names: HEAD and the
    experiments that start from it.

    If a difference would mean nothing, the table says why instead: another benchmark, part or judge, a run that is not valid, a dry run. Runs
    that were graded by different graders or tolerances are graded again, by the present grader and the tolerances of params.yaml in this folder.

    Exit 2 if a run cannot be read or cannot be compared.
    """
    root = repository()
    with refusing(2, ValueError, OSError):
        refuse_overwriting([], [page, numbers])
        refuse_files_of_the_run(root, [page, numbers])
        chosen = runs or ("HEAD", *experiments(root))
        if len(set(chosen)) < 2:
            raise NotThere(
                f"two different runs are needed, found {', '.join(chosen)}. `dvc exp list` shows experiments; `workspace` is the folder itself."
            )
        told = main(chosen, root=root, page=page, numbers=numbers, arm=arm, named=bool(runs))
    click.echo(told, nl=False)
