"""Grade an answer of yes or no, or of true or false. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from plumbline.grading.answer_phrases import RETRACTION, retracted
from plumbline.grading.answer_targets import YES, is_pair
from plumbline.grading.answer_zones import Cleaned, Zone, cleaned, zones
from plumbline.grading.patterns import bounded
from plumbline.grading.read_grade import ReadGrade
from plumbline.rows.outcome import Outcome, Reading

# Whole words: the "no" in "not" and in "know" answers nothing.
WORD = r"(?: (?P<not> not \s+ | n['’]t \s+ )? (?P<word> yes | no | true | false | correct | incorrect ) (?![\w-]) )"
QUOTED = r"""[\s"'“‘(\[*:$]*"""
# "No doubt, yes" begins with no answer.
FILLER = r"(?:(?: (?: no | without ) \s+ (?: a \s+ )? doubt | certainly | definitely | of \s+ course | indeed ) [\s,]+ )?"
OPENING = bounded(rf"{QUOTED} (?: \\ text \s* \{{ \s* )? {FILLER} {WORD}", re.IGNORECASE | re.VERBOSE)
# "The statement is false.", "so this is not true".
STATED = bounded(
    rf"""
    \b (?: statement | claim | assertion | proposition | this | that | it | assumption ) \s+ (?: as \s+ (?: given | stated | written ) \s+ )?
    (?: is | was | isn(?=['’]t) ) \s* {WORD}
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "If the statement is true", "students think it is true": this is not an answer.
SUPPOSED = bounded(
    r"""
    (?: \b (?: if | whether | suppose | supposing | assum(?:e|ing) | imagine | unless | until | when | why | check | verify | show | prove )
      | (?<!\bI\s) (?<!\bwe\s) (?<!\bwould\s) \b (?: think | thinks | believe | believes | say | says | claim | claims | argue | argues )
    ) (?: \s+ that )? (?: \s+ (?: the | this | that | your | a | given | above | following | original | first | second ) ){0,3} \s* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
CONDITION = bounded(r"\W{0,3} (?: if | suppose | supposing | assuming | unless | were ) \b", re.IGNORECASE | re.VERBOSE)
# "It is true that mass is conserved, but": a concession; "true only if": a condition.
GRANTED = bounded(
    r"\s* (?: \? | ,? \s* (?: but \s+ )? only \b | (?: that | if | when | unless | provided | or | to | depending ) \b )",
    re.IGNORECASE | re.VERBOSE,
)
CONDITIONAL = bounded(
    r"\s* (?: (?: if | when | unless | provided | depending ) \b | ,? \s* (?: but \s+ )? (?: only \s+ (?: if | when | for | in | under ) | unless | provided | depending ) \b )"
    r"| [^.\n]{0,120} \b otherwise ,? \s+ (?: yes | no | true | false ) \s* (?: [.,;!)] | $ )",
    re.IGNORECASE | re.VERBOSE,
)
SENTENCE = re.compile(r"[.!?;\n]")
NEITHER = bounded(r"\b (?: yes \s* (?: / | or | and ) \s* no | true \s* (?: / | or | and ) \s* false )", re.IGNORECASE | re.VERBOSE)


# "No one knows": without a mark after the word, it answers nothing.
ENDS = bounded(
    r"\s* (?: $ | [.,;:!?()\]}\n*\"'”’—–-] | (?: because | since | as | it | the | this | that | they | there | for ) \b )",
    re.IGNORECASE | re.VERBOSE,
)
# The answer after words that take an earlier one back: "no, wait, yes".
INSTEAD = bounded(
    rf"(?: ^ | [.,;:!?\n—–] | \b (?: so | is | it['’]s | then | answer ) \b ) {QUOTED} {WORD} (?= {ENDS.pattern} )",
    re.IGNORECASE | re.VERBOSE,
)
JSON_ANSWER = bounded(r"\" (?: \w{1,12} [ _] )? answer \" \s* : \s* (?P<not>) (?P<word> true | false ) \b", re.IGNORECASE | re.VERBOSE)


class Said(NamedTuple):
    """One place that says yes or no."""

    is_yes: bool | None
    """None if the place takes its own answer back."""
    tier: str
    start: int | None
    end: int


def meaning(match: re.Match[str]) -> bool:
    """Whether the matched words say yes."""
    return (match["word"].lower() in ("yes", "true", "correct")) is not bool(match["not"])


def said(read: Cleaned) -> Iterator[Said]:
    """Yield the places that say yes or no, in the order in which they count."""
    opened: Said | None = None
    for match in reversed(list(JSON_ANSWER.finditer(read.own.text))):
        yield Said(meaning(match), "json", None, match.end())
    for zone in zones(read):
        match = None if NEITHER.match(zone.text.strip()) else OPENING.match(zone.text)
        if match is None or not answers(zone, match):
            continue
        begin = None if zone.start is None else zone.start + match.start("word")
        found = Said(meant(zone.text, match), zone.tier, begin, (zone.start or 0) + match.end())
        if zone.tier == "whole":
            opened = found
        else:
            yield found
    if opened is not None:
        yield opened
    for match in reversed(list(STATED.finditer(read.text))):
        if is_stated(read.text, match):
            yield Said(meaning(match), "stated", match.start("word"), match.end())


def answers(zone: Zone, match: re.Match[str]) -> bool:
    """Whether the word at the beginning of a zone is its answer: not "No one knows", and not with a condition."""
    if CONDITIONAL.match(zone.text, match.end()):
        return False
    is_declared = zone.tier not in ("whole", "last_line")
    return ENDS.match(zone.text, match.end()) is not None or (is_declared and match["word"].lower() == "yes")


def meant(text: str, match: re.Match[str]) -> bool | None:
    """The answer at the beginning of a text, or the one that replaces it if the text takes it back. None if it is unclear."""
    is_yes = meaning(match)
    again = re.compile(r"\W*(?:no,? )?").match(text, match.end())
    stated = STATED.match(text, again.end()) if again else None
    if stated and is_stated(text, stated) and meaning(stated) is not is_yes:
        return None
    back = RETRACTION.search(text, match.end())
    if back is None:
        return is_yes
    instead = {meaning(word) for word in INSTEAD.finditer(text[back.end() :].lstrip(" ,:"))}
    if instead:
        return instead.pop() if len(instead) == 1 else None
    # "Yes, actually it does" and "Sorry for the short answer" take nothing back by themselves.
    return is_yes if re.search("actually|sorry|apolog", back[0], re.IGNORECASE) else None


def is_stated(text: str, match: re.Match[str]) -> bool:
    """Whether "the statement is true" is a plain statement: not supposed, conceded, asked, or with a condition."""
    edges = list(SENTENCE.finditer(text, 0, match.start()))
    begin = edges[-1].end() if edges else 0
    if CONDITION.match(text, begin, match.start()) or SUPPOSED.search(text[max(begin, match.start() - 80) : match.start()]):
        return False
    end = SENTENCE.search(text, match.end())
    return not GRANTED.match(text, match.end()) and not (end and end[0] == "?")


def grade_yes_no(response: str, choices: Mapping[str, str], target: str) -> ReadGrade:
    """Grade a response against the label of the right choice. ValueError if the choices are not yes and no, or true and false."""
    if not is_pair(choices) or target not in choices:
        raise ValueError(
            f"choices {dict(choices)!r} with target {target!r}: not a yes or no. Write Yes and No, or True and False, and the label of one."
        )
    labels = {text.strip().lower() in YES: label for label, text in choices.items()}
    read = cleaned(response)
    if read.own.is_cut:
        return ReadGrade(Outcome.UNPARSED, None, Reading.NONE, None, None, frozenset({"cut_while_thinking"}))
    statements = list(said(read))
    if not statements:
        return ReadGrade(Outcome.UNPARSED, None, Reading.NONE, None, None)
    first = statements[0]
    span = None if first.start is None else read.span(first.start, first.end)
    if first.is_yes is None:
        return ReadGrade(Outcome.UNPARSED, None, Reading.CONFLICT, span, first.tier)
    for other in statements[1:]:
        # "It is true that ice floats. Answer: no": if an answer is declared, earlier statements do not count.
        if other.tier == "stated" and first.tier != "stated":
            continue
        if other.is_yes is not first.is_yes and not taken_back(read, other, first):
            return ReadGrade(Outcome.UNPARSED, None, Reading.CONFLICT, span, first.tier)
    label = labels[first.is_yes]
    return ReadGrade(Outcome.CORRECT if label == target else Outcome.INCORRECT, label, Reading.VALUE, span, first.tier)


def taken_back(read: Cleaned, earlier: Said, later: Said) -> bool:
    """Whether the text between two statements takes the first one back."""
    if earlier.start is None or later.start is None or earlier.start > later.start:
        return False
    return retracted(read.text, earlier.end, later.start)
