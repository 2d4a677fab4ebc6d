"""The data page says what metrics/data.json says, opens from disk, and nothing in the data can run in it."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from plumbline.pages.data_report import DataReportFiles
from plumbline.pipeline.params import read_yaml
from plumbline.rows.training_params import TrainParams
from stages.clean import CleanParams
from stages.clean import main as clean
from stages.data_report import main
from tests.fakes.browser import Tab, chromium, open_tab
from tests.fakes.tiny_base import save_tiny_model

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<script>document.title='owned'</script><img src=https://example.org/x onerror=\"document.title='owned'\">"
ROWS: list[dict[str, Any]] = [
    {"instruction": "Name two forces.", "output": "['weight', 'friction']"},
    {"instruction": f"What is {HOSTILE}?", "output": json.dumps({"explanation": HOSTILE, "answer": "text"})},
    {"instruction": "How long?", "output": '{"time": 7.0, "unit": "s"}'},
    {"instruction": "What is half?", "output": "\x0crac{1}{2} of it, says the book"},
    {"instruction": f"Why {HOSTILE}?", "output": "I cannot answer that question."},
    {"instruction": "Nothing?", "output": " "},
]


def page_of(rows: list[dict[str, Any]], folder: Path, **changes: Any) -> tuple[str, dict[str, Any], Path]:
    source = folder / "source.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    base = folder / "base"
    base.mkdir()
    save_tiny_model(base)
    params = read_yaml(ROOT / "params.yaml")
    paths = {name: folder / f"{name}.jsonl" for name in ("kept", "quarantined")}
    clean(
        CleanParams.model_validate(params["clean"] | changes),
        source=source,
        **paths,
        metrics=folder / "data.json",
        repair_examples=folder / "examples.jsonl",
    )
    overlap = folder / "overlap.jsonl"
    removed = {"record": "removed_row", "rule": "ngram", "origin": {"line": 7}, "question_id": "q", "instruction": HOSTILE}
    overlap.write_text("".join(json.dumps(line) + "\n" for line in ({"record": "summary"}, removed)), encoding="utf-8")
    templates = ROOT / "plumbline/pages/templates"
    main(
        TrainParams.model_validate(params["train"]),
        DataReportFiles(
            **paths,
            examples=folder / "examples.jsonl",
            overlap=overlap,
            summary=folder / "data.json",
            tokenizer=base / "tokenizer.json",
            template=templates / "data.html.j2",
            style=templates / "report.css",
            script=templates / "data.js",
            page=folder / "data.html",
        ),
    )
    return (folder / "data.html").read_text(encoding="utf-8"), json.loads((folder / "data.json").read_text()), folder / "data.html"


def test_the_page_says_what_the_metrics_say(tmp_path: Path) -> None:
    page, summary, _ = page_of(ROWS, tmp_path)
    assert f"{summary['lines']} lines = {summary['kept']} kept + {summary['quarantined']} put aside" in page
    for section in ("reasons", "repairs"):
        part = page[page.index(f'<section id="{section}"') :].split("</section>")[0]
        shown = {code: int(number) for number, code in re.findall(r"<summary><b>(\d+)</b><code>(\w+)</code>", part)}
        assert shown == {code: number for code, number in summary[section].items() if number}
        assert len(re.findall(r'<p class="note">\d+ of \d+ (?:line|row)s?\b', part)) == len(shown)
    assert "<del>" in page and "<ins>" in page and "␌rac" in page


def test_the_same_data_gives_the_same_page(tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pages.append(page_of(ROWS, tmp_path / name)[0])
    assert pages[0] == pages[1]


def test_text_of_the_data_stays_text(tmp_path: Path) -> None:
    page, _, _ = page_of(ROWS, tmp_path)
    assert "<script>document.title" not in page and "<img" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium, or name one in $CHROMIUM")
def test_the_page_works_in_a_browser_and_asks_for_nothing(tmp_path: Path) -> None:
    _, _, page = page_of(ROWS, tmp_path)

    async def look() -> Tab:
        async with open_tab(tmp_path / "profile") as tab:
            await tab.open(page)
            assert "owned" not in str(await tab.ask("document.title"))
            closed = "[...document.querySelectorAll('#repairs details')].filter((one) => !one.open).length"
            assert await tab.ask(closed) > 0
            await tab.ask("document.querySelector('#repairs button[data-open=yes]').click()")
            assert await tab.ask(closed) == 0
            for width in (1085, 820, 360):
                await tab.resize(width)
                assert await tab.wider_than_their_column() == [], width
                assert await tab.smallest_chart_text_px() >= 11, width
                assert await tab.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
            return tab

    tab = asyncio.run(look())
    assert tab.errors == []
    assert tab.requests == [page.as_uri()]


def test_a_conversation_and_a_code_that_few_sources_have_are_shown(tmp_path: Path) -> None:
    turns = ["What is force? ", "A push.", "What does [2 * i for i in range(2)] give in Python?", "[0, 2]"]
    chat = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(turns)]
    calls = [{"role": "user", "content": "Now?"}, {"role": "assistant", "content": "Yes.", "tool_calls": [{"id": "1"}]}]
    page, summary, _ = page_of([{"messages": chat}, {"messages": calls}], tmp_path, format="auto")
    assert summary["reasons"]["tool_calls"] == summary["flags"]["structure_requested"] == 1
    assert "tools are offered or called" in page and "because the question asks for one" in page and "an earlier turn" in page
