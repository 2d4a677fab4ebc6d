"""Answers that need no judge: empty, punctuation, a bare opener, or the question again. Pure.

Openers without content ("Thought process:") raise the scores of model judges, even of leading ones (arXiv 2507.08794).
So they never reach a judge.
"""

import re
import unicodedata

PRECHECK_VERSION = 2
"""Part of the judge's identity: raise it if a rule below can move a score, or if another part of an answer is judged (items.py)."""

OPENERS = (
    "answer",
    "answer and explanation",
    "assistant",
    "certainly",
    "detailed explanation",
    "explanation",
    "final answer",
    "first",
    "great question",
    "here is (?:the|my|an?|your) (?:answer|solution|explanation|reasoning|response)",
    "(?:i|we) (?:will|can|need to|have to|must|should) (?:solve|answer|explain|analy[sz]e|think about) (?:this|it|the) ?(?:problem|question)?"
    "(?: step by step| carefully)?",
    "let(?: s| us| me) (?:solve|think about|work through|break down|analy[sz]e|explain|answer|consider|look at|tackle|approach) (?:this|it|the)"
    " ?(?:problem|question|answer|solution)?(?: step by step| carefully| logically| down)?",
    "let(?: s| us| me) (?:think|reason|begin|start|see|explain)(?: step by step| carefully)?",
    "of course",
    "ok(?:ay)?",
    "my (?:answer|solution|reasoning|explanation)",
    "reasoning(?: process)?",
    "response",
    "(?:solution|explanation|answer) (?:process|steps?)",
    "solution",
    "step by step(?: solution| explanation| reasoning)?",
    "step (?:1|one)",
    "sure(?: thing)?",
    "the (?:answer|solution|explanation|reasoning|response) (?:is|is as follows|follows)",
    "thinking(?: process)?",
    "thought(?: process|s)?",
    "to (?:solve|answer|address|explain) (?:this|the) (?:problem|question)(?: we (?:need to|must|should|can|will))?",
    "yes",
    "解",
    "かいせつ",
    "respuesta",
    "réponse",
    "lösung",
    "antwort",
)
"""Patterns for words in lower case, joined by one space."""
ONLY_OPENERS = re.compile(rf"(?:(?:{'|'.join(OPENERS)})(?: |$))+")
LEAD_IN = re.compile(r"^(?:question|q|problem|task|prompt|the question is|you asked)(?: |$)")


def _words(text: str) -> str:
    """Lower-case words of a text, joined by one space, without punctuation, markup and invisible characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+", folded))


def is_no_answer(answer: str, question: str) -> bool:
    """Whether an answer is empty, punctuation only, a bare opener, or the question itself.

    A wrong answer, or "I do not know.", is an answer: it goes to the judge.
    """
    words, asked = _words(answer), _words(question)
    if not words or ONLY_OPENERS.fullmatch(words):
        return True
    if not asked:
        return False
    rest = words
    while rest.startswith(asked):  # the question once, twice, ...
        rest = rest[len(asked) :].strip()
    rest = LEAD_IN.sub("", rest)
    if rest.startswith(asked):
        rest = rest[len(asked) :].strip()
    return not rest or (rest != words and bool(ONLY_OPENERS.fullmatch(rest)))
