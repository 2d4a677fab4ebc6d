"""Base answers the general prompts: they are read and checked first, then the model is loaded."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from plumbline.answering.plain_prompts import answer_prompts
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.general_answer import GeneralAnswer, Part
from plumbline.rows.general_prompt import GeneralPrompt
from plumbline.twin_keys import TwinKey, refuse_twins


def read_prompts(path: Path) -> list[GeneralPrompt]:
    """Read the prompts. Refused if an id, or a key of one line, occurs twice, or a prompt is blank."""
    asked = list(read_jsonl(path, GeneralPrompt))
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        try:
            refuse_twins(line or "null")
        except TwinKey as twins:
            raise Refused(f"{path}, line {number}: {twins}.") from None
    if repeated := sorted(id for id, count in Counter(prompt.id for prompt in asked).items() if count > 1):
        raise Refused(f"{path}: several prompts have the id {', '.join(repeated[:5])}. Give each prompt its own id.")
    if blank := [prompt.id for prompt in asked if not prompt.prompt.strip()]:
        raise Refused(f"{path}: the prompt of {', '.join(blank[:5])} is empty. Write a prompt, or remove the line.")
    return asked


def answer_general(
    prompts: Path,
    base: Path,
    answers: Path,
    *,
    part_of: Callable[[str], Part],
    measured_fraction: float,
    max_new_tokens: int,
    batch_size: int,
) -> list[GeneralAnswer]:
    """Write base's greedy answer to every prompt, in the order of the prompts, each with the part to which its id belongs.

    Refused if no prompt measures forgetting, if base says nothing, and as in `read_prompts`.
    """
    asked = read_prompts(prompts)
    parts: dict[str, Part] = {prompt.id: part_of(prompt.id) for prompt in asked}
    if "measured" not in parts.values():
        raise Refused(
            f"{prompts}: none of the {len(asked)} prompts measures forgetting. Add prompts (about 100 give a useful number), "
            f"or raise general.measured_fraction, which is {measured_fraction}."
        )
    # Always by transformers, whichever engine answers the benchmark: training scores these texts with transformers.
    answered = answer_prompts({max_new_tokens: {prompt.id: prompt.prompt for prompt in asked}}, base=base, batch_size=batch_size)
    rows = [
        GeneralAnswer(
            id=prompt.id,
            prompt=prompt.prompt,
            response=answer.response,
            num_tokens=answer.num_tokens or 0,
            stopped=answer.stopped,
            part=parts[prompt.id],
        )
        for prompt, answer in zip(asked, answered, strict=True)
    ]
    refuse_silence(rows, max_new_tokens=max_new_tokens)
    write_jsonl(answers, rows)
    return rows


def refuse_silence(rows: Sequence[GeneralAnswer], *, max_new_tokens: int) -> None:
    """Refused if all measured answers are empty: forgetting would be measured on nothing, and this would show only after the training."""
    measured = [row for row in rows if row.part == "measured"]
    if any(row.response.strip() for row in measured):
        return
    cut = sum(row.stopped != "eos" for row in measured)
    remedy = (
        f"{cut} of them were cut at general.max_new_tokens, {max_new_tokens}: raise it"
        if cut
        else "base ends them at once: name an instruct model in base.repo, or the chat template it was trained with in base.chat_template"
    )
    raise Refused(f"base's answers to all {len(measured)} prompts that measure forgetting are empty. {remedy[0].upper()}{remedy[1:]}.")
