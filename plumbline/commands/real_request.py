"""What was asked of `plumbline real`, checked before anything slow is imported, fetched or run. Reads the named files and params.yaml."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from plumbline.planning.profiles import merged
from plumbline.planning.real_profile import one_by_one, real_overrides


class NotRun(ValueError):
    """The run could not start, or did not finish; the text says why and what to do."""


def given_files(rows: Path | None, questions: Path | None, corpus: Path | None, *, small: bool = False) -> dict[str, Path]:
    """Parameter -> file. NotRun if one is missing that belongs to the others, or if they do not go with --small."""
    if rows is None and questions is None:
        if corpus is not None:
            raise NotRun("--corpus was given alone. Give --rows and --questions with it (ROWS= and QUESTIONS= of make).")
        return {}
    if rows is None or questions is None:
        lacking = "questions" if questions is None else "rows"
        raise NotRun(
            f"--{lacking} is missing. A model that is trained on your rows must answer your questions. "
            "Give both files (ROWS= and QUESTIONS= of make)."
        )
    if small:
        raise NotRun(
            "--small (SMALL=1 of make) is for the embedded questions. For a dry run on your own files: "
            'make real ROWS=... QUESTIONS=... SET="train.max_steps=5", or plumbline real --rows ... --questions ... -S train.max_steps=5'
        )
    return {"clean.source": rows, "split.benchmark": questions} | ({"retrieve.corpus": corpus} if corpus is not None else {})


def check_overrides(root: Path, profile: Sequence[str], given: Mapping[str, Path], more: Sequence[str]) -> None:
    """Refuse an override that DVC cannot use, then rows and questions that a stage would refuse minutes later. Takes seconds."""
    from plumbline.planning.planned_params import planned_params

    # A path of the user may hold signs that mean something in an override, and here no one reads it.
    params = planned_params(root, merged(real_overrides(profile, dict.fromkeys(given, "given")), one_by_one(more)))
    if given:
        from plumbline.laptop.own_data import check_own_data

        check_own_data(params, given)
