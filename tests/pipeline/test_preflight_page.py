"""The preflight page, made from checks and tokens without a model: what it says, and that it fits a window and a phone."""

import asyncio
from pathlib import Path

import pytest

from plumbline.preflight.check import Check
from plumbline.preflight.findings import Findings
from plumbline.preflight.run import PreflightFiles, write
from tests.fakes.browser import chromium, open_tab

LONG = "an_unbroken_word_of_a_template_" * 6


def page_of(folder: Path) -> Path:
    checks = [
        Check(name="one_bos", status="pass", found="0 of 4760 rows do not have exactly one BOS at the start", remedy=""),
        Check(name="packed_gradients", status="warn", found=f"relative difference 0.1 with {LONG}", remedy="Pad instead."),
    ]
    tokens = [
        {"text": "<s>", "trained": False, "control": True},
        {"text": f"What is <b>{LONG}</b>?", "trained": False, "control": False},
        {"text": " A force.", "trained": True, "control": False},
        {"text": "</s>", "trained": True, "control": True},
    ]
    page = folder / "preflight.html"
    none = folder / "not read"
    files = PreflightFiles(
        template=Path("plumbline/pages/templates/preflight.html.j2"),
        metrics=folder / "preflight.json",
        page=page,
        train=none,
        validation=none,
        benchmark=none,
        general=none,
        base=none,
        ready=none,
    )
    write(Findings(checks=checks, shown=[{"id": "abc", "tokens": tokens}], num_rows=4154, num_tokens=248514), files)
    return page


def test_the_page_says_what_was_checked_and_text_of_rows_stays_text(tmp_path: Path) -> None:
    text = page_of(tmp_path).read_text(encoding="utf-8")
    assert "4,154 training rows, 248,514 tokens." in text
    assert "✓ pass" in text and "! warn" in text and "Pad instead." in text
    assert "<b>an_unbroken" not in text and "&lt;b&gt;an_unbroken" in text


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium, or name one in $CHROMIUM")
def test_the_page_fits_a_window_and_a_phone(tmp_path: Path) -> None:
    page = page_of(tmp_path)

    async def look() -> None:
        async with open_tab(tmp_path / "profile") as tab:
            await tab.open(page, ready="document.readyState === 'complete' && document.querySelector('.row') !== null")
            for width in (1085, 820, 390):
                await tab.resize(width)
                assert await tab.wider_than_their_column() == [], width
                assert await tab.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
            assert tab.errors == []
            assert tab.requests == [page.as_uri()]

    asyncio.run(look())
