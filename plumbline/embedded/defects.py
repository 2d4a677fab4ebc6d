"""Damage training rows as real ones are damaged, in the proportions of the study's file. Pure.

Proportions are counts over the 4,397 rows of the study's cleaned file (see docs/experiments.md).
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from plumbline.embedded.training_rows import TrainingRow


@dataclass(frozen=True)
class DamagedRow:
    """A row as it is written, and what was done to it."""

    instruction: str
    input: str
    output: str
    defect: str


QUOTIENT = re.compile(r"(\w+(?:[^=/]*)) / (\w+)")

STUDY_ROWS = 4397
STUDY_COUNTS = {
    "json_object": 353,
    "json_list": 95,
    "python_literal": 292,
    "broken_json": 302,
    "swallowed_latex": 128,
    "leaning": 374,
    "bare_number": 70,
    "mojibake": 23,
    "exact_duplicate": 4,
    "conflicting_duplicate": 114,
    "null_output": 5,
    "empty_input_object": 4,
}
"""Rows of each kind in the study's file; it has no empty outputs, so these are written as often as its null outputs."""


USUAL_KEYS_SHARE = 0.8
"""This share of the structured outputs has the keys `explanation` and `answer`; the rest has many others, as in the study's file."""


def explanation_and_answer(row: TrainingRow) -> dict[str, str]:
    """The parts of a row under the usual names."""
    if row.shape in ("numeric", "choice"):
        return {"explanation": "\n".join(row.steps), "answer": f"{row.answer} {row.unit}".strip()}
    return {"explanation": " ".join(row.steps)}


def json_object(row: TrainingRow, random: Random) -> str:
    """An object with the usual keys, or one of the many sets of keys that careless writers use."""
    parts = explanation_and_answer(row)
    if random.random() < USUAL_KEYS_SHARE:
        return json.dumps(dict(reversed(parts.items())) if random.random() < 0.3 else parts)
    if row.shape == "explanation":
        names = random.choice(
            (("definition", "reason", "example"), ("statement", "explanation", "application"), ("a", "b", "c"), ("concept", "why", "where"))
        )
        return json.dumps(dict(zip((*names, "more"), row.steps, strict=False)))
    if row.shape == "numeric" and random.random() < 0.5:
        keys: dict[str, object] = {"formula": row.steps[-1], row.quantity: row.answer, random.choice(("unit", "units")): row.unit}
        return json.dumps(keys)
    renamed = random.choice(
        (
            {"explanation": "solution"},
            {"explanation": "calculation", "answer": "result"},
            {"explanation": "description"},
            {"explanation": "steps"},
            {"answer": "Answer", "explanation": "Explanation"},
        )
    )
    return json.dumps({renamed.get(key, key): value for key, value in parts.items()})


def json_list(row: TrainingRow, random: Random) -> str:
    """A list of the sentences."""
    return json.dumps([*row.steps, *([f"Answer: {row.answer} {row.unit}".strip()] if row.shape in ("numeric", "choice") else [])])


def python_literal(row: TrainingRow, random: Random) -> str:
    """Text that only Python reads: backslashes that JSON refuses, or single quotes."""
    parts = explanation_and_answer(row)
    if row.shape == "numeric" and random.random() > USUAL_KEYS_SHARE:
        formula = row.steps[-1].replace(" x ", " \\cdot ").replace(" / ", " \\div ")
        return '{"equation": "$' + formula + '$", "answer": "' + parts["answer"] + '"}'
    return repr(parts)


def broken_json(row: TrainingRow, random: Random) -> str:
    """Text that begins like JSON and is not JSON: unquoted dollars, raw line ends, a lost tail, set notation."""
    kind = random.choices(("dollars", "newline", "tail", "braces"), (217, 53, 14, 18))[0]
    steps = ("\n" if row.shape == "numeric" else " ").join(row.steps)
    if kind == "dollars" and row.shape == "numeric":
        return '{"explanation": "' + steps + '", "answer": $' + row.answer + " " + row.unit + "$}"
    if kind in ("dollars", "newline"):
        answer = f', "answer": "{row.answer} {row.unit}"' if row.answer and row.shape != "fact" else ""
        return '{"explanation": "' + steps + '\n"' + answer + "}"
    if kind == "tail":
        text = json.dumps({"explanation": " ".join(row.steps), "answer": row.answer})
        return text[: max(12, len(text) * 2 // 3)]
    return "{" + row.quantity + "} = " + (row.answer or row.steps[0])


def swallowed_latex(row: TrainingRow, random: Random) -> str:
    """LaTeX after a JSON reader took the backslash and first letter of a command for an escape."""
    if row.shape != "numeric":
        return row.output
    last = row.steps[-1]
    tab, feed = "\t", "\f"
    eaten = QUOTIENT.sub(rf"{feed}rac{{\1}}{{\2}}", last.replace(" x ", f" {tab}imes "))
    return row.output.replace(last, f"${eaten}$")


def leaning(row: TrainingRow, random: Random) -> DamagedRow:
    """A question about a text or a figure that is not there."""
    question = row.instruction[:1].lower() + row.instruction[1:]
    lead = random.choice(
        ("According to the text, ", "In the example above, ", "As shown in Figure 3.2, ", "Based on the passage, ", "From this section: ")
    )
    return DamagedRow(lead + question, row.input, row.output, "leaning")


def mojibake(row: TrainingRow, random: Random) -> str:
    """An apostrophe and a dash that were read in the wrong encoding."""
    return row.output + " Thatâ€™s all."


WRITERS: dict[str, Callable[[TrainingRow, Random], str]] = {
    "json_object": json_object,
    "json_list": json_list,
    "python_literal": python_literal,
    "broken_json": broken_json,
    "swallowed_latex": swallowed_latex,
    "mojibake": mojibake,
    "bare_number": lambda row, _: row.answer,
    "null_output": lambda row, _: "None",
    "empty_output": lambda row, _: "",
}


def fits(row: TrainingRow, defect: str) -> bool:
    """Whether the row has what the defect needs."""
    if defect == "swallowed_latex":
        return row.shape == "numeric" and (" x " in row.steps[-1] or " / " in row.steps[-1])
    return defect != "bare_number" or row.shape == "numeric"


def with_defects(rows: Sequence[TrainingRow], *, seed: int) -> list[DamagedRow]:
    """As many rows as given, damaged in the study's proportions and shuffled."""
    random = Random(f"{seed}:defects")
    counts = {defect: round(count * len(rows) / STUDY_ROWS) for defect, count in STUDY_COUNTS.items()}
    counts["empty_output"] = counts["null_output"]
    num_doubles = counts.pop("exact_duplicate"), counts.pop("conflicting_duplicate")
    pool = list(rows[: len(rows) - sum(num_doubles)])
    random.shuffle(pool)
    damaged: list[DamagedRow] = []
    for defect, count in counts.items():
        chosen = [row for row in pool if fits(row, defect)][:count]
        taken = {id(row) for row in chosen}
        pool = [row for row in pool if id(row) not in taken]
        for row in chosen:
            if defect == "leaning":
                damaged.append(leaning(row, random))
            elif defect == "empty_input_object":
                damaged.append(DamagedRow(row.instruction, "{}", row.output, defect))
            else:
                damaged.append(DamagedRow(row.instruction, row.input, WRITERS[defect](row, random), defect))
    plain = [DamagedRow(row.instruction, row.input, row.output, "none") for row in pool]
    damaged += plain
    damaged += [DamagedRow(row.instruction, row.input, row.output, "exact_duplicate") for row in plain[: num_doubles[0]]]
    # The study's repeats ask the same question in the same words and give another answer.
    damaged += [
        DamagedRow(row.instruction + " ", row.input, row.steps[0] + " This is all.", "conflicting_duplicate")
        for row in [row for row in pool if row.shape in ("fact", "explanation")][: num_doubles[1]]
    ]
    random.shuffle(damaged)
    return damaged
