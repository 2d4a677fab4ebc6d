"""What an error of the Anthropic API means: try again, give up on the item, or stop the run."""

import email.utils
from collections.abc import Mapping

import anthropic

from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_key import KEY_VARIABLE, redacted
from plumbline.judging.no_reply import JudgeStopped, NoReply


def wait_asked_for(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that a Retry-After asks for, of any size; None if it says nothing usable."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            seconds = float(text) / unit
        except ValueError:
            date = email.utils.parsedate_tz(text)
            if date is None:
                continue
            seconds = email.utils.mktime_tz(date) - now
        if seconds > 0:  # also drops NaN
            return seconds
    return None


def classify(error: anthropic.APIStatusError) -> tuple[NoReply, bool]:
    """Return the problem, and whether more tries of this item are pointless. JudgeStopped if they are pointless for every item."""
    status = error.status_code
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error")
    inner = inner if isinstance(inner, dict) else {}
    kind = str(inner.get("type", ""))
    text = str(inner.get("message", ""))[:300]
    said = redacted(f"status {status} {kind} {text}".strip())
    lowered = f"{kind} {text}".lower() + str(error.body).lower()[:2000]
    if "spend_limit" in lowered or status in (401, 402, 403, 404):
        remedy = {
            401: f"Check {KEY_VARIABLE}",
            402: "Check the account's credit",
            403: "Use a key that may use this model, or change judge.model",
            404: "Check judge.model",
        }
        raise JudgeStopped(
            f"the API refuses every call: {said}. {remedy.get(status, 'Raise the spend limit or wait for its reset')}."
        ) from None
    if 300 <= status < 400:
        raise JudgeStopped(f"the API answers with a redirect ({said}), which is not followed. Check ANTHROPIC_BASE_URL.") from None
    if "overloaded" in lowered or status == 529:
        return NoReply(JudgeCause.OVERLOADED, said), False
    if status == 429:
        return NoReply(JudgeCause.RATE_LIMITED, said), False
    if status == 408:
        return NoReply(JudgeCause.TIMED_OUT, said), False
    if status >= 500 or status in (409, 425, 499) or "unexpected end of data" in lowered:  # the last: cut on the way to the API
        return NoReply(JudgeCause.SERVER_ERROR, said), False
    return NoReply(JudgeCause.REJECTED_REQUEST, said), True
