"""The report in a real browser, opened from disk: filters, keyboard, silence on the network, size, hostile text."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from plumbline.rows.finding import Finding, PointFinding
from stages.report import main
from tests.fakes.browser import Tab, chromium, open_tab
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, World, make_world, write_world
from tests.fakes.sampled_world import sampled_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium, or name one in $CHROMIUM"),
]
HOSTILE = "</script><script>document.title='owned'</script><img src=https://example.org/x onerror=\"document.title='owned'\">"


def page_of(world: World, folder: Path) -> Path:
    files = write_world(world, folder)
    main(PARAMS, ANSWERING, JUDGING, world.compared, files)
    return files.page


def watch(page: Path, profile: Path, steps: Callable[[Tab], Awaitable[None]]) -> Tab:
    """Open a page, do something with it, and return the tab with all that it saw."""

    async def go() -> Tab:
        async with open_tab(profile) as tab:
            await tab.open(page)
            await steps(tab)
            return tab

    return asyncio.run(go())


def assert_silent(tab: Tab, page: Path) -> None:
    assert tab.errors == []
    assert tab.requests == [page.as_uri()], "the page asked for something besides itself"


COUNT = "document.getElementById('count').textContent"
ROWS = "document.querySelectorAll('#list .item').length"


def test_filters_search_and_order_show_what_they_say(tmp_path: Path) -> None:
    world = make_world()
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        assert await tab.ask(COUNT) == "160 questions"
        await tab.choose("kind", "numeric")
        assert await tab.ask(COUNT) == "60 of 160 questions"
        await tab.choose("change", "lost")
        kinds = "[...document.querySelectorAll('#list .item')].every((row) => row.classList.contains('lost'))"
        assert await tab.ask(kinds)
        await tab.ask("document.querySelector('#filters button[type=reset]').click()")
        await tab.until(f"{COUNT} === '160 questions'")
        await tab.choose("r1", "unparsed")
        unparsed = sum(grade.arm == "tuned" and grade.outcome == "unparsed" for grade in world.grades)
        assert await tab.ask(ROWS) == unparsed
        await tab.choose("r1", "")
        await tab.choose("search", "NUMERIC-0003")
        assert await tab.ask(COUNT) == "1 of 160 questions"
        await tab.choose("search", "no such words anywhere")
        assert "No question matches" in await tab.ask(COUNT)
        await tab.choose("search", "")
        await tab.choose("topic", "mcq/energy")
        assert await tab.ask(COUNT) == "6 of 160 questions"
        await tab.choose("topic", "")
        await tab.choose("order", "benchmark")
        assert await tab.ask("document.querySelector('#list .item').dataset.id") == "mcq-0000"
        await tab.ask("document.querySelector('[data-change=gained]').click()")
        assert await tab.ask("document.getElementById('change').value") == "gained"

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_a_question_opens_by_keyboard_with_all_answers_and_the_mark(tmp_path: Path) -> None:
    page = page_of(make_world(), tmp_path)

    async def steps(tab: Tab) -> None:
        await tab.press("j")
        await tab.press("j")
        assert await tab.ask("[...document.querySelectorAll('#list .item')].indexOf(document.activeElement.parentElement)") == 1
        await tab.press("k")
        await tab.press("Enter")
        await tab.until("document.querySelector('#list .item').open && document.querySelectorAll('#list .item .arms > div').length === 2")
        assert await tab.ask("document.querySelector('#list .item mark')?.textContent.length > 0")
        await tab.press("/")
        assert await tab.ask("document.activeElement.id") == "search"

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_a_planted_script_does_nothing_and_shows_as_text(tmp_path: Path) -> None:
    world = make_world(num_mcq=12, num_numeric=12, num_explanation=8)
    for arm in world.arms:
        world.answers[arm] = [answer.model_copy(update={"response": HOSTILE}) for answer in world.answers[arm]]
    world.grades = [
        grade.model_copy(update={"extracted": HOSTILE, "span": (0, 9), "tier": HOSTILE, "flags": (HOSTILE,)}) for grade in world.grades
    ]
    hostile = PointFinding(point=HOSTILE, finding=Finding.CONTRADICTED, quote=HOSTILE)
    world.judgements = [judgement.model_copy(update={"reasoning": HOSTILE, "points": (hostile,)}) for judgement in world.judgements]
    world.questions = [question.model_copy(update={"question": HOSTILE, "cluster": HOSTILE}) for question in world.questions]
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        await tab.ask("document.querySelectorAll('#list .item summary').forEach((summary) => summary.click())")
        await tab.until("document.querySelectorAll('#list .item .arms').length === 32")
        assert await tab.ask("document.querySelector('#list .arms .text').textContent") == HOSTILE
        assert await tab.ask("document.querySelector('#list .findings li.contradicted').textContent") == f"contradicted {HOSTILE}{HOSTILE}"
        assert await tab.ask("document.querySelector('#list .findings q').textContent") == HOSTILE
        assert await tab.ask("document.querySelectorAll('#list img, #list script').length") == 0
        assert "owned" not in await tab.ask("document.title")

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_even_a_script_that_got_into_the_page_would_not_run(tmp_path: Path) -> None:
    page = page_of(make_world(num_mcq=12, num_numeric=0, num_explanation=0), tmp_path)
    text = page.read_text(encoding="utf-8").replace("<main>", "<main><script>document.title='owned'</script>")
    page.write_text(text, encoding="utf-8")

    async def steps(tab: Tab) -> None:
        assert "owned" not in await tab.ask("document.title")

    assert any("Content Security Policy" in error for error in watch(page, tmp_path / "profile", steps).errors)


def test_five_thousand_questions_are_there_in_two_seconds(tmp_path: Path) -> None:
    page = page_of(make_world(num_mcq=2000, num_numeric=2000, num_explanation=1000, num_clusters=120), tmp_path)
    seconds: list[float] = []

    async def steps(tab: Tab) -> None:
        await tab.choose("search", "stone falls 77")
        loaded = "performance.getEntriesByType('navigation')[0].domInteractive"
        seconds.append(await tab.ask(f"Math.max(performance.getEntriesByName('ready')[0].startTime, {loaded})") / 1000)
        filtering = "(() => { const start = performance.now(); const search = document.getElementById('search'); search.value = 'momentum';"
        filtering += " search.dispatchEvent(new Event('input', {bubbles: true}));"
        filtering += " return new Promise((done) => setTimeout(() => done(performance.now() - start), 90)); })()"
        seconds.append(await tab.ask(filtering) / 1000)
        assert await tab.ask(ROWS) <= 40

    start = time.monotonic()
    assert_silent(watch(page, tmp_path / "profile", steps), page)
    print(f"interactive after {seconds[0]:.2f} s, filtered after {seconds[1]:.2f} s, {time.monotonic() - start:.1f} s in all")
    assert seconds[0] < 2
    assert seconds[1] < 1


def test_a_phone_needs_no_sideways_scrolling(tmp_path: Path) -> None:
    page = page_of(make_world(), tmp_path)

    async def steps(tab: Tab) -> None:
        for dark in (False, True):
            await tab.picture(tmp_path / f"phone-{dark}.png", width=360, height=800, dark=dark)
            assert await tab.ask("document.documentElement.scrollWidth") <= 360
            assert await tab.wider_than_their_column() == []
            assert await tab.smallest_chart_text_px() >= 11
        await tab.ask("document.querySelector('#list summary').click()")
        assert await tab.ask("document.documentElement.scrollWidth") <= 360

    assert_silent(watch(page, tmp_path / "profile", steps), page)


@pytest.mark.parametrize("width", [1085, 820, 390], ids=["1100 less a scroll bar", "tablet", "phone"])
def test_tables_and_charts_fit_their_column(width: int, tmp_path: Path) -> None:
    page = page_of(make_world(num_mcq=400, num_numeric=400, num_explanation=200, num_clusters=40), tmp_path)

    async def steps(tab: Tab) -> None:
        await tab.resize(width)
        assert await tab.wider_than_their_column() == []
        assert await tab.smallest_chart_text_px() >= 11
        assert await tab.ask("[...document.querySelectorAll('svg.figure')].filter((one) => one.getClientRects().length).length") == 3

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_dark_and_light_differ_and_both_can_be_read(tmp_path: Path) -> None:
    """Contrast of running text and of muted text against the page, by the WCAG formula, is at least 4.5."""
    page = page_of(make_world(num_mcq=12, num_numeric=12, num_explanation=8), tmp_path)
    contrast = """(() => {
      const rgb = (name) => { const probe = document.createElement('i'); probe.style.color = `var(${name})`; document.body.append(probe);
        const found = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number); probe.remove(); return found; };
      const light = (name) => { const [r, g, b] = rgb(name).map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ratio = (one, two) => { const [high, low] = [light(one), light(two)].sort((a, b) => b - a); return (high + 0.05) / (low + 0.05); };
      const pairs = [['--ink', '--paper'], ['--muted', '--card'], ['--muted', '--soft'], ['--link', '--paper'], ['--good', '--good-soft'],
        ['--bad', '--bad-soft'], ['--warn', '--warn-soft'], ['--mark-ink', '--mark']];
      return Math.min(...pairs.map(([one, two]) => ratio(one, two)));
    })()"""

    async def steps(tab: Tab) -> None:
        for dark in (False, True):
            await tab.picture(tmp_path / f"page-{dark}.png", width=1200, height=900, dark=dark)
            assert await tab.ask(contrast) >= 4.5, f"dark: {dark}"

    watch(page, tmp_path / "profile", steps)
    assert (tmp_path / "page-True.png").read_bytes() != (tmp_path / "page-False.png").read_bytes()


def test_the_samples_of_a_question_are_folded_below_their_mean(tmp_path: Path) -> None:
    world = sampled_world()
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        assert await tab.ask(COUNT) == "90 questions"
        await tab.choose("kind", "numeric")
        first = "document.querySelector('#list .item')"
        await tab.ask(f"{first}.querySelector('summary').click()")
        await tab.ask("new Promise((done) => setTimeout(done, 100))")
        arm = f"[...{first}.querySelectorAll('.arms > div')].at(-1)"
        assert await tab.ask(f"{arm}.querySelectorAll('details.long').length") == 4
        assert "4 samples, mean" in await tab.ask(f"{arm}.textContent")
        assert await tab.ask(f"[...{arm}.querySelectorAll('details.long')].some((one) => one.open)") is False
        assert await tab.ask(f"{arm}.querySelectorAll('details.long')[2].textContent.includes('[3]')")
        assert await tab.ask("document.getElementById('uncertainty').textContent.includes('By sampling')")

    assert_silent(watch(page, tmp_path / "profile", steps), page)
