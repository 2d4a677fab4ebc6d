"""Rules for closed-book questions and answers: each says whether one cleaned row breaks it. Pure."""

import re

from stages.records.cleaning_codes import Rule

# A search for a plain word is ten times cheaper than a pattern: each rule looks for its words first.
SOURCE_WORDS = (
    "text",
    "passage",
    "excerpt",
    "chapter",
    "section",
    "figure",
    "fig.",
    "table",
    "equation",
    "eq.",
    "example",
    "problem",
    "diagram",
)
SOURCE_WORDS += ("understanding", "above", "context", "graph")
SOURCE = re.compile(
    r"\b(?:the|this)\s+(?:\w+\s+)?(?:text|passage|excerpt|chapter)\b"
    r"|\b(?:provided|given|above|following|accompanying)\s+(?:text|passage|context|excerpt|section|figure|table|graph|diagram)\b"
    r"|\b(?:text|passage|context|excerpt|figure|table|graph|diagram)\s+(?:provided|given|above|below)\b"
    r"|\b(?:the|this)\s+(?:figure|diagram|table)\b"
    r"|\b(?:figures?|fig\.|tables?|equations?|eqs?\.|examples?|problems?|sections?|chapters?|exercises?)\s*\(?\d"
    r"|\b(?:shown|described|mentioned|stated|discussed|given)\s+(?:above|below|in\s+(?:the|this)\s+(?:section|chapter|context|example|problem))\b"
    r"|\bcheck your understanding\b|\bin this (?:section|chapter|example|problem)\b",
    re.IGNORECASE,
)
REFUSAL_WORDS = (
    "sorry",
    "cannot",
    "can't",
    "unable",
    "as an ai",
    "not able",
    "don't have",
    "do not have",
    "insufficient",
    "not enough",
    "does not",
)
REFUSAL = re.compile(
    r"\bI(?:'m| am) sorry\b|\bI (?:cannot|can't|am unable to|am not able to|do not have|don't have) \b|\bas an AI\b|\bAI language model\b"
    r"|\b(?:text|passage|context|information|section) (?:does not|doesn't) (?:provide|contain|specify|mention|give|include|state)\b"
    r"|\b(?:not enough|insufficient) information\b",
    re.IGNORECASE,
)
NO_ANSWER = frozenset({"none", "null", "n/a", "na", "nan", "unknown", "-", "--", "?", "...", "…", "tbd", "todo", "undefined", "no answer"})
SPECIAL_TOKEN = re.compile(
    r"</?s>|\[/?INST\]|<</?SYS>>|<\|[\w ]{1,40}\|>|<(?:unk|pad|bos|eos|mask)>|<(?:start|end)_of_(?:turn|text)>"
    r"|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|SYSTEM_PROMPT|IMG|IMG_END|PREFIX|MIDDLE|SUFFIX|control_\d+)\]"
    r"|<(?:begin|end)▁of▁sentence>",
    re.IGNORECASE,
)
SECRET_MARKS = ("PRIVATE KEY", "sk-", "hf_", "AKIA", "ASIA", "ghp_", "gho_", "github_pat_", "xox", "AIza", "glpat-", "Bearer ")
SECRET = re.compile(
    r"-----BEGIN[A-Z ]* PRIVATE KEY|\bsk-(?:ant-)?[A-Za-z0-9_-]{20,}|\bhf_[A-Za-z0-9]{20,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[po]_[A-Za-z0-9]{30,}"
    r"|\bgithub_pat_\w{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAIza[A-Za-z0-9_-]{30,}|\bglpat-[A-Za-z0-9_-]{16,}|\bBearer [A-Za-z0-9._~+/-]{24,}"
)
PERSONAL_DATA = re.compile(
    r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b|(?<!\w)\+\d{1,3}[ -]\(?\d{2,4}\)?(?:[ -]\d{2,4}){2,}\b|\b\d{3}-\d{2}-\d{4}\b"
)
JUDGE_WORDS = ("ignore", "disregard", "score", "full marks", "grader", "judge", "system prompt")
JUDGE_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget) (?:all |any |the )*(?:previous|above|prior|earlier) (?:instructions?|prompts?|rules?|text)\b"
    r"|\b(?:give|award|assign|output|return) (?:this|the|me|it|a|an)?\s*(?:answer |response |candidate )?(?:full marks|(?:a )?(?:full|perfect|maximum|top) score)\b"
    r"|\b(?:you are|dear|attention|note to) (?:the |a |an )?(?:grader|judge|evaluator)\b|\bthis (?:answer|response) (?:is|should be) (?:scored|graded|marked)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+")


def broken_rules(
    instruction: str, input_text: str, output: str, *, active: frozenset[Rule], min_output_characters: int, max_output_characters: int
) -> list[Rule]:
    """Return the active rules that a cleaned row breaks, in the order of `Rule`. Duplicates are no matter of one row."""
    whole = f"{instruction}\n{input_text}\n{output}"
    low = whole.lower()
    broken: list[Rule] = []

    def check(rule: Rule, is_broken: bool) -> None:
        if is_broken and rule in active:
            broken.append(rule)

    # With an input the text that a row leans on may stand there.
    check(Rule.CONTEXT_LEAK, not input_text and any(word in low for word in SOURCE_WORDS) and SOURCE.search(whole) is not None)
    check(Rule.REFUSAL, any(word in low for word in REFUSAL_WORDS) and REFUSAL.search(output) is not None)
    check(Rule.ANSWER_REPEATS_QUESTION, len(output) <= len(instruction) + 8 and same_words(instruction, output))
    check(Rule.NO_ANSWER, len(output) <= 10 and output.casefold().rstrip(".") in NO_ANSWER)
    check(Rule.TOO_SHORT, len(output) < min_output_characters)
    check(Rule.TOO_LONG, len(output) > max_output_characters)
    check(Rule.SPECIAL_TOKEN, ("<" in whole or "[" in whole) and SPECIAL_TOKEN.search(whole) is not None)
    check(Rule.SECRET, holds_secret(whole))
    check(Rule.PERSONAL_DATA, ("@" in whole or "+" in whole or "-" in whole) and PERSONAL_DATA.search(whole) is not None)
    check(Rule.JUDGE_INSTRUCTION, any(word in low for word in JUDGE_WORDS) and JUDGE_INSTRUCTION.search(whole) is not None)
    return broken


def holds_secret(text: str) -> bool:
    """Whether key material stands in a text."""
    return any(mark in text for mark in SECRET_MARKS) and SECRET.search(text) is not None


def same_words(left: str, right: str) -> bool:
    """Whether two texts say the same words in the same order."""
    words = WORD.findall(left.casefold())
    return bool(words) and words == WORD.findall(right.casefold())
