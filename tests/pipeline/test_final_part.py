"""The report says how often the final part was used: over temporary and queued experiments, again after a clone, never too few."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.noise_plan import NoisePlan
from plumbline.commands import final_part
from plumbline.commands.publish import NotPublished, check_run
from plumbline.pipeline.params import read_yaml
from plumbline.reporting.final_part import uses_in
from plumbline.reporting.final_part_uses import read_uses
from plumbline.reporting.publish_params import NOTHING_REQUIRED
from plumbline.rows.probe_results import NOT_PROBED
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, World, make_world, write_lines, write_object, write_world
from tests.fakes.small_project import ROOT, SmallProject

pytestmark = pytest.mark.slow

NOT_ASKED_AGAIN = NoisePlan(
    weights="models/base",
    context="data/context/none.jsonl",
    engine=None,
    batch_size=None,
    num_asked=0,
    num_questions=0,
    reason="these answers are made up",
)


class Project(SmallProject):
    """A repository with the report stage alone, as dvc.yaml has it, and all that it reads in git."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.world: World = make_world(num_mcq=24, num_numeric=24, num_explanation=16, num_clusters=12)
        stages = {"report": read_yaml(ROOT / "dvc.yaml")["stages"]["report"]}
        sections = {"report": PARAMS, "answer": ANSWERING, "judge": JUDGING, "publish": NOTHING_REQUIRED}
        params = {name: section.model_dump() for name, section in sections.items()}
        params |= {"arms": self.world.compared.arms.model_dump(), "comparisons": [list(pair) for pair in self.world.comparisons]}
        self.write_stages(stages, params, ignored="/metrics/report.html")
        write_world(self.world, root)
        write_lines(root / "data/grades/judge_checks.jsonl", [])
        write_lines(root / "labels/explanations.jsonl", [])
        write_object(root / "metrics/probes.json", NOT_PROBED.model_dump(mode="json"))
        write_object(root / "data/noise/plan.json", NOT_ASKED_AGAIN.model_dump(mode="json"))
        for empty in (
            "grades/second_judged",
            "probes/answers",
            "noise/answers",
            "noise/graded",
            "noise/judged",
            "context/examples",
            "context/passages",
            "context/shuffled",
        ):
            write_lines(root / f"data/{empty}.jsonl", [])
        for name in ("requirements-model.txt", ".gitattributes"):
            shutil.copy(ROOT / name, root)
        (root / final_part.RECORD).touch()
        self.refuse_missing_inputs()
        self.commit("answers")

    def answer_as(self, adapter: str) -> None:
        """Tuned answers as another adapter would give them."""
        answers = [answer.model_copy(update={"response": f"{answer.response} {adapter}"}) for answer in self.world.answers["tuned"]]
        write_lines(self.root / "data/answers/tuned.jsonl", answers)

    def part_of(self, revision: str) -> dict[str, Any]:
        return json.loads(self.git("show", f"{revision}:{final_part.EVALUATION}"))["part"]

    def experiment(self, name: str, *overrides: str, fails: bool = False) -> str:
        words = [word for override in overrides for word in ("-S", override)]
        return self.dvc("exp", "run", "--temp", "-n", name, *words, fails=fails)

    def experiment_ref(self, name: str) -> str:
        return next(line.split()[1] for line in self.git("show-ref").splitlines() if line.endswith(f"/{name}"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project")


def test_the_second_model_on_the_final_part_is_reported_as_the_second(project: Project, tmp_path: Path) -> None:
    project.answer_as("first")
    project.experiment("one", "report.part=final")
    assert project.part_of(project.experiment_ref("one"))["num_final_part_uses"] == 1

    # Another adapter: the record does not know of the first yet, so a claim is refused before anything is scored.
    project.answer_as("second")
    told = project.experiment("two", "report.part=final", fails=True)
    assert "1 more arm was scored on the final part" in told and "plumbline final-part" in told
    assert "1 added, 1 in all" in final_part.main(project.root)
    project.experiment("two", "report.part=final")
    assert project.part_of(project.experiment_ref("two"))["num_final_part_uses"] == 2

    # The same adapter once more, with other resamples; then a third on the development part: neither is a use.
    project.experiment("again", "report.part=final", "report.seed=12")
    assert project.part_of(project.experiment_ref("again"))["num_final_part_uses"] == 2
    final_part.main(project.root)
    project.answer_as("third")
    project.experiment("third", "report.part=development")
    assert project.part_of(project.experiment_ref("third")) | {"num_questions": 0} == {
        "name": "development",
        "development_fraction": PARAMS.development_fraction,
        "num_questions": 0,
        "num_questions_in_benchmark": 64,
        "num_final_part_uses": 2,
        "num_own_uses": 0,
    }
    assert "0 added, 2 in all" in final_part.main(project.root)

    # A clone has neither this machine's journal nor its experiments: what git holds is enough.
    project.git("checkout", "-q", "--", "data")
    project.git("commit", "-q", "-am", "uses")
    project.git("clone", "-q", str(project.root), str(tmp_path / "clone"))
    assert final_part.known_uses(tmp_path / "clone") == read_uses(project.root / final_part.RECORD)
    assert len(final_part.known_uses(tmp_path / "clone")) == 2


def test_a_queued_run_is_counted_and_the_workspace_stays_until_somebody_records_it(project: Project) -> None:
    project.dvc("repro")
    page = (project.root / "metrics/report.html").read_text(encoding="utf-8")
    assert "The whole benchmark: 64 questions, none kept aside for choosing." in page and "In the record" not in page, (
        "this run is its only use"
    )
    project.commit("run")
    project.answer_as("queued")
    project.dvc("exp", "run", "--queue", "-n", "queued", "-S", "report.seed=12")
    project.git("checkout", "-q", "--", "data")
    project.dvc("queue", "start")
    begin = time.monotonic()
    while "Success" not in project.dvc("queue", "status"):
        assert time.monotonic() - begin < 120, project.dvc("queue", "logs", "queued")
        time.sleep(0.2)
    assert project.git("status", "--porcelain") == ""
    assert "up to date" in project.dvc("status")

    own = uses_in(json.loads((project.root / final_part.EVALUATION).read_text()))
    assert len(own) == 1 and len(final_part.missing_uses(project.root, own)) == 1
    assert "2 added, 2 in all" in final_part.main(project.root)
    # The record is a declared input: DVC says that the page is out of date, and runs the report alone.
    assert final_part.RECORD in project.dvc("status")
    project.dvc("repro")
    assert "In this repository 2 arms have been scored so far" in (project.root / "metrics/report.html").read_text(encoding="utf-8")
    once = (project.root / final_part.EVALUATION).read_bytes()
    project.dvc("repro", "-f", "--no-run-cache")
    assert (project.root / final_part.EVALUATION).read_bytes() == once, "the report depends on what it wrote itself"


def test_a_run_that_was_overwritten_before_a_commit_is_still_known(project: Project) -> None:
    project.answer_as("lost")
    project.dvc("repro")
    project.git("checkout", "-q", "--", ".")
    project.dvc("repro")
    assert len(final_part.known_uses(project.root)) == 2
    # Without the journal only what lies in the folder is known.
    shutil.rmtree(project.root / ".cache")
    assert len(final_part.known_uses(project.root)) == 1


def test_a_run_whose_side_of_a_merge_was_left_out_is_still_known(project: Project) -> None:
    project.dvc("repro")
    project.commit("run")
    project.git("checkout", "-q", "-b", "side")
    project.answer_as("side")
    project.dvc("repro")
    project.git("commit", "-q", "-am", "side")
    project.git("checkout", "-q", "main")
    (project.root / "NOTE.md").write_text("main went on\n")
    project.commit("note")
    project.git("merge", "-q", "-s", "ours", "-m", "merge", "side")
    project.git("branch", "-q", "-D", "side")
    shutil.rmtree(project.root / ".cache")
    assert len(final_part.known_uses(project.root)) == 2


def test_two_branches_that_recorded_uses_merge_without_losing_one(project: Project) -> None:
    for branch in ("left", "right"):
        project.git("checkout", "-q", "-B", branch, "main")
        project.answer_as(branch)
        project.dvc("repro")
        final_part.main(project.root)
        project.git("add", final_part.RECORD)
        project.git("commit", "-q", "-m", branch)
        project.git("checkout", "-q", "-f", "main")
        shutil.rmtree(project.root / ".cache")
    for branch in ("left", "right"):
        project.git("merge", "-q", "-m", branch, branch)
    assert len(read_uses(project.root / final_part.RECORD)) == 2


def test_publishing_is_refused_where_the_report_counts_too_few(project: Project) -> None:
    project.answer_as("first")
    project.dvc("repro")
    project.answer_as("second")
    project.dvc("repro")
    (project.root / "models/adapter").mkdir(parents=True, exist_ok=True)
    (project.root / "models/adapter/training.json").write_text(finished_training())
    with pytest.raises(NotPublished, match=r"1 more arm was scored on the final part .*Run `plumbline final-part`"):
        check_run(project.root)
    final_part.main(project.root)
    with pytest.raises(NotPublished, match=r"not the run that dvc\.lock records"):
        check_run(project.root)


def finished_training() -> str:
    """training.json of a run that came to its end."""
    from tests.pipeline.test_publish import RECORD

    return RECORD.model_dump_json()
