"""Plan a run: what it will take, each number with how it is known. Touches params.yaml, data/split, models/base and the device; writes nothing."""

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

from plumbline.commands.refusing import refusing, repository
from plumbline.embedded.base_params import EmbeddedParams
from plumbline.embedded.pretraining import architecture
from plumbline.judging.canaries import canaries
from plumbline.judging.params import JudgeParams
from plumbline.judging.prices import PRICES, assumed_reply_tokens, largest_cost_usd
from plumbline.judging.prompt import JudgeItem, num_characters
from plumbline.judging.second_draw import is_judged_twice
from plumbline.laptop.smollm2_files import CONFIG
from plumbline.model.base_files import BaseRefused, read_manifest
from plumbline.model.local_models import local_model
from plumbline.model.runtime import device, prepare_torch
from plumbline.model.tokenization import Example
from plumbline.model.weights import load_tokenizer
from plumbline.params_sections import unknown_sections
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.planning.context_tokens import tokens_before_a_question
from plumbline.planning.estimates import Line, Planned, answer_lines, context_lines, memory_lines, probe_lines, training_line
from plumbline.planning.judged_answers import JudgedAnswers, judged_answers
from plumbline.planning.model_size import Counted, config_folder, counted, counted_config, counted_model
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
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.dialogues import Trainable, dialogue_of, render_dialogue
from plumbline.training.general_prompts import num_replay_rows
from plumbline.training.packing import pack
from plumbline.training.schedule import Schedule, fewest_packed_rows, plan_training
from stages.answer_again import NoiseFloorParams

CHARACTERS_PER_TOKEN = 4.0
TEMPLATE_TOKENS = 8
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
        own = EmbeddedParams.model_validate(section["embedded"])
        return counted_model(architecture(own, vocab_size=own.vocab_size), lora), "base.embedded of params.yaml"
    repo, revision = section["repo"], section["revision"]
    if repo is None or revision is None:
        raise NotPlanned(f"base.repo is {repo!r} and base.revision {revision!r}: with source hub, give organisation/name and a commit.")
    if (local := local_model(repo)) is not None and local.revision == revision:
        return counted_config(CONFIG, lora, name=repo), f"{repo}, which `plumbline fetch-model` makes"
    try:
        folder, where = config_folder(repo, revision)
    except BaseRefused as error:
        raise NotPlanned(
            f"the size of the model comes from its config.json, a few kilobytes, and this file cannot be read: {error}"
        ) from error
    return counted(folder, lora, name=repo), where


def examples_of(rows: Sequence[InstructionRow], base: Path, *, here: bool) -> tuple[list[Trainable], str]:
    """The rows as tokens: counted if the tokenizer is here, else placeholders of estimated length."""
    if here:
        tokenizer = load_tokenizer(base)
        return [example for row in rows for example in render_dialogue(tokenizer, dialogue_of(row))], "counted"
    found: list[Trainable] = []
    for row in rows:
        before = sum(len(one.user + one.assistant) for one in row.earlier)
        asked = round((before + len(row.instruction + row.input)) / CHARACTERS_PER_TOKEN) + TEMPLATE_TOKENS * (1 + len(row.earlier))
        found.append(Example(ids=[0] * (asked + max(1, round(len(row.output) / CHARACTERS_PER_TOKEN))), num_prompt_tokens=asked))
    return found, f"estimated, {CHARACTERS_PER_TOKEN:g} characters a token"


def schedule_of(examples: Sequence[Trainable], params: TrainParams) -> Schedule:
    """The plan that `train` will make of these rows, replay rows included."""
    fitting = [example for example in examples if len(example.ids) <= params.max_length]
    num_replayed = num_replay_rows(len(fitting), params.replay_fraction)
    num_tokens = round(sum(len(example.ids) for example in fitting) * (1 + num_replayed / max(1, len(fitting))))
    num_rows = len(fitting) + num_replayed
    if params.packing:
        packed = len(pack(fitting, max_length=params.max_length, packing=True, seed=params.seed))
        num_rows = packed + (
            fewest_packed_rows(num_tokens, params.max_length)
            - fewest_packed_rows(sum(len(example.ids) for example in fitting), params.max_length)
        )
    return plan_training(num_rows=num_rows, num_tokens=num_tokens, params=params)


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


def other_source(root: Path, wanted: str, *, profile: str | None) -> str | None:
    """A warning if the rows that are counted come from another file than the run would read, and how to make them the same."""
    lock = root / "dvc.lock"
    deps = read_yaml(lock)["stages"].get("clean", {}).get("deps", []) if lock.is_file() else []
    read = [str(dep["path"]) for dep in deps if not str(dep["path"]).startswith(("plumbline/", "stages/"))]
    if not read or wanted in read:
        return None
    names = f"set clean.source to {wanted} in params.yaml, "
    if read_yaml(root / "params.yaml")["clean"]["source"] == wanted:
        names = ""
    elif profile is not None:
        names = f"profiles/{profile} names {wanted}: name your rows and questions there, or {names}"
    return f"these are rows of {', '.join(read)}, not of {wanted}: {names}run `dvc repro split`, then plan again"


def chosen_overrides(root: Path, profile: str | None, files: Mapping[str, str], more: Sequence[str]) -> tuple[list[str], str | None]:
    """The overrides of a run. If the user's own files replace those of the profile of `plumbline real`, also their paths, else None."""
    lines = profile_overrides(root, profile) if profile else []
    own = dict(files)
    if profile == PROFILE and not files:
        own = own_in_params(read_yaml(root / "params.yaml"))
    if profile == PROFILE:
        lines = real_overrides(lines, own)
    else:
        lines += [f"{key}={path}" for key, path in own.items()]
    said = " and ".join(own.values()) if profile == PROFILE and own else None
    return merged(lines, one_by_one(more)), said


def plan(root: Path, overrides: Sequence[str], wanted: Sequence[float] = WANTED, *, profile: str | None = None) -> list[Line]:
    """All lines of the plan. `wanted`: differences for which it says how many questions they take; `profile`: where the overrides are from."""
    params = planned_params(root, overrides)
    if (problem := unknown_sections(params, read_yaml(root / "dvc.yaml"))) is not None:
        raise NotPlanned(problem)
    lora, training, section = LoraParams.model_validate(params["lora"]), TrainParams.model_validate(params["train"]), params["base"]
    rows_file, benchmark, base = (root / path for path in ("data/split/train.jsonl", "data/split/benchmark.jsonl", "models/base"))
    for path in (rows_file, benchmark):
        if not path.is_file():
            raise NotPlanned(
                f"{path.relative_to(root)} is missing, and the plan counts its rows. Run `dvc repro split` first, which takes seconds."
            )
    rows, questions = list(read_jsonl(rows_file, InstructionRow)), list(read_jsonl(benchmark, Question))
    here = base_is_here(base, section)
    probes = ProbesParams.model_validate(params["probes"])
    arms, retrieve = Arms.model_validate(params["arms"]), RetrieveParams.model_validate(params["retrieve"])
    model, known = model_of(base, section, lora, here=here)
    examples, how = examples_of(rows, base, here=here)
    if all(len(example.ids) > training.max_length for example in examples):
        raise NotPlanned(f"all {len(examples)} rows are longer than train.max_length, {training.max_length} tokens. Raise it.")
    planned = Planned(
        counted=model,
        known=known,
        examples=examples,
        schedule=schedule_of(examples, training),
        lora=lora,
        training=training,
        answering=AnswerParams.model_validate(params["answer"]),
        dtype=section["dtype"],
        quantization=section["quantization"],
        device=device(),
    )
    return [
        *row_lines(planned, how, elsewhere=other_source(root, params["clean"]["source"], profile=profile)),
        training_line(planned, base, here=here),
        *selection_lines(planned, ReportParams.model_validate(params["report"]), questions),
        *answer_lines(planned, len(questions), num_arms=sum(arm.weights_kind != "file" for arm in arms.root.values())),
        again_line(NoiseFloorParams.model_validate(params["noise_floor"]), planned.answering, questions),
        *context_lines(planned, len(questions), tokens_before_a_question(arms, retrieve, Counter(one.kind for one in questions))),
        *probe_lines(planned, probes.limits(), batch_size=probes.batch_size),
        *memory_lines(planned, free_disk_bytes=shutil.disk_usage(root).free),
        *judge_lines(
            JudgeParams.model_validate(params["judge"]),
            questions,
            planned.answering,
            judged_answers(root, arms, questions, planned.answering),
        ),
        *resolution_lines(root, params, questions, wanted, here=here),
    ]


def row_lines(planned: Planned, how: str, *, elsewhere: str | None) -> list[Line]:
    """The model, the rows and the steps. `how`: how the tokens are known; `elsewhere`: a warning about the file of the rows."""
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
        Line("rows", f"{len(planned.examples):,} rows of the last split, {total:,} tokens an epoch", how),
        *([Line("", elsewhere, "dvc.lock")] if elsewhere is not None else []),
        *([Line("", f"{too_long:,} are longer than train.max_length {longest}: preflight will refuse", how)] if too_long else []),
        Line("steps", f"{schedule.num_steps:,}{dry}, {schedule.num_warmup_steps} of them warm-up", f"{how}, as train plans them"),
    ]


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
@click.option("--rows", help="Your own training rows, as for `plumbline real`; the last split must have read them.")
@click.option("--questions", help="Your own questions; with --rows.")
@click.option("--corpus", help="Your own text to look things up in; without it, no arm of your own run has passages.")
def command(
    profile: str | None, overrides: tuple[str, ...], wanted: tuple[float, ...], rows: str | None, questions: str | None, corpus: str | None
) -> None:
    """Say what a run will take, before anything is spent.

    PROFILE is a file of profiles/; without it the plan is for params.yaml as it is. Each number says how it is known: counted, computed, measured here
    in a few seconds, estimated or assumed. The last lines say which difference the benchmark can show, and how many questions another one takes.
    Reads the training rows and the benchmark that the last `dvc repro split` made, and the grades of the last run; writes nothing. The profile of
    `plumbline real` is planned with your own files if params.yaml names both, or --rows and --questions do.

    Exit 1 if the run cannot be planned.
    """
    root = repository()
    with refusing(1, ValueError, OSError, DvcException):
        named = {"clean.source": rows, "split.benchmark": questions, "retrieve.corpus": corpus}
        chosen, own = chosen_overrides(root, profile, {key: path for key, path in named.items() if path}, overrides)
        prepare_torch(planned_params(root, chosen)["base"]["source"])
        click.echo("plan: counting the rows and measuring this machine, which takes up to a minute", err=True)
        with working("plan"):
            lines = plan(root, chosen, wanted or WANTED, profile=profile)
        if own is not None:
            lines.insert(0, Line("run", f"as `plumbline real` with {own}", "the files of params.yaml" if not rows else "given"))
        told = table(lines)
    click.echo(told, nl=False)
