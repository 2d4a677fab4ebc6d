"""Write the adapter folder in canonical form (same training, same bytes), and refuse an adapter that does not belong to the base."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.pipeline.files import replacing_folder, sha256_of, write_json
from plumbline.pipeline.refused import Refused
from plumbline.rows.manifest import Manifest
from plumbline.rows.training_record import TrainingRecord

if TYPE_CHECKING:  # the record of an adapter is read and refused before any of these is loaded
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

RECORD = "training.json"
CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"


class AdapterRefused(Refused):
    """The adapter belongs to another base, template or quantisation."""


def canonical_config(content: dict[str, object], base: Manifest) -> dict[str, object]:
    """Sort a PEFT configuration, remove where it was made, and name the base so that anyone can load it.

    A base from the hub has its name on the hub, since its weights are not in models/base. The embedded base is only there.

    PEFT saves target_modules and target_parameters as sets, in the order of the process's hash seed.
    """
    targets = {name: content[name] for name in ("target_modules", "target_parameters") if name in content}
    return {
        **{name: content[name] for name in sorted(content)},
        **{name: sorted(value) if isinstance(value, list) else value for name, value in targets.items()},
        "base_model_name_or_path": base.repo or "models/base",
        "revision": base.revision,
    }


def save_adapter(folder: Path, *, model: "PeftModel", weights: "dict[str, torch.Tensor]", record: TrainingRecord, base: Manifest) -> None:
    """Write the folder whole or not at all: configuration, weights as safetensors, training.json; no pickles, no clock. `base`: what it was trained on."""
    # Imported here: it loads torch, which is loaded already if there are weights to save.
    from safetensors.torch import save_file

    with replacing_folder(folder) as partial:
        scratch = partial / "peft"
        model.peft_config["default"].save_pretrained(str(scratch))
        config = json.loads((scratch / CONFIG).read_text(encoding="utf-8"))
        shutil.rmtree(scratch)
        write_json(partial / CONFIG, canonical_config(config, base))
        save_file({name: weights[name].contiguous() for name in sorted(weights)}, partial / WEIGHTS, metadata={"format": "pt"})
        write_json(partial / RECORD, record.model_dump())


def read_training_record(folder: Path) -> TrainingRecord:
    """Read training.json of an adapter folder; ValueError names what is wrong with it."""
    path = folder / RECORD
    if not path.is_file():
        raise AdapterRefused(f"{path} is missing, and only adapters of the train stage are used. Run `dvc repro train`.")
    return TrainingRecord.model_validate_json(path.read_text(encoding="utf-8"))


def check_adapter(folder: Path, *, base_fingerprint: str, template_sha256: str) -> TrainingRecord:
    """Return the adapter's record. AdapterRefused names both sides if it was trained on another base or template."""
    record = read_training_record(folder)
    for what, trained, here in (
        ("base model (weights, dtype, quantisation)", record.base_fingerprint, base_fingerprint),
        ("chat template", record.template_sha256, template_sha256),
    ):
        if trained != here:
            raise AdapterRefused(
                f"{folder} was trained with {what} {trained[:12]}, but here it is {here[:12]}. "
                "Answer with the base it was trained on, or train again: `dvc repro train`."
            )
    return record


def load_adapter(model: "PreTrainedModel", folder: Path, *, base_fingerprint: str, template_sha256: str) -> "PeftModel":
    """Put the adapter on the base it was trained on. AdapterRefused names both sides if they differ."""
    # Imported here: base answers without PEFT, which takes longer to import than torch.
    from peft import PeftModel

    check_adapter(folder, base_fingerprint=base_fingerprint, template_sha256=template_sha256)
    tuned = PeftModel.from_pretrained(model, str(folder))
    if not any(parameter.abs().max() > 0 for name, parameter in tuned.named_parameters() if "lora_B" in name):
        raise AdapterRefused(f"{folder}: every lora_B is zero, so the tuned model is the base model. Train again: `dvc repro -f train`.")
    return tuned


def adapter_sha256(folder: Path) -> str:
    """Identify an adapter by its weights."""
    return sha256_of(folder / WEIGHTS)
