"""Both arms answer the benchmark through this one function: same prompts, same batches, same decoding, resumable batch by batch."""

import hashlib
import json
import logging
from collections.abc import Mapping
from importlib.metadata import version

from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from stages.io.answer_store import append_answers, store_file, stored_answers
from stages.io.generation import Prompt, batch_plan, generate
from stages.io.tokenization import render_example, render_prompt, template_sha256
from stages.records.answer import Answer, Arm
from stages.records.answer_params import AnswerParams

log = logging.getLogger("answer")


def render(tokenizer: PreTrainedTokenizerBase, *, id: str, user: str, choices: Mapping[str, str], params: AnswerParams) -> Prompt:
    """Render one question, with the continuation `<choice_prefix> <letter or text>` for each choice."""
    prompt = render_prompt(tokenizer, user)
    continuations = {}
    for letter, text in choices.items():
        example = render_example(tokenizer, user, f"{params.choice_prefix} {letter if params.choice_scoring == 'letter' else text}".strip())
        after = example.ids[len(prompt) :]
        # What the template writes after the answer (end of sequence) is the same for every choice.
        continuations[letter] = after[:-1] if after[-1] == tokenizer.eos_token_id else after
    return Prompt(id=id, ids=prompt, continuations=continuations)


def answer_questions(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    users: Mapping[str, str],
    choices: Mapping[str, Mapping[str, str]],
    params: AnswerParams,
    arm: Arm,
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
        "prompts": [(prompt.id, prompt.ids, prompt.continuations) for prompt in prompts],
        "params": params.model_dump(),
        "arm": arm,
        "complete": complete,
        "versions": [version(package) for package in ("torch", "transformers", "peft")],
        "device": model.device.type,
    }
    file = store_file(hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32])
    done = stored_answers(file)
    batches = batch_plan(prompts, params.batch_size)
    # A batch is answered whole or again: its text may depend on who else is in it.
    due = [batch for batch in batches if any(prompt.id not in done for prompt in batch)]
    if len(due) < len(batches):
        log.info("%d of %d batches were answered before", len(batches) - len(due), len(batches))
    with tqdm(total=sum(map(len, due)), unit="question", desc=f"answer {arm}", disable=None) as bar:
        for finished in generate(model, tokenizer, due, max_new_tokens=params.max_new_tokens):
            answers = [
                Answer(
                    id=generated.id,
                    arm=arm,
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
            bar.update(len(answers))
    return [done[id] for id in users]
