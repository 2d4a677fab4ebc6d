"""The key of the Anthropic API: read from the environment, checked, and never shown."""

import os
import re

from plumbline.judging.no_reply import JudgeStopped

KEY_VARIABLE = "ANTHROPIC_API_KEY"
KEY_PATTERN = re.compile(r"sk-ant-[\w.\-]+", re.ASCII)


WITHOUT = {
    "judge": (
        "judge without a model: `dvc exp run -S judge.backend=key_points` (deterministic rubric, needs key points), or "
        "`-S judge.backend=none` (explanations stay unjudged, and their scores are null)"
    ),
    "judge.second": "do without a second judge: `dvc exp run -S judge.second=null`",
}
"""Section of a judge -> what to do without a key."""


def api_key(section: str = "judge") -> str:
    """Return the key from the environment, checked before it is used: the SDK reports a bad one as "Connection error"."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise JudgeStopped(f"{section}.backend is claude, but {KEY_VARIABLE} is not set. Set it, or {WITHOUT[section]}.")
    if not KEY_PATTERN.fullmatch(key):
        raise JudgeStopped(f"{KEY_VARIABLE} does not look like a key. Set it to sk-ant-..., one line, no blanks. Its value is not shown.")
    return key


def redacted(text: str) -> str:
    """Remove everything that looks like a key from a text that may be shown or stored."""
    return KEY_PATTERN.sub("sk-ant-[redacted]", text)
