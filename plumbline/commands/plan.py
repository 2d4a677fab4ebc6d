"""Plan a run: what it will take, each number with how it is known. Reads params.yaml, rows, questions and models/base; measures the device."""

import shutil
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import plumbline.model.quiet  # noqa: F401

# isort: split
from dvc.exceptions import DvcException

from plumbline.commands.real_request import given_files
from plumbline.commands.refusing import refusing, repository
from plumbline.embedded.base_params import EmbeddedParams
from plumbline.embedded.pretraining import architecture
from plumbline.judging.canaries import canaries
from plumbline.judging.params import JudgeParams
from plumbline.judging.prices import PRICES, assumed_reply_tokens, largest_cost_usd
from plumbline.judging.prompt import JudgeItem, num_characters
from plumbline.judging.second_draw import is_judged_twice
from plumbline.laptop import smollm2_files
from plumbline.laptop.own_files import refuse_no_files
from plumbline.model.base_files import BaseRefused, read_manifest
from plumbline.model.local_models import local_model
from plumbline.model.runtime import device, prepare_torch
from plumbline.params_sections import unknown_sections
from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.params import read_yaml, section_of
from plumbline.planning.context_tokens import tokens_before_a_question
from plumbline.planning.estimates import (
    WHOLE,
    Line,
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
from plumbline.planning.model_size import Counted, config_folder, counted, counted_config, counted_model
from plumbline.planning.planned_data import num_general_prompts, planned_data
from plumbline.planning.planned_examples import TEMPLATE_TOKENS, examples_of, schedule_of, tokenizer_at_hand
from plumbline.planning.planned_params import planned_params
from plumbline.planning.profiles import merged, profile_overrides
from plumbline.planning.real_profile import PROFILE, one_by_one, own_in_params, real_overrides
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
WIDTH = 110


class NotPlanned(ValueError):
    """The run cannot be planned; the text says what is missing and what to do."""


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


GIVEN = "given"
"""Stands for the path of the user's own file among overrides, where a path may hold signs that mean something."""


def chosen_overrides(
    root: Path, profile: str | None, given: Mapping[str, str], more: Sequence[str]
) -> tuple[list[str], Mapping[str, str], bool]:
    """The overrides of a run; the user's own files, as parameter -> path; and whether they replace those of the profile of `plumbline real`."""
    lines = profile_overrides(root, profile) if profile else []
    own = given if given or profile != PROFILE else own_in_params(read_yaml(root / "params.yaml"))
    places = dict.fromkeys(own, GIVEN)
    lines = real_overrides(lines, places) if profile == PROFILE else [*lines, *(f"{key}={place}" for key, place in places.items())]
    return merged(lines, one_by_one(more)), own, profile == PROFILE and bool(own)


def params_of(root: Path, overrides: Sequence[str], files: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a run. `files`: parameter -> path of the user's own file, which stands where no override of -S names another."""
    params = planned_params(root, overrides)
    for key, path in files.items():
        section, name = key.split(".")
        if params[section][name] == GIVEN:
            params[section][name] = path
    return params


def plan(root: Path, overrides: Sequence[str], wanted: Sequence[float] = WANTED, *, files: Mapping[str, str] | None = None) -> list[Line]:
    """All lines of the plan. `wanted`: differences for which it says how many questions they take; `files`: as in `params_of`."""
    params, pipeline = params_of(root, overrides, files or {}), read_yaml(root / "dvc.yaml")
    if (problem := unknown_sections(params, pipeline)) is not None:
        raise NotPlanned(problem)
    lora, training, section = section_of(params, "lora", LoraParams), section_of(params, "train", TrainParams), params["base"]
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
        whole_line(taking, num_stages=len(expanded_stages(pipeline, params))),
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


def in_brief(lines: Sequence[Line]) -> str:
    """How long all of it takes."""
    return next(line.value for line in lines if line.what == WHOLE)


def table(lines: Sequence[Line]) -> str:
    """The plan for a terminal: what, how much, and how that is known."""
    name = max(len(line.what) for line in lines)
    told = (f"{line.what:{name}}  {line.value}  ({line.known})" for line in lines)
    return "".join(textwrap.fill(line, WIDTH, subsequent_indent=" " * (name + 4)) + "\n" for line in told)


@click.command()
@click.argument("profile", required=False)
@click.option("-S", "--set-param", "overrides", multiple=True, metavar="KEY=VALUE", help="An override, as for `dvc exp run`.")
@click.option(
    "--difference",
    "wanted",
    multiple=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Say how many questions it takes to show this difference, a fraction: 0.05 is 5 points. Repeat it for several.",
)
@click.option("--rows", type=click.Path(path_type=Path), help="Your own training rows, as for `plumbline real`.")
@click.option("--questions", type=click.Path(path_type=Path), help="Your own questions; with --rows.")
@click.option(
    "--corpus", type=click.Path(path_type=Path), help="Your own text to look things up in; without it, no arm of your own run has passages."
)
@click.option("--brief", is_flag=True, help="Say only how long all of it takes.")
def command(
    profile: str | None,
    overrides: tuple[str, ...],
    wanted: tuple[float, ...],
    rows: Path | None,
    questions: Path | None,
    corpus: Path | None,
    brief: bool,
) -> None:
    """Say what a run will take, before anything is spent.

    PROFILE is a file of profiles/; without it the plan is for params.yaml as it is. Each number says how it is known: counted, computed, measured here
    in a few seconds, estimated or assumed. The last lines say which difference the benchmark can show, and how many questions another one takes.
    Counts the rows and questions of the last split if it read the same files with the same settings. Else it cleans and splits them in a temporary
    folder, as the run will. Reads the grades of the last run; leaves nothing behind. The profile of `plumbline real` is planned with your own files if
    params.yaml names both, or --rows and --questions do.

    Exit 1 if the run cannot be planned.
    """
    root = repository()
    with refusing(1, ValueError, OSError, DvcException):
        given = given_files(rows, questions, corpus)
        refuse_no_files(given)
        chosen, files, has_own = chosen_overrides(root, profile, {key: str(path) for key, path in given.items()}, overrides)
        params = params_of(root, chosen, files)
        prepare_torch(params["base"]["source"])
        if not brief:
            click.echo("plan: counting the rows and measuring this machine, which takes up to a minute", err=True)
        with working("plan"):
            lines = plan(root, chosen, wanted or WANTED, files=files)
        if has_own:
            own = " and ".join([params["clean"]["source"], params["split"]["benchmark"], *([str(corpus)] if corpus else [])])
            lines.insert(0, Line("run", f"as `plumbline real` with {own}", "given" if given else "the files of params.yaml"))
        text = f"{in_brief(lines)}\n" if brief else table(lines)
    click.echo(text, nl=False)
