"""The lines of a plan: what a run will take, each number with how it is known. Reads rows, questions and models/base; measures the device."""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plumbline.model.quiet  # noqa: F401

# isort: split

from plumbline.embedded.base_params import EmbeddedParams
from plumbline.embedded.pretraining import architecture
from plumbline.judging.canaries import canaries
from plumbline.judging.params import JudgeParams
from plumbline.judging.prices import PRICES, assumed_reply_tokens, largest_cost_usd
from plumbline.judging.prompt import JudgeItem, num_characters
from plumbline.judging.second_draw import is_judged_twice
from plumbline.laptop import smollm2_files
from plumbline.model.base_files import BaseRefused, read_manifest
from plumbline.model.local_models import local_model
from plumbline.model.runtime import device, prepare_torch
from plumbline.pipeline.expanded_stages import expanded_stages, value_at
from plumbline.pipeline.params import read_yaml, section_of
from plumbline.planning.context_tokens import tokens_before_a_question
from plumbline.planning.estimates import (
    Planned,
    answer_lines,
    context_lines,
    general_lines,
    memory_lines,
    probe_lines,
    training_line,
    whole_line,
)
from plumbline.planning.judged_answers import JudgedAnswers, judged_answers
from plumbline.planning.line import Line
from plumbline.planning.model_size import Counted, config_folder, counted, counted_config, counted_model
from plumbline.planning.planned_data import num_general_prompts, planned_data
from plumbline.planning.planned_examples import TEMPLATE_TOKENS, examples_of, schedule_of, tokenizer_at_hand
from plumbline.planning.planned_params import NotPlanned
from plumbline.planning.resolution_lines import WANTED, resolution_lines
from plumbline.planning.second_asking import again_line
from plumbline.planning.selection_lines import selection_lines
from plumbline.probes.params import ProbesParams
from plumbline.reporting.params import ReportParams
from plumbline.retrieval.params import RetrieveParams
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from stages.answer_again import NoiseFloorParams
from stages.base import BaseParams

CHARACTERS_PER_ANSWER_TOKEN = 4


def base_is_here(base: Path, section: dict[str, Any]) -> bool:
    """Whether models/base is the base model that the parameters name."""
    if not (base / "manifest.json").is_file():
        return False
    manifest = read_manifest(base)
    named = (manifest.source, manifest.repo, manifest.revision) if section["source"] == "hub" else (manifest.source, None, None)
    return named == (section["source"], section["repo"], section["revision"])


def model_of(base: Path, section: dict[str, Any], lora: LoraParams, *, here: bool) -> tuple[Counted, str]:
    """The base model and its adapter, counted, and where the configuration is from. NotPlanned if it cannot be read."""
    if here:
        return counted(base, lora, name=str(section["repo"] or "the embedded base")), "models/base"
    if section["source"] == "embedded":
        own = section_of({"base": section}, "base.embedded", EmbeddedParams)
        return counted_model(architecture(own, vocab_size=own.vocab_size), lora), "base.embedded of params.yaml"
    repo, revision = section["repo"], section["revision"]
    if repo is None or revision is None:
        raise NotPlanned(f"base.repo is {repo!r} and base.revision {revision!r}: with source hub, give organisation/name and a commit.")
    if (local := local_model(repo)) is not None and local.revision == revision:
        return counted_config(smollm2_files.CONFIG, lora, name=repo), f"{repo}, which `plumbline fetch-model` makes"
    try:
        folder, where = config_folder(repo, revision)
    except BaseRefused as error:
        raise NotPlanned(
            f"the size of the model comes from its config.json, a few kilobytes, and this file cannot be read: {error}"
        ) from error
    return counted(folder, lora, name=repo), where


def template_tokens(repo: str | None) -> int:
    """About how many tokens a chat template adds to a question."""
    return smollm2_files.TEMPLATE_TOKENS if local_model(repo) is not None else TEMPLATE_TOKENS


def judge_lines(
    params: JudgeParams, questions: Sequence[Question], answering: AnswerParams, judged: JudgedAnswers, *, who: str = "judge"
) -> list[Line]:
    """What judging will cost, then what the second judge will cost."""
    explanations = [question for question in questions if question.kind == "explanation"]
    told = judged.words(explanations)
    section = "judge" if who == "judge" else "judge.second"
    second = params.of_second()
    if params.second is not None and second is not None:
        drawn = [question for question in explanations if is_judged_twice(question.id, share=params.second.share)]
        alone = params.model_copy(update={"second": None})
        return [
            *judge_lines(alone, explanations, answering, judged),
            *judge_lines(second, drawn, answering, judged, who="second judge"),
        ]
    if params.backend == "openai_compatible":
        known = "counted, without probes; your own server costs nothing, and the prices of others are not known here"
        return [Line(who, f"{told} to {params.model}", known)]
    if params.backend != "claude":
        return [
            Line(
                who,
                f"{told}, no cost",
                f"counted; {section}.backend is {params.backend}",
            )
        ]
    text = "x" * (answering.max_new_tokens * CHARACTERS_PER_ANSWER_TOKEN)
    items = [
        JudgeItem(question.question, question.target, question.key_points, text)
        for question in explanations
        for _ in range(judged.to(question))
    ]
    items += items[: round(len(items) * (params.retest_fraction or 0.0))]
    items += [probe.item for probe in canaries(explanations, num_questions=params.num_canary_questions)]
    price = PRICES.get(params.model or "")
    if price is None:
        return [Line(who, f"{len(items)} calls, cost unknown", f"the price of {params.model} is not in plumbline/judging/prices.py")]
    assert params.model is not None and params.max_tokens is not None
    batch = params.mode == "batch"

    def cost(tokens: Sequence[int]) -> float:
        sizes = zip((num_characters(item) for item in items), tokens, strict=True)
        each = (largest_cost_usd(params.model or "", num_characters=size, max_tokens=most, batch=batch) for size, most in sizes)
        return sum(one for one in each if one is not None)

    assumed = [min(assumed_reply_tokens(len(item.key_points)), params.max_tokens) for item in items]
    about, most = cost(assumed), cost([params.max_tokens] * len(items))
    reply_tokens = sum(assumed) / max(len(items), 1)
    cap = "no cap" if params.max_cost_usd is None else f"{section}.max_cost_usd stops it at {params.max_cost_usd:g} USD"
    return [
        Line(who, f"{len(items)} calls to {params.model}: about {about:.2f} USD", f"assumed: {reply_tokens:.0f} tokens a reply"),
        Line("", f"at most {most:.2f} USD", f"computed: every reply fills its {params.max_tokens} tokens; {cap}"),
    ]


def plan_lines(root: Path, params: Mapping[str, Any], wanted: Sequence[float] = WANTED) -> list[Line]:
    """All lines of the plan of a run with these parameters. `wanted`: differences for which it says how many questions they take.

    NotPlanned says what is missing.
    """
    prepare_torch(value_at(params, "base.source"))
    lora, training, section = section_of(params, "lora", LoraParams), section_of(params, "train", TrainParams), value_at(params, "base")
    base = root / "models/base"
    here = base_is_here(base, section)
    data = planned_data(root, params)
    questions = data.questions
    probes = section_of(params, "probes", ProbesParams)
    arms, retrieve = section_of(params, "arms", Arms), section_of(params, "retrieve", RetrieveParams)
    model, known = model_of(base, section, lora, here=here)
    tokenizer = tokenizer_at_hand(base, section_of(params, "base", BaseParams), here=here, templates=root / "examples/chat_templates")
    examples, how = examples_of(data.rows, tokenizer, template_tokens=template_tokens(section["repo"]))
    if all(len(example.ids) > training.max_length for example in examples):
        raise NotPlanned(f"all {len(examples)} rows are longer than train.max_length, {training.max_length} tokens. Raise it.")
    planned = Planned(
        counted=model,
        known=known,
        examples=examples,
        schedule=schedule_of(examples, training),
        lora=lora,
        training=training,
        answering=section_of(params, "answer", AnswerParams),
        dtype=section["dtype"],
        quantization=section["quantization"],
        device=device(),
    )
    num_arms = sum(arm.weights_kind != "file" for arm in arms.root.values())
    before = tokens_before_a_question(arms, retrieve, Counter(one.kind for one in questions))
    answers = answer_lines(planned, len(questions), num_arms=num_arms)
    taking = [
        training_line(planned, base, here=here),
        *selection_lines(planned, section_of(params, "report", ReportParams), questions),
        *answers,
        again_line(
            section_of(params, "noise_floor", NoiseFloorParams),
            planned.answering,
            questions,
            seconds_of_an_arm=sum(one.seconds for one in answers) / max(1, num_arms),
        ),
        *general_lines(planned, num_general_prompts(root, params), params["general"]),
        *context_lines(planned, len(questions), before, read_once=[name for name in before if arms.root[name].context_name == "examples"]),
        *probe_lines(planned, probes.limits(), batch_size=probes.batch_size),
    ]
    return [
        *row_lines(planned, how, of=data.known),
        *taking,
        whole_line(taking, num_stages=len(expanded_stages(read_yaml(root / "dvc.yaml"), params))),
        *memory_lines(planned, free_disk_bytes=shutil.disk_usage(root).free),
        *judge_lines(
            section_of(params, "judge", JudgeParams),
            questions,
            planned.answering,
            judged_answers(root, arms, questions, planned.answering),
        ),
        *resolution_lines(root, params, questions, wanted, here=here),
    ]


def row_lines(planned: Planned, how: str, *, of: str) -> list[Line]:
    """The model, the rows and the steps. `how`: how the tokens are known; `of`: where the rows are from."""
    size, schedule, longest = planned.counted.size, planned.schedule, planned.training.max_length
    total = sum(len(example.ids) for example in planned.examples)
    too_long = sum(len(example.ids) > longest for example in planned.examples)
    used = size.num_used_weights + size.vocab_size * size.hidden_size
    of_token = f", {used:,} used by a token" if used < 0.7 * size.num_weights else ""
    dry = f", a dry run of {schedule.num_planned_steps:,}" if schedule.num_steps < schedule.num_planned_steps else ""
    return [
        Line(
            "model",
            f"{size.num_weights:,} weights{of_token}; the adapter has {planned.counted.num_lora_weights:,}",
            f"counted from the config.json of {planned.known}",
        ),
        Line("rows", f"{len(planned.examples):,} rows {of}: {total:,} tokens an epoch", how),
        *([Line("", f"{too_long:,} are longer than train.max_length {longest}: preflight will refuse", how)] if too_long else []),
        Line("steps", f"{schedule.num_steps:,}{dry}, {schedule.num_warmup_steps} of them warm-up", f"{how}, as train plans them"),
    ]
