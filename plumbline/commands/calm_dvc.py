"""`python -m plumbline.commands.calm_dvc WORDS`: DVC as it is, without the lines that a reader can do nothing about. Touches what DVC touches."""

import logging
import re
import sys

IDLE = re.compile(
    r""" \s* (?: '.*'\ is\ empty\.                  # a context that no arm uses, labels that no one gave yet: empty on purpose
              |  To\ track\ the\ changes\ with\ git   # the last line of `plumbline run` says what git shows
              |  To\ enable\ auto\ staging
              )
    """,
    re.VERBOSE,
)


def is_worth_saying(record: logging.LogRecord) -> bool:
    """Whether a line of DVC tells a reader something."""
    return not IDLE.match(record.getMessage())


def main(words: list[str]) -> int:
    """Run a DVC command in this process, and return its exit code."""
    from dvc.cli import main as dvc_main

    for handler in logging.getLogger("dvc").handlers:
        handler.addFilter(is_worth_saying)
    return dvc_main(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
