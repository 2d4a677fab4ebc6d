"""The site of `make docs` has every page of the manual, and each link between its pages leads to a title that is there."""

import re

import pytest

from docs.site import LINK, ORDER, ROOT, moved, pages
from tests.unit.test_links import FENCED, anchors

PAGES = pages()


def test_every_page_has_its_place() -> None:
    assert sorted(ORDER) == sorted(PAGES)
    assert {page.name for page in (ROOT / "docs").glob("*.md")} < set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_links_lead_somewhere_on_the_site(name: str) -> None:
    for link in LINK.finditer(FENCED.sub("", PAGES[name])):
        path, anchor = link["path"], link["anchor"]
        assert path in PAGES or (ROOT / "docs" / path).is_file(), link[0]
        assert not anchor or anchor[1:] in anchors(FENCED.sub("", PAGES[path])), link[0]


@pytest.mark.parametrize(
    ("text", "page", "shown"),
    [
        ("[a](docs/gpu.md#several-gpus)", "README.md", "[a](gpu.md#several-gpus)"),
        ("![a](docs/report.png)", "README.md", "![a](report.png)"),
        ("[a](../README.md#the-tree-by-subject)", "docs/gpu.md", "[a](index.md#the-tree-by-subject)"),
        ("[a](../examples/other_model.yaml)", "docs/arms.md", "a"),
        ("[a](#here) [b](https://example.org/x)", "docs/arms.md", "[a](#here) [b](https://example.org/x)"),
    ],
)
def test_links_are_moved(text: str, page: str, shown: str) -> None:
    assert moved(text, page) == shown


def test_nothing_but_links_is_changed() -> None:
    kept = re.compile(r"\]\([^)]*\)")
    assert kept.sub("", PAGES["using.md"]) == kept.sub("", (ROOT / "docs/using.md").read_text(encoding="utf-8"))
