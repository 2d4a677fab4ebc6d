"""Everything that the documents cite exists: no page names a file of someone's machine, or a document that the repository does not hold."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CITED = re.compile(r"[`(]([\w./-]+\.md)\b")
MADE = {"metrics/report.md"}
"""Written by a run."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_document_that_is_cited_is_in_the_repository(page: Path) -> None:
    cited = set(CITED.findall(page.read_text(encoding="utf-8"))) - MADE
    lacking = sorted(name for name in cited if not any((folder / name).is_file() for folder in (page.parent, ROOT, ROOT / "docs")))
    assert not lacking, f"{page.name} cites {lacking}: state the reason itself, or say that it is not part of the repository"
    assert page.name not in ("README.md", "decisions.md") or cited, "the pattern finds what is cited"


def test_nothing_but_a_test_reaches_out_of_the_repository() -> None:
    """A test reads such files in place, and skips if they are absent; a command takes the user's path."""
    words = ["git", "grep", "-I", "-l", "-E", r"\.\./shared|DESIGN (decision|[0-9])", "--", ".", ":!tests"]
    found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 1, found.stdout


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    """Real runs printed the recorded samples; the folder of such a run means nothing to a reader."""
    words = [
        "git",
        "grep",
        "-I",
        "-n",
        "-E",
        "/(home|Users|root|work|mnt|tmp/tmp[a-z0-9_]+)/",
        "--",
        "docs",
        "README.md",
        "metrics",
        "dvc.lock",
    ]
    found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 1, found.stdout


def test_the_picture_of_the_stages_holds_each_of_them() -> None:
    named = set(re.findall(r'class="stage"[^>]*>(\w+)<', (ROOT / "docs/architecture.svg").read_text(encoding="utf-8"))) - {
        "rows",
        "pipeline",
    }
    assert named == {path.stem for path in (ROOT / "stages").glob("[a-z]*.py")}


OLD_WORDS = r"thereof|whereby|hitherto|herein|anew|nobody|lest|one's own|where there (is|are) none"
WORD_TABLES = ":!plumbline/judging/key_point_words.py"
"""Words that an answer may hold."""


def test_no_text_uses_a_word_that_a_colleague_would_not_say() -> None:
    read = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs",
        "plumbline",
        "stages",
        "bench",
        "params.yaml",
        "dvc.yaml",
        "Makefile",
        "profiles",
    ]
    words = ["git", "grep", "-I", "-n", "-i", "-w", "-E", OLD_WORDS, "--", *read, WORD_TABLES]
    found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 1, f"say it in a plain word:\n{found.stdout}"
