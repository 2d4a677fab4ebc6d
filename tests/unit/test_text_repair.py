"""Damage that has one origin is undone; text that only resembles damage is left alone."""

import pytest

from plumbline.cleaning.codes import Notice, Reason, Repair
from plumbline.cleaning.latex_repair import restore_swallowed
from plumbline.cleaning.text_repair import TextRefused, mend_text


@pytest.mark.parametrize(
    ("damaged", "restored"),
    [
        ("$\frac{1}{2}$", r"$\frac{1}{2}$"),
        ("5 \times10^3", r"5 \times10^3"),
        ("\text{net} and \theta_A", r"\text{net} and \theta_A"),
        ("$\beta = \rho$", r"$\beta = \rho$"),
        ("$E = h\nu$", r"$E = h\nu$"),
        ("$\nabla T$ and \nabla", r"$\nabla T$ and \nabla"),
        ("\tan(30)", r"\tan(30)"),
        ("$x \to 0$", r"$x \to 0$"),
        ("$\vec{v}$ \alpha", r"$\vec{v}$ \alpha"),
        ("$\force$", r"$\force$"),
    ],
)
def test_a_swallowed_command_comes_back(damaged: str, restored: str) -> None:
    result = restore_swallowed(damaged)
    assert result.text == restored
    assert not result.unrestored


@pytest.mark.parametrize(
    "text",
    [
        "Step 1.\nThen use the law.\n\trun the numbers\nbut check units.\nunit: N",
        "first\nu = 3 m/s\nne is no word\nnot so\nin all",
        "a\tan apple\n\top\n\tau pair",
        "cost $5\nup to $7",
        r"$\frac{1}{2} \times \nu \text{ m}$",
        "$$\na = b\n$$",
    ],
)
def test_real_line_breaks_and_tabs_stay(text: str) -> None:
    assert restore_swallowed(text).text == text


@pytest.mark.parametrize(
    ("text", "mended", "repairs"),
    [
        ("25Â°", "25°", {Repair.MOJIBAKE}),
        ("Î¸ and Î¼", "θ and μ", {Repair.MOJIBAKE}),
        ("donâ€™t", "don’t", {Repair.MOJIBAKE}),
        ("Ampe\u0300re", "Ampère", {Repair.NFC}),
        ("zero\u200bwidth", "zerowidth", {Repair.ZERO_WIDTH}),
        ("a\u202eb", "ab", {Repair.BIDI_CONTROL}),
        ("one\r\ntwo\rthree", "one\ntwo\nthree", {Repair.LINE_ENDING}),
        ("one\u2028two\u0085three", "one\ntwo\nthree", {Repair.LINE_SEPARATOR}),
        (" x \n", "x", {Repair.OUTER_SPACE}),
    ],
)
def test_what_can_be_undone_is_undone_and_recorded(text: str, mended: str, repairs: set[Repair]) -> None:
    result = mend_text(text)
    assert result.text == mended
    assert set(result.repairs) == repairs


@pytest.mark.parametrize(
    "text",
    [
        "JOÃO, SÃO PAULO",
        "CAFÉ™",
        "âge, pâte, Île, naïve, Ångström",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "x² ⋅ ½ ≈ π · 10⁻³ Ω",
        "क्\u200dष",
        "“é”",
    ],
)
def test_text_that_only_resembles_damage_is_left_alone(text: str) -> None:
    assert mend_text(text) == (text, (), ())


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("$f_{R}=\\text{â}bv$", Notice.MOJIBAKE),
        ("Newtonâs law", Notice.MOJIBAKE),
        ("{w}_{x}âf", Notice.MOJIBAKE),
        ("the an\ufffdle", Notice.REPLACEMENT_CHAR),
        ("\ue000", Notice.PRIVATE_USE),
    ],
)
def test_what_cannot_be_undone_is_flagged(text: str, notice: Notice) -> None:
    assert mend_text(text).notices == (notice,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\x1b[31mred", Reason.CONTROL_CHAR),
        ("page\fTwo", Reason.LATEX_ESCAPE_SWALLOWED),
        ("x\uffffy", Reason.NONCHARACTER),
        ("Hello\U000e0067", Reason.INVISIBLE_TEXT),
        ("x" + "\u0301" * 20, Reason.COMBINING_RUN),
        ("a\0b", Reason.CONTROL_CHAR),
    ],
)
def test_what_no_rule_can_make_right_is_refused(text: str, reason: Reason) -> None:
    with pytest.raises(TextRefused) as refusal:
        mend_text(text)
    assert refusal.value.reason == reason


def test_a_line_that_begins_with_a_word_is_no_lost_command() -> None:
    assert restore_swallowed("Show that there\nexists a limit.").text == "Show that there\nexists a limit."
    assert restore_swallowed("$\\forall x \nexists y$").text == "$\\forall x \\nexists y$"
