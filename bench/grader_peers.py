"""Grade answers as other tools read them: the peers of our rule graders.

    PYTHON -m bench.grader_peers < CASES.json

bench.grader_families runs this in a Python that has the peers, so this file imports nothing else. It reads a JSON list of cases (`kind`,
`response`, `gold`, `options`) and writes a JSON object: name and version of each installed peer -> its outcome per case
(correct, incorrect or no_answer). Each tool extracts in its own way; our tolerance of 5 % is then applied to each number.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

RELATIVE_TOLERANCE = 0.05
# For a target of 0, which no fraction can bound.
ABSOLUTE_TOLERANCE = 0.05

Case = dict[str, Any]
Grader = Callable[[Case], str]


def within(value: float, case: Case) -> str:
    """Return the verdict on a bare number."""
    gold = float(case["gold"])
    limit = RELATIVE_TOLERANCE * abs(gold) if gold else ABSOLUTE_TOLERANCE
    return "correct" if abs(value - gold) <= limit else "incorrect"


def _number(text: object, case: Case) -> str:
    try:
        return within(float(str(text).replace(",", "").replace("$", "").rstrip(".")), case)
    except (ValueError, OverflowError):
        return "no_answer"


def _letter(found: str, case: Case) -> str:
    letter = found.strip("() ").upper()
    return "no_answer" if not letter else "correct" if letter == case["gold"].upper() else "incorrect"


def math_verify_grader() -> Grader | None:
    """Return math-verify's parser with the same tolerance; None if it is not installed."""
    try:
        from math_verify import ExprExtractionConfig, LatexExtractionConfig, StringExtractionConfig, parse  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)

    def grade(case: Case) -> str:
        if case["kind"] == "mcq":
            parsed = parse(case["response"], extraction_config=[StringExtractionConfig(strings=("A", "B", "C", "D"))])
            return "no_answer" if not parsed else "correct" if str(parsed[0]).upper() == case["gold"] else "incorrect"
        parsed = parse(case["response"], extraction_config=[LatexExtractionConfig(), ExprExtractionConfig()])
        try:
            return within(float(parsed[0]), case) if parsed else "no_answer"
        except (TypeError, ValueError, OverflowError):
            # A symbol, a set, an equation: it can be read, but is not a number.
            return "no_answer"

    return grade


def lm_eval_grader() -> Grader | None:
    """Return the flexible extraction of lm-eval's tasks (gsm8k, and the choices of mmlu); None if it is not installed."""
    try:
        from lm_eval.filters.extraction import MultiChoiceRegexFilter, RegexFilter  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    # As lm_eval/tasks/gsm8k/gsm8k.yaml and lm_eval/tasks/mmlu/flan_n_shot/generative/_mmlu_flan_generative_template_yaml name them.
    numbers = RegexFilter(regex_pattern=r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1, fallback="[invalid]")
    letters = MultiChoiceRegexFilter(
        regex_pattern=r"(\([A-Z]\))", group_select=0, fallback="", ignore_case=True, ignore_punctuation=True, regexes_to_ignore=None
    )

    def grade(case: Case) -> str:
        if case["kind"] == "mcq":
            choices = list((case["options"] or {}).values())
            [[found]] = letters.apply([[case["response"]]], [{"choices": choices}])
            return _letter(found, case)
        [[found]] = numbers.apply([[case["response"]]], [{}])
        return _number(found, case)

    return grade


def inspect_grader() -> Grader | None:
    """Return what Inspect's `match(numeric=True)` and `multiple_choice()` extract; None if it is not installed."""
    try:
        from inspect_ai.model import ModelOutput  # pyright: ignore[reportMissingImports]
        from inspect_ai.scorer._common import match_str  # pyright: ignore[reportMissingImports]
        from inspect_ai.solver import TaskState  # pyright: ignore[reportMissingImports]
        from inspect_ai.solver._multiple_choice import parse_answers  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None

    def grade(case: Case) -> str:
        if case["kind"] == "mcq":
            labels = list(case["options"] or {}) or list("ABCD")
            state = TaskState(
                model="none/none",  # pyright: ignore[reportArgumentType]
                sample_id=1,
                epoch=1,
                input="",
                messages=[],
                choices=labels,
                output=ModelOutput.from_content("none", case["response"]),
            )
            found = "".join(sorted(parse_answers(state, multiple_correct=False)))
            # Inspect names the choices A, B, ... whatever their own labels are.
            place = ord(found) - ord("A") if len(found) == 1 else -1
            return "no_answer" if not 0 <= place < len(labels) else _letter(labels[place], case)
        answer, _ = match_str(case["response"], "0", location="end", numeric=True)
        return _number(answer, case)

    return grade


PEERS: dict[str, Callable[[], Grader | None]] = {"math-verify": math_verify_grader, "lm-eval": lm_eval_grader, "inspect-ai": inspect_grader}


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    cases: list[Case] = json.load(sys.stdin)
    given = {f"{name} {version(name)}": [grade(case) for case in cases] for name, make in PEERS.items() if (grade := make())}
    json.dump(given, sys.stdout)


if __name__ == "__main__":
    main()
