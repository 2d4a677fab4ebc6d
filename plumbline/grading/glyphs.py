"""Replace glyphs that look alike by a single one, character for character. Pure."""

# One character for one character, so that positions in the text stay positions in the response.
GLYPHS = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2012\u2013\u2010\u2011\ufe63\uff0d\ufe58", "-"),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00a0\u2007\u2009\u200a\u202f\u3000", " "),
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        "\uff0e": ".",
        "\uff0c": ",",
        "\uff1d": "=",
        "\u2044": "/",
        "\u2215": "/",
        "\u00f7": "/",
        "\uff0b": "+",
        "\u2217": "*",
        "\u22c5": "·",
        "\u2219": "·",
        "\u2022": "·",
        "\u2715": "×",
        "\u2a2f": "×",
        "\u00b5": "μ",
        "\u2126": "Ω",
        "\u212b": "Å",
    }
)


def tidy(text: str) -> str:
    """Return the text with one glyph for all that look alike. Every character keeps its position."""
    return text.translate(GLYPHS)
