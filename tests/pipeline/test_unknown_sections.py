"""`dvc repro` refuses a section that no stage reads, even if everything else is up to date."""

from pathlib import Path

import pytest

from tests.pipeline.test_final_part import Project

pytestmark = pytest.mark.slow


def test_an_unknown_section_fails_a_run_that_was_up_to_date_until_it_is_removed(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    project.dvc("repro")
    assert "up to date" in project.dvc("repro")
    path = project.root / "params.yaml"
    before = path.read_text()
    path.write_text(before + "judges:\n  backend: none\n")
    told = project.dvc("repro", fails=True)
    assert "report: params.yaml: no stage reads section 'judges' (did you mean 'judge'?)" in told
    path.write_text(before)
    project.dvc("repro")
    assert (project.root / "metrics/scores.json").is_file()
    assert "up to date" in project.dvc("repro")
