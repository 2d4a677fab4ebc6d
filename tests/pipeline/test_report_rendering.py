"""Answers as a browser shows them: LaTeX, Markdown, other directions, long texts, and section links that lead to their section."""

from pathlib import Path
from typing import Any

import pytest

from plumbline.rows.outcome import Outcome
from tests.fakes.browser import Tab, chromium
from tests.fakes.evaluation_world import World, make_world
from tests.pipeline.test_report_in_a_browser import assert_silent, page_of, watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium, or name one in $CHROMIUM"),
]
RICH = r"""## Falling stone

The **speed** follows from energy, *without* friction, with `g = 9.81`:

$$v = \sqrt{2 g h} = \sqrt{2 \cdot 9.81\,\frac{\text{m}}{\text{s}^2} \cdot 5\ \text{m}} \approx 9.9\ \text{m/s}$$

1. First \(E_p = m g h\)
2. then \(E_k = \frac{1}{2} m v^2\)
   - a nested remark

| quantity | value |
|---|---|
| $h$ | 5 m |
| $v_0$ | 0 |

```python
v = (2 * g * h) ** 0.5
```

\begin{align}
a &= b + \sum_{i=1}^{n} x_i \\
  &= \left(\frac{\alpha}{\beta}\right)^2
\end{align}

It costs $5 and $6 together.
"""
WIDE = (
    "$$"
    + " + ".join(rf"\frac{{a_{{{n}}}}}{{b_{{{n}}}}}" for n in range(40))
    + "$$\n\n|"
    + "|".join(f" column {n} " for n in range(20))
    + "|\n|"
    + "---|" * 20
    + "\n|"
    + "|".join(" " * 3 + "x" * 12 for _ in range(20))
    + "|\n\n```\n"
    + "x" * 400
    + "\n```"
)
BROKEN = [
    "$$\\frac{1}{",
    "**",
    "```",
    "\\begin{align} & &",
    "$" * 50,
    "\\left( ^_^",
    "{" * 200 + "$x$",
    "| a |\n|---|",
    "> ",
    "$" + "{" * 500 + "$",
    "1. \n2. ",
]
ARABIC = "السرعة هي 9.9 متر في الثانية"


def world_of(response: str, other: str = "plain") -> World:
    world = make_world(num_mcq=12, num_numeric=12, num_explanation=8)
    for arm, text in zip(world.arms, (other, response), strict=True):
        world.answers[arm] = [answer.model_copy(update={"response": text}) for answer in world.answers[arm]]
    world.grades = [grade.model_copy(update={"span": None}) for grade in world.grades]
    return world


async def open_all(tab: Tab) -> None:
    await tab.ask("document.querySelectorAll('#list .item > summary').forEach((summary) => summary.click())")
    await tab.until("document.querySelectorAll('#list .item .arms').length === document.querySelectorAll('#list .item').length")
    await tab.ask("document.querySelectorAll('#list details.long').forEach((one) => { one.open = true; })")


async def first(tab: Tab, selector: str, what: str = "textContent") -> Any:
    return await tab.ask(f"document.querySelector('#list .arms .rendered')?.querySelector({selector!r})?.{what}")


def test_latex_and_markdown_stand_next_to_the_raw_text(tmp_path: Path) -> None:
    page = page_of(world_of(RICH), tmp_path)

    async def steps(tab: Tab) -> None:
        await open_all(tab)
        shown = await tab.ask("[...document.querySelectorAll('#list .arms .text')].map((one) => one.textContent)")
        assert RICH in shown
        assert await first(tab, ".heading") == "Falling stone"
        assert await first(tab, "strong") == "speed" and await first(tab, "em") == "without" and await first(tab, "code") == "g = 9.81"
        assert await first(tab, "math[display=block] msqrt", "outerHTML") is not None
        assert await first(tab, "ol > li mfrac", "children.length") == 2
        assert await first(tab, "ol ul li") == "a nested remark"
        assert await first(tab, "table td math mi") == "h"
        assert await first(tab, "pre") == "v = (2 * g * h) ** 0.5"
        assert await first(tab, "mtable.aligned mtr", "children.length") == 2
        assert await first(tab, "munderover mo") == "∑"
        assert "$5 and $6" in await first(tab, "p:last-child"), "money is no formula"
        drawn = "document.querySelector('#list .rendered mfrac').getBoundingClientRect().height > 20"
        assert await tab.ask(drawn), "the browser draws a fraction, one part above the other"
        for width in (1200, 390):
            await tab.picture(tmp_path / f"rendered-{width}.png", width=width, height=1400, dark=False)

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_nothing_is_rendered_where_nothing_is_marked_up(tmp_path: Path) -> None:
    page = page_of(world_of("The speed is 9.9 m/s, for $5 and $6.", other="3 * 4 = 12 and 5 * 6 = 30, file_name_here"), tmp_path)

    async def steps(tab: Tab) -> None:
        await open_all(tab)
        assert await tab.ask("document.querySelectorAll('#list .arms .rendered').length") == 0

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_what_is_broken_or_hostile_is_shown_and_stops_nothing(tmp_path: Path) -> None:
    hostile = r"**<img src=x onerror=alert(1)>** $\text{</script><script>document.title='owned'</script>}$ [a](javascript:alert(1))"
    world = world_of(hostile)
    texts = [*BROKEN, hostile] * 3
    world.answers["base"] = [
        answer.model_copy(update={"response": text}) for answer, text in zip(world.answers["base"], texts, strict=False)
    ]
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        await open_all(tab)
        assert await tab.ask("document.querySelectorAll('#list :is(img, script, a, iframe)').length") == 0
        assert await first(tab, "strong") == "<img src=x onerror=alert(1)>"
        assert "owned" not in await tab.ask("document.title")

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_nothing_that_is_rendered_is_wider_than_a_phone(tmp_path: Path) -> None:
    page = page_of(world_of(f"{WIDE}\n\n{RICH}", other=WIDE), tmp_path)

    async def steps(tab: Tab) -> None:
        await tab.resize(360, 800)
        await open_all(tab)
        assert await tab.ask("document.documentElement.scrollWidth") <= 360
        out = "[...document.querySelectorAll('#list .meant, #list .text, #list .long')].filter((one) => one.getBoundingClientRect().right > 361).length"
        assert await tab.ask(out) == 0
        await tab.picture(tmp_path / "wide.png", width=360, height=1200, dark=True)

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_a_long_answer_is_folded_below_the_line_in_which_it_was_read(tmp_path: Path) -> None:
    filler = "words and words without an end\n" * 60
    answer = f"{filler}so the answer is B, of course.\n{filler}"
    world = world_of(answer)
    start = answer.index("B, of")
    world.grades = [grade.model_copy(update={"span": (start, start + 1)}) if grade.arm == "tuned" else grade for grade in world.grades]
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        await tab.choose("kind", "mcq")
        await tab.ask("document.querySelector('#list .item > summary').click()")
        await tab.until("document.querySelector('#list .arms') !== null")
        side = "document.querySelector('#list .arms > div:last-child')"
        assert await tab.ask(f"{side}.querySelector('.text.line').textContent") == "so the answer is B, of course."
        assert await tab.ask(f"{side}.querySelector('.text.line mark').textContent") == "B"
        assert await tab.ask(f"{side}.querySelector('details.long').open") is False
        assert await tab.ask(f"{side}.querySelector('details.long summary').textContent") == f"The whole answer, {len(answer):,} characters"
        before = (
            f"{side}.querySelector('.how').compareDocumentPosition({side}.querySelector('.text.line')) & Node.DOCUMENT_POSITION_FOLLOWING"
        )
        assert await tab.ask(before)
        assert await tab.ask(f"{side}.querySelector('details.long .text').textContent") == answer

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_a_text_has_its_own_direction(tmp_path: Path) -> None:
    page = page_of(world_of(ARABIC), tmp_path)

    async def steps(tab: Tab) -> None:
        await open_all(tab)
        direction = "getComputedStyle([...document.querySelectorAll('#list .arms .text')].find((one) => one.textContent === %r)).direction"
        assert await tab.ask(direction % ARABIC) == "rtl"
        assert await tab.ask(direction % "plain") == "ltr"

    assert_silent(watch(page, tmp_path / "profile", steps), page)


def test_a_pair_that_could_not_be_read_is_not_called_wrong(tmp_path: Path) -> None:
    world = make_world(num_mcq=12, num_numeric=12, num_explanation=8)
    ids = [question.id for question in world.questions if question.kind == "mcq"][:3]
    given = {
        (ids[0], "base"): Outcome.UNPARSED, (ids[0], "tuned"): Outcome.UNPARSED,
        (ids[1], "base"): Outcome.UNPARSED, (ids[1], "tuned"): Outcome.INCORRECT,
        (ids[2], "base"): Outcome.INCORRECT, (ids[2], "tuned"): Outcome.INCORRECT,
    }  # fmt: skip
    world.grades = [grade.model_copy(update={"outcome": given.get((grade.id, grade.arm), grade.outcome)}) for grade in world.grades]
    page = page_of(world, tmp_path)

    async def steps(tab: Tab) -> None:
        for identity, label in zip(ids, ("both unparsed", "neither right", "both wrong"), strict=True):
            assert await tab.ask(f"document.querySelector('[data-id=\"{identity}\"] .change').textContent") == label

    assert_silent(watch(page, tmp_path / "profile", steps), page)


@pytest.mark.parametrize("width", [1200, 390])
def test_a_section_link_leads_to_its_section_and_stays(width: int, tmp_path: Path) -> None:
    page = page_of(make_world(), tmp_path)

    async def steps(tab: Tab) -> None:
        await tab.resize(width)
        for target in ("topics", "training", "scores", "checks", "questions"):
            await tab.ask("scrollTo({top: 0, behavior: 'instant'})")
            await tab.ask(f"document.querySelector('nav a[href=\"#{target}\"]').click()")
            await tab.ask("new Promise((done) => { addEventListener('scrollend', done, {once: true}); setTimeout(done, 3000); })")
            top = f"document.getElementById('{target}').getBoundingClientRect().top"
            at_end = "Math.abs(scrollY + innerHeight - document.documentElement.scrollHeight) < 2"
            assert await tab.ask(f"Math.abs({top} - 64) < 4 || ({at_end})"), (target, await tab.ask(top))
            settled = await tab.ask(top)
            await tab.ask("new Promise((done) => setTimeout(done, 300))")
            assert await tab.ask(top) == settled

    assert_silent(watch(page, tmp_path / "profile", steps), page)
