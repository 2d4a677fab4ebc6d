"""The benchmark suite: docs/benchmarks.md shows the numbers of docs/benchmarks.json, ratios point the right way, nothing else is touched."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.curves_picture import draw_curves
from bench.judging import beyond_after_start
from bench.measurements import Curve, Machine, Measured, Table, measured, not_measured, pairs, point
from bench.suite import BENCHES, SIZES, Bench, Suite, page_of, read_gpu, read_sizes, remeasured, run
from bench.suite_page import MACHINE, PREFIX
from plumbline.pages.blocks import BLOCK

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
SUITE = Suite.model_validate_json((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))


def cleaning(**besides: float) -> Measured:
    small = point(1000, {"clean": [1.0, 2.0, 3.0], "loop": [4.0, 4.0, 4.5]}, naive="loop", ours="clean", better="less", **besides)
    large = point(100_000, {"clean": [50.0], "loop": []}, naive="loop", ours="clean", better="less", **besides)
    curve = Curve(x="rows", unit="s", better="less", naive="loop", ours="clean", points=[small, large])
    return measured(name="cleaning", title="Cleaning rows", what="One thing against another.", curve=curve)


def test_the_tables_are_those_of_the_committed_numbers() -> None:
    assert page_of(SUITE, PAGE) == PAGE, "run python -m bench.suite --only"


def test_each_benchmark_has_numbers_or_a_reason_and_a_block() -> None:
    assert [found.name for found in SUITE.benches] == [bench.name for bench in BENCHES]
    assert {match["name"] for match in BLOCK.finditer(PAGE)} == {MACHINE, *(PREFIX + bench.name for bench in BENCHES)}
    for found in SUITE.benches:
        assert (found.not_measured is None) == (found.curve is not None or found.table is not None), found.name


def test_a_number_that_was_typed_is_put_right_and_words_between_stay() -> None:
    typed = re.sub(r"(\| numeric \(244\): Plumbline \| )\d+", r"\g<1>99", PAGE) + "\nWords behind.\n"
    assert typed != PAGE + "\nWords behind.\n"
    assert page_of(SUITE, typed) == PAGE + "\nWords behind.\n"


def test_a_new_benchmark_gets_a_block_behind_the_one_that_runs_before_it() -> None:
    new = cleaning().model_copy(update={"name": "new", "title": "Something new"})
    suite = SUITE.model_copy(update={"benches": [*SUITE.benches[:3], new, *SUITE.benches[3:]]})
    page = page_of(suite, PAGE)
    names = [match["name"] for match in BLOCK.finditer(page)]
    assert names.index("bench-new") == names.index(PREFIX + SUITE.benches[2].name) + 1
    assert "### Something new\n\n<!-- numbers: bench-new -->\n" in page and page_of(suite, page) == page


def test_a_ratio_says_how_much_better_ours_is_pair_by_pair() -> None:
    less, more = pairs([4.0, 9.0, 5.0], [2.0, 3.0], better="less"), pairs([4.0, 9.0], [8.0, 27.0], better="more")
    assert less is not None and (less.n, less.least, less.most) == (2, 2.0, 3.0)
    assert more is not None and (more.median, more.least, more.most) == (2.5, 2.0, 3.0)
    assert pairs([], [1.0], better="less") is None


def test_the_headline_is_that_of_the_largest_size_with_a_naive_arm() -> None:
    found = cleaning()
    assert (found.n, found.median, found.spread, found.unit) == (3, 2.0, (1.0, 3.0), "s")
    assert (found.ratio, found.ratio_spread) == (2.0, (1.5, 4.0))


def test_a_row_shows_median_range_ratio_and_an_empty_cell_for_what_was_not_run() -> None:
    suite = SUITE.model_copy(update={"benches": [cleaning(MiB=61.5)]})
    rows = [line for line in page_of(suite, "# Page\n").splitlines() if line.startswith("|")]
    assert rows[0] == "| rows | clean, s | loop, s | times better than loop | MiB | n |"
    assert rows[2:] == ["| 1,000 | 2 [1, 3] | 4 [4, 4.5] | **2 [1.5, 4]** | 61.5 | 3 |", "| 100,000 | 50 |  |  | 61.5 | 1 |"]


def test_every_benchmark_that_leaves_a_record_is_in_the_suite() -> None:
    flags = ("add_json_flag(parser)\n", "= common_flags(")
    programs = {path.stem for path in (ROOT / "bench").glob("*.py") if any(flag in path.read_text(encoding="utf-8") for flag in flags)}
    assert programs <= {bench.module.removeprefix("bench.") for bench in BENCHES} and len(programs) >= 8
    for bench in BENCHES:
        assert find_spec(bench.module) is not None and set(bench.flags) == set(SIZES), bench.name


def test_a_benchmark_that_cannot_run_here_says_why(tmp_path: Path) -> None:
    bench = Bench("gpu", "On a GPU", "bench.none", {"quick": ""}, missing=lambda: "no GPU at hand")
    found, well = run(bench, "quick", tmp_path)
    assert well and found.not_measured == "no GPU at hand" and found.curve is None
    assert "Not measured: no GPU at hand." in page_of(SUITE.model_copy(update={"benches": [found]}), "")


def test_labelled_answers_come_from_where_one_says(tmp_path: Path) -> None:
    bench = next(bench for bench in BENCHES if bench.name == "graders")
    found, well = run(bench, "quick", tmp_path)
    assert well and found.not_measured == "no labelled answers given (--answers FILE)"
    path = tmp_path / "people's verdicts.jsonl"
    rows = [
        {"kind": "numeric", "response": "Answer: 12 N", "gold": "12", "unit": "N", "options": None, "expected": "correct"},
        {"kind": "mcq", "response": "(B)", "gold": "A", "unit": None, "options": {"A": "mass", "B": "force"}, "expected": "incorrect"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, well = run(bench, "quick", tmp_path, path)
    assert well and found.table is not None, found.not_measured
    assert [row[0] for row in found.table.rows if "Plumbline" in row[0]] == ["numeric (1): Plumbline", "mcq (1): Plumbline"]
    assert found.command == "python -m bench.grader_confusion --cases ANSWERS.jsonl", "a path of somebody's own stands in no record"


def test_a_benchmark_that_fails_or_hangs_is_told(tmp_path: Path) -> None:
    found, well = run(Bench("broken", "Broken", "bench.no_such_module", {"quick": "--rows 5"}), "quick", tmp_path)
    assert not well and found.not_measured is not None and "no_such_module" in found.not_measured
    slow = Bench("slow", "Slow", "bench.interval_coverage", {"quick": "--rounds 100000"}, limit_seconds=1)
    found, well = run(slow, "quick", tmp_path)
    assert not well and found.not_measured == "it was ended after 1 s"


def test_the_page_says_what_each_program_took_the_longest_first() -> None:
    suite = SUITE.model_copy(update={"bench_seconds": {"cleaning": 61.4, "gpu_train": 0.1, "answering": 99.6}})
    assert "Of the time: answering 100 s, cleaning 61 s.\n" in page_of(suite, PAGE)


def test_some_may_be_measured_again_on_the_same_machine_only() -> None:
    again = SUITE.benches[1].model_copy(update={"n": 77})
    kept = remeasured(SUITE, SUITE.machine.model_copy(update={"load_at_start": 9.0}), [again])
    assert [one.n for one in kept if one.name == again.name] == [77] and len(kept) == len(SUITE.benches)
    other = Machine.model_validate(SUITE.machine.model_dump() | {"num_processors": 64})
    with pytest.raises(ValueError, match="Measure all of them"):
        remeasured(SUITE, other, [again])


def test_json_of_other_shapes_becomes_a_table(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    arms = {"N0": {"status": "measured", "tokens_per_second": 12345.6, "mfu": 0.412, "peak_memory_bytes": 61_500_000_000}}
    path.write_text(json.dumps({"device": "NVIDIA H100", "shape": "mistral-7b", "arms": arms | {"N3": {"status": "out of memory"}}}))
    gpu = read_gpu(path, BENCHES[-1], "python -m bench.gpu_train")
    assert gpu.table is not None and gpu.table.rows == [["N0", "12,346", "41.2 %", "61.5 GB"], ["N3", "out of memory", "", ""]]
    path.write_text(json.dumps({"sizes": [{"answers": 1000, "peak_bytes": 5, "usd": 0.25}]}))
    sizes = read_sizes(path, BENCHES[-1], "command")
    assert sizes.table is not None and (sizes.table.columns, sizes.table.rows) == (
        ["answers", "peak bytes", "usd"],
        [["1,000", "5", "0.25"]],
    )


def test_a_row_without_a_cell_for_each_column_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2 columns .* a row of 1"):
        Table(columns=["stage", "s"], rows=[["clean", "1.0"], ["split"]])


def test_the_picture_has_a_panel_per_curve(tmp_path: Path) -> None:
    draw_curves([not_measured(name="gpu", title="GPU", command="", reason="none")], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
    draw_curves([cleaning()], tmp_path / "one.png")
    draw_curves([cleaning()] * 3, tmp_path / "three.png")
    height = {name: int.from_bytes((tmp_path / name).read_bytes()[20:24]) for name in ("one.png", "three.png")}
    assert height["three.png"] == 2 * height["one.png"] > 0


def test_what_the_start_costs_is_left_out_of_the_steady_state_of_judging() -> None:
    # Two at a time, 1 s each: the first four come late and at once, the others every second but for the last, which takes 0.2 s more.
    moments = [5.0, 5.0, 6.0, 6.0, 7.0, 7.0, 8.2, 8.0]
    assert beyond_after_start(moments, 2, 1.0) == pytest.approx(10.0)
    assert beyond_after_start(moments[:5], 2, 1.0) is None


@pytest.mark.slow
def test_the_suite_works_from_end_to_end(tmp_path: Path) -> None:
    if not (ROOT / "models/base/manifest.json").is_file() or not (ROOT / "data/split/train.jsonl").is_file():
        pytest.skip("no run to measure: `make`, or `dvc checkout` where the cache has one")
    command = [sys.executable, "-m", "bench.suite", "--size", "quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    suite = Suite.model_validate_json((tmp_path / "benchmarks.json").read_text(encoding="utf-8"))
    lacking = {found.name: found.not_measured for found in suite.benches if found.not_measured is not None}
    assert set(lacking) <= {"gpu_train", "gpu_answering", "graders"} and set(lacking.values()) <= {"no GPU at hand", lacking.get("graders")}
    curves = {found.name: found for found in suite.benches if found.curve is not None}
    assert set(curves) == {"cleaning", "training", "answering", "judging"} and all(found.ratio is not None for found in curves.values())
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert page_of(suite, page) == page and BLOCK.sub("", page) == BLOCK.sub("", PAGE)
    picture = (tmp_path / "benchmarks.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 10_000
