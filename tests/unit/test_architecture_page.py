"""docs/architecture.md and CONTRIBUTING.md name files, folders and functions that exist, and README leads to both pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/architecture.md", "CONTRIBUTING.md")
FENCED = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
# A folder of the repository, then what lies in it: "plumbline/grading/mcq.py:grade_mcq", "tests/unit", "stages/".
PLACE = re.compile(r"(?P<path>(?:plumbline|stages|tests|docs|bench)(?:/[\w.]*)*)(?::(?P<name>\w+))?")
FILE_AT_THE_TOP = re.compile(r"(?P<path>[\w.]+\.(?:md|py|yaml|toml|txt)|Makefile|\.importlinter)(?P<name>)")


def named_places(page: str) -> list[tuple[str, str]]:
    """Path and function ("" for none) of each place that a page names in backticks, outside blocks of code."""
    quoted = re.findall(r"`([^`\n]+)`", FENCED.sub("", (ROOT / page).read_text(encoding="utf-8")))
    found = [PLACE.fullmatch(text) or FILE_AT_THE_TOP.fullmatch(text) for text in quoted]
    return sorted({(match["path"], match["name"] or "") for match in found if match})


@pytest.mark.parametrize(
    ("path", "name"),
    sorted({place for page in PAGES for place in named_places(page)}),
    ids=lambda part: part or "file",
)
def test_each_place_that_a_page_names_exists(path: str, name: str) -> None:
    assert (ROOT / path).exists()
    if name:
        assert re.search(rf"^ *(?:def|class) {name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("page", "fewest"), [("docs/architecture.md", 30), ("CONTRIBUTING.md", 10)])
def test_a_page_names_its_places_in_backticks(page: str, fewest: int) -> None:
    assert len(named_places(page)) >= fewest


@pytest.mark.parametrize("page", PAGES)
def test_readme_leads_to_both_pages(page: str) -> None:
    assert f"]({page})" in (ROOT / "README.md").read_text(encoding="utf-8")
