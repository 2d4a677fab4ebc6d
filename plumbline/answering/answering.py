"""Every arm answers the benchmark through this one function: same prompts, same engine, same decoding, resumable unit by unit."""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from plumbline.answering.answer_store import append_answers, store_file, stored_answers
from plumbline.answering.engine import Engine, Prompt
from plumbline.model.assistant_turn import assistant_turn
from plumbline.model.tokenization import render_example, render_prompt, template_sha256
from plumbline.pipeline.heartbeat import Progress
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams

if TYPE_CHECKING:  # questions are read and refused before transformers is loaded
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger("answer")


def render(tokenizer: "PreTrainedTokenizerBase", *, id: str, user: str, choices: Mapping[str, str], params: AnswerParams) -> Prompt:
    """Render one question, with the continuation `<choice_prefix> <letter or text>` for each choice."""
    prompt, header = render_prompt(tokenizer, user), assistant_turn(tokenizer).header
    continuations = {}
    for letter, text in choices.items():
        example = render_example(tokenizer, user, f"{params.choice_prefix} {letter if params.choice_scoring == 'letter' else text}".strip())
        # What the template writes before and after the answer is the same for every choice.
        continuations[letter] = example.ids[len(prompt) + len(header) : -1]
    return Prompt(id=id, ids=prompt, continuations=continuations, header=header)


def answer_questions(
    engine: Engine,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    users: Mapping[str, str],
    choices: Mapping[str, Mapping[str, str]],
    params: AnswerParams,
    arm: str,
    complete: bool,
    model_identity: str,
) -> list[Answer]:
    """Answer every question, in the order given.

    `users`: question id -> user message; `choices`: question id -> letter -> text (empty but for mcq);
    `model_identity` names weights, dtype, quantisation and adapter: answers of another model are never reused.
    """
    prompts = [render(tokenizer, id=id, user=user, choices=choices[id], params=params) for id, user in users.items()]
    identity = {
        "model": model_identity,
        "template": template_sha256(tokenizer),
        "prompts": [(prompt.id, prompt.ids, prompt.continuations, prompt.header) for prompt in prompts],
        "params": params.model_dump(),
        "arm": arm,
        "complete": complete,
        "engine": {"name": engine.name, **engine.identity},
    }
    file = store_file(hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32])
    done = stored_answers(file)
    units = engine.units(prompts)
    due = [unit for unit in units if any(prompt.id not in done for prompt in unit)]
    if len(due) < len(units):
        num_done = sum(len(unit) for unit in units) - sum(len(unit) for unit in due)
        log.info("%d of %d questions were answered before", num_done, len(prompts))
    num_tokens = 0
    with Progress(f"answer {arm}", total=sum(map(len, due)), unit="question") as progress:
        for finished in engine.answer(due, max_new_tokens=params.max_new_tokens):
            answers = [
                Answer(
                    id=generated.id,
                    arm=arm,
                    engine=engine.name,
                    response=generated.response,
                    num_tokens=generated.num_tokens,
                    stopped="eos" if generated.reached_eos else "max_new_tokens",
                    choice_logprobs=generated.choice_logprobs,
                    complete=complete,
                )
                for generated in finished
            ]
            append_answers(file, answers)
            done.update({answer.id: answer for answer in answers})
            progress.update(len(answers))
            num_tokens += sum(answer.num_tokens for answer in finished)
            progress.say(f"{num_tokens * progress.per_second / progress.done:,.0f} tokens/s")
    return [done[id] for id in users]
