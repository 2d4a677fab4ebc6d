"""Base answers general prompts, so that forgetting can be measured; no adapter is involved, so no training makes base answer again."""

import logging
from functools import partial
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.general import answer_general
from plumbline.model.orphans import die_with_parent
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.training.general_prompts import is_replayable, part_of

log = logging.getLogger("answer_general")


class GeneralParams(Params):
    """Nothing here depends on the adapter, so no training makes base answer again."""

    prompts: str
    """JSON lines of `id` and `prompt`."""
    max_new_tokens: int
    batch_size: int
    """Prompts per batch, sorted by length."""
    measured_fraction: float
    """Share of the prompts, 0-1, by hash of the id, that measure forgetting; the others may be replayed."""
    seed: int
    """Of that hash."""


def main(params: GeneralParams, *, prompts: Path, base: Path, answers: Path) -> None:
    """Write base's greedy answer to every prompt, in the prompts' order, each with the part it is for."""
    part = partial(part_of, seed=params.seed, measured_fraction=params.measured_fraction)
    rows = answer_general(
        prompts,
        base,
        answers,
        part_of=part,
        measured_fraction=params.measured_fraction,
        max_new_tokens=params.max_new_tokens,
        batch_size=params.batch_size,
    )
    log.info(
        "%d answers: %d measured, %d may be replayed, %d cut at %d tokens (they measure as well, but are not replayed), %d empty",
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
            answers=Path("data/general/answers.jsonl"),
        )
