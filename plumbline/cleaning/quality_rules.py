"""Rules for closed-book questions and answers: each says whether one cleaned row breaks it. Pure."""

import re
from collections.abc import Sequence

from plumbline.cleaning.codes import Rule
from plumbline.thinking import spoken

# Speed: finding a plain word takes a tenth of a microsecond, a pattern without a fixed beginning fifty. So each rule
# first looks for its words in the lower-case text, and its patterns begin with them.
NUMBERED_SOURCES = {
    word: re.compile(rf"\b{re.escape(word)}s?\s*\(?\d")
    for word in ("figure", "fig.", "table", "equation", "eq.", "example", "problem", "section", "chapter", "exercise")
}
NEVER = re.compile(r"(?!)")
TEXTS = re.compile(r"\b(?:the|this)\s+(?:\w+\s+)?$|\b(?:provided|given|above|following|accompanying)\s+$")
PICTURES = re.compile(r"\b(?:the|this|provided|given|above|following|accompanying)\s+$")
GIVEN = re.compile(r"\b(?:provided|given|above|following|accompanying)\s+$")
BEFORE_SOURCES = {"text": TEXTS, "passage": TEXTS, "excerpt": TEXTS, "chapter": TEXTS, "figure": PICTURES, "diagram": PICTURES}
BEFORE_SOURCES |= {"context": GIVEN, "section": GIVEN, "graph": GIVEN, "table": GIVEN}
# Each word is looked for once, whichever of the two forms it may stand in.
SOURCES = [
    (word, NUMBERED_SOURCES.get(word, NEVER), BEFORE_SOURCES.get(word)) for word in dict.fromkeys([*NUMBERED_SOURCES, *BEFORE_SOURCES])
]
AFTER_SOURCES = re.compile(r"\s+(?:provided|given|above|below)\b")
PHRASES = {
    "check your understanding": re.compile("check your understanding"),
    "in this ": re.compile(r"in this (?:section|chapter|example|problem)\b"),
    " above": re.compile(r"(?:shown|described|mentioned|stated|discussed|given) above\b"),
    " below": re.compile(r"(?:shown|described|mentioned|stated|discussed|given) below\b"),
}
REFUSAL_CHARACTERS = 160
"""A refusal stands at the beginning; later on it is a remark next to an answer."""
REFUSAL_WORDS = (
    "not provided",
    "not given",
    "not mentioned",
    "not specified",
    "not stated",
    "sorry",
    "cannot",
    "n't",
    "unable",
    "as an ai",
    "language model",
    "not able",
    "do not have",
    "insufficient",
    "not enough",
    "does not",
)
REFUSAL = re.compile(
    r"""
    # "I'm sorry, but there is no ...", but not an apology that an answer follows
      \b sorry \b [^.!?\n]{0,60}? \b
      (?: (?: i | we | it | this | that | there | (?: the | your )[ ]\w+ ) (?: [ ] | ' ) (?: m[ ] | am[ ] | is[ ] | are[ ] | s[ ] | re[ ] )?
          (?: cannot | can[ ]not | can't | won't | will[ ]not | unable | not | no | don't | do[ ]not | does[ ]not | doesn't | isn't | need[ ]more ) \b
        | not[ ]enough \b | not[ ]possible \b )
    # "I am so sorry." as the whole answer
    | ^ \W* (?: i (?: 'm | [ ]am ) [ ] )? (?: so[ ] | very[ ] )? sorry \W* $
    | \b i [ ] (?: cannot | can't ) [ ]
      # "I cannot wait", "I can't thank you enough"
      (?! (?: wait | thank | stress | emphasi[sz]e | overstate | recommend | believe | imagine | help[ ]but | say[ ]enough ) \b ) \b
    | \b i [ ] (?: am[ ]unable[ ]to | am[ ]not[ ]able[ ]to | do[ ]not[ ]have | don't[ ]have ) [ ] \b
    # "As an AI language model I have no ...", but not "As an AI language model I am happy to explain: ..."
    | \b (?: as[ ]an[ ]ai | ai[ ]language[ ]model ) \b [^.!?\n]{0,80}? \b
      (?: cannot | can[ ]not | can't | not | don't | doesn't | unable | have[ ]no | lack | won't ) \b
    # "the text does not provide"
    | \b (?: text | passage | context | information | section )
      [ ] (?: does[ ]not | doesn't )
      [ ] (?: provide | contain | specify | mention | give | include | state ) \b
    | \b (?: not[ ]enough | insufficient ) [ ]information \b
    # "not stated in the given passage"
    | \b not[ ] (?: provided | given | mentioned | specified | stated )
      [ ]in[ ]the[ ] (?: provided[ ] | given[ ] )? (?: text | passage | context ) \b
    """,
    re.VERBOSE,
)
NO_ANSWER = frozenset({"none", "null", "n/a", "na", "nan", "unknown", "-", "--", "?", "...", "…", "tbd", "todo", "undefined", "no answer"})
THINKS_FIRST = ("<", "[", "◁", "analysis", "commentary")
"""How an output begins that may hold nothing but thinking. After other words a mark may be a word of the text, such as a tag of XML."""
SPECIAL_TOKEN = re.compile(
    r"""
      </?s>
    | \[/?INST\]
    | <</?SYS>>
    | <\|[\w ]{1,40}\|>                     # <|im_end|>, <|end of text|>
    | <(?: unk | pad | bos | eos | mask )>
    | <(?: start | end )_of_(?: turn | text )>
    | \[/?
      (?:
          AVAILABLE_TOOLS | TOOL_CALLS | TOOL_RESULTS | TOOL_CONTENT | SYSTEM_PROMPT | IMG | IMG_END | PREFIX | MIDDLE | SUFFIX
        | control_\d+
      )
      \]
    | <(?: begin | end )▁of▁sentence>
    """,
    re.IGNORECASE | re.VERBOSE,
)
SECRET_MARKS = ("PRIVATE KEY", "sk-", "hf_", "AKIA", "ASIA", "ghp_", "gho_", "github_pat_", "xox", "AIza", "glpat-", "Bearer ")
SECRET = re.compile(
    r"""
      -----BEGIN[A-Z ]*[ ]PRIVATE[ ]KEY
    | \b sk-(?:ant-)?[A-Za-z0-9_-]{20,}
    | \b hf_[A-Za-z0-9]{20,}
    | \b (?: AKIA | ASIA )[0-9A-Z]{16} \b
    | \b gh[po]_[A-Za-z0-9]{30,}
    | \b github_pat_\w{20,}
    | \b xox[abprs]-[A-Za-z0-9-]{10,}
    | \b AIza[A-Za-z0-9_-]{30,}
    | \b glpat-[A-Za-z0-9_-]{16,}
    | \b Bearer[ ][A-Za-z0-9._~+/-]{24,}
    """,
    re.VERBOSE,
)
EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b")
PHONE = re.compile(r"\+\d{1,3}[ -]\(?\d{2,4}\)?(?:[ -]\d{2,4}){2,}\b")
SOCIAL_SECURITY = re.compile(r"-\d\d-(?<=\b\d{3}-\d\d-)\d{4}\b")
JUDGE_WORDS = ("ignore", "disregard", "forget", "score", "graded", "marked", "full marks", "grader", "judge", "evaluator")
JUDGE_INSTRUCTION = re.compile(
    r"""
    # "ignore all previous instructions"
      \b (?: ignore | disregard | forget ) [ ]
      (?: all[ ] | any[ ] | the[ ] )*
      (?: previous | above | prior | earlier ) [ ]
      (?: instructions? | prompts? | rules? | text ) \b
    # "give this answer full marks"
    | \b (?: give | award | assign | output | return ) [ ]
      (?: this | the | me | it | a | an )? \s*
      (?: answer[ ] | response[ ] | candidate[ ] )?
      (?: full[ ]marks | (?: a[ ] )? (?: full | perfect | maximum | top ) [ ]score ) \b
    # "dear grader"
    | \b (?: you[ ]are | dear | attention | note[ ]to ) [ ]
      (?: the[ ] | a[ ] | an[ ] )?
      (?: grader | judge | evaluator ) \b
    | \b this[ ] (?: answer | response ) [ ] (?: is | should[ ]be ) [ ] (?: scored | graded | marked ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
WORD = re.compile(r"\w+")


def broken_rules(
    instruction: str, input_text: str, output: str, *, active: frozenset[Rule], min_output_characters: int, max_output_characters: int
) -> list[Rule]:
    """Return the active rules that a cleaned row breaks, in the order of `Rule`. Duplicates are decided elsewhere, over all rows."""
    whole = f"{instruction}\n{input_text}\n{output}"
    low = whole.lower()
    found = (
        # If a row has an input, the text that it refers to may be there.
        (Rule.CONTEXT_LEAK, not input_text and leans_on_source(low)),
        (Rule.REFUSAL, is_refusal(output[:REFUSAL_CHARACTERS].lower())),
        (Rule.ANSWER_REPEATS_QUESTION, len(output) <= len(instruction) + 8 and same_words(instruction, output)),
        (Rule.NO_ANSWER, says_nothing(output)),
        (Rule.TOO_SHORT, len(output) < min_output_characters),
        (Rule.TOO_LONG, len(output) > max_output_characters),
        (Rule.SPECIAL_TOKEN, ("<" in whole or "[" in whole) and SPECIAL_TOKEN.search(whole) is not None),
        (Rule.SECRET, holds_secret(whole)),
        (Rule.PERSONAL_DATA, holds_personal_data(whole)),
        (Rule.JUDGE_INSTRUCTION, holds_any(low, JUDGE_WORDS) and JUDGE_INSTRUCTION.search(whole) is not None),
    )
    return [rule for rule, is_broken in found if is_broken and rule in active]


def says_nothing(output: str) -> bool:
    """Whether an output is a word for no answer, only thinks, or ends while it thinks: a model would learn to think and to say nothing."""
    if len(output) <= 10 and output.casefold().rstrip(".") in NO_ANSWER:
        return True
    return output.lstrip().startswith(THINKS_FIRST) and not spoken(output).text.strip()


def is_refusal(low: str) -> bool:
    """Whether the lower-case beginning of an answer declines to answer."""
    return holds_any(low, REFUSAL_WORDS) and REFUSAL.search(low) is not None


def holds_any(text: str, words: Sequence[str]) -> bool:
    """Whether any of the words stands in a text. The loop takes half the time of any() over a generator."""
    for word in words:  # noqa: SIM110
        if word in text:
            return True
    return False


def leans_on_source(low: str) -> bool:
    """Whether a lower-case text refers to a text, figure or numbered part of a book that is not there."""
    for word, numbered, before in SOURCES:
        if word not in low:
            continue
        # Each form holds the word, and no word overlaps itself, so looking around each occurrence finds all that a full search would.
        start = low.find(word)
        while start >= 0:
            if numbered.match(low, start):
                return True
            end = start + len(word)
            if before is not None and (
                before.search(low[max(0, start - 40) : start]) or (AFTER_SOURCES.match(low, end) and low[start - 1 : start] in " ")
            ):
                return True
            start = low.find(word, end)
    for mark, phrase in PHRASES.items():  # a loop, as above  # noqa: SIM110
        if mark in low and phrase.search(low):
            return True
    return False


def holds_personal_data(text: str) -> bool:
    """Whether an address, telephone number or American social security number stands in a text."""
    return (
        ("@" in text and EMAIL.search(text) is not None)
        or ("+" in text and PHONE.search(text) is not None)
        or ("-" in text and SOCIAL_SECURITY.search(text) is not None)
    )


def holds_secret(text: str) -> bool:
    """Whether key material stands in a text."""
    return holds_any(text, SECRET_MARKS) and SECRET.search(text) is not None


def same_words(left: str, right: str) -> bool:
    """Whether two texts have the same words in the same order."""
    words = WORD.findall(left.casefold())
    return bool(words) and words == WORD.findall(right.casefold())
