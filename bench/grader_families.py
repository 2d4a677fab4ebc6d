"""How often the rule graders misread the cases of the repository, by family, next to earlier versions of them and to simpler graders.

    python -m bench.grader_families --before REVISION --peers PYTHON PYTHON

The cases are tests/golden/grading_families.jsonl and grading_cases.jsonl. Each answer that is right for its target is graded for
other targets as well (a numeric one for 1.2 times, ten times and minus its target, a choice for the label before it). There it must
not be accepted. A false accept is a wrong answer that is graded correct; a false reject is a right answer that is not.
`--before` takes a revision of this repository, and runs the graders from its files; without it that column is left out.
`--peers` takes Python interpreters in which some of math-verify, lm-eval and inspect-ai are installed. The project does not depend on
these. bench/grader_peers.py grades in them, and each peer gets a column. The last rows count all families of a kind.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from bench.grader_confusion import first_letter, last_number
from bench.grader_peers import Case
from bench.measurements import Table, add_json_flag, tabled, write_measured
from plumbline.grading.numeric_target import parse_target

GOLDEN = Path("tests/golden")
EARLIER = "cases from before the families"
FACTORS = (1.2, 10.0, -1.0)
# Runs in the files of a revision, which do not know this module.
GRADE = """
import json, sys
from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
def outcome(case):
    try:
        if case["kind"] == "mcq":
            return str(grade_mcq(case["response"], case["choices"], case["target"]).outcome)
        return str(grade_numeric(case["response"], case["target"], case["unit"]).outcome)
    except ValueError:
        return "refused"
json.dump([outcome(case) for case in json.load(sys.stdin)], sys.stdout)
"""


def read_cases(golden: Path) -> list[Case]:
    """All cases with their family. Each right answer also comes with targets for which it is wrong."""
    cases: list[Case] = []
    for name in ("grading_families.jsonl", "grading_cases.jsonl"):
        cases += [{"family": EARLIER, **json.loads(line)} for line in (golden / name).read_text(encoding="utf-8").splitlines()]
    return [*cases, *(twin for case in cases if case["outcome"] == "correct" for twin in twins(case))]


def twins(case: Case) -> list[Case]:
    """The same answer with other targets, for which it is wrong."""
    if case["kind"] == "mcq":
        labels = list(case["choices"]) or list("ABCD")
        if case["target"] not in labels:
            return []
        return [{**case, "target": labels[labels.index(case["target"]) - 1], "outcome": "incorrect"}]
    value = parse_target(case["target"], None).value
    return [{**case, "target": repr(factor * value), "outcome": "incorrect"} for factor in FACTORS]


def ours(cases: Sequence[Case], folder: Path) -> list[str]:
    """Outcomes of the graders in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", GRADE],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    return json.loads(done.stdout)


def of_revision(cases: Sequence[Case], revision: str) -> list[str]:
    """Outcomes of the graders of a revision of this repository."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", revision, "plumbline"], capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        return ours(cases, Path(folder))


def with_gold(cases: Sequence[Case]) -> list[Case]:
    """The cases as graders of bench.grader_confusion and bench.grader_peers read them: the target as a bare number."""
    golds = [case["target"] if case["kind"] == "mcq" else repr(parse_target(case["target"], None).value) for case in cases]
    return [{**case, "gold": gold, "options": case["choices"]} for case, gold in zip(cases, golds, strict=True)]


def of_peers(cases: Sequence[Case], python: str) -> dict[str, list[str]]:
    """Outcomes of the peers that an interpreter has, by name and version."""
    wanted = ("kind", "response", "gold", "options")
    asked = json.dumps([{name: case[name] for name in wanted} for case in cases])
    done = subprocess.run([python, "-m", "bench.grader_peers"], input=asked, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def counted(cases: Sequence[Case], given: Sequence[str], family: str | None, kind: str) -> str:
    """False accepts and false rejects of one family, or of all families of a kind, as a cell."""
    pairs = [
        (case["outcome"], one)
        for case, one in zip(cases, given, strict=True)
        if case["kind"] == kind and (family is None or case["family"] == family)
    ]
    accepted = sum(expected != "correct" and one == "correct" for expected, one in pairs)
    rejected = sum(expected == "correct" and one != "correct" for expected, one in pairs)
    return f"{accepted} / {rejected}"


def table_of(cases: Sequence[Case], graders: dict[str, list[str]]) -> Table:
    """A row per family, then one per kind."""
    counts: dict[tuple[str, str | None], list[int]] = defaultdict(lambda: [0, 0])
    for case in cases:
        for family in (case["family"], None):
            counts[case["kind"], family][case["outcome"] != "correct"] += 1
    order = sorted(counts.items(), key=lambda one: (one[0][1] is None, one[0][0] == "mcq", one[0][1] == EARLIER, one[0][1] or ""))
    rows = [
        [f"{kind}: {family or 'all'}", str(right), str(wrong), *(counted(cases, given, family, kind) for given in graders.values())]
        for (kind, family), (right, wrong) in order
    ]
    return Table(columns=["family", "right", "not right", *graders], rows=rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", metavar="REVISION", help="of this repository; its graders are run on the same cases")
    parser.add_argument(
        "--peers", metavar="PYTHON", nargs="*", default=[], help="interpreters that have math-verify, lm-eval or inspect-ai"
    )
    add_json_flag(parser)
    chosen = parser.parse_args()
    cases = read_cases(GOLDEN)
    graders: dict[str, list[str]] = {}
    if chosen.before:
        graders[f"before ({chosen.before})"] = of_revision(cases, chosen.before)
    graders["now"] = ours(cases, Path.cwd())
    known = with_gold(cases)
    graders["last number, first letter"] = [first_letter(case) if case["kind"] == "mcq" else last_number(case) for case in known]
    for python in chosen.peers:
        graders |= of_peers(known, python)
    table = table_of(cases, graders)
    print("\n".join("| " + " | ".join(row) + " |" for row in [table.columns, ["---"] * len(table.columns), *table.rows]))
    write_measured(
        chosen.json,
        tabled(
            name="grader_families",
            title="Rule graders by family of answer",
            what="Cases of the repository, with answers that are right and that are not. Cells are false accepts / false rejects.",
            table=table,
        ),
    )


if __name__ == "__main__":
    main()
