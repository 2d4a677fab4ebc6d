"""The commands about the judge: fill the store from tracked replies, label blind, bridge two judges."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from plumbline.commands import fill_judge_store, judge_bridge, label_sheet
from plumbline.comparing.bridge_file import recorded_bridges
from plumbline.comparing.judged_rows import judged_answers
from plumbline.comparing.labels_needed import labels_needed
from plumbline.comparing.revisions import NotThere, Workspace
from plumbline.judging.prompt import CORRECT_FROM, SCALE
from plumbline.judging.verdict_store import VerdictStore
from plumbline.rows.judgement import Judgement
from tests.fakes.claude_server import FakeClaude
from tests.fakes.judge_bench import Bench

PLACES = {
    "questions": "data/split/benchmark.jsonl",
    "base": "data/answers/base.jsonl",
    "tuned": "data/answers/tuned.jsonl",
    "judged": "data/grades/judged.jsonl",
    "checks": "data/grades/judge_checks.jsonl",
    "second": "data/grades/second_judged.jsonl",
}


def lay_out(bench: Bench, root: Path) -> Path:
    """Put the bench's files at their places in a repository."""
    for name, place in PLACES.items():
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(bench.paths[name], target)
    shutil.copy(Path(__file__).resolve().parents[3] / "params.yaml", root / "params.yaml")
    return root


def test_a_clone_without_a_key_judges_again_from_the_tracked_replies(
    bench: Bench, fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench.write(6).run(num_canary_questions=2, retest_fraction=0.5)
    written = [bench.paths[name].read_bytes() for name in ("judged", "checks")]
    clone = lay_out(bench, tmp_path / "clone")
    monkeypatch.setattr(fill_judge_store, "REPLIES_PER_SYNC", 5)
    said = fill_judge_store.main(["workspace"], root=clone)
    assert f"{len(fake.ledger)} replies added" in said
    assert "0 replies added" in fill_judge_store.main(["workspace"], root=clone), "filling twice adds nothing"
    monkeypatch.setenv("DVC_ROOT", str(clone))
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    bench.run(num_canary_questions=2, retest_fraction=0.5)
    assert [bench.paths[name].read_bytes() for name in ("judged", "checks")] == written


def test_a_rule_leaves_nothing_to_fill(bench: Bench, tmp_path: Path) -> None:
    bench.write(2).run(backend="key_points", num_canary_questions=1)
    root = lay_out(bench, tmp_path / "clone")
    assert "0 replies added" in fill_judge_store.main(["workspace"], root=root)
    assert not VerdictStore(root / ".cache/judge").path.exists()


@pytest.mark.slow
def test_the_store_is_filled_from_a_commit_whose_files_are_gone_from_the_workspace(bench: Bench, fake: FakeClaude, tmp_path: Path) -> None:
    bench.write(3).run(num_canary_questions=0)
    root = lay_out(bench, tmp_path / "repository")

    def run(*command: str) -> None:
        subprocess.run(command, cwd=root, check=True, capture_output=True)

    run("git", "init", "-q")
    run("git", "config", "user.email", "a@b")
    run("git", "config", "user.name", "a")
    run(sys.executable, "-m", "dvc", "init", "-q")
    run(sys.executable, "-m", "dvc", "add", "-q", *(place for name, place in PLACES.items() if name in ("judged", "checks")))
    run("git", "add", "-A")
    run("git", "commit", "-qm", "judged")
    run("git", "tag", "then")
    (root / PLACES["judged"]).unlink()
    with pytest.raises(NotThere):
        fill_judge_store.main(["workspace"], root=root)
    assert "6 replies added" in fill_judge_store.main(["then"], root=root)
    with pytest.raises(NotThere, match="no commit"):
        fill_judge_store.main(["never"], root=root)


def fill_in(sheet: Path, score: Callable[[dict[str, str]], str]) -> None:
    rows = list(csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8-sig"))))
    with sheet.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, label_sheet.COLUMNS)
        writer.writeheader()
        writer.writerows({**row, "score": score(row)} for row in rows)


def test_a_sheet_is_blind_stratified_and_read_back(bench: Bench, fake: FakeClaude, tmp_path: Path) -> None:
    bench.write(40, lambda number, arm: f"=HYPERLINK(1) the water, {number} {arm[0]}").run()
    root = lay_out(bench, tmp_path / "clone")
    sheet = tmp_path / "sheet.csv"
    assert "70 answers" in label_sheet.write_sheet(sheet, count=70, root=root)
    text = sheet.read_text(encoding="utf-8")
    assert "tuned" not in text and "judge" not in text and "claude" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 70 and all(row["answer"].startswith("'=") and row["score"] == "" for row in rows)
    judged = {label_sheet.label_id(row.answer_key): row for row in judged_answers(Workspace(root))}
    strata = {(judged[row["label_id"]].answer.arm, judged[row["label_id"]].judgement.score) for row in rows}
    assert len(strata) == 2 * len(SCALE), "every score of either arm is among them"

    fill_in(sheet, lambda row: f"{judged[row['label_id']].judgement.score:g}")
    found = json.loads(label_sheet.read_labels(sheet, labeller="ann", root=root))
    assert found["num_labels"] == 70 and found["exact_agreement"] == 1.0 and found["weighted_kappa"] == 1.0
    assert found["bias"] == {"base": 0.0, "tuned": 0.0}
    assert found["sensitivity"] == found["specificity"] == {"base": 1.0, "tuned": 1.0}
    assert not found["is_calibrated"] and "plan --width 0.30" in found["not_calibrated_because"], "40 questions leave a wide interval"
    assert any("corrected by 70 human labels" in words for words in found["says"])
    (correction,) = found["corrections"]
    assert correction["corrected"]["delta"] == pytest.approx(correction["judged"], abs=1e-4)

    fill_in(sheet, lambda row: "" if int(row["label_id"], 16) % 2 else "0.0")
    found = json.loads(label_sheet.read_labels(sheet, labeller="ann", root=root))
    assert found["num_labels"] == 70 and found["exact_agreement"] < 1, "a second reading replaces the labeller's first"
    assert found["bias"]["base"] > 0


def test_a_sheet_with_a_wrong_score_or_a_strange_row_is_refused_by_row(bench: Bench, fake: FakeClaude, tmp_path: Path) -> None:
    bench.write(4).run()
    root, sheet = lay_out(bench, tmp_path / "clone"), tmp_path / "sheet.csv"
    label_sheet.write_sheet(sheet, count=4, root=root)
    fill_in(sheet, lambda row: "0.6")
    with pytest.raises(ValueError, match=r"row 2: score '0.6' is not one of 0, 0.25"):
        label_sheet.read_labels(sheet, labeller="ann", root=root)
    sheet.write_text(
        sheet.read_text().replace("0.6", "1").replace(next(csv.DictReader(sheet.open(encoding="utf-8-sig")))["label_id"], "feedbeef")
    )
    with pytest.raises(ValueError, match="belongs to no answer"):
        label_sheet.read_labels(sheet, labeller="ann", root=root)


def test_a_plan_says_how_many_labels_it_takes(bench: Bench, fake: FakeClaude, tmp_path: Path) -> None:
    bench.write(40, lambda number, arm: f"the water, {number} {arm[0]}").run()
    root, sheet = lay_out(bench, tmp_path / "clone"), tmp_path / "sheet.csv"
    said = label_sheet.plan(root, width=0.10)
    assert "no number of labels gives an interval 10 points wide" in said and "No answer is labelled yet" in said
    blind = label_sheet.plan(root, width=0.7)
    label_sheet.write_sheet(sheet, count=40, root=root)
    judged = {label_sheet.label_id(row.answer_key): row for row in judged_answers(Workspace(root))}
    fill_in(sheet, lambda row: f"{judged[row['label_id']].judgement.score:g}")
    label_sheet.read_labels(sheet, labeller="ann", root=root)
    known = label_sheet.plan(root, width=0.7)
    assert "that of the 40 labels so far" in known

    def num_labels(said: str) -> int:
        found = re.search(r"tuned against base: (\d+) labels for an interval 70 points wide \(of 80 answers", said)
        assert found is not None, said
        return int(found[1])

    assert num_labels(known) < num_labels(blind), "labels that agree show a smaller spread than was assumed"


def test_a_plan_for_one_arm_is_refused(bench: Bench, fake: FakeClaude, tmp_path: Path) -> None:
    bench.write(2).run()
    rows = [row for row in judged_answers(Workspace(lay_out(bench, tmp_path / "clone"))) if row.answer.arm == "base"]
    with pytest.raises(ValueError, match="no declared comparison"):
        labels_needed(rows, [], comparisons=(("base", "tuned"),), width=0.1)


def test_few_labels_leave_the_judge_uncalibrated(bench: Bench, fake: FakeClaude, tmp_path: Path) -> None:
    bench.write(4).run()
    root, sheet = lay_out(bench, tmp_path / "clone"), tmp_path / "sheet.csv"
    label_sheet.write_sheet(sheet, count=4, root=root)
    fill_in(sheet, lambda row: "1")
    assert "uncalibrated" in label_sheet.read_labels(sheet, labeller="ann", root=root)


def judged_twice(
    bench: Bench, root: Path, monkeypatch: pytest.MonkeyPatch, *, num_questions: int, then: Callable[[], None] = lambda: None
) -> tuple[Path, Path]:
    """The runs `old` and `new` below `root`: one set of answers judged by two models, with `then` called before the second."""
    bench.write(num_questions).run()
    old = lay_out(bench, root / "old")
    then()
    bench.run(model="claude-opus-5-5")
    new = lay_out(bench, root / "new")
    monkeypatch.setattr(judge_bridge, "open_run", lambda root, name: Workspace(root / name))
    return old, new


def test_two_judges_of_the_same_answers_are_set_side_by_side(
    bench: Bench, fake: FakeClaude, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generous() -> None:
        fake.verdict = lambda request: {"reasoning": "generous", "score": 1}

    old, new = judged_twice(bench, tmp_path, monkeypatch, num_questions=52, then=generous)
    found = judge_bridge.main("old", "new", root=tmp_path)
    assert found["num_answers"] == 104 and found["is_enough"] and found["old"] != found["new"]
    mean = sum(row.judgement.score or 0.0 for row in judged_answers(Workspace(old))) / 104
    assert found["mean_shift"] == pytest.approx(1 - mean)
    [recorded] = recorded_bridges(tmp_path)
    assert recorded.model_dump(mode="json") == {name: value for name, value in found.items() if name != "is_enough"}
    with pytest.raises(NotThere, match="nothing to bridge"):
        judge_bridge.main("new", "new", root=tmp_path)
    assert new
    judge_bridge.main("new", "old", root=tmp_path)
    [turned] = recorded_bridges(tmp_path)
    assert turned.mean_shift == -recorded.mean_shift, "a pair of judges has one bridge, the last one built"


def test_judges_without_an_answer_in_common_have_nothing_to_compare(
    bench: Bench, fake: FakeClaude, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, new = judged_twice(bench, tmp_path, monkeypatch, num_questions=4)
    for path in (new / "data/answers").glob("*.jsonl"):
        path.write_text("".join(line.replace('"response":"', '"response":"Another answer. ') for line in path.read_text().splitlines(True)))
    with pytest.raises(NotThere, match="no judged answer in common"):
        judge_bridge.main("old", "new", root=tmp_path)
    assert recorded_bridges(tmp_path) == []


def test_a_bridge_of_too_few_answers_is_not_put_on_record(
    bench: Bench, fake: FakeClaude, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged_twice(bench, tmp_path, monkeypatch, num_questions=10)
    assert not judge_bridge.main("old", "new", root=tmp_path)["is_enough"]
    assert recorded_bridges(tmp_path) == []


def of_the_first_rubric(rows: list[Judgement]) -> list[dict[str, object]]:
    """The rows as the judge of the first rubric wrote them: one score of five, and no findings."""
    steps = {row.key: int(row.key[:8], 16) % 5 / 4 for row in rows}
    written = [row.model_dump(mode="json") | {"judge_id": "claude:0123456789abcdef", "score": steps[row.key]} for row in rows]
    for row in written:
        del row["points"]
        row["outcome"] = "correct" if steps[str(row["key"])] >= CORRECT_FROM else "incorrect"
    return written


def test_a_bridge_leads_from_the_first_rubric_to_the_one_of_key_points(
    bench: Bench, fake: FakeClaude, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_rows = bench.write(52).run()
    lay_out(bench, tmp_path / "new")
    old = lay_out(bench, tmp_path / "old")
    before = of_the_first_rubric(new_rows)
    (old / PLACES["judged"]).write_text("".join(json.dumps(row) + "\n" for row in before))
    monkeypatch.setattr(judge_bridge, "open_run", lambda root, name: Workspace(root / name))
    found = judge_bridge.main("old", "new", root=tmp_path)
    assert found["num_answers"] == 104 and found["is_enough"]
    assert (found["old"], found["new"]) == ("claude:0123456789abcdef", new_rows[0].judge_id)
    shifts = [(row.score or 0.0) - float(str(one["score"])) for row, one in zip(new_rows, before, strict=True)]
    assert found["mean_shift"] == pytest.approx(sum(shifts) / 104)
    [recorded] = recorded_bridges(tmp_path)
    assert recorded.new == new_rows[0].judge_id and sum(cell.count for cell in recorded.confusion) == 104
