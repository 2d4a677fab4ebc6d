"""Numbers as text for a reader: sizes of files and memory, differences with their sign, and counted things. Pure."""

MINUS = "\N{MINUS SIGN}"


def size_text(num_bytes: float) -> str:
    """Bytes in the unit that suits them, with one digit: "1.2 GB". Units are powers of 1000, as disks and networks count."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if num_bytes >= 0.99995 * scale:  # below, one digit would say 1000.0 of the smaller unit
            return f"{num_bytes / scale:.1f} {unit}"
    return f"{num_bytes:.0f} B"


def signed(value: float, digits: int = 2) -> str:
    """A difference on a page, with a real minus sign: "+0.12", "−0.03". What rounds to zero is "0", without a sign."""
    text = f"{value:+.{digits}f}"
    return "0" if float(text) == 0 else text.replace("-", MINUS)


def signed_ascii(value: float, digits: int = 2) -> str:
    """A difference in a table of a terminal or of Markdown: "+0.12", "-0.03". What rounds to zero keeps its width: "+0.00", never "-0.00"."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", "+") if float(text) == 0 else text


def counted(count: int, one: str, many: str | None = None) -> str:
    """How many of what: "1 cluster", "3 clusters", "1,200 rows". `many`: a plural that is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
