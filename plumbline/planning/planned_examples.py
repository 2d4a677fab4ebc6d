"""The training rows of a plan as tokens, and the steps that `train` will make of them. Reads the tokenizer's files, if they are here."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jinja2 import TemplateError
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from plumbline.model.base_files import folder_here
from plumbline.model.tokenization import Example
from plumbline.model.weights import load_tokenizer, save_tokenizer_of
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.training_params import TrainParams
from plumbline.training.dialogues import Trainable, dialogue_of, render_dialogue
from plumbline.training.general_prompts import num_replay_rows
from plumbline.training.packing import pack
from plumbline.training.schedule import Schedule, fewest_packed_rows, plan_training
from stages.base import BaseParams

CHARACTERS_PER_TOKEN = 4.0
"""Of text without digits; each digit is a token. SmolLM2 has 4.1 in 4,397 physics rows of a study, 3.4 in the embedded ones."""
TEMPLATE_TOKENS = 8
"""Around a question. Templates that say more in front of it have 20 to 40."""
VOCABULARIES = ("tokenizer.json", "tokenizer.model", "vocab.json")
"""Without one of them transformers makes a tokenizer that knows nothing."""
DIGIT = re.compile(r"\d")


def tokenizer_at_hand(base: Path, params: BaseParams, *, here: bool, templates: Path) -> PreTrainedTokenizerBase | None:
    """The tokenizer of models/base (`here`), else the one that `base` would make of a snapshot in PLUMBLINE_HUB_DIR or .cache/hub.

    None if there is no snapshot, or if `base` could not use it. `templates`: the folder of our chat templates.
    """
    if here:
        return load_tokenizer(base)
    if params.source != "hub" or params.repo is None or params.revision is None:
        return None
    snapshot = folder_here(params.repo, params.revision)
    if snapshot is None or not any((snapshot / name).is_file() for name in VOCABULARIES):
        return None
    with tempfile.TemporaryDirectory() as folder:
        try:
            save_tokenizer_of(snapshot, Path(folder), params, templates=templates)
            return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        except (ValueError, OSError, TemplateError):  # `base` says what is wrong with it
            return None


def examples_of(
    rows: Sequence[InstructionRow], tokenizer: PreTrainedTokenizerBase | None, *, template_tokens: int = TEMPLATE_TOKENS
) -> tuple[list[Trainable], str]:
    """The rows as tokens and how they are known: counted with the tokenizer, without one placeholders of estimated length."""
    if tokenizer is not None:
        return [example for row in rows for example in render_dialogue(tokenizer, dialogue_of(row))], "counted"
    found: list[Trainable] = []
    for row in rows:
        asked = "".join([row.instruction, row.input, *(one.user + one.assistant for one in row.earlier)])
        before = num_tokens_about(asked) + template_tokens * (1 + len(row.earlier))
        found.append(Example(ids=[0] * (before + max(1, num_tokens_about(row.output))), num_prompt_tokens=before))
    return found, f"estimated, {CHARACTERS_PER_TOKEN:g} characters or one digit a token"


def num_tokens_about(text: str) -> int:
    """About how many tokens a text has."""
    num_digits = len(DIGIT.findall(text))
    return num_digits + round((len(text) - num_digits) / CHARACTERS_PER_TOKEN)


def schedule_of(examples: Sequence[Trainable], params: TrainParams) -> Schedule:
    """The plan that `train` will make of these rows, replay rows included."""
    fitting = [example for example in examples if len(example.ids) <= params.max_length]
    num_replayed = num_replay_rows(len(fitting), params.replay_fraction)
    num_tokens = round(sum(len(example.ids) for example in fitting) * (1 + num_replayed / max(1, len(fitting))))
    num_rows = len(fitting) + num_replayed
    if params.packing:
        packed = len(pack(fitting, max_length=params.max_length, packing=True, seed=params.seed))
        num_rows = packed + (
            fewest_packed_rows(num_tokens, params.max_length)
            - fewest_packed_rows(sum(len(example.ids) for example in fitting), params.max_length)
        )
    return plan_training(num_rows=num_rows, num_tokens=num_tokens, params=params)
