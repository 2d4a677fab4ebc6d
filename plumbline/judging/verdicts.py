"""Read the one verdict in a judge's reply, or say why there is none. Pure.

Never clamps, rounds, rescales or defaults: a score is a JSON number on the menu, or it is no score.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plumbline.judging.causes import JudgeCause

MAX_REPLY_CHARACTERS = 100_000
"""A verdict of 4,096 tokens has some 16,000 characters; what is longer is hostile or broken."""

GRADE_TOOL = "grade"
THINKING_BLOCKS = frozenset({"thinking", "redacted_thinking"})
FINISHED = frozenset({"end_turn", "stop_sequence", "tool_use"})


class ReplyOutcome(StrEnum):
    """What to do with a reply."""

    SCORE = "score"
    RETRY = "retry"
    """No usable verdict: ask again."""
    FAILURE = "failure"
    """To ask the same model again is pointless."""


STOPPED_BECAUSE: dict[str, tuple[ReplyOutcome, JudgeCause]] = {
    "refusal": (ReplyOutcome.FAILURE, JudgeCause.REFUSED),
    "model_context_window_exceeded": (ReplyOutcome.FAILURE, JudgeCause.CONTEXT_EXCEEDED),
    "max_tokens": (ReplyOutcome.RETRY, JudgeCause.TRUNCATED),
    "pause_turn": (ReplyOutcome.RETRY, JudgeCause.PAUSED),
}

HARMLESS_KEYS = frozenset(
    {"confidence", "certainty", "explanation", "rationale", "comment", "comments", "notes", "feedback", "evidence", "quote", "language"}
)
"""May stand next to score and reasoning; any other extra key could be a second verdict (`final_score`, `grade`, `correct`)."""

ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/bfnrt]|)')
FENCE = re.compile(r"`{3,}[ \t]*(?:json|JSON)?|~{3,}[ \t]*(?:json|JSON)?")
BRACKET = re.compile(r"[{}\[\]<>]")
PLAIN_SPACE = frozenset(" \t\r\n\ufeff")
QUOTING = re.compile(
    r"""
    \b
    (?:
        students? | answers? | answered | responses? | responded | candidates? | submissions? | texts?
      | wrote | writes | written | sa(?:id|ys) | claim\w* | contain\w* | quot\w*
      | examples? | e\.g | such[ ]as | rubric | format | template
      | instruct\w* | ask(?:s|ed) | would | could | should | might | not | never | ignor\w* | inject\w* | reject\w*
      | instead | however | but | actually | correct\w* | wrong | mistake\w* | revis\w* | chang\w* | reconsider\w*
      | draft | initial\w* | first | previous\w* | earlier
      | no | wait | hmm | sorry | apolog\w* | unless | if
    )
    \b
    | n['’]t \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words that make the object next to them a quotation, an example, or something taken back."""
POINTING = re.compile(
    r"""
    \b
    (?:
        quot\w* | contain\w* | inject\w* | examples? | templates? | format | rubric | wrote | writes | written
      | instruct\w* | ignor\w* | follow(?:s|ing) | below | this | these | instead | not | never
    )
    \b
    | n['’]t \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""In a finished sentence on a line of its own, only these can turn the object after it into a quotation."""
OTHER_VERDICT = re.compile(
    r"""
    # "full marks", "no partial credit"
      \b (?: full | half | partial | zero | no | top | maximum | quarter | one | two | three | four | five | ten | perfect )
      [\s-]+ (?: \w+ [\s-]+ )?
      (?: marks? | credits? | points? | scores? ) \b
    # "the score is zero"
    | \b (?: score | grade | mark | rating )s? \b [^.\n]{0,40} \b (?: zero | one | half | quarter | full | perfect ) \b
    | \b percent \b
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class JudgeVerdict:
    """What one reply is worth."""

    outcome: ReplyOutcome
    score: float | None
    """A value of the menu, exactly; None unless `outcome` is `score`."""
    cause: JudgeCause
    reasoning: str
    """The judge's own words, writable as UTF-8; empty without a score."""


class _DuplicateKeyError(ValueError):
    pass


class _UnreadableNumberError(ValueError):
    pass


def _retry(cause: JudgeCause) -> JudgeVerdict:
    return JudgeVerdict(ReplyOutcome.RETRY, None, cause, "")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise _DuplicateKeyError
    return content


def _integer(digits: str) -> int:
    # int() of more than 4,300 digits raises ValueError of its own kind; no menu has a value of 20 digits.
    if len(digits) > 20:
        raise _UnreadableNumberError
    return int(digits)


def _constant(name: str) -> float:
    raise _UnreadableNumberError(name)


# strict=False: a raw newline or tab inside the reasoning is untidy, not ambiguous.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_constant=_constant, strict=False)


def _repair_escapes(text: str) -> str:
    """Double every backslash that begins no JSON escape (`\\underline`, `C:\\dir`): one reading, nothing lost."""
    return ESCAPE.sub(lambda match: match[0] if match[1] else "\\\\", text)


def _decode_at(text: str, start: int) -> tuple[dict[str, Any], str, str] | JudgeCause:
    """Return the object at `start` with the text before and after it, or why there is none."""
    cause = JudgeCause.NO_VERDICT
    before = text[:start]
    for rest in (text[start:], _repair_escapes(text[start:])):
        try:
            content, end = _DECODER.raw_decode(rest)
        except _DuplicateKeyError:
            return JudgeCause.DUPLICATE_KEY
        except _UnreadableNumberError:
            return JudgeCause.WRONG_TYPE
        except RecursionError:
            return JudgeCause.OVERSIZED
        except ValueError:
            continue
        assert isinstance(content, dict), "raw_decode began at a brace"
        return content, before, rest[end:]
    return cause


def _is_plain(text: str) -> bool:
    return all(character in PLAIN_SPACE for character in FENCE.sub("", text))


def _wrapping_problem(before: str, after: str) -> JudgeCause | None:
    """Say why the text around the object makes it doubtful; None where it is nothing, a fence, or a courtesy."""
    if _is_plain(before) and _is_plain(after):
        return None
    around = FENCE.sub("", before) + "\n" + FENCE.sub("", after)
    if BRACKET.search(around):
        return JudgeCause.SEVERAL_VERDICTS if "{" in after else JudgeCause.UNCLEAR_WRAPPING
    if any(character.isnumeric() for character in around) or OTHER_VERDICT.search(around):
        return JudgeCause.SEVERAL_VERDICTS
    # Format characters (tags, bidi marks, zero width) hide text from a reader: whoever sends them has a reason.
    if any(not character.isprintable() and character not in PLAIN_SPACE for character in around):
        return JudgeCause.UNCLEAR_WRAPPING
    introduction = FENCE.sub("", before).rstrip(" \t\r\n\ufeff")
    last_line = introduction.rsplit("\n", 1)[-1]
    stands_alone = not introduction or before.rstrip(" \t")[-1:] in ("\n", ":", "`", "~")
    is_sentence = last_line.rstrip().endswith((".", "!")) and _is_plain(after)
    doubtful = (POINTING if is_sentence else QUOTING).search(last_line)
    if not stands_alone or doubtful or QUOTING.search(FENCE.sub("", after)):
        return JudgeCause.UNCLEAR_WRAPPING
    return None


def _read_object(content: Mapping[str, Any], allowed_scores: Sequence[float]) -> JudgeVerdict:
    if "score" not in content or "reasoning" not in content:
        return _retry(JudgeCause.WRONG_KEYS)
    for key, value in content.items():
        if key not in ("score", "reasoning") and (key not in HARMLESS_KEYS or isinstance(value, dict | list)):
            return _retry(JudgeCause.WRONG_KEYS)
    score, reasoning = content["score"], content["reasoning"]
    if isinstance(score, bool) or not isinstance(score, int | float) or not isinstance(reasoning, str):
        return _retry(JudgeCause.WRONG_TYPE)
    if isinstance(score, int) and abs(score) > 10**18:
        return _retry(JudgeCause.OFF_MENU)
    if not math.isfinite(score):
        return _retry(JudgeCause.WRONG_TYPE)
    # 1e-12 admits the noise of one binary rounding (0.7500000000000001), no other decimal that a judge would write.
    on_menu = [float(allowed) for allowed in allowed_scores if math.isclose(score, allowed, rel_tol=1e-12, abs_tol=1e-12)]
    if len(on_menu) != 1:
        return _retry(JudgeCause.OFF_MENU)
    # + 0.0 turns a judge's -0.0 into 0.0; surrogates that no UTF-8 file can hold are kept as visible escapes.
    writable = reasoning.encode("utf-8", "backslashreplace").decode("utf-8")
    return JudgeVerdict(ReplyOutcome.SCORE, on_menu[0] + 0.0, JudgeCause.SCORED, writable)


def _parse_text(text: str, allowed_scores: Sequence[float]) -> JudgeVerdict:
    if len(text) > MAX_REPLY_CHARACTERS:
        return _retry(JudgeCause.OVERSIZED)
    if not text.strip():
        return _retry(JudgeCause.EMPTY_REPLY)
    start = text.find("{")
    if start < 0:
        return _retry(JudgeCause.NO_VERDICT)
    decoded = _decode_at(text, start)
    if isinstance(decoded, JudgeCause):
        return _retry(decoded)
    content, before, after = decoded
    problem = _wrapping_problem(before, after)
    return _retry(problem) if problem else _read_object(content, allowed_scores)


def _parse_blocks(blocks: Sequence[object], allowed_scores: Sequence[float]) -> JudgeVerdict:
    texts: list[str] = []
    inputs: list[Mapping[str, Any]] = []
    for block in blocks:
        kind = block.get("type") if isinstance(block, Mapping) else None
        if not isinstance(block, Mapping) or not isinstance(kind, str):
            return _retry(JudgeCause.UNEXPECTED_BLOCK)
        if kind in THINKING_BLOCKS:
            continue
        text, verdict = block.get("text"), block.get("input")
        if kind == "text" and isinstance(text, str):
            texts.append(text)
        elif kind == "tool_use" and block.get("name") == GRADE_TOOL and isinstance(verdict, Mapping):
            inputs.append(verdict)
        else:
            return _retry(JudgeCause.UNEXPECTED_BLOCK)
    text = "\n".join(texts)
    if not inputs:
        return _parse_text(text, allowed_scores)
    if len(inputs) > 1:
        return _retry(JudgeCause.SEVERAL_VERDICTS)
    if len(text) > MAX_REPLY_CHARACTERS:
        return _retry(JudgeCause.OVERSIZED)
    problem = _wrapping_problem(text and text + "\n", "")
    return _retry(problem) if problem else _read_object(inputs[0], allowed_scores)


def parse_judge_reply(reply: object, stop_reason: str | None, allowed_scores: Sequence[float]) -> JudgeVerdict:
    """Return the verdict in a reply: text, a list of content blocks, or anything else that came back.

    The stop reason is looked at first: a cut `0` may be the head of `0.75`, and a refused turn is never used.
    """
    if not isinstance(stop_reason, str) or stop_reason not in FINISHED:
        outcome, cause = STOPPED_BECAUSE.get(str(stop_reason), (ReplyOutcome.RETRY, JudgeCause.UNKNOWN_STOP_REASON))
        return JudgeVerdict(outcome, None, cause, "")
    if isinstance(reply, str):
        return _parse_text(reply, allowed_scores)
    if isinstance(reply, list | tuple):
        return _parse_blocks(reply, allowed_scores) if reply else _retry(JudgeCause.EMPTY_REPLY)
    return _retry(JudgeCause.BAD_RESPONSE)
