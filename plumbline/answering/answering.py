"""Every arm answers the benchmark through one function: same engine, same decoding, resumable unit by unit."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from plumbline.answering.answer_store import append_answers, store_file, stored_answers
from plumbline.answering.engine import Engine, Generated, Prompt
from plumbline.answering.longest_prompt import refuse_prompts_that_do_not_fit
from plumbline.answering.lost_turns import refuse_lost_turns
from plumbline.answering.sampling import Sampling, sample_seed
from plumbline.model.assistant_turn import assistant_turn
from plumbline.model.tokenization import render_example, render_prompt, template_sha256
from plumbline.pipeline.heartbeat import Progress
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams, decoding_of
from plumbline.rows.context import ContextTurn

if TYPE_CHECKING:  # questions are read and refused before transformers is loaded
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger("answer")
GROUP_DIGITS = 16


class Asked(NamedTuple):
    """The parts of one question to a model."""

    user: str
    """The user's message, with its passages."""
    choices: Mapping[str, str] = {}
    """mcq: letter -> text; empty for the other kinds."""
    turns: Sequence[ContextTurn] = ()
    """Exchanges before the message."""


def render(
    tokenizer: "PreTrainedTokenizerBase",
    *,
    id: str,
    user: str,
    choices: Mapping[str, str],
    params: AnswerParams,
    turns: Sequence[ContextTurn] = (),
) -> Prompt:
    """Render one question, with the continuation `<choice_prefix> <letter or text>` for each choice."""
    header = assistant_turn(tokenizer).header
    continuations = {}
    for letter, text in choices.items():
        example = render_example(tokenizer, user, f"{params.choice_prefix} {letter if params.choice_scoring == 'letter' else text}".strip())
        # The template writes the same before and after the answer for every choice, and earlier turns change no token of this.
        continuations[letter] = example.ids[example.num_prompt_tokens + len(header) : -1]
    return Prompt(
        id=id, ids=render_prompt(tokenizer, user, turns), continuations=continuations, header=header, group=_group(turns) if turns else ""
    )


def asked_for(prompt: Prompt, params: AnswerParams) -> list[Prompt]:
    """The prompt once for each wanted answer, each with its own seed. The choices are scored only once: scoring draws nothing."""
    if not params.is_sampled:
        return [prompt]
    numbers = range(1, params.num_samples + 1)
    return [
        prompt._replace(
            sample=number if params.num_samples > 1 else None,
            sampling=Sampling(params.temperature, sample_seed(params.seed, prompt.id, number)),
            continuations=prompt.continuations if number == 1 else {},
        )
        for number in numbers
    ]


def _group(turns: Sequence[ContextTurn]) -> str:
    """A name for these turns: prompts with the same turns begin with the same tokens."""
    return hashlib.sha256(json.dumps([(turn.user, turn.assistant) for turn in turns]).encode()).hexdigest()[:GROUP_DIGITS]


def answer_questions(
    engine: Engine,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    asked: Mapping[str, Asked],
    params: AnswerParams,
    arm: str,
    complete: bool,
    model_identity: str,
    longest: int | None = None,
) -> list[Answer]:
    """Answer every question in the given order, and each question sample by sample. `asked`: id -> question.

    `model_identity` names weights, dtype, quantisation and adapter: answers of another model are never reused. The key of the store
    does not hold the arm's name: two arms with the same weights and prompts share answers. `longest`: most tokens of the model, if known.
    TurnsRefused if the template cannot show the turns. Refused if a prompt and its answer do not fit.
    """
    refuse_lost_turns(tokenizer, [one.turns for one in asked.values()])
    prompts = [
        prompt
        for id, one in asked.items()
        for prompt in asked_for(render(tokenizer, id=id, user=one.user, choices=one.choices, params=params, turns=one.turns), params)
    ]
    lengths = {prompt.id: len(prompt.ids) for prompt in prompts}
    refuse_prompts_that_do_not_fit(lengths, arm=arm, max_new_tokens=params.max_new_tokens, limit=longest)
    identity = {
        "model": model_identity,
        "template": template_sha256(tokenizer),
        "prompts": [(*prompt.key, *prompt[1:5], *(prompt.sampling or ())) if prompt.sampling else prompt[:5] for prompt in prompts],
        "params": decoding_of(params.model_dump()),
        "complete": complete,
        "engine": {"name": engine.name, **engine.identity},
    }
    file = store_file(hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32])
    done = {key: answer.model_copy(update={"arm": arm}) for key, answer in stored_answers(file).items()}
    units, noun = engine.units(prompts), "question" if params.num_samples == 1 else "sample"
    due = [unit for unit in units if any(prompt.key not in done for prompt in unit)]
    if len(due) < len(units):
        num_done = sum(len(unit) for unit in units) - sum(len(unit) for unit in due)
        log.info("%d of %d %ss were answered before", num_done, len(prompts), noun)
    num_tokens = 0
    with Progress(f"answer {arm}", total=sum(map(len, due)), unit=noun) as progress:
        for finished in engine.answer(due, max_new_tokens=params.max_new_tokens):
            answers = [_answer(one, arm=arm, engine=engine.name, complete=complete, num_prompt_tokens=lengths[one.id]) for one in finished]
            append_answers(file, answers)
            done.update({(answer.id, answer.sample): answer for answer in answers})
            progress.update(len(answers))
            num_tokens += sum(answer.num_tokens for answer in finished)
            progress.say(f"{num_tokens * progress.per_second / progress.done:,.0f} tokens/s")
    return [done[prompt.key] for prompt in prompts]


def _answer(generated: Generated, *, arm: str, engine: str, complete: bool, num_prompt_tokens: int) -> Answer:
    return Answer(
        id=generated.id,
        sample=generated.sample,
        arm=arm,
        engine=engine,
        response=generated.response,
        num_tokens=generated.num_tokens,
        num_prompt_tokens=num_prompt_tokens,
        stopped="eos" if generated.reached_eos else "max_new_tokens",
        choice_logprobs=generated.choice_logprobs,
        complete=complete,
    )
