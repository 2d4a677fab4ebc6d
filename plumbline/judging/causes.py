"""Why an explanation has its score, or has none. Pure."""

from enum import StrEnum


class JudgeCause(StrEnum):
    """Every cause that a verdict or a judgement can have."""

    SCORED = "scored"
    """The reply has exactly one valid verdict. A real 0 is a score."""
    NO_ANSWER = "no_answer"
    """The answer is empty, punctuation, a bare opener or the question itself: 0 without asking."""
    JUDGE_OFF = "judge_off"
    """Backend `none`: no one judges."""
    NO_KEY_POINTS = "no_key_points"
    """The backend is `key_points`, and the question has no key points."""

    # The reply holds no usable verdict: ask again, a bounded number of times.
    BAD_RESPONSE = "bad_response"
    """The response is not a message: error body, HTML, unreadable bytes, nothing."""
    EMPTY_REPLY = "empty_reply"
    UNEXPECTED_BLOCK = "unexpected_block"
    """A block of an unexpected kind, another tool, or text that is not a string."""
    OVERSIZED = "oversized"
    TRUNCATED = "truncated"
    PAUSED = "paused"
    UNKNOWN_STOP_REASON = "unknown_stop_reason"
    NO_VERDICT = "no_verdict"
    SEVERAL_VERDICTS = "several_verdicts"
    DUPLICATE_KEY = "duplicate_key"
    WRONG_KEYS = "wrong_keys"
    WRONG_TYPE = "wrong_type"
    """The score is not a JSON number, or the reasoning is not a string."""
    OFF_MENU = "off_menu"
    WRONG_POINTS = "wrong_points"
    """There is not exactly one finding for each key point."""
    QUOTE_NOT_IN_ANSWER = "quote_not_in_answer"
    """The quote for a stated or contradicted key point is not in the answer."""
    UNCLEAR_WRAPPING = "unclear_wrapping"
    """The text around the object may quote, correct or contradict it."""

    # Asking the same model again is pointless.
    REFUSED = "refused"
    CONTEXT_EXCEEDED = "context_exceeded"
    REJECTED_REQUEST = "rejected_request"
    """The API refused this one request as malformed (400, 413, 422)."""

    # No reply yet: it may come when the stage runs again.
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    CONNECTION_FAILED = "connection_failed"
    TIMED_OUT = "timed_out"
    BATCH_UNFINISHED = "batch_unfinished"
    """Errored, expired, canceled or missing in its batch."""
    NOT_ASKED = "not_asked"
    """The run stopped before this one: too many failures in a row."""


RETRYABLE: frozenset[JudgeCause] = frozenset(
    {
        JudgeCause.RATE_LIMITED,
        JudgeCause.OVERLOADED,
        JudgeCause.SERVER_ERROR,
        JudgeCause.CONNECTION_FAILED,
        JudgeCause.TIMED_OUT,
        JudgeCause.BATCH_UNFINISHED,
        JudgeCause.NOT_ASKED,
    }
)
"""A later run of the stage may still get a verdict. While such a cause remains, the stage does not exit with 0."""
