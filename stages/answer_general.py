"""Base answers general prompts, so that training can be asked what it cost; no adapter is involved, so none makes base answer again."""

import logging
from collections import Counter
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.answering import answer_questions
from plumbline.answering.general_params import GeneralParams
from plumbline.model.base_files import base_fingerprint
from plumbline.model.orphans import die_with_parent
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams, Instructions
from plumbline.rows.general_answer import GeneralAnswer, Part
from plumbline.rows.general_prompt import GeneralPrompt
from plumbline.training.general_prompts import is_replayable, part_of

log = logging.getLogger("answer_general")


def main(params: GeneralParams, *, prompts: Path, base: Path, answers: Path) -> None:
    """Write base's greedy answer to every prompt, in the prompts' order, each with the part it is for.

    ValueError where an id stands twice, a prompt is blank, or no prompt is left to measure.
    """
    asked = list(read_jsonl(prompts, GeneralPrompt))
    if repeated := sorted(id for id, count in Counter(prompt.id for prompt in asked).items() if count > 1):
        raise ValueError(f"{prompts}: more than one prompt with id {', '.join(repeated[:5])}; give each prompt an id of its own.")
    if blank := [prompt.id for prompt in asked if not prompt.prompt.strip()]:
        raise ValueError(f"{prompts}: nothing is asked in {', '.join(blank[:5])}; write a prompt or take the line out.")
    parts: dict[str, Part] = {
        prompt.id: part_of(prompt.id, seed=params.seed, measured_fraction=params.measured_fraction) for prompt in asked
    }
    if "measured" not in parts.values():
        raise ValueError(
            f"{prompts}: of {len(asked)} prompts none measures forgetting; add prompts (about 100 make a useful number) "
            f"or raise general.measured_fraction, which is {params.measured_fraction}."
        )
    # Prompts without choices, to which nothing is added.
    asking = AnswerParams(
        engine="transformers",  # as training does, which is measured on these texts
        max_new_tokens=params.max_new_tokens,
        batch_size=params.batch_size,
        choice_scoring="text",
        choice_prefix="",
        instructions=Instructions(mcq="", numeric="", explanation=""),
    )
    # Imported here: a prompt that cannot be used is refused before torch and transformers are waited for (3 s).
    from plumbline.answering.generation import TransformersEngine
    from plumbline.model.runtime import device, prepare_torch
    from plumbline.model.weights import load_model, load_tokenizer

    prepare_torch()
    tokenizer = load_tokenizer(base)
    answered = answer_questions(
        TransformersEngine(load_model(base, device=device()), tokenizer, batch_size=params.batch_size),
        tokenizer,
        users={prompt.id: prompt.prompt for prompt in asked},
        choices={prompt.id: {} for prompt in asked},
        params=asking,
        arm="base",
        complete=True,
        model_identity=base_fingerprint(base),
    )
    rows = [
        GeneralAnswer(
            id=prompt.id,
            prompt=prompt.prompt,
            response=answer.response,
            num_tokens=answer.num_tokens,
            stopped=answer.stopped,
            part=parts[prompt.id],
        )
        for prompt, answer in zip(asked, answered, strict=True)
    ]
    write_jsonl(answers, rows)
    log.info(
        "%d answers: %d measured, %d may be replayed, %d cut at %d tokens, %d empty",
        len(rows),
        sum(row.part == "measured" for row in rows),
        sum(map(is_replayable, rows)),
        sum(row.stopped != "eos" for row in rows),
        params.max_new_tokens,
        sum(not row.response for row in rows),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent()
    with inputs_unchanged():
        section = load_params("general", GeneralParams)
        main(
            section,
            prompts=Path(section.prompts),
            base=Path("models/base"),
            answers=Path("data/answers/general.jsonl"),
        )
