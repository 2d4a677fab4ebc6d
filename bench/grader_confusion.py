"""How often the rule graders agree with people, next to simpler graders on the same answers.

    python -m bench.grader_confusion --cases ANSWERS.jsonl

Each line of the file is an answer with people's verdict: `kind` (mcq or numeric), `response`, `gold`, `unit`, `options` (letter -> text, or null)
and `expected` (correct, incorrect or no_answer). The 384 answers of docs/benchmarks.md are not part of the repository.
Prints machine and versions. Then it prints per kind and grader the confusion of the grader's verdict against people's verdict, false
accepts (not correct, but accepted), false rejects, recognised abstentions, and milliseconds per answer.
math-verify is not a dependency of the project. To see its rows, run `pip install "math-verify[antlr4_13_2]==0.9.0"`.
"""

import argparse
import json
import platform
import re
import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from bench.grader_peers import ABSOLUTE_TOLERANCE, Case, math_verify_grader, within
from bench.measurements import Table, add_json_flag, tabled, write_measured
from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
from plumbline.rows.outcome import Outcome

VERDICTS = ("correct", "incorrect", "no_answer")
LABELS = {Outcome.CORRECT: "correct", Outcome.INCORRECT: "incorrect", Outcome.UNPARSED: "no_answer"}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
LETTER = re.compile(r"[A-D]")


def ours(case: Case) -> str:
    if case["kind"] == "mcq":
        return LABELS[grade_mcq(case["response"], case["options"] or {}, case["gold"]).outcome]
    absolute = None if float(case["gold"]) else ABSOLUTE_TOLERANCE
    return LABELS[grade_numeric(case["response"], case["gold"], case["unit"], absolute_tolerance=absolute).outcome]


def last_number(case: Case) -> str:
    found = NUMBER.findall(case["response"])
    return within(float(found[-1]), case) if found else "no_answer"


def first_letter(case: Case) -> str:
    found = LETTER.search(case["response"])
    return "no_answer" if found is None else "correct" if found[0] == case["gold"] else "incorrect"


def verdicts(name: str, cases: list[Case], grade: Callable[[Case], str]) -> list[str]:
    """One grader's row of the table."""
    started = time.process_time()
    given = [(case["expected"], grade(case)) for case in cases]
    milliseconds = 1000 * (time.process_time() - started) / len(cases)
    counts = Counter(given)
    accepted = sum(counts[expected, "correct"] for expected in ("incorrect", "no_answer"))
    rejected = sum(counts["correct", verdict] for verdict in ("incorrect", "no_answer"))
    abstained = sum(counts["no_answer", verdict] for verdict in VERDICTS)
    cells = [" / ".join(str(counts[expected, verdict]) for verdict in VERDICTS) for expected in VERDICTS]
    right = f"{100 * (1 - (accepted + rejected) / len(cases)):.1f} %"
    return [name, *cells, right, str(accepted), str(rejected), f"{counts['no_answer', 'no_answer']} of {abstained}", f"{milliseconds:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="JSON lines")
    add_json_flag(parser)
    chosen = parser.parse_args()
    cases: list[Case] = [json.loads(line) for line in chosen.cases.read_text(encoding="utf-8").splitlines()]
    print(f"{platform.machine()}, Python {platform.python_version()}, pint {version('pint')}")
    math_verify = math_verify_grader()
    print(f"math-verify {version('math-verify')}" if math_verify else "math-verify: not installed, left out")
    rows: list[list[str]] = []
    for kind, simple in (("numeric", ("last number", last_number)), ("mcq", ("first capital letter", first_letter))):
        of_kind = [case for case in cases if case["kind"] == kind]
        graders: list[tuple[str, Callable[[Case], str]]] = [("Plumbline", ours), simple]
        if math_verify:
            graders.append(("math-verify parse, then 5 %" if kind == "numeric" else "math-verify strings", math_verify))
        rows += [verdicts(f"{kind} ({len(of_kind)}): {name}", of_kind, grade) for name, grade in graders]
    people = [f"people: {verdict.replace('_', ' ')}" for verdict in VERDICTS]
    table = Table(columns=["grader", *people, "right verdict", "false accepts", "false rejects", "abstentions seen", "ms"], rows=rows)
    print("cells: graded correct / incorrect / no answer\n")
    print("\n".join("| " + " | ".join(row) + " |" for row in [table.columns, ["---"] * len(table.columns), *table.rows]))
    write_measured(
        chosen.json,
        tabled(
            name="graders",
            title="Rule graders against people",
            what="Answers whose verdicts people gave, graded by rule. Cells are counts of graded correct / incorrect / no answer; ms is processor time per answer.",
            table=table,
        ),
    )


if __name__ == "__main__":
    main()
