"""Every relative link of README, docs/ and the other pages leads to a file that git holds, and every anchor to a title of its page."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def tracked(*patterns: str) -> set[str]:
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns], cwd=ROOT, capture_output=True, text=True
    )
    return {name for name in found.stdout.splitlines() if (ROOT / name).is_file()}


FILES = tracked()
PAGES = sorted(name for name in FILES if name.endswith(".md") and not name.startswith("tests/"))


def prose(page: str) -> str:
    """The page without its blocks of code: text there may look like a link or a title, but is not."""
    return FENCED.sub("", (ROOT / page).read_text(encoding="utf-8"))


def anchors(text: str) -> set[str]:
    """The anchors of a page, as GitHub makes them of its titles: a repeated title gets a number."""
    found: set[str] = set()
    for title in re.findall(r"^#+ (.+?) *$", text, re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        place = 0
        while (name := f"{anchor}-{place}" if place else anchor) in found:
            place += 1
        found.add(name)
    return found


def faults(page: str, text: str) -> list[str]:
    """The links of a text that lead nowhere, seen from the place of the page."""
    wrong: list[str] = []
    for path, anchor in LINK.findall(text):
        target = ((ROOT / page).parent / path).resolve().relative_to(ROOT).as_posix() if path else page
        if target not in FILES and not any(name.startswith(f"{target.rstrip('/')}/") for name in FILES):
            wrong.append(f"{path}: no such file")
        elif anchor and anchor not in anchors(prose(target)):
            wrong.append(f"{path}#{anchor}: no such title")
    return wrong


@pytest.mark.parametrize("page", PAGES)
def test_links_and_anchors_lead_somewhere(page: str) -> None:
    assert faults(page, prose(page)) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    text = "[a](results.md#a-real-file) [b](nowhere.md) [c](results.md#no-title) [d](#no-title) [e](../plumbline) ![f](report.png)"
    assert faults("docs/data.md", text) == ["nowhere.md: no such file", "results.md#no-title: no such title", "#no-title: no such title"]


def test_anchors_are_those_of_github() -> None:
    text = "# A `b.c`\n\n## Why? It's 5 % of [it](x.md)\n\n## Again\n\n## Again\n"
    assert anchors(text) == {"a-bc", "why-its-5--of-it", "again", "again-1"}


def test_the_pages_that_are_looked_at_are_all_of_the_manual() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/using.md", "docs/decisions.md"} <= set(PAGES)
