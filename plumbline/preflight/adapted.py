"""What the LoRA parameters adapt in the base's architecture, and what the trainer gets: the trainer of `train`, with a tiny model."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from peft import LoraConfig, PeftModel
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.layer import ParamWrapper
from transformers import AutoConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.pytorch_utils import Conv1D
from trl import SFTTrainer

from plumbline.model.base_files import read_manifest
from plumbline.model.weights import load_weights
from plumbline.preflight.shrunk import shrunk_model
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.dialogues import Trainable
from plumbline.training.packing import pack
from plumbline.training.schedule import Schedule
from plumbline.training.trainer import build_trainer


class Fed(NamedTuple):
    """One example as the training loop gets it, from the trainer's batches."""

    ids: list[int]
    labels: list[int]


class Adapted(NamedTuple):
    """What the LoRA parameters adapt in this architecture, and which examples the trainer of `train` would get."""

    num_adapted: int
    """Modules."""
    num_expected: int
    num_linear: int
    """All layers that are linear for PEFT, without the head; GPT-2's Conv1D is one."""
    num_fused_adapted: int
    """Tensors that hold all experts of a layer; no module holds a single expert."""
    num_left_to_experts: int
    """Linear layers that are not adapted because PEFT takes their names for names of experts."""
    num_layers: int
    """Layers of the tiny model."""
    unmatched: list[str]
    """Names in the parameters that no module and no tensor has."""
    problem: str
    """PEFT's error for these parameters; empty if it accepts them."""
    dtypes: set[str]
    """Of the trainable tensors, with the base in its own dtype and quantisation."""
    fed: list[Fed]


def adapted_modules(
    base: Path,
    params: LoraParams,
    training: TrainParams,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Trainable],
    *,
    num_rows_per_step: int,
) -> Adapted:
    """Build the trainer of `train` with the tiny model, and see which layers are adapted, in which dtype, on which labels."""
    packed = pack(examples, max_length=training.max_length, packing=training.packing, seed=training.seed)
    # Next to the base: the folder for temporary files may be too small even for a tiny model with a real vocabulary.
    with TemporaryDirectory(dir=base.resolve().parent, prefix="probe-") as folder:
        scratch = Path(folder)

        def trainer_with(lora: LoraParams) -> SFTTrainer:
            return build_trainer(
                model=_as_loaded(base, scratch / "tiny"),
                tokenizer=tokenizer,
                train=packed,
                validation=packed,
                lora=lora,
                params=training,
                folder=scratch / "run",
                schedule=Schedule.of_steps(1, num_rows_per_step=num_rows_per_step),
            )

        problem = ""
        try:
            trainer = trainer_with(params)
        except ValueError as error:
            # PEFT refuses, for example, names that nothing has. The rows are still worth a look.
            problem = str(error)
            trainer = trainer_with(params.model_copy(update={"target_modules": "all-linear", "target_parameters": None, "dropout": 0.0}))
        assert isinstance(trainer.model, PeftModel)
        return _looked_at(trainer.model, params, problem=problem, fed=list(_fed(trainer)))


def _as_loaded(base: Path, folder: Path) -> PreTrainedModel:
    """Load the tiny model as the base is loaded: in its dtype and quantisation."""
    if not folder.exists():
        shrunk_model(AutoConfig.from_pretrained(str(base)), seed=0).save_pretrained(folder)
    return load_weights(folder, read_manifest(base), device="cpu")


def _fed(trainer: SFTTrainer) -> Iterator[Fed]:
    for batch in trainer.get_train_dataloader():
        yield from _documents(batch)


def _documents(batch: Mapping[str, torch.Tensor]) -> Iterator[Fed]:
    """Split a batch of the trainer into examples: packed rows at their boundaries, padded rows at their mask."""
    ids, labels = batch["input_ids"], batch["labels"]
    if "cu_seq_lens_q" in batch:
        for start, end in pairwise(batch["cu_seq_lens_q"].tolist()):
            yield Fed(ids[0, start:end].tolist(), labels[0, start:end].tolist())
    else:
        for row, kept in enumerate(batch["attention_mask"].bool()):
            yield Fed(ids[row][kept].tolist(), labels[row][kept].tolist())


def _looked_at(model: PeftModel, params: LoraParams, *, problem: str, fed: list[Fed]) -> Adapted:
    """Compare what PEFT did with what the parameters name."""
    inner, config = model.get_base_model(), model.peft_config["default"]
    assert isinstance(inner, PreTrainedModel) and isinstance(config, LoraConfig)
    head, refused = inner.get_output_embeddings(), config.exclude_modules
    modules = [(name.replace(".base_layer", ""), module) for name, module in inner.named_modules()]
    linear = {
        name
        for name, module in modules
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not head and not re.search(r"\.lora_[AB]\.", name)
        if not (isinstance(refused, str) and re.fullmatch(refused, name))
    }
    names = {name for name, _ in modules} | {name.replace(".base_layer", "") for name, _ in inner.named_parameters()}
    targets = [] if isinstance(config.target_modules, str | None) else sorted(config.target_modules)
    # PEFT moves old names of experts' layers to `target_parameters`, and other layers of the same names with them.
    has_moved = not problem and len(config.target_parameters or ()) > len(params.target_parameters or ())
    stay = {name for name in linear if has_moved and not any(_ends(name, target) for target in targets)}
    asked: list[str] = []
    if params.target_modules == "all-linear":
        expected = linear - stay
    else:
        stay, asked = set(), targets if has_moved else list(params.target_modules)
        expected = {name for name in linear if any(_ends(name, end) for end in asked)}
    unmatched = [end for end in (*asked, *(params.target_parameters or ())) if not any(_ends(name, end) for name in names)]
    layers = [module for _, module in modules if isinstance(module, LoraLayer)]
    num_fused = sum(isinstance(layer, ParamWrapper) for layer in layers)
    is_as_named = not problem and not unmatched
    return Adapted(
        num_adapted=len(layers) - num_fused if is_as_named else 0,
        num_expected=len(expected),
        num_linear=len(linear - stay),
        num_fused_adapted=num_fused if is_as_named else 0,
        num_left_to_experts=len(stay),
        num_layers=inner.config.num_hidden_layers,
        unmatched=unmatched,
        problem="" if unmatched else problem,
        dtypes={str(parameter.dtype) for parameter in model.parameters() if parameter.requires_grad},
        fed=fed,
    )


def _ends(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")
