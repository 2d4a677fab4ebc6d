"""Read the options that a response states outright: in a box, as "the answer is B", as "B is correct". Pure."""

import re

from plumbline.grading.answer_phrases import CONCLUSION
from plumbline.grading.answer_regions import boxes, declarations, headings
from plumbline.grading.choice_statement import McqTier, Statement
from plumbline.grading.choice_zone import JOINT, is_marked, joined_letters, read_zone
from plumbline.grading.option_letters import BRACKETED, NAMED, NEGATED, Options, letter_at
from plumbline.grading.option_text import starts_with, tokens, words_only
from plumbline.grading.patterns import bounded

BEHIND = bounded(rf"[\s$.]* (?: {BRACKETED} | \( \s* {NAMED} \s* \) )", re.IGNORECASE | re.VERBOSE)
CORRECT = r"""
    (?:the \s+)? (?:only \s+)?
    (?: best | right | correct | true | valid | most \s+ (?: accurate | appropriate | likely ) )
    (?! ed | ion | ly )
"""
GAP_SPOILER = bounded(r"\b(?:not|incorrect|wrong|false|isn['’]t)\b|[.;](?=\s)", re.IGNORECASE)
# "B is therefore the best", "(Correct)", "C must be the answer".
IS_CORRECT = bounded(
    rf"""
    (?:
          \b (?: is | are | as | being | must \s+ be | would \s+ be ) \s+
          (?: therefore \s+ | thus \s+ | indeed \s+ | also \s+ | clearly \s+ )?
          {CORRECT}
        | (?-i:(?<=[A-Z)\]*])) \s+ {CORRECT}
        | \( (?: correct | true | right ) \)
        | (?-i:(?<=[A-Z)\]])) \s* [-–—] \s* (?: correct | right | ✓ | ✔ | ✅ ) (?=\s* (?: [.,;!] | $ | \n ))
        | \b (?: is | are | must \s+ be ) \s+ (?: the | my ) \s+ (?:final \s+)? answer \b (?!\s* \?)
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
# The letters before "... is correct".
MENTION = bounded(
    r"""
      \b (?: option | choice | letter ) \s* [*_$]{0,2} \s* [(\[]? \s* [A-Z] (?![A-Za-z0-9'’])
    | [(\[] \s* (?:\\text (?:bf)? \{)? [A-Z] \}? \s* [)\]]
    | (?<![A-Za-z0-9'’_^\\]) [A-Z] (?![A-Za-z0-9'’_^])
    """,
    re.VERBOSE,
)
MAX_LOOK_BACK_CHARACTERS = 120
# "I choose option B", "closest to (C)".
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
    (?=(?: option | choice | letter | \( | \[ | \** [A-Z] \b ))
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
    (?=(?: option | choice | \( | \[ )? \s* \** [A-Z] [)\]]? [\s*.!]* (?: $ | \n ))
    """,
    re.IGNORECASE | re.VERBOSE,
)
STATED = bounded(r"\b(?:is|are|be)\s*:?\s*(?=[(\[]\s*[A-Z]\s*[)\]])")
# "... is equal to (B) Force.": a sentence that completes the question with a letter and the text of its option.
COMPLETED = bounded(
    r"\b(?:is|are|be|was|were|equals?|to|as|by|called|means?|gives?|becomes?|represents?|of|in|with|the|an?)\s*:?\s*(?=[(\[]\s*[A-Z]\s*[)\]])"
)
AGAINST = bounded(r"\b(?:not|rather\s+than|instead\s+of|unlike)\s+[(\[]\s*[A-Z]\s*[)\]]", re.IGNORECASE)
OTHER_BRACKET = bounded(r"[(\[]\s*[A-Z]\s*[)\]]")
# "rules out C, leaving D": the letter that is left is the choice.
LEFT_OVER = bounded(
    r"\b leav (?: ing | es ) \s+ (?:(?: us | me ) \s+)? (?:with \s+)? (?:only \s+)? (?=(?: option | choice | \( | \[ | [A-Z] \b ))",
    re.IGNORECASE | re.VERBOSE,
)
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
        | (?: do | does | did | would ) n ['’] t \s+ (?: think | believe | say )
    )
    \s+ (?:that \s+)? (?:the \s+)?
    (?:[(\[]? [A-Z] [)\]]? (?: \s* , | \s+ (?: and | or | nor ) \b )* \s+)*
    $
    """,
    re.IGNORECASE | re.VERBOSE,
)


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
    for _start, begin, end in headings(text):
        letter = letter_at(text, begin, options)
        if (letter and is_marked(text, letter, options)) or words_only(tokens(text[begin:end])) in options.texts.values():
            statement = read_zone(text, denials, begin, end, options, McqTier.ANCHORED)
            if statement:
                found.append(statement)
    for match in LEFT_OVER.finditer(text):
        letter = letter_at(text, match.end(), options)
        if letter:
            found.append(Statement((letter[0],), McqTier.ANCHORED, match.start(), letter[1]))
    found += completed(text, denials, options)
    for match in POINTED.finditer(text):
        letter = letter_at(text, match.end(), options)
        if letter and not NEGATED.search(denials, max(0, match.start() - 15), match.start()):
            letters, stop = joined_letters(text, denials, letter, len(text), options)
            found.append(Statement(tuple(dict.fromkeys(letters)), McqTier.ANCHORED, match.start(), stop))
    for match in STATED.finditer(text):
        sentence = denials[max(text.rfind("\n", 0, match.start()), text.rfind(". ", 0, match.start())) + 1 : match.start()]
        letter = letter_at(text, match.end(), options) if CONCLUSION.search(sentence) and not NEGATED.search(sentence[-30:]) else None
        if letter:
            found.append(Statement((letter[0],), McqTier.ANCHORED, match.start(), letter[1]))
    for match in BARELY_STATED.finditer(text):
        letter = letter_at(text, match.end(), options)
        if letter:
            found.append(Statement((letter[0],), McqTier.ANCHORED, match.start(), letter[1]))
    found += said_correct(text, denials, options)
    return sorted(found, key=lambda statement: (statement.start, statement.end))


def completed(text: str, denials: str, options: Options) -> list[Statement]:
    """Return the sentences that complete the question with the letter and text of one option: "... is equal to (B) Force."."""
    found: list[Statement] = []
    for match in COMPLETED.finditer(text) if options.texts else ():
        letter = letter_at(text, match.end(), options)
        own = options.texts.get(letter[0]) if letter else None
        if letter is None or own is None or starts_with(words_only(tokens(text[letter[1] : letter[1] + 300])), {letter[0]: own}) is None:
            continue
        begin = max(text.rfind("\n", 0, match.start()), text.rfind(". ", 0, match.start())) + 1
        line = text[begin : text.find("\n", letter[1]) if "\n" in text[letter[1] :] else len(text)]
        if (
            len(OTHER_BRACKET.findall(AGAINST.sub("", line))) == 1
            and "?" not in line
            and not NEGATED.search(denials, begin, match.end())
            and not UNSAID.search(denials, begin, match.end())
        ):
            found.append(Statement((letter[0],), McqTier.ANCHORED, match.start(), letter[1]))
    return found


def said_correct(text: str, denials: str, options: Options) -> list[Statement]:
    """Return every "B is correct", with the letters that "and" joins to it."""
    found: list[Statement] = []
    for match in IS_CORRECT.finditer(text):
        line = max(text.rfind("\n", 0, match.start()) + 1, match.start() - (200 if match[0][0] == "(" else MAX_LOOK_BACK_CHARACTERS))
        mentions = [mention for mention in MENTION.finditer(text, line, match.start()) if mention[0].rstrip(" )]}")[-1] in options.letters]
        # "(D) I -> Q; II -> R (Correct)": the line is about its first letter; "A is wrong and B is correct" about the last.
        for mention in mentions[:1] if match[0][0] == "(" else mentions[-1:]:
            letter = letter_at(text, mention.start(), options)
            if UNSAID.search(denials, line, mention.start()):
                continue
            gap = text[letter[1] : match.start()] if letter else ""
            if (
                letter
                and not GAP_SPOILER.search(denials[letter[1] : match.start()])
                and (len(gap.strip()) <= 3 or len(mention[0]) > 1 or gap[:1] in ").:]")
            ):
                joined = joined_before(text, mentions, mentions.index(mention), options)
                found.append(Statement((*joined, letter[0]), McqTier.ANCHORED, mention.start(), letter[1]))
    return found


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
