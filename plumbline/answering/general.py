"""Base answers the general prompts: they are read and refused first, then the model is loaded."""

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
    """Read the prompts. Refused where an id, or a key in one line, stands twice, or a prompt is blank."""
    asked = list(read_jsonl(path, GeneralPrompt))
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        try:
            refuse_twins(line or "null")
        except TwinKey as twins:
            raise Refused(f"{path}, line {number}: {twins}.") from None
    if repeated := sorted(id for id, count in Counter(prompt.id for prompt in asked).items() if count > 1):
        raise Refused(f"{path}: more than one prompt with id {', '.join(repeated[:5])}; give each prompt an id of its own.")
    if blank := [prompt.id for prompt in asked if not prompt.prompt.strip()]:
        raise Refused(f"{path}: nothing is asked in {', '.join(blank[:5])}; write a prompt or take the line out.")
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
    """Write base's greedy answer to every prompt, in the prompts' order, each with the part that its id is for.

    Refused where no prompt is left to measure, where base says nothing, and as in `read_prompts`.
    """
    asked = read_prompts(prompts)
    parts: dict[str, Part] = {prompt.id: part_of(prompt.id) for prompt in asked}
    if "measured" not in parts.values():
        raise Refused(
            f"{prompts}: of {len(asked)} prompts none measures forgetting; add prompts (about 100 make a useful number) "
            f"or raise general.measured_fraction, which is {measured_fraction}."
        )
    # By transformers whatever answers the benchmark: training measures on these texts, and reads them so.
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
    """Refused where no measured answer has a word: forgetting would be measured on nothing, and that would be seen only after the training."""
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
