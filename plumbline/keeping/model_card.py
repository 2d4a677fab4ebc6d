"""The model card, rendered from metrics/ and models/ so that it cannot drift from them. Reads files; sends nothing."""

import json
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from plumbline.answering.sampling import sampling_words
from plumbline.keeping.publish_requirement import late_words
from plumbline.keeping.published_comparison import published_place
from plumbline.model.adapter import read_training_record
from plumbline.model.base_files import read_manifest
from plumbline.model.local_models import is_on_the_hub, local_model
from plumbline.number_text import counted, signed
from plumbline.pages.templating import read_template
from plumbline.pipeline.expanded_stages import value_at
from plumbline.pipeline.params import read_yaml
from plumbline.reporting.checkpoint_questions import checkpoint_words
from plumbline.reporting.final_part import final_part_words
from plumbline.reporting.words import KIND_NAMES, too_few_words
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.manifest import Manifest
from plumbline.rows.training_record import TrainingRecord
from plumbline.training.forgetting import Forgetting

TEMPLATES = Path(__file__).resolve().parent / "templates"


def with_interval(estimate: dict[str, Any] | None) -> str:
    """A score with its interval; a dash without a score."""
    return (
        "–"
        if estimate is None or estimate["value"] is None
        else f"{estimate['value']:.2f} [{estimate['ci95'][0]:.2f}, {estimate['ci95'][1]:.2f}]"
    )


def result_rows(evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    """A row of the table per kind of question: the score of every arm, and the published comparison."""
    place = published_place(evaluation)
    first, second = evaluation["comparisons"][place]
    rows = []
    for kind, ledger in evaluation["kinds"].items():
        delta, arms = ledger["comparisons"][place]["delta"], ledger["arms"]
        rows.append(
            {
                "kind": KIND_NAMES[kind],
                "n": str(ledger["n"]),
                "scores": [with_interval(arms[arm]["score"]) for arm in evaluation["arms"]],
                "delta": f"{signed(delta['value'])} [{signed(delta['ci95'][0])}, {signed(delta['ci95'][1])}]" if delta else "–",
                "unparsed": f"{arms[first]['unparsed']}, {arms[second]['unparsed']}",
            }
        )
    return rows


def eval_results(evaluation: dict[str, Any]) -> list[EvalResult]:
    """The adapter's scores for the Hub's model-index, each with n, interval and the score of the arm it is compared with."""
    results = []
    first, second = evaluation["comparisons"][published_place(evaluation)]
    for kind, ledger in evaluation["kinds"].items():
        tuned, base = ledger["arms"][second]["score"], ledger["arms"][first]["score"]
        if tuned is None or tuned["value"] is None:
            continue
        results.append(
            EvalResult(
                task_type="text-generation",
                dataset_type="benchmark",
                dataset_config=kind,
                dataset_name=f"{KIND_NAMES[kind]} ({evaluation['part']['name']} of the benchmark)",
                metric_type="score" if kind == "explanation" else "accuracy",
                metric_value=tuned["value"],
                metric_name=f"{KIND_NAMES[kind]}, {second}",
                metric_args={"n": tuned["n"], "ci95": tuned["ci95"], first: base["value"] if base else None},
            )
        )
    return results


QUESTION = "What is the unit of force?"


def loading_lines(repo: str, manifest: Manifest) -> str:
    """The Python that loads base and adapter and asks them a question; tests/pipeline/test_published_repository.py runs it."""
    lines = ["from peft import AutoPeftModelForCausalLM", "from transformers import AutoTokenizer", ""]
    if manifest.quantization == "nf4":
        # AutoPeftModelForCausalLM passes the arguments for the base to the adapter as well.
        lines = [
            "from peft import PeftModel",
            "from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig",
            "",
            'nf4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, '
            f'bnb_4bit_compute_dtype="{manifest.dtype}")',
        ]
        where = f'"{manifest.repo}", revision="{manifest.revision}"' if is_on_the_hub(manifest) else f'"{repo}", {NO_ADAPTER}'
        lines.append(f'base = AutoModelForCausalLM.from_pretrained({where}, quantization_config=nf4, dtype="{manifest.dtype}")')
        lines.append(f'model = PeftModel.from_pretrained(base, "{repo}")')
    else:
        here = "" if is_on_the_hub(manifest) else f", {NO_ADAPTER}"
        lines.append(f'model = AutoPeftModelForCausalLM.from_pretrained("{repo}"{here}, dtype="{manifest.dtype}")')
    lines += [
        f'tokenizer = AutoTokenizer.from_pretrained("{repo}")',
        f'messages = [{{"role": "user", "content": "{QUESTION}"}}]',
        'inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt").to(model.device)',
        "answer = model.generate(**inputs, do_sample=False, max_new_tokens=96)",
        'print(tokenizer.decode(answer[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))',
    ]
    return "\n".join(lines)


NO_ADAPTER = 'adapter_kwargs={"subfolder": "base"}'
"""When transformers loads a base, it also loads an adapter that lies next to it; in base/ there is none."""


def base_words(manifest: Manifest) -> tuple[str, str]:
    """Two texts: what the adapter is for, in one sentence; what the base model is and where it came from."""
    local = local_model(manifest.repo)
    if local is not None:
        upstream = f"[{local.upstream}](https://huggingface.co/{local.upstream})"
        return (
            f"A LoRA adapter for the base model in this repository, which was made from {upstream}.",
            f"`config.json` and `model.safetensors` are the base model alone, without the adapter. It is {upstream} (licence {local.licence}) with weights that had been stored in fewer bits: {local.quantization}. "
            f"They come from version {local.version} of the package `{local.package}` on the Python package index, and were turned back into bfloat16. "
            f"They are not the weights of that repository. Tokenizer, chat template and configuration are those of its revision `{local.upstream_revision}`. "
            f"The adapter was trained and measured with {manifest.dtype}, quantisation {manifest.quantization}.",
        )
    if manifest.source == "hub":
        return (
            f"A LoRA adapter for [{manifest.repo}](https://huggingface.co/{manifest.repo}).",
            f"`{manifest.repo}` at revision `{manifest.revision}`, {manifest.dtype}, quantisation {manifest.quantization}.",
        )
    return (
        "A LoRA adapter for the small base model in this repository.",
        f"Trained from scratch by the same pipeline, {manifest.dtype}. `config.json` and `model.safetensors` are the base model alone, without the adapter.",
    )


def limits_of(evaluation: dict[str, Any], manifest: Manifest, forgetting: Forgetting) -> list[str]:
    """What must be read next to the scores: the report's warnings, the smallest differences that could have been seen, what the adapter is for."""
    said = [gate["text"][:1].upper() + gate["text"][1:] + "." for gate in evaluation["gates"] if not gate["ok"] and gate["text"]]
    place = published_place(evaluation)
    for kind, ledger in evaluation["kinds"].items():
        delta = ledger["comparisons"][place]["delta"]
        if delta and delta["minimum_detectable_effect"] is not None:
            points = 100 * delta["minimum_detectable_effect"]
            if points < 100:
                said.append(f"On {KIND_NAMES[kind]} a true difference below {points:.0f} points could easily have been missed.")
            else:
                few = too_few_words(delta["n"], delta["num_units"], delta["detectable_at_level"])
                said.append(f"On {KIND_NAMES[kind]} no difference could be shown: {few}.")
    if manifest.source == "embedded":
        said.append(
            "The base model is tiny and knows only the world of its own corpus: this adapter shows a method, and is not a physics tutor."
        )
    if (local := local_model(manifest.repo)) is not None:
        said.append(f"Nothing was measured with the weights of {local.upstream} itself.")
    change = signed(forgetting.increase)
    said.append(
        "Measured on the benchmark named above, and on how likely base's own answers to "
        f"{forgetting.num_prompts} general prompts are for the tuned model ({change} nats a token compared with base; more is less likely). "
        "Nothing else was measured: neither safety nor bias, nor whether answers outside the benchmark are still right."
    )
    return said


def required_words(root: Path, evaluation: dict[str, Any]) -> list[str]:
    """A sentence for each requirement before publishing, and one if it was chosen after the numbers; empty if nothing was required."""
    if "publish" not in evaluation:
        return []
    late = late_words(root, evaluation)
    return [*(one["text"] for one in evaluation["publish"]["requirements"]), *([late] if late is not None else [])]


def judged_words(judge: dict[str, Any], kinds: dict[str, Any]) -> str:
    """Who judged the explanations; empty if the benchmark has none."""
    if "explanation" not in kinds:
        return ""
    if judge["backend"] == "none":
        return "Explanations were not judged. "
    return f"Explanations were judged by {judge['model_returned'] or judge['backend']} (`{judge['judge_id']}`). {second_judge_words(judge)}"


def second_judge_words(judge: dict[str, Any]) -> str:
    """What a second judge said of the same answers; empty if there was one judge."""
    if (second := judge.get("second_judge")) is None:
        return ""
    agreement = second["agreement"]
    kappa = None if agreement is None else agreement["weighted_kappa"]
    agreed = "" if kappa is None else f"; the two agree with a weighted kappa of {kappa:.2f} (1 is full agreement, 0 what chance gives)"
    depends = [f"{one['arm']} against {one['reference']}" for one in second["differences"] if one["depends_on_judge"]]
    warning = f"The conclusion depends on the judge for {', '.join(depends)}. " if depends else ""
    return (
        f"A second judge, {second['second']['name']} (`{second['second']['judge_id']}`), judged the answers to "
        f"{counted(second['num_questions'], 'question')} again{agreed}. {warning}"
    )


def render_card(root: Path, *, repo: str, license: str, dataset: str | None, revision: str) -> str:
    """Return README.md of a Hub repository. ValueError if the Hub's own reader of cards does not read back what was written."""

    def read(path: str) -> dict[str, Any]:
        return json.loads((root / path).read_text(encoding="utf-8"))

    evaluation, data = read("metrics/evaluation.json"), read("metrics/data.json")
    record = read_training_record(root / "models/adapter")
    manifest = read_manifest(root / "models/base")
    from_hub = is_on_the_hub(manifest)
    what, base_text = base_words(manifest)
    name = repo.split("/")[-1]
    metadata = ModelCardData(
        base_model=manifest.repo if from_hub else None,
        base_model_relation="adapter" if from_hub else None,
        library_name="peft",
        pipeline_tag="text-generation",
        tags=["lora", "peft", "plumbline"],
        license=license,
        datasets=[dataset] if dataset else None,
        model_name=name,
        eval_results=eval_results(evaluation),
    )
    targets = record.lora.target_modules
    card = read_template(TEMPLATES / "model_card.md.j2", autoescape=False, trim_blocks=False, keep_trailing_newline=True)
    chances = {KIND_NAMES[kind]: ledger["chance"] for kind, ledger in evaluation["kinds"].items() if ledger["chance"]}
    text = card.render(
        metadata=f"---\n{metadata.to_yaml()}\n---",
        name=name,
        what=what,
        verdict=evaluation["verdict"],
        results=result_rows(evaluation),
        arms=list(evaluation["arms"]),
        pair=evaluation["comparisons"][published_place(evaluation)],
        decoding=decoding_words(answering_of(root)),
        chance="".join(f"Chance is {value:.2f} on {kind}. " for kind, value in chances.items()),
        judged=judged_words(evaluation["judge"], evaluation["kinds"]),
        rows={key: data[key] for key in ("lines", "kept", "quarantined", "blank")} | {"source": source_of(root)},
        benchmark=benchmark_words(evaluation["part"]),
        license=license,
        base_text=f"{base_text} The pipeline that made the adapter refuses it on another base, dtype or chat template.",
        loading=loading_lines(repo, manifest),
        lora=record.lora,
        targets=targets if isinstance(targets, str) else ", ".join(targets),
        train=record.train,
        num_done_steps=record.num_done_steps,
        num_planned_steps=record.num_planned_steps,
        best_step=record.best_step,
        chosen_by=chosen_by(record),
        required=required_words(root, evaluation),
        limits=limits_of(evaluation, manifest, Forgetting.model_validate(read("metrics/train.json")["forgetting"])),
        revision=revision,
    )
    read_back: Any = ModelCard(text).data
    if read_back.eval_results != metadata.eval_results:
        raise ValueError("The model card does not read back as it was written. Check the names in metrics/evaluation.json.")
    return text


def answering_of(root: Path) -> AnswerParams:
    """Section `answer` of the run."""
    return AnswerParams.model_validate(value_at(read_yaml(root / "params.yaml"), "answer"))


def decoding_words(params: AnswerParams) -> str:
    """How answers were generated."""
    return sampling_words(params.num_samples, params.temperature) if params.is_sampled else "greedily, one answer each"


def benchmark_words(part: dict[str, Any]) -> str:
    """How many questions, which part of the benchmark, and how often the part for claims was used."""
    words = final_part_words(
        part["num_final_part_uses"],
        part["num_own_uses"],
        part=part["name"],
        num_questions=part["num_questions"],
        num_questions_in_benchmark=part["num_questions_in_benchmark"],
    )
    return words + (checkpoint_words(**part["chose_checkpoint"]) if "chose_checkpoint" in part else "")


def chosen_by(record: TrainingRecord) -> str:
    """Why these weights and not those of another step."""
    if record.choice is None:
        return "lowest validation loss"
    num, choice = len(record.choice.question_ids), record.choice
    return (
        f"best score on {num} questions of the benchmark's development part, {choice.score:.2f} of 1, of {choice.num_evaluations} evaluations; "
        f"the lowest validation loss was at step {choice.lowest_loss_step}, with a score of {choice.score_at_lowest_loss:.2f}"
    )


def source_of(root: Path) -> str:
    """The name of the training file, without its folder."""
    return Path(str(read_yaml(root / "params.yaml")["clean"]["source"])).name
