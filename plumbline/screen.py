"""A size for a terminal that reports none, as under `docker exec -t` or `script`: no bar would be drawn there. Touches the environment."""

import os
import sys

COLUMNS, ROWS = 80, 24


def assume_a_size() -> None:
    """Give progress bars a size if standard error is a terminal of 0 columns. Call it before their library is imported; later processes inherit it."""
    try:
        columns = os.get_terminal_size(2).columns if sys.stderr is not None and sys.stderr.isatty() else COLUMNS
    except OSError:
        return
    if columns == 0:
        os.environ.setdefault("TQDM_NCOLS", str(COLUMNS))
        os.environ.setdefault("TQDM_NROWS", str(ROWS))
