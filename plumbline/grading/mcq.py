"""Grade a multiple-choice answer by rule: find the one option it commits to. Pure."""

import re
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from plumbline.grading.answer_regions import (
    ABSTENTION,
    CONCLUSION,
    boxes,
    declarations,
    own_answer,
    read_json,
    retracted,
    sentences,
)
from plumbline.grading.choices import parse_choices
from plumbline.grading.number_tokens import tidy
from plumbline.grading.option_text import find_options, holds_in_order, option_tokens, starts_with, tokens, without_options, words_only
from plumbline.grading.patterns import bounded
from plumbline.rows.outcome import Outcome, Reading

DEFAULT_LETTERS = "ABCDEFGHIJ"
FULLWIDTH = str.maketrans(
    {**{chr(0xFF21 + place): chr(0x41 + place) for place in range(26)}, "（": "(", "）": ")", "［": "[", "］": "]", "：": ":"}
)

WRAP = r"""
    (?:
          \\ (?: text | textbf | mathrm | mathbf | boldsymbol | bm | textit | mathsf ) \s? \{
        | [\s*_$\"'“‘`{~]
        | \\ [,;:! ]
        | \\ \(
    ){0,16}
"""
# A letter that names an option: in brackets, behind the word "option", or alone with a mark behind it.
BRACKETED = rf"""
    (?:
          \( {WRAP} (?P<round>[A-Za-z]) {WRAP} [\s}}]{{0,4}} \)
        | \[ {WRAP} (?P<square>[A-Za-z]) {WRAP} [\s}}]{{0,4}} \]
    )
"""
NAMED = rf"""
    (?: options? | choices? | letter ) {WRAP} [(\[]? {WRAP} (?P<named>[A-Z]) (?![A-Za-z0-9'’]) \s*
    [)\]]?
"""
BARE = r"(?P<bare>[A-Z])(?![A-Za-z0-9'’_^])"
BEHIND = bounded(rf"[\s$.]* (?: {BRACKETED} | \( \s* {NAMED} \s* \) )", re.IGNORECASE | re.VERBOSE)
CLOSING = bounded(rf"(?: \( \s* {NAMED} \s* \) | {BRACKETED} ) [\s.*$]{{0,12}} $", re.IGNORECASE | re.VERBOSE)
NAMES = bounded(rf"{BRACKETED} | {NAMED}", re.VERBOSE)
LISTED = bounded(r"^.*(?:[(\[][A-Ja-j][)\]]|\b[A-J][).:]\s).*$", re.MULTILINE)
LETTER = bounded(rf"{WRAP} (?: {NAMED} | {BRACKETED} | {BARE} )", re.IGNORECASE | re.VERBOSE)
FILLER = bounded(
    r"""
    (?:
          [\s*_$\"'“`{~:]
        | \\ (?: text | textbf | mathrm | mathbf | boxed | fbox | displaystyle ) \s* \{?
        | \\ [\[(,;:! ]
        | (?:
                clearly
              | therefore
              | thus
              | then
              | hence
              | indeed
              | simply
              | definitely
              | likely
              | most
              | probably
              | either
              | both
              | obviously
              | given \s+ by
              | as \s+ follows
              | in \s+ fact
          )
          \b ,?
    ){1,40}
    """,
    re.IGNORECASE | re.VERBOSE,
)
JOINT = bounded(r"[\s}$*]*(?:,\s*(?:and|or)?|\band\b|\bor\b|&|/|\\&)[\s{$*]*(?:\\text(?:bf)?\s*\{)?", re.IGNORECASE)
INSTEAD = bounded(r"[\s,}$*]*(?:not|rather\s+than|instead\s+of|and\s+not|but\s+not|over)\b", re.IGNORECASE)
DASH = bounded(r"\s+-\s+(?=\S)")
# After a bare A that is an option: the end, a mark, or a word that goes on about an option. "A force" is an article.
AFTER_A = bounded(
    r"""
    [\s*_}$]*
    (?:
          $
        | [.,;:!?)\]\n—–(-]
        | (?:
                because
              | since
              | as
              | and
              | or
              | is
              | for
              | which
              | with
              | due
              | not
              | rather
              | based
              | by
              | so
              | \\
          )
          \b
        | \\
        | [A-Z]
    )
    """,
    re.VERBOSE,
)
NEGATED = bounded(
    r"""
    \b
    (?:
          not
        | n ['’] t
        | neither
        | never
        | incorrect
        | wrong
        | false
        | other \s+ than
        | except
        | nor
        | eliminate
        | rule \s+ out
        | unlike
        | instead \s+ of
        | rather \s+ than
    )
    \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
OTHER_OPTIONS = bounded(
    r"""
    \b (?:the \s+)? (?: other | remaining | rest \s+ of \s+ the ) \s+
    (?: options | choices | answers | three | two ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
CORRECT = r"""
    (?:the \s+)? (?:only \s+)?
    (?: best | right | correct | true | valid | most \s+ (?: accurate | appropriate | likely ) )
    (?! ed | ion | ly )
"""
GAP_SPOILER = bounded(r"\b(?:not|incorrect|wrong|false|isn['’]t)\b|[.;](?=\s)", re.IGNORECASE)
IS_CORRECT = bounded(
    rf"""
    (?:
          \b (?: is | are | as | being | must \s+ be | would \s+ be ) \s+
          (?: therefore \s+ | thus \s+ | indeed \s+ | also \s+ | clearly \s+ )?
          {CORRECT}
        | (?<=[A-Z)\]*]) \s+ {CORRECT}
        | \( (?: correct | true | right ) \)
        | \b (?: is | are | must \s+ be ) \s+ (?: the | my ) \s+ (?:final \s+)? answer \b (?!\s* \?)
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Where "... is correct" looks back for its letter.
MENTION = bounded(
    r"""
      \b (?: option | choice | letter ) \s* [*_$]{0,2} \s* [(\[]? \s* [A-Z] (?![A-Za-z0-9'’])
    | [(\[] \s* (?:\\text (?:bf)? \{)? [A-Z] \}? \s* [)\]]
    | (?<![A-Za-z0-9'’_^\\]) [A-J] (?![A-Za-z0-9'’_^])
    """,
    re.VERBOSE,
)
MORE_LETTERS = bounded(r"[.)]?[\s,]*[A-J][.)]?[\s,]+[A-J][.)]?(?:\s|$)")
MAX_LOOK_BACK_CHARACTERS = 120
POINTED = bounded(
    r"""
    \b
    (?:
          choose
        | choosing
        | select
        | selecting
        | pick
        | picking
        | go \s+ (?: with | for )
        | opt \s+ for
        | corresponds? \s+ to
        | corresponding \s+ to
        | match (?: es | ing )? (?:\s+ with)?
        | closest \s+ to
        | only
        | which \s+ is
        | that \s+ is
        | i \. e \. ,?
    )
    \s+ (?:with \s+)? (?:the \s+)? (?:answer \s+)?
    (?=(?: option | choice | letter | \( | \[ | \** [A-J] \b ))
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "Therefore, the match is (C) ...": brackets say that a letter is meant.
BARELY_STATED = bounded(
    r"""
    (?:
          \b (?: it \s+ is | it ['’] s | it \s+ must \s+ be )
        | \b (?: hence | therefore | thus | so ) \b ,?
    )
    \s+
    (?=(?: option | choice | \( | \[ )? \s* \** [A-J] [)\]]? [\s*.!]* (?: $ | \n ))
    """,
    re.IGNORECASE | re.VERBOSE,
)
STATED = bounded(r"\b(?:is|are|be)\s*:?\s*(?=[(\[]\s*[A-J]\s*[)\]])")
ASSERTING = {
    "is",
    "are",
    "be",
    "when",
    "if",
    "as",
    "by",
    ":",
    "=",
    "represents",
    "gives",
    "called",
    "equals",
    "to",
    "was",
    "were",
    "means",
    "becomes",
    "obtain",
    "get",
    "on",
    "≈",
    "approx",
}
# "If B is the answer, ...", "neither A nor B is correct", "I doubt that B is ...": nothing is said for B.
UNSAID = bounded(
    r"""
    \b
    (?:
          if
        | whether
        | suppose
        | assume
        | assuming
        | neither
        | nor
        | none \s+ of
        | (?: cannot | can ['’] t ) \s+ be
        | doubt
        | not \s+ (?: think | believe | say | true | sure )
        | n ['’] t \s+ (?: think | believe | say )
    )
    \s+ (?:that \s+)? (?:the \s+)?
    (?:[(\[]? [A-J] [)\]]? (?: \s* , | \s+ (?: and | or | nor ) \b )* \s+)*
    $
    """,
    re.IGNORECASE | re.VERBOSE,
)


# Between two option texts: "displacement or acceleration" decides for neither.
ALTERNATIVES = (["or"], ["and"], [","], [",", "or"], [",", "and"], ["/"])


class McqTier(StrEnum):
    """Which rule read a letter."""

    JSON = "json"
    BOXED = "boxed"
    ANCHORED = "anchored"
    """A declared answer: "the answer is B", "B is correct"."""
    LETTER = "letter"
    """The response opens or closes with a letter."""
    OPTION_TEXT = "option_text"
    """The response asserts the text of one option."""


class McqGrade(NamedTuple):
    """The verdict on one multiple-choice answer."""

    outcome: Outcome
    extracted: str | None
    """The letter; None unless exactly one was read."""
    reading: Reading
    span: tuple[int, int] | None
    """[start, end) in the response of what was read; None where nothing was, or where it stands in JSON."""
    tier: McqTier | None
    """Which rule read it."""


class Statement(NamedTuple):
    """What one place of the response says."""

    letters: tuple[str, ...]
    """One: a choice. More: undecided between them."""
    tier: McqTier
    start: int
    end: int
    contradicted: bool = False
    """The letter is at odds with the option text next to it, or with an earlier statement that was not taken back."""

    @property
    def choice(self) -> str | None:
        """The one letter; None if there are several, or if something contradicts it."""
        return self.letters[0] if len(self.letters) == 1 and not self.contradicted else None


class Options(NamedTuple):
    """The options of the question."""

    letters: frozenset[str]
    texts: dict[str, list[str]]
    """letter -> tokens; empty where the options stand in the question."""
    denying: dict[str, list[str]]
    """Those of them whose own text denies or abstains: "does not change", "none of the above"."""


def read_options(choices: Mapping[str, str], letters: frozenset[str]) -> Options:
    """Return the options of a question, those marked whose own text denies something."""
    texts = option_tokens({letter.strip().upper(): text for letter, text in choices.items()})
    spoken = {letter.strip().upper(): tidy(text) for letter, text in choices.items()}
    denying = {letter: own for letter, own in texts.items() if NEGATED.search(spoken[letter]) or ABSTENTION.search(spoken[letter])}
    return Options(letters, texts, denying)


def denials_of(text: str, options: Options) -> str:
    """Return the text without the words of options that deny: what is left to find a "not" in. A lone "never" denies all the same."""
    return without_options(text, {letter: own for letter, own in options.denying.items() if len(own) > 1})


def named_behind(text: str, options: Options) -> str | None:
    """Return the letter of the option whose text follows a letter, marks skipped; a minus that opens an option's text is none."""
    rest = text.lstrip(" \t\n()].:,}*$")
    said = starts_with(words_only(tokens(rest)), options.texts)
    return said or starts_with(words_only(tokens(rest.lstrip("-() ].:,}*$\t\n"))), options.texts)


def letter_at(text: str, position: int, options: Options) -> tuple[str, int] | None:
    """Return the option letter that stands at a position (marks skipped) and where it ends; None for words and articles."""
    match = LETTER.match(text, position)
    if match is None:
        return None
    raw = match["named"] or match["round"] or match["square"] or match["bare"]
    letter, end = raw.upper(), match.end()
    if letter not in options.letters:
        return None
    if match["bare"]:
        if raw.islower():
            # "b" or "b)" alone is a letter; in a sentence only "a" and symbols look like this.
            if not re.match(r"[\s.)\]}*$]{0,30}(?:$|\n)|\)\s", text[end : end + 40]):
                return None
        elif letter in "AI" and not AFTER_A.match(text, end):
            own = options.texts.get(letter)
            if own is None or starts_with(words_only(tokens(text[end : end + 300])), {letter: own}) is None:
                return None
        if re.match(r"\s*(?:=|≈|<(?!/)|>|\\approx|\\leq|\\geq|\+|-\s*\d|\\times|_|\^)", text[end : end + 40]) and not (
            # "B - 12 N": a dash between gaps, and what follows is the text of an option.
            DASH.match(text, end) and named_behind(text[end : end + 300], options)
        ):
            return None
    return letter, end


def read_zone(text: str, denials: str, begin: int, end: int, options: Options, tier: McqTier) -> Statement | None:
    """Read what stands after "the answer is" or in a box: letters, or else the text of one option. denials: see denials_of."""
    place = begin
    filler = FILLER.match(text, place, end)
    place = filler.end() if filler else place
    exact = next((letter for letter, own in options.denying.items() if words_only(tokens(text[place:end])) == own), None)
    if exact:
        return Statement((exact,), tier, place, end)
    if re.match(r"(?:not|n['’]t|neither)\b", denials[place:end], re.IGNORECASE):
        return None
    first = letter_at(text, place, options)
    if first and first[1] <= end:
        letters, stop = [first[0]], first[1]
        while joint := JOINT.match(text, stop, end):
            following = letter_at(text, joint.end(), options)
            if following is None or following[1] > end or INSTEAD.match(text, stop):
                break
            letters.append(following[0])
            stop = following[1]
        if len(letters) == 1:
            said = named_behind(text[stop:end], options)
            own = options.texts.get(letters[0])
            if said and said != letters[0] and own != options.texts[said] and not (own and starts_with(own, {said: options.texts[said]})):
                return Statement((letters[0],), tier, place, stop, contradicted=True)
        return Statement(tuple(dict.fromkeys(letters)), tier, place, stop)
    zone = tokens(text[place:end])
    places = find_options(zone, options.texts)
    found = {letter for _, _, letter in places}
    # "Power (A)": the text of one option with the letter of another.
    for match in NAMES.finditer(text[place:end]):
        letter = (match["named"] or match["round"] or match["square"]).upper()
        if letter in options.letters:
            lead = starts_with(words_only(zone), options.texts)
            return Statement((letter,), tier, place + match.start(), place + match.end(), contradicted=lead not in (None, letter))
    joined = [(one, other) for one, other in pairwise(places) if zone[one[1] : other[0]] in ALTERNATIVES and one[2] != other[2]]
    if joined:
        return Statement(tuple(sorted({letter for pair in joined for _, _, letter in pair})), tier, place, end)
    if len(found) == 1 and not NEGATED.search(denials, place, end):
        return Statement((found.pop(),), tier, place, end)
    return None


def explicit(text: str, denials: str, options: Options) -> list[Statement]:
    """Return every explicit statement in order: boxes, declared answers, "B is correct", "corresponds to option B"."""
    found: list[Statement] = []
    for _, inner, close, end in boxes(text):
        statement = read_zone(text, denials, inner, close, options, McqTier.BOXED)
        if statement is None:
            behind = BEHIND.match(text, end)
            letter = (behind["round"] or behind["square"] or behind["named"]).upper() if behind else ""
            if behind and letter in options.letters:
                statement = Statement((letter,), McqTier.BOXED, end, behind.end())
        if statement:
            found.append(statement)
    for _, begin, end in declarations(text, choices=True):
        statement = read_zone(text, denials, begin, end, options, McqTier.ANCHORED)
        if statement:
            found.append(statement)
    for match in POINTED.finditer(text):
        letter = letter_at(text, match.end(), options)
        if letter and not NEGATED.search(denials, max(0, match.start() - 15), match.start()):
            found.append(Statement((letter[0],), McqTier.ANCHORED, match.start(), letter[1]))
    for match in STATED.finditer(text):
        sentence = denials[max(text.rfind("\n", 0, match.start()), text.rfind(". ", 0, match.start())) + 1 : match.start()]
        letter = letter_at(text, match.end(), options) if CONCLUSION.search(sentence) and not NEGATED.search(sentence[-30:]) else None
        if letter:
            found.append(Statement((letter[0],), McqTier.ANCHORED, match.start(), letter[1]))
    for match in BARELY_STATED.finditer(text):
        letter = letter_at(text, match.end(), options)
        if letter:
            found.append(Statement((letter[0],), McqTier.ANCHORED, match.start(), letter[1]))
    for match in IS_CORRECT.finditer(text):
        line = max(text.rfind("\n", 0, match.start()) + 1, match.start() - (200 if match[0][0] == "(" else MAX_LOOK_BACK_CHARACTERS))
        mentions = list(MENTION.finditer(text, line, match.start()))
        # "(D) I -> Q; II -> R (Correct)": the line is about its first letter; "A is wrong and B is correct" about the last.
        for mention in mentions[:1] if match[0][0] == "(" else mentions[-1:]:
            letter = letter_at(text, mention.start(), options)
            if UNSAID.search(denials, line, mention.start()):
                continue
            gap = text[letter[1] : match.start()] if letter else ""
            if (
                letter
                and not GAP_SPOILER.search(denials[letter[1] : match.start()])
                and (len(gap) <= 3 or text[mention.start()] not in "ABCDEFGHIJ" or gap[:1] in ").:]")
            ):
                joined = joined_before(text, mentions, mentions.index(mention), options)
                found.append(Statement((*joined, letter[0]), McqTier.ANCHORED, mention.start(), letter[1]))
    return sorted(found, key=lambda statement: (statement.start, statement.end))


def joined_before(text: str, mentions: list[re.Match[str]], place: int, options: Options) -> list[str]:
    """Return the letters that "and", "or" or a comma joins to a mention: "both A and B are correct"."""
    letters: list[str] = []
    while place > 0:
        before, here = mentions[place - 1], mentions[place]
        joint = JOINT.fullmatch(text, before.end(), here.start())
        letter = letter_at(text, before.start(), options) or (before[0].upper(), 0)
        if joint is None or letter[0] not in options.letters:
            break
        letters.insert(0, letter[0])
        place -= 1
    return letters


def without_echo(text: str) -> str:
    """Blank out the lines that list options, position for position: an echo of the question commits to nothing."""
    _, listed = parse_choices(text)
    if len(listed) < 2:
        return text
    return LISTED.sub(lambda match: " " * len(match[0]), text)


def lone_letter(text: str, denials: str, options: Options) -> Statement | None:
    """Read a response that opens with an option ("B", "(C) Rate of doing work", "C. ...") or closes with one."""
    opening = len(text) - len(text.lstrip())
    filler = FILLER.match(text, opening)
    letter = letter_at(text, filler.end() if filler else opening, options)
    if letter and MORE_LETTERS.match(text, letter[1]):
        return None
    if letter:
        rest = text[letter[1] :]
        own = options.texts.get(letter[0])
        joint = JOINT.match(text, letter[1])
        marked = (
            re.match(r"[\s*_}$]*(?:[.!):\]]|$|\n|[-–—]\s|because\b|since\b)", rest[:40])
            or text[letter[1] - 1] in ")]"
            or (own and starts_with(words_only(tokens(rest[:300])), {letter[0]: own}))
            or (joint and letter_at(text, joint.end(), options))
        )
        if marked:
            return read_zone(text, denials, opening, sentence_end(text, opening), options, McqTier.LETTER)
    spans = list(sentences(text))
    if spans:
        start, end = spans[-1]
        last = text[start:end].strip()
        if len(last) <= 12:
            letter = letter_at(text, start + len(text[start:end]) - len(text[start:end].lstrip()), options)
            if letter and not text[letter[1] : end].strip(" .)]*_}$\n"):
                return Statement((letter[0],), McqTier.LETTER, start, letter[1])
        closing = CLOSING.search(text[start:end], max(0, end - start - 60))
        if closing and not NEGATED.search(denials, start, end):
            raw = closing["named"] or closing["round"] or closing["square"]
            if raw.isupper() and raw in options.letters:
                return Statement((raw,), McqTier.LETTER, start + closing.start(), start + closing.end())
    return None


def sentence_end(text: str, start: int) -> int:
    """Return the end of the line that starts here."""
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def asserted_text(text: str, denials: str, options: Options) -> Statement | None:
    """Return the one option whose text the response asserts; None where it asserts none, or several."""
    if not options.texts:
        return None
    spans = list(sentences(text))
    found: dict[str, tuple[int, int]] = {}
    in_order: dict[str, tuple[int, int]] = {}
    for number, (start, end) in enumerate(spans):
        sentence = text[start:end]
        sequence = words_only(tokens(sentence))
        last = number == len(spans) - 1
        exact = sequence in options.denying.values()
        if (NEGATED.search(denials, start, end) and not exact) or OTHER_OPTIONS.search(sentence) or "?" in sentence:
            continue
        ends: set[int] = set()
        places = find_options(sequence, options.texts)
        for first, stop, letter in places:
            wordy = sum(token.isalpha() and len(token) > 1 for token in options.texts[letter]) > 0
            before = next((token for token in reversed(sequence[max(0, first - 1) : first])), None)
            alone = first == 0 and stop == len(sequence)
            # A bare number or formula occurs in every derivation: it counts only where it ends the last sentence.
            if (
                alone
                or (before in ASSERTING and (wordy or (last and stop == len(sequence))))
                or (before in ("or", "and") and first - 1 in ends)
            ):
                found[letter] = (start, end)
                ends.add(stop)
        for letter, wanted in options.texts.items():
            # "The mass does not change. So the pressure falls.": a denial says something of an option's kind about anything.
            if letter in options.denying and not (last and {found_letter for _, _, found_letter in places} == {letter}):
                continue
            if len(wanted) >= 3 and all(token.isalpha() for token in wanted) and holds_in_order(sequence, wanted, 5):
                in_order[letter] = (start, end)
    chosen = found or in_order
    if len(chosen) != 1:
        return None
    letter, (start, end) = next(iter(chosen.items()))
    return Statement((letter,), McqTier.OPTION_TEXT, start, end)


def decide(statements: list[Statement], text: str) -> Statement:
    """Return the last statement, undecided where an earlier one differs and was not taken back."""
    last = statements[-1]
    for statement in statements[:-1]:
        differs = statement.choice and last.choice and statement.choice != last.choice
        if differs and not retracted(text, statement.end, last.end):
            return last._replace(contradicted=True)
    return last


def read_text(text: str, options: Options) -> Statement | None:
    """Read prose by tier; None where it commits to nothing."""
    quiet = without_echo(text)
    denials = denials_of(text, options)
    quiet_denials = denials if quiet == text else denials_of(quiet, options)
    statements = explicit(text, denials, options)
    opened = lone_letter(quiet, quiet_denials, options)
    if opened and opened.tier is McqTier.LETTER and opened.start <= len(text) - len(text.lstrip()) + 5:
        statements = [opened, *[statement for statement in statements if statement.start > opened.start]]
    if statements:
        last = decide(statements, text)
        # "D) None of the above" abstains from nothing, "A. None of the above fits." does.
        own = {letter: words for letter, words in options.denying.items() if last.choice == letter}
        return None if ABSTENTION.search(without_options(quiet, own), last.end) else last
    if opened:
        return opened
    spans = list(sentences(text))
    if spans and ABSTENTION.search(without_options(text, options.denying), spans[-1][0]):
        return None
    return asserted_text(quiet, quiet_denials, options)


def read_wrapped(response: str, options: Options) -> Statement | None:
    """Read a JSON-wrapped response: its answer keys, or else its text as prose."""
    wrapped = read_json(response)
    if wrapped is None:
        return None
    for value in wrapped.answers:
        statement = read_text(own_answer(value).text, options)
        if statement:
            return statement._replace(tier=McqTier.JSON)
    prose = "\n".join(value for _, value in wrapped.leaves if not re.fullmatch(r"[\d\s.$]*", value))
    statement = read_text(own_answer(prose).text, options) if prose and not wrapped.answers else None
    return statement._replace(tier=McqTier.JSON) if statement else Statement((), McqTier.JSON, 0, 0)


def grade_mcq(response: str, choices: Mapping[str, str], target: str) -> McqGrade:
    """Grade a response against a target letter.

    choices: letter -> text, or {} where the options stand in the question; then only letters can be read. Exactly one
    option read and right is correct, read and wrong incorrect; none, several, or a letter that contradicts its text are
    unparsed. Raises ValueError for a target that is not a letter among the choices.
    """
    letters = frozenset(letter.strip().upper() for letter in choices) or frozenset(DEFAULT_LETTERS)
    wanted = target.strip().upper()
    if len(wanted) != 1 or not wanted.isalpha() or wanted not in letters:
        raise ValueError(f"target {target!r}: not a letter of the choices {sorted(letters)}.")
    options = read_options(choices, letters)
    own = own_answer(response)
    text = tidy(own.text).translate(FULLWIDTH)
    wrapped = read_wrapped(text, options)
    statement = wrapped or read_text(text, options)
    if statement is None or not statement.letters:
        return McqGrade(Outcome.UNPARSED, None, Reading.NONE, None, statement.tier if statement else None)
    span = None if wrapped else own.span(statement.start, statement.end)
    if statement.contradicted:
        return McqGrade(Outcome.UNPARSED, None, Reading.CONFLICT, span, statement.tier)
    if len(statement.letters) != 1:
        return McqGrade(Outcome.UNPARSED, None, Reading.MULTIPLE, span, statement.tier)
    letter = statement.letters[0]
    return McqGrade(Outcome.CORRECT if letter == wanted else Outcome.INCORRECT, letter, Reading.VALUE, span, statement.tier)
