"""Turn every output into plain text without losing a value, and put aside with a reason what cannot be trusted."""

import logging
from pathlib import Path
from typing import Literal

from plumbline.cleaning.codes import Action, Rule
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.row_columns import Columns
from plumbline.cleaning.run import CleanFiles, clean_file
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params

log = logging.getLogger("clean")


class Rules(Params, strict=False):
    """What happens to a row that breaks a quality rule. Not strict: a YAML file holds words, not members of an enum."""

    context_leak: Action
    refusal: Action
    answer_repeats_question: Action
    no_answer: Action
    too_short: Action
    too_long: Action
    special_token: Action
    secret: Action
    personal_data: Action
    judge_instruction: Action
    duplicate: Action
    contradiction: Action
    near_duplicate: Action


class CleanParams(Params):
    """Section `clean` of params.yaml."""

    source: str
    """Path of the raw file. Never written to."""
    format: Literal["auto", "alpaca", "messages", "sharegpt", "prompt_completion", "csv", "parquet"]
    """auto: recognised from the file; csv, parquet: as auto, but the file must be of that kind; the others: JSON lines with exactly these keys."""
    columns: dict[Literal["messages", "instruction", "input", "output", "system", "history"], str] | None
    """Part -> key, with auto, csv or parquet: which key of a row holds which part. None: recognised by the names."""
    trained_turns: Literal["all", "last"]
    """The answers of a conversation that are trained on; the others are shown before it."""
    standardize: bool
    """False: outputs stay as they are, structured or not, and no text is fixed; the rules still apply."""
    rules: Rules
    min_output_characters: int
    """Shorter outputs are too_short."""
    max_output_characters: int
    """Longer outputs are too_long."""
    near_duplicate_similarity: float
    """Jaccard similarity of 5-byte shingles, 0-1, from which two rows with the same numbers are near-duplicates."""

    def policy(self) -> Policy:
        """What is decided about each row."""
        return Policy(
            shape=self.format,
            given=Columns(**self.columns) if self.columns else None,
            trained_turns=self.trained_turns,
            actions={Rule(name): Action(action) for name, action in self.rules.model_dump().items()},
            min_output_characters=self.min_output_characters,
            max_output_characters=self.max_output_characters,
            standardize=self.standardize,
        )


def main(
    params: CleanParams,
    *,
    source: Path,
    kept: Path,
    quarantined: Path,
    metrics: Path,
    classes: Path | None = None,
    repair_examples: Path | None = None,
) -> None:
    """Clean `source` into the other files. `classes` and `repair_examples` are written if they are given."""
    files = CleanFiles(source=source, kept=kept, quarantined=quarantined, metrics=metrics, classes=classes, repair_examples=repair_examples)
    done = clean_file(files, params.policy(), near_duplicate_similarity=params.near_duplicate_similarity)
    log.info("%d lines: kept %d, quarantined %d %s, blank %d", done.lines, done.kept, done.quarantined, done.reasons, done.blank)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        section = load_params("clean", CleanParams)
        main(
            section,
            source=Path(section.source),
            kept=Path("data/clean/kept.jsonl"),
            quarantined=Path("data/clean/quarantined.jsonl"),
            metrics=Path("metrics/data.json"),
            classes=Path("metrics/data_classes.csv"),
            repair_examples=Path("data/clean/repair_examples.jsonl"),
        )
