"""The scores of a run in the forms that others read: the Hub's `.eval_results`, and the summary of lm-evaluation-harness. Pure."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from plumbline.keeping.published_comparison import published_place
from plumbline.pipeline.refused import Refused
from plumbline.reporting.ledger import KIND_NAMES
from plumbline.rows.question import Kind

Z95 = 1.959963984540054
"""Half the width of a 95 % interval in standard errors."""
SCORED: dict[Kind, str] = {"mcq": "acc", "numeric": "acc", "explanation": "score"}
"""Kind -> the harness's name of its metric."""
RESULTS_FILE = ".eval_results/plumbline.yaml"


def refuse_no_result(evaluation: Mapping[str, Any], name: str) -> None:
    """Refused if the numbers of a run are not a result: others would take them for one."""
    if not evaluation["valid"]:
        raise Refused(f"{name} is not valid: {'; '.join(evaluation['invalid_because'])}. Fix this, run `dvc repro`, and export again.")
    if not evaluation["complete"]:
        raise Refused(
            f"{name} is not complete: {evaluation['incomplete_because']}. Train it to its end with `dvc exp run -S train.max_steps=null`, "
            "and export again."
        )


def scores_of(evaluation: Mapping[str, Any], arm: str) -> dict[Kind, dict[str, Any]]:
    """Kind -> score of an arm with interval and n; kinds without a verdict are left out. Refused for an arm that is not there."""
    if arm not in evaluation["arms"]:
        raise Refused(f"there is no arm {arm!r}; the arms are {', '.join(evaluation['arms'])}. Name one of them.")
    found: dict[Kind, Any] = {kind: ledger["arms"][arm]["score"] for kind, ledger in evaluation["kinds"].items() if arm in ledger["arms"]}
    return {kind: score for kind, score in found.items() if score is not None and score["value"] is not None}


def measured_pair(evaluation: Mapping[str, Any], arm: str | None) -> tuple[str | None, str]:
    """The reference and the arm to write: those of the card, or of the first comparison of the named arm; no reference if it has none."""
    if arm is None:
        first, second = evaluation["comparisons"][published_place(evaluation)]
        return first, second
    return next((first for first, second in evaluation["comparisons"] if second == arm), None), arm


def eval_results_text(
    evaluation: Mapping[str, Any], *, dataset: str, arm: str | None = None, revision: str | None = None, source_url: str | None = None
) -> str:
    """A file of `.eval_results`, in YAML."""
    reference, measured = measured_pair(evaluation, arm)
    rows = eval_result_rows(evaluation, arm=measured, reference=reference, dataset=dataset, revision=revision, source_url=source_url)
    yaml = YAML()
    yaml.width = 4096
    text = StringIO()
    yaml.dump(rows, text)
    return text.getvalue()


def eval_result_rows(
    evaluation: Mapping[str, Any], *, arm: str, reference: str | None, dataset: str, revision: str | None, source_url: str | None
) -> list[dict[str, Any]]:
    """The entries of a file in `.eval_results`: a task per kind, its value in 0..1, and in the notes what the value alone cannot say.

    Source of the form: huggingface_hub 2.4.0, `_eval_results.py`; a test reads it with the reader of that library.
    """
    rows: list[dict[str, Any]] = []
    others = {} if reference is None else scores_of(evaluation, reference)
    for kind, score in scores_of(evaluation, arm).items():
        low, high = score["ci95"]
        notes = f"{KIND_NAMES[kind]}, arm {arm}, n = {score['n']}, 95 % interval {low:.4f} to {high:.4f}"
        if kind in others and reference is not None:
            notes += f"; arm {reference}: {others[kind]['value']:.4f}"
        notes += f"; part of the benchmark: {evaluation['part']['name']}"
        split = evaluation["kinds"][kind].get("uncertainty", {}).get("arms", {}).get(arm)
        if split is not None and split["num_samples"] > 1:
            notes += f"; the value is a mean over {split['num_samples']:g} drawn answers to each question"
        named = {"id": dataset, "task_id": kind} | ({} if revision is None else {"revision": revision})
        row: dict[str, Any] = {"dataset": named, "value": score["value"]}
        if source_url is not None:
            row["source"] = {"url": source_url, "name": "Plumbline"}
        rows.append(row | {"notes": notes})
    if not rows:
        raise Refused(f"Arm {arm} has no score, since no one judged its answers. Set judge.backend, run `dvc repro`, and export again.")
    return rows


def harness_summary(evaluation: Mapping[str, Any], arm: str) -> dict[str, Any]:
    """The results file of lm-evaluation-harness for one arm: a task per kind. The standard error is half our interval over 1.96."""
    scores = scores_of(evaluation, arm)
    tasks: dict[str, Kind] = {f"plumbline_{kind}": kind for kind in scores}
    results: dict[str, Any] = {}
    for task, kind in tasks.items():
        metric, (low, high) = SCORED[kind], scores[kind]["ci95"]
        results[task] = {
            "alias": KIND_NAMES[kind],
            f"{metric},none": scores[kind]["value"],
            f"{metric}_stderr,none": round((high - low) / (2 * Z95), 4),
        }
    num_examples = 0 if evaluation["arms"][arm]["context"].endswith("/none.jsonl") else None
    return {
        "results": results,
        "group_subtasks": {task: [] for task in tasks},
        "configs": {
            task: {"task": task, "num_fewshot": num_examples, "metadata": {"version": evaluation["prompt_version"]}} for task in tasks
        },
        "versions": dict.fromkeys(tasks, evaluation["prompt_version"]),
        "n-shot": dict.fromkeys(tasks, num_examples),
        "higher_is_better": {task: {SCORED[kind]: True} for task, kind in tasks.items()},
        "n-samples": {task: {"original": evaluation["kinds"][kind]["n"], "effective": scores[kind]["n"]} for task, kind in tasks.items()},
        "config": {"model": "plumbline", "model_args": {"arm": arm, **evaluation["arms"][arm]}},
        "model_name": arm,
        "model_source": "plumbline",
        "plumbline": {
            "ci95": {task: scores[kind]["ci95"] for task, kind in tasks.items()},
            "verdict": evaluation["verdict"],
            "sha256": evaluation["sha256"],
        },
    }
