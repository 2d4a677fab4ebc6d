"""Read what a box, a declaration or the opening of a response names: one letter, several, or the text of an option. Pure."""

import re
from itertools import pairwise

from plumbline.grading.choice_statement import McqTier, Statement
from plumbline.grading.latex_commands import WRAPPERS
from plumbline.grading.option_letters import NAMES, NEGATED, Options, is_dismissed, letter_at, named_behind
from plumbline.grading.option_text import find_options, starts_with, tokens, words_only
from plumbline.grading.patterns import bounded

# What may come between "the answer is" and the answer: "clearly \textbf{".
FILLER = bounded(
    rf"""
    (?:
          [\s*_$\"'“‘«「『【`{{~:]
        | \\ (?: boxed | fbox | {WRAPPERS} ) \s* \{{?
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
              | for \s+ sure
              | certainly
              | surely
              | of \s+ course
              | still
          )
          \b ,?
    ){{1,40}}
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "A and B", "A, B", "A / B", "A; B", "(A)(B)".
JOINT = bounded(
    rf"""
      [\s}}$*]* (?: , \s* (?: and | or )? | ; (?= \s* [(\[]? (?-i:[A-Z]) [)\]]? \s* (?: [.,;!}}] | $ | \n ) ) | \b and \b | \b or \b | & | / | \+ | \\& | 、 | 和 | und \b | et \b | y \b ) [\s{{$*]* (?:\\ {WRAPPERS} \s* \{{)?
    | (?<=[)\]]) \s* (?=[(\[])
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "A C": two letters with a gap, and nothing is said about the second one.
GAP_JOINT = bounded(r"\s+ (?= [(\[]? [A-Z] [)\]]? (?: \s* (?: [.,;!}] | $ | \n ) | \s+ [A-Z] (?![A-Za-z]) ) )", re.VERBOSE)
# "B, C is the area": after a comma, a letter with its own verb begins another clause.
CLAUSE = bounded(r"[\s)\].*]*(?:is|was|has|gives|would|does|will|represents|describes|means|refers|needs|shows)\b")
# "B rather than C", "B, not C": the second letter is not a choice.
INSTEAD = bounded(r"[\s,}$*(]*(?:not|rather\s+than|instead\s+of|and\s+not|but\s+not|over)\b", re.IGNORECASE)
# "not A but B"
NOT_BUT = bounded(r"not \s+ (?:option \s+)? [(\[]? [A-Z] [)\]]? \s* ,? \s* (?: but | rather ) \s+ (?:rather \s+)?", re.VERBOSE)
# Between two option texts: "displacement or acceleration" chooses neither.
ALTERNATIVES = (["or"], ["and"], [","], [",", "or"], [",", "and"], ["/"])
# Text after a letter that is an answer by itself.
MARKED = bounded(r"[\s*_}$'’”\"]*(?:[.!):\]]|$|\n|,\s|[-–—]\s|because\b|since\b)")


def is_marked(text: str, letter: tuple[str, int], options: Options) -> bool:
    """Say whether a letter is an answer by itself: it is in brackets, or a mark, the text of its option or another letter follows."""
    rest = text[letter[1] :]
    joint = JOINT.match(text, letter[1])
    return (
        MARKED.match(rest) is not None
        or text[letter[1] - 1] in ")]"
        or INSTEAD.match(text, letter[1]) is not None
        or named_behind(rest[:300], options) == letter[0]
        or (joint is not None and letter_at(text, joint.end(), options) is not None)
    )


def joined_letters(text: str, denials: str, first: tuple[str, int], end: int, options: Options) -> tuple[list[str], int]:
    """Return a letter with those that "and", "or", a comma or just a gap joins to it, and where they end. first: see letter_at."""
    letters, stop = [first[0]], first[1]
    # A semicolon ends the zone, but it may still join two letters.
    while joint := JOINT.match(text, stop) or GAP_JOINT.match(text, stop):
        following = letter_at(text, joint.end(), options)
        if following is None or (following[1] > end and ";" not in joint[0]) or INSTEAD.match(text, stop):
            break
        if "," in joint[0] and (CLAUSE.match(text, following[1]) or is_dismissed(denials, following[0], following[1], options)):
            # "B, C is wrong"
            break
        letters.append(following[0])
        stop = following[1]
    return letters, stop


def read_zone(text: str, denials: str, begin: int, end: int, options: Options, tier: McqTier) -> Statement | None:
    """Read the text after "the answer is" or in a box: letters, or else the text of one option. denials: see denials_of."""
    place = begin
    filler = FILLER.match(text, place, end)
    place = filler.end() if filler else place
    exact = next((letter for letter, own in options.denying.items() if words_only(tokens(text[place:end])) == own), None)
    if exact:
        return Statement((exact,), tier, place, end)
    replaced = NOT_BUT.match(denials, place, end)
    place = replaced.end() if replaced else place
    if re.match(r"(?:not|n['’]t|neither)\b", denials[place:end], re.IGNORECASE):
        return None
    first = letter_at(text, place, options)
    if first and first[1] <= end:
        letters, stop = joined_letters(text, denials, first, end, options)
        if len(letters) == 1:
            if is_dismissed(denials, letters[0], stop, options):
                return None
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
