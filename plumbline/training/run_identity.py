"""What a run is keyed by: everything that can change the adapter, and nothing else. Loads no torch."""

import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from plumbline.pipeline.files import sha256_of
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.dialogues import Trainable, answers_in


def loaded_code(*, without: Collection[str] = ()) -> dict[str, str]:
    """Name -> sha256 of every Plumbline module that this process has loaded: other code is another run.

    `without`: modules that touch the run only after its end; if one changes, the run stays the same.
    """
    return {
        name: sha256_of(Path(module.__file__))
        for name, module in sorted(sys.modules.items())
        if name.split(".")[0] in ("plumbline", "stages") and name not in without and module.__file__ is not None
    }


def sha256_of_rows(rows: Sequence[GeneralAnswer]) -> str | None:
    """Identify the replay rows, with order and repetition; None if there are none."""
    return hashlib.sha256("".join(row.model_dump_json() for row in rows).encode()).hexdigest() if rows else None


def sha256_of_rendered(examples: Iterable[Trainable]) -> str:
    """Identify token ids and which of them are trained, in their order."""
    digest = hashlib.sha256()
    for example in examples:
        answers = [place for span in answers_in(example) for place in span]
        # With one exchange, the start of the answer is enough.
        digest.update(json.dumps([answers if len(answers) > 2 else answers[0], example.ids]).encode())
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class RunIdentity:
    """Two runs with the same fields end in the same adapter, so one may resume from the checkpoints of the other."""

    lora: LoraParams
    params: TrainParams
    train_sha256: str
    validation_sha256: str
    replay_sha256: str | None
    """Of the replay rows; None if there are none."""
    rendered_sha256: str
    """Of the token ids that the model sees: if a template or a library renders them differently, it is another run."""
    base_fingerprint: str
    template_sha256: str
    code: dict[str, str]
    """Name -> sha256 of each Plumbline module that takes part."""
    versions: dict[str, str]
    """Library -> version."""
    device: str
    num_threads: int | None
    """Each process spreads its sums over so many threads; None on a GPU."""
    num_ranks: int
    sharded: bool
    task_sha256: str | None = None
    """Of the questions that choose the checkpoint, and of how they are asked and graded; None if the loss chooses."""

    def fingerprint(self) -> str:
        """The name of the run's folder: the same for equal fields, another one if any field differs."""
        fields = asdict(self) | {"lora": self.lora.model_dump(), "params": self.params.model_dump()}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:32]
