"""Render the rows as training would, run every check on them, and collect the findings."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.model.assistant_turn import control_ids
from plumbline.model.base_files import read_manifest
from plumbline.model.tokenization import PromptDiffers
from plumbline.preflight.check import Check
from plumbline.preflight.gathered import Gathered
from plumbline.preflight.readiness import check_no_truncation, check_same_prompt, check_thinking
from plumbline.preflight.row_checks import checks_of_rows
from plumbline.preflight.settings import Settings
from plumbline.preflight.training_checks import checks_of_training
from plumbline.rows.instruction_row import Exchange
from plumbline.training.dialogues import Trainable, render_dialogue

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What preflight found and writes to its files."""

    checks: list[Check]
    shown: list[dict[str, object]]
    """Rows that the page shows: id and tokens."""
    num_rows: int
    num_tokens: int | None
    """None if the rows could not be rendered."""

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if check.status == "fail"]

    @property
    def verdict(self) -> str:
        warned = sum(check.status == "warn" for check in self.checks)
        if self.failed:
            return "Not ready: " + ", ".join(check.name for check in self.failed)
        return f"Ready to train, {warned} warning{'' if warned == 1 else 's'}"


def find(gathered: Gathered, settings: Settings, *, base: Path) -> Findings:
    """Render the rows and check them. If a prompt differs, or no row fits, nothing else can be checked."""
    # Imported here: bad rows are refused before torch, TRL and PEFT are loaded (5 s).
    from plumbline.model.runtime import prepare_torch
    from plumbline.model.weights import load_tokenizer

    prepare_torch(read_manifest(base).source)
    tokenizer = load_tokenizer(base)
    dialogues, training = gathered.dialogues, settings.training
    rendered: list[list[Trainable]] = []
    for dialogue in dialogues:
        with suppress(PromptDiffers):  # counted below: such rows are missing then
            rendered.append(render_dialogue(tokenizer, dialogue))
    if len(rendered) < len(dialogues):
        differs = check_same_prompt(len(dialogues) - len(rendered), len(dialogues))
        return Findings(checks=[differs], shown=[], num_rows=gathered.num_training_rows, num_tokens=None)
    examples = [example for row in rendered for example in row]
    trained_on = [example for row in rendered[: gathered.num_training_rows] + rendered[len(gathered.rows) :] for example in row]
    num_tokens = sum(len(example.ids) for example in trained_on)
    if any(len(example.ids) <= training.max_length for example in trained_on):
        checks = [
            *checks_of_rows(gathered, rendered, tokenizer, settings),
            *checks_of_training(examples, trained_on, each_up_to_its_answer(dialogues, rendered), tokenizer, settings, base=base),
        ]
        thinking = read_manifest(base).pinned.get("thinking")
        if thinking is not None:
            checks.append(check_thinking(thinking == "on", settings.max_new_tokens))
        checks, num_shown = sorted(checks, key=lambda check: ORDER.index(check.name)), settings.limits.num_shown_rows
    else:
        checks, num_shown = [check_no_truncation([len(example.ids) for example in examples], training.max_length)], 0
    special = control_ids(tokenizer)
    shown = [index * len(gathered.rows) // num_shown for index in range(num_shown)]
    return Findings(
        checks=checks,
        shown=[{"id": gathered.rows[index].id, "tokens": tokens_shown(tokenizer, rendered[index][-1], special)} for index in shown],
        num_rows=len(trained_on),
        num_tokens=num_tokens,
    )


def each_up_to_its_answer(dialogues: Sequence[Sequence[Exchange]], rendered: Sequence[Sequence[Trainable]]) -> list[Sequence[Exchange]]:
    """For each example the exchanges that it holds. If a row makes several examples, each ends with another answer."""
    found: list[Sequence[Exchange]] = []
    for dialogue, examples in zip(dialogues, rendered, strict=True):
        ends = [place + 1 for place, exchange in enumerate(dialogue) if exchange.is_trained]
        found += [dialogue[:end] for end in ends] if len(examples) > 1 else [dialogue]
    return found


ORDER = (
    "same_prompt",
    "rows_fed",
    "one_bos",
    "eos_trained",
    "prompt_masked",
    "thinking",
    "no_truncation",
    "special_tokens",
    "lora_modules",
    "adapter_dtype",
    "packed_gradients",
    "overfit",
    "num_steps",
    "warmup",
    "heat",
    "answer_format",
    "general_prompts",
)
"""The order in which the checks are written."""


def tokens_shown(tokenizer: "PreTrainedTokenizerBase", example: Trainable, special: frozenset[int]) -> list[dict[str, object]]:
    """One entry per token: its text, whether it is trained, whether it is a control token."""
    return [
        {"text": tokenizer.decode([token]), "trained": label != -100, "control": token in special}
        for token, label in zip(example.ids, example.labels, strict=True)
    ]
