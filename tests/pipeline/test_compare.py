"""Comparing runs in git, in DVC's cache and in the folder."""

import asyncio
import contextlib
import dataclasses
import json
import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from plumbline.commands import compare
from plumbline.comparing.bridge_file import RECORD
from plumbline.comparing.revisions import NotThere
from plumbline.rows.outcome import Outcome
from stages.report import main as report
from tests.fakes.browser import Tab, chromium, open_tab
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, TWO, TWO_COMPARED, World, make_world, write_world
from tests.fakes.small_project import SmallProject

pytestmark = pytest.mark.slow

PIPELINE = """
stages:
  split:
    cmd: python -m stages.split
    outs: [data/split/benchmark.jsonl]
  answer:
    foreach: ${arms}
    do:
      cmd: python -m stages.answer ${key}
      deps: [data/split/benchmark.jsonl, models/base, plumbline/answering, "${item.context}"]
      params: [answer, "arms.${key}", comparisons, lora, train]
      outs: ["data/answers/${key}.jsonl"]
  grade:
    cmd: python -m stages.grade
    deps: [plumbline/grading, data/answers/base.jsonl, data/answers/tuned.jsonl]
    params: [grade]
    outs: [data/grades/graded.jsonl]
  judge:
    cmd: python -m stages.judge
    deps: [data/answers/base.jsonl, data/answers/tuned.jsonl]
    outs: [data/grades/judged.jsonl]
"""
SETTINGS = {
    "answer": ANSWERING.model_dump(),
    "arms": {name: arm.model_dump() for name, arm in TWO.items()},
    "comparisons": [list(pair) for pair in TWO_COMPARED],
    "grade": {"relative_tolerance": 0.05, "absolute_tolerance": None},
    "train": {"seed": 1},
    "lora": {"alpha": 32},
}


class Project(SmallProject):
    """A repository in which runs are made up and committed."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        super().__init__(root)
        (root / "dvc.yaml").write_text(PIPELINE)
        # Next to the folder, so that a copy elsewhere has another remote.
        (root / ".dvc/config").write_text("[core]\n    remote = store\n['remote \"store\"']\n    url = ../../store\n")
        # As in a real project: what DVC keeps stays out of git.
        (root / ".gitignore").write_text("/data/\n/models/\n/metrics/*.html\n")
        for name in ("answering/generation", "grading/mcq"):
            path = root / f"plumbline/{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("# some code\n")
        (root / "data/context").mkdir(parents=True)
        (root / "data/context/none.jsonl").touch()

    def run(self, world: World, *, settings: dict[str, object] | None = None) -> None:
        """Put a finished run into the folder and let DVC record it."""
        files = write_world(world, self.root)
        (self.root / "params.yaml").write_text(json.dumps({**SETTINGS, **(settings or {})}))
        report(PARAMS, ANSWERING, JUDGING, world.compared, files)
        with contextlib.chdir(self.root), Repo(str(self.root)) as repo:
            repo.commit(force=True)

    def commit(self, message: str) -> None:
        """Commit, under a tag of the same name."""
        super().commit(message)
        self.git("tag", message)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Three runs: first, better (other answers, other alpha), and another judge in the folder."""
    made = Project(tmp_path_factory.mktemp("compare") / "project")
    world = make_world(num_clusters=30)
    made.run(world)
    made.commit("first")
    better = make_world(num_clusters=30)
    flipped = {grade.id: grade for grade in make_world(num_clusters=30).grades if grade.arm == "tuned"}
    better.grades = [
        grade.model_copy(update={"outcome": Outcome.CORRECT}) if grade.arm == "tuned" and grade.id in flipped else grade
        for grade in better.grades
    ]
    better.answers["tuned"] = [answer.model_copy(update={"response": answer.response + " Indeed."}) for answer in better.answers["tuned"]]
    made.run(better, settings={"lora": {"alpha": 128}})
    made.commit("better")
    strange = make_world(num_clusters=30)
    strange.judgements = [row.model_copy(update={"judge_id": "claude:other"}) for row in strange.judgements]
    made.run(strange, settings={"answer": {**ANSWERING.model_dump(), "max_new_tokens": 12}})
    yield made


def compared(project: Project, *names: str) -> tuple[str, str]:
    page = project.root / "metrics/comparison.html"
    text = compare.main(names, root=project.root, page=page)
    return text, page.read_text(encoding="utf-8")


def test_two_commits_are_compared_question_by_question(project: Project) -> None:
    text, page = compared(project, "first", "better")
    assert "multiple choice" in text
    better = next(line for line in text.splitlines() if line.startswith("better") and "+" in line)
    assert re.search(r"\+\d+ \[\d+, \d+\]", better)
    assert "lora.alpha = 128" in page
    assert "2 arms have been scored on the final part" in text
    rows = json.loads(re.search(r'id="entries">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert [arm["label"] for arm in rows["arms"]] == ["first", "better"]
    assert len(rows["rows"]) == 160
    assert {row["h"] for row in rows["rows"] if row["k"] != "explanation"} <= {"gained", "right"}
    # What is right is said as in the report: the option's text, and what an explanation must hold.
    assert all(re.fullmatch(r"[A-D]\) It .+\.", row["a"]) for row in rows["rows"] if row["k"] == "mcq")
    assert all(row["p"] for row in rows["rows"] if row["k"] == "explanation")


def test_a_run_is_no_different_from_itself(project: Project) -> None:
    text, _ = compared(project, "first", project.git("rev-parse", "first").strip())
    assert len(re.findall(r"(?<![\d.])0 \[", text)) == 3
    assert "!" not in text


def test_another_judge_is_refused_and_other_decoding_is_marked(project: Project) -> None:
    text, page = compared(project, "first", "workspace")
    assert "workspace: another judge than first; explanations are not compared" in text
    assert "workspace: another decoding than first; the adapter is not the only cause of a difference" in text
    assert "not comparable: judge differs" in page
    assert "Not like with like" in page
    rows = json.loads(re.search(r'id="entries">(.*?)</script>', page, re.DOTALL)[1])["rows"]  # type: ignore[index]
    assert {row["h"] for row in rows if row["k"] == "explanation"} == {"open"}


def test_across_a_bridge_explanations_are_compared_and_marked(project: Project) -> None:
    judges = [
        json.loads(text)["judge"]["judge_id"]
        for text in (project.git("show", "first:metrics/evaluation.json"), (project.root / "metrics/evaluation.json").read_text())
    ]
    bridge = {"old": judges[0], "new": judges[1], "num_answers": 120, "mean_shift": 0.05, "ci95": [0.02, 0.09],
              "shift_by_arm": {"base": 0.0, "tuned": 0.1}, "exact_agreement": 0.75, "weighted_kappa": 0.8,
              "confusion": [{"old": 0.0, "new": 0.0, "count": 120}]}  # fmt: skip
    record = project.root / RECORD
    try:
        record.write_text(json.dumps({**bridge, "new": "a judge of no run here"}) + "\n")
        text, _ = compared(project, "first", "workspace")
        assert "explanations are not compared" in text, "a bridge between other judges is none"
        record.write_text(json.dumps(bridge) + "\n")
        for names, shift in ((("first", "workspace"), "+5 [2, 9]"), (("workspace", "first"), "−5 [−9, −2]")):
            text, page = compared(project, *names)
            said = f"on the 120 answers of the bridge the other judge gives {shift} points, the same score for 75 %, weighted kappa 0.80"
            assert f"{names[1]}: another judge than {names[0]}; explanations are on two scales, not corrected" in text
            assert said in text and said in page
            assert "(two judges)" in text and "not comparable" not in text
            rows = json.loads(re.search(r'id="entries">(.*?)</script>', page, re.DOTALL)[1])["rows"]  # type: ignore[index]
            assert {row["h"] for row in rows if row["k"] == "explanation"} == {"open"}, "no question is won or lost across judges"
        record.write_text(json.dumps({**bridge, "num_answers": 99}) + "\n")
        with pytest.raises(NotThere, match=r"judge_bridges.jsonl, line 1"):
            compared(project, "first", "workspace")
    finally:
        record.unlink()


@pytest.mark.parametrize(("days_left", "said"), [(31, None), (30, "in 30 days"), (0, "today"), (-1, "1 day ago")])
def test_a_judge_near_its_end_or_past_it_is_said(
    project: Project, monkeypatch: pytest.MonkeyPatch, days_left: int, said: str | None
) -> None:
    path = project.root / "metrics/evaluation.json"
    before = path.read_text()
    monkeypatch.setattr(compare, "today", lambda: date(2026, 11, 30) - timedelta(days=days_left))
    try:
        evaluation = json.loads(before)
        evaluation["judge"]["model_requested"] = "claude-sonnet-4-5-20250929"
        path.write_text(json.dumps(evaluation))
        text, page = compared(project, "first", "workspace")
        assert ("The judge does not stay" in page) == ("! the judge claude-sonnet-4-5-20250929 stop" in text) == (said is not None)
        assert said is None or (f"on 2026-11-30, {said}: " in text and f"on 2026-11-30, {said}: " in page)
    finally:
        path.write_text(before)
    assert "the judge claude" not in compared(project, "first", "better")[0]


def test_another_benchmark_is_refused_altogether(project: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project.root, copy)
    other = Project.__new__(Project)
    other.root = copy
    other.run(make_world(num_mcq=40, num_clusters=30))
    text, page = compared(other, "first", "workspace")
    assert "workspace: another benchmark and another part than first; nothing is compared" in text
    assert text.count("not comparable: benchmark differs") == 3
    assert json.loads(re.search(r'id="entries">(.*?)</script>', page, re.DOTALL)[1])["arms"] == [{"key": "r0", "label": "first"}]  # type: ignore[index]


def test_a_name_that_is_nothing_says_where_names_come_from(project: Project) -> None:
    with pytest.raises(NotThere, match="dvc exp list"):
        compared(project, "first", "nonsense")


def test_a_run_with_a_section_that_no_stage_reads_is_refused(project: Project) -> None:
    path = project.root / "params.yaml"
    before = path.read_text()
    try:
        path.write_text(json.dumps({**json.loads(before), "trian": {"seed": 2}}))
        with pytest.raises(NotThere, match=r"workspace: params.yaml: no stage reads section 'trian' \(did you mean 'train'\?\)"):
            compared(project, "first", "workspace")
        assert "minus first" in compared(project, "first", "better")[0], "left out, the others are compared"
    finally:
        path.write_text(before)
    assert "minus first" in compared(project, "first", "workspace")[0]


def copied(project: Project, tmp_path: Path) -> Project:
    """The same repository, for a test to change."""
    shutil.copytree(project.root, tmp_path / "copy")
    other = Project.__new__(Project)
    other.root, other.environment = tmp_path / "copy", project.environment
    return other


def test_content_that_is_gone_says_how_to_get_it_and_that_works(project: Project, tmp_path: Path) -> None:
    other = copied(project, tmp_path)
    cache, elsewhere = other.root / ".dvc/cache", tmp_path / "elsewhere"
    cache.rename(elsewhere)
    with pytest.raises(
        NotThere, match=r"in neither cache nor remote\. Run `dvc fetch --all-commits`, .* run `dvc push --all-commits` where"
    ):
        compared(other, "first", "better")
    with pytest.raises(NotThere, match=r"Run `dvc fetch`\. If the remote"):
        compared(other, "HEAD", "better")
    elsewhere.rename(cache)
    other.dvc("push", "--all-commits")
    shutil.rmtree(cache)
    other.dvc("fetch", "--all-commits")
    assert compared(other, "first", "better")[0] == compared(project, "first", "better")[0].replace(str(project.root), str(other.root))


LOOSE = {"grade": {"relative_tolerance": 0.2, "absolute_tolerance": None}}


def test_runs_of_two_tolerances_are_graded_again_by_that_of_the_folder(project: Project, tmp_path: Path) -> None:
    other = copied(project, tmp_path)
    world = make_world(num_clusters=30)
    world.grades = [grade.model_copy(update={"outcome": Outcome.CORRECT}) for grade in world.grades]
    other.run(world, settings=LOOSE)
    text, page = compared(other, "first", "workspace")
    assert "graded again by the present grader (tolerances of params.yaml here: relative 0.2, absolute none)" in text
    assert "Graded again" in page and "another grader" not in text
    assert len(re.findall(r"(?<![\d.])0 \[", text)) == 3, "the same answers, whatever was recorded of them"


def test_without_its_answers_a_run_is_compared_by_its_verdicts_and_marked(project: Project, tmp_path: Path) -> None:
    other = copied(project, tmp_path)
    before, _ = compared(other, "first", "better")
    lock = YAML(typ="safe").load(other.git("show", "better:dvc.lock"))
    [md5] = [out["md5"] for out in lock["stages"]["answer@tuned"]["outs"]]
    (other.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
    text, page = compared(other, "first", "better")
    assert "the answers of better are not shown: better: data/answers/tuned.jsonl is not in that revision, or its content" in text
    assert [line for line in text.splitlines() if not line.startswith("!")] == before.splitlines(), "the same differences"
    assert [arm["label"] for arm in json.loads(re.search(r'id="entries">(.*?)</script>', page, re.DOTALL)[1])["arms"]] == ["first"]  # type: ignore[index]
    other.run(make_world(num_clusters=30), settings=LOOSE)
    text, _ = compared(other, "workspace", "better")
    assert "better was not graded again and keeps its grades: its answers are in neither cache nor remote" in text
    assert "better: another grader than workspace; the adapter is not the only cause of a difference" in text


@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium, or name one in $CHROMIUM")
def test_the_page_of_a_comparison_works_in_a_browser(project: Project, tmp_path: Path) -> None:
    compared(project, "first", "better", "workspace")
    page = project.root / "metrics/comparison.html"

    async def look() -> Tab:
        async with open_tab(tmp_path / "profile") as tab:
            await tab.open(page)
            assert await tab.ask("document.querySelectorAll('#list .item:first-child .pill').length") == 3
            for width in (1085, 820, 390):
                await tab.resize(width)
                assert await tab.wider_than_their_column() == [], width
                assert await tab.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
            assert "all right" in await tab.ask("document.getElementById('list').textContent")
            await tab.choose("r1", "correct")
            assert "of 160 questions" in await tab.ask("document.getElementById('count').textContent")
            await tab.choose("change", "gained")
            assert await tab.ask("[...document.querySelectorAll('#list .item')].every((row) => row.classList.contains('gained'))")
            return tab

    tab = asyncio.run(look())
    assert tab.errors == []
    assert tab.requests == [page.as_uri()]


def test_a_run_of_some_stages_only_is_left_out_or_refused_by_name(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`dvc exp run split` records other questions next to the answers of the run before it."""
    whole = compare.load_run

    def loaded(root: Path, name: str, *, arm: str | None) -> compare.Run:
        run = whole(root, "better" if name == "partial" else name, arm=arm)
        if name != "partial":
            return run
        others = [question.model_copy(update={"id": f"new-{question.id}"}) for question in run.questions]
        return dataclasses.replace(run, name=name, questions=others)

    monkeypatch.setattr(compare, "load_run", loaded)
    told = compare.main(["first", "better", "partial"], root=project.root, page=tmp_path / "page.html", named=False)
    assert re.search(r"! partial is left out: \d+ of its \d+ questions have no answers", told)
    with pytest.raises(NotThere, match=r"partial is left out.*run the whole pipeline"):
        compare.main(["first", "partial"], root=project.root, page=tmp_path / "page.html")
    with pytest.raises(NotThere, match="only first is left"):
        compare.main(["first", "partial"], root=project.root, page=tmp_path / "page.html", named=False)
