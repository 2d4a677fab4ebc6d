"""Divide the general prompts into a measured and a replay part, and draw replay rows. Pure."""

from collections.abc import Sequence

from plumbline.hash_place import place_of
from plumbline.rows.general_answer import GeneralAnswer, Part


def position(id: str, seed: int, purpose: str) -> float:
    """Place of an id in [0, 1): uniform, and the same on every machine and among any other prompts."""
    return place_of(f"{seed}:{purpose}:{id}")


def part_of(id: str, *, seed: int, measured_fraction: float) -> Part:
    """Whether a prompt measures forgetting or may be replayed; never both."""
    return "measured" if position(id, seed, "general") < measured_fraction else "replay"


def is_replayable(answer: GeneralAnswer) -> bool:
    """Only whole answers of the replay part: a cut answer would teach the model never to stop, an empty one to say nothing."""
    return answer.part == "replay" and answer.stopped == "eos" and answer.response.strip() != ""


def num_replay_rows(num_training_rows: int, replay_fraction: float) -> int:
    """Rows to add so that they are this share of all rows. ValueError outside 0 <= replay_fraction < 1."""
    if not 0 <= replay_fraction < 1:
        raise ValueError(f"train.replay_fraction is {replay_fraction}. Set a share of all training rows, at least 0 and below 1.")
    return round(num_training_rows * replay_fraction / (1 - replay_fraction))


def replay_rows(answers: Sequence[GeneralAnswer], *, num_training_rows: int, replay_fraction: float, seed: int) -> list[GeneralAnswer]:
    """The rows to append to the training rows, in the order of a hash. If there are too few, they are repeated, round by round.

    ValueError if rows are wanted and no answer can be replayed.
    """
    num_rows = num_replay_rows(num_training_rows, replay_fraction)
    if num_rows == 0:
        return []
    usable = sorted(filter(is_replayable, answers), key=lambda answer: position(answer.id, seed, "replay"))
    if not usable:
        raise ValueError(
            f"train.replay_fraction is {replay_fraction}, but none of the {len(answers)} general answers can be replayed: each is in the "
            "measured part, cut or empty. Add prompts to general.prompts, lower general.measured_fraction or raise general.max_new_tokens."
        )
    return [usable[index % len(usable)] for index in range(num_rows)]
