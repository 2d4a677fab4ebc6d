"""The page of many arms in a real browser: what it shows of five and seven, on a phone too, with 5,000 questions, and of hostile passages."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from plumbline.rows.arms import ArmParams, Arms, Pair
from plumbline.rows.context import Context, ContextPassage, ContextTurn
from stages.report import main
from tests.fakes.browser import Tab, chromium
from tests.fakes.evaluation_world import (
    ANSWERING,
    FIVE,
    JUDGING,
    PAIRS_OF_FIVE,
    PARAMS,
    SEVEN,
    World,
    arm,
    make_world,
    write_lines,
    write_world,
)
from tests.pipeline.test_report_in_a_browser import COUNT, HOSTILE, ROWS, assert_silent, watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium, or name one in $CHROMIUM"),
]
NUM_PASSAGES = 3


def context_of(name: str, place: int, key: str, kind: str, *, said: str) -> Context:
    """Examples, the same for all questions of a kind, or passages of a corpus of 500."""
    if name == "examples":
        turns = tuple(ContextTurn(user=f"{kind} example {number} {said}", assistant=f"{number} m/s {said}") for number in range(4))
        return Context(id=key, turns=turns, passages=(), recall=None)
    passages = tuple(
        ContextPassage(id=f"notes.md:{number}", score=1.0, text=f"Passage {number}: momentum is mass times velocity. {said}")
        for number in ((3 * place + step) % 500 for step in range(NUM_PASSAGES))
    )
    return Context(id=key, turns=(), passages=passages, recall=0.5)


def page_of(world: World, folder: Path, *, said: str = "") -> Path:
    """The page of a world, with a context file for each context that an arm has; each text of a context holds `said`."""
    files = write_world(world, folder)
    contexts = {name: folder / f"data/context/{name}.jsonl" for name in {one.context_name for one in world.arms.values()}}
    for name, path in contexts.items():
        rows = [context_of(name, place, one.id, one.kind, said=said) for place, one in enumerate(world.questions)] if name != "none" else []
        write_lines(path, rows)
    main(PARAMS, ANSWERING, JUDGING, world.compared, replace(files, contexts=contexts))
    return files.page


def scores_of(world: World, name: str) -> dict[str, float]:
    """Question -> score of an arm."""
    scores = {grade.id: float(grade.outcome == "correct") for grade in world.grades if grade.arm == name}
    return scores | {one.id: one.score for one in world.judgements if one.arm == name and one.score is not None}


def run_steps(page: Path, folder: Path, steps: Callable[[Tab], Awaitable[None]]) -> None:
    assert_silent(watch(page, folder / "profile", steps), page)


def test_a_chosen_comparison_has_its_own_gains_losses_and_order(tmp_path: Path) -> None:
    world = make_world(arms=FIVE, comparisons=PAIRS_OF_FIVE)
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        for place in (4, 0):
            first, second = PAIRS_OF_FIVE[place]
            before, after = scores_of(world, first), scores_of(world, second)
            await tab.choose("pair", str(place))
            assert int(await tab.ask("document.getElementById('num-gained').textContent")) == sum(
                after[key] > before[key] for key in before
            )
            lost = sorted((key for key in before if after[key] < before[key]), key=lambda key: after[key] - before[key])
            assert int(await tab.ask("document.getElementById('num-lost').textContent")) == len(lost)
            await tab.ask("document.querySelector('[data-change=lost]').click()")
            assert await tab.ask(COUNT) == f"{len(lost)} of 160 questions"
            ids = await tab.ask("[...document.querySelectorAll('#list .item')].map((row) => row.dataset.id)")
            assert [after[key] - before[key] for key in ids] == [after[key] - before[key] for key in lost[:40]], "worst first"
            assert await tab.ask("document.getElementById('pair').value") == str(place), "the comparison stays chosen"
            await tab.choose("change", "")
        names = "document.getElementById('gained-by').textContent"
        assert await tab.ask(names) == "by tuned against base"

    run_steps(page, tmp_path, steps)


def test_the_order_of_the_file_is_that_of_the_script(tmp_path: Path) -> None:
    page = page_of(make_world(arms=FIVE, comparisons=PAIRS_OF_FIVE), tmp_path)
    ids = "[...document.querySelectorAll('#list .item')].map((row) => row.dataset.id + row.className)"

    async def steps(tab: Tab) -> None:
        as_written = await tab.ask(ids)
        await tab.choose("pair", "1")
        assert await tab.ask(ids) != as_written
        await tab.choose("pair", "0")
        assert await tab.ask(ids) == as_written

    run_steps(page, tmp_path, steps)


def test_arm_and_outcome_filter_together(tmp_path: Path) -> None:
    world = make_world(arms=SEVEN, comparisons=PAIRS_OF_FIVE)
    page = page_of(world, tmp_path)
    unparsed = {name: {grade.id for grade in world.grades if grade.arm == name and grade.outcome == "unparsed"} for name in SEVEN}

    async def steps(tab: Tab) -> None:
        await tab.choose("outcome", "unparsed")
        assert await tab.ask(COUNT) == f"{len(set().union(*unparsed.values()))} of 160 questions"
        place = Arms(SEVEN).names.index("base_passages")
        await tab.choose("arm", f"r{place}")
        assert await tab.ask(ROWS) == len(unparsed["base_passages"])
        sign = f"[...document.querySelectorAll('#list .item')].every((row) => row.querySelectorAll('.strip .pill')[{place}].textContent === '?')"
        assert await tab.ask(sign)

    run_steps(page, tmp_path, steps)


def test_a_question_shows_every_answer_and_each_context_once(tmp_path: Path) -> None:
    world = make_world(arms=SEVEN, comparisons=PAIRS_OF_FIVE)
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        await tab.choose("order", "benchmark")
        await tab.ask("document.querySelector('#list summary').click()")
        await tab.until("document.querySelectorAll('#list .arms > div').length === 7")
        said = [next(one.response for one in world.answers[name] if one.id == "mcq-0000") for name in Arms(SEVEN).names]
        assert await tab.ask("[...document.querySelectorAll('#list .arms .text')].map((text) => text.textContent)") == said
        assert await tab.ask("[...document.querySelectorAll('#list .context')].map((one) => one.open)") == [False] * 3
        titles = await tab.ask("[...document.querySelectorAll('#list .context > summary')].map((one) => one.textContent)")
        assert titles == [
            "Context of base examples: 4 examples, the same for all questions of this kind",
            "Context of base passages, tuned passages: 3 passages, with 50 % of what the answer needs",
            "Context of base shuffled: 3 passages, with 50 % of what the answer needs",
        ]
        sources = "[...document.querySelectorAll('[data-context=passages] .source')].map((one) => one.textContent)"
        assert await tab.ask(sources) == ["notes.md:0", "notes.md:1", "notes.md:2"]

    run_steps(page, tmp_path, steps)


def test_markup_in_a_passage_an_example_or_a_source_shows_as_text(tmp_path: Path) -> None:
    page = page_of(make_world(num_mcq=12, num_numeric=12, num_explanation=8, arms=SEVEN, comparisons=PAIRS_OF_FIVE), tmp_path, said=HOSTILE)

    async def steps(tab: Tab) -> None:
        await tab.ask("document.querySelectorAll('#list .item > summary').forEach((summary) => summary.click())")
        await tab.until("document.querySelectorAll('#list .context').length === 96")
        texts = "[...document.querySelectorAll('#list .context .text')].every((text) => text.textContent.includes('</script><script>'))"
        assert await tab.ask(texts)
        assert await tab.ask("document.querySelectorAll('#list img, #list script').length") == 0
        assert "owned" not in await tab.ask("document.title")

    run_steps(page, tmp_path, steps)


def test_seven_arms_and_five_thousand_questions_are_there_in_two_seconds(tmp_path: Path) -> None:
    world = make_world(num_mcq=2000, num_numeric=2000, num_explanation=1000, num_clusters=120, arms=SEVEN, comparisons=PAIRS_OF_FIVE)
    page = page_of(world, tmp_path)
    seconds: list[float] = []

    def choosing(name: str, value: str) -> str:
        change = f"const control = document.getElementById('{name}'); control.value = '{value}';"
        change += " control.dispatchEvent(new Event('input', {bubbles: true}));"
        return f"(() => {{ const start = performance.now(); {change} return new Promise((done) => setTimeout(() => done(performance.now() - start), 90)); }})()"

    async def steps(tab: Tab) -> None:
        loaded = "performance.getEntriesByType('navigation')[0].domInteractive"
        seconds.append(await tab.ask(f"Math.max(performance.getEntriesByName('ready')[0].startTime, {loaded})") / 1000)
        for name, value in (("search", "stone falls 77"), ("search", "momentum"), ("pair", "4"), ("arm", "r3"), ("outcome", "correct")):
            seconds.append(await tab.ask(choosing(name, value)) / 1000)
        assert await tab.ask(ROWS) <= 40

    run_steps(page, tmp_path, steps)
    megabytes = page.stat().st_size / 1e6
    print(f"interactive after {seconds[0]:.2f} s, then {', '.join(f'{one:.2f}' for one in seconds[1:])} s; {megabytes:.1f} MB")
    assert seconds[0] < 2
    assert max(seconds[1:]) < 1
    assert megabytes < 12


LONG_NAMES = {
    "base": arm("models/base"),
    "a" * 40: arm("models/base", "passages"),
    "tuned_with_very_many_words_in_its_name_x": arm("models/adapter"),
}
LONG_PAIRS: tuple[Pair, ...] = (("base", "a" * 40), ("a" * 40, "tuned_with_very_many_words_in_its_name_x"))


@pytest.mark.parametrize(
    ("arms", "comparisons"), [(FIVE, PAIRS_OF_FIVE), (SEVEN, PAIRS_OF_FIVE), (LONG_NAMES, LONG_PAIRS)], ids=["five", "seven", "long names"]
)
def test_nothing_is_wider_than_the_window(arms: dict[str, ArmParams], comparisons: tuple[Pair, ...], tmp_path: Path) -> None:
    page = page_of(make_world(arms=arms, comparisons=comparisons), tmp_path)
    unfold = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"

    async def steps(tab: Tab) -> None:
        await tab.ask(unfold)
        await tab.until("document.querySelectorAll('#list .context').length > 0")
        await tab.ask(unfold)
        for width in (1280, 1085, 820, 390, 360):
            await tab.resize(width)
            assert await tab.ask("document.documentElement.scrollWidth") <= width
            assert await tab.wider_than_their_column() == [], width
            assert await tab.smallest_chart_text_px() >= 11, width

    run_steps(page, tmp_path, steps)


def test_an_arm_alone_gains_nothing_and_its_questions_are_there(tmp_path: Path) -> None:
    world = make_world(num_mcq=12, num_numeric=12, num_explanation=8, arms={"base_passages": FIVE["base_passages"]}, comparisons=())
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        assert await tab.ask("document.getElementById('num-gained')") is None
        assert await tab.ask(COUNT) == "32 questions"
        await tab.choose("r0", "correct")
        assert await tab.ask(ROWS) == sum(score >= 0.75 for score in scores_of(world, "base_passages").values())
        await tab.ask("document.querySelector('#list summary').click()")
        await tab.until("document.querySelectorAll('#list .context').length === 1")

    run_steps(page, tmp_path, steps)


def test_a_passage_stands_once_on_the_page(tmp_path: Path) -> None:
    page = page_of(make_world(arms=SEVEN, comparisons=PAIRS_OF_FIVE), tmp_path)
    text = page.read_text(encoding="utf-8")
    entries = json.loads(text.split('id="entries">')[1].split("</script>")[0])
    assert len(entries["passages"]) == len({tuple(passage) for passage in entries["passages"]}) == 480
    assert text.count("Passage 7: ") == 1
    assert len(entries["examples"]) == 3, "one set for each kind"
