"""Split an answer into clauses that affirm or deny, and say whether they read as English sentences. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from plumbline.judging.key_point_words import (
    ARTICLES,
    AUXILIARIES,
    DETERMINERS,
    FORMS_OF_BE,
    JOINING,
    NEGATED_FORMS,
    NEGATIONS,
    NOT_CONTENT,
    PREPOSITIONS,
    PRONOUNS,
    SECOND_STEPS,
    VERB_FORMS,
    stem_of,
)

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
CLAUSE_END = re.compile(
    r"""
      [;:—]
    | \s [–-] \s
    | ,? \s+ \b
      (?:
          because
        | while
        | whereas
        | but
        | although
        | though
        | so
        | since
        | when
        | whenever
        | if
        | which
        | however
        | therefore
        | thus
        | hence
      )
      \b
    | , \s+ and \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
WORD = re.compile(r"[a-z]+?n't\b|[a-z]+|\d+(?:\.\d+)?")
# "not only" adds, "no matter" admits, "no longer" is a change: none of them denies.
NO_DENIAL = re.compile(
    r"""
    \b
    (?:
        not [ ] (?: only | just | merely )
      | no [ ] matter
      | no [ ] doubt
      | nothing [ ] but
      | no [ ] wonder
      | not [ ] to [ ] mention
    )
    \b
    """,
    re.VERBOSE,
)
# "But this is not true.", "The claim was wrong.", "... the opposite is true ..."
TAKEN_BACK = re.compile(
    r"""
      ^ \W*
      (?: but [ ] | however [ ] | actually [ ] | no [ ] )*
      (?:
          this
        | that
        | it
        | which
        | the [ ] (?: statement | claim | above )
        | all [ ] (?: of [ ] )? (?: this | that )
      )?
      \s*
      (?: statement | claim )?
      \s*
      (?: is | are | was | s )
      \s+
      (?:
          not [ ] (?: true | right | correct | so )
        | false
        | wrong
        | incorrect
        | untrue
        | a [ ] (?: myth | lie | misconception )
      )
      \W* $
    | \b the [ ] (?: opposite | reverse | contrary ) [ ] is [ ] (?: true | the [ ] case | right ) \b
    """,
    re.VERBOSE,
)

LONGEST_RUN = 8
"""This many words without a function word between them are a heap, not a sentence."""


@dataclass(frozen=True)
class Clause:
    words: tuple[str, ...]
    stems: frozenset[str]
    denials: int
    """Number of words that deny; an even number affirms."""
    sentence: int
    is_assertion: bool
    is_list: bool = False
    """Mostly single words between commas, without a relation to each other."""
    span: tuple[int, int] = (0, 0)
    """Place of its sentence in the text, with the next sentence if that one takes it back."""


def read_clause(text: str, sentence: int, is_assertion: bool) -> Clause:
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("'s ", " ").replace("cannot", "can not")
    folded = NO_DENIAL.sub(" ", folded)
    words: list[str] = []
    denials = 0
    for word in WORD.findall(folded):
        if word.endswith("n't"):
            denials += 1
            words.append(word[:-3])
        elif word in NEGATED_FORMS:
            denials += 1
            words.append(NEGATED_FORMS[word])
        else:
            denials += word in NEGATIONS
            words.append(word)
    stems = frozenset(stem_of(word) for word in words if word and word not in NOT_CONTENT and word not in NEGATIONS)
    pieces = [len(WORD.findall(piece)) for piece in folded.split(",")]
    num_short = sum(piece <= 2 for piece in pieces)
    is_list = num_short >= 5 and num_short > 0.6 * len(pieces)
    return Clause(tuple(words), stems, denials, sentence, is_assertion, is_list)


def _sentence_spans(text: str) -> list[tuple[int, int]]:
    ends = [match.span() for match in SENTENCE_END.finditer(text)]
    starts, stops = [0, *(end for _, end in ends)], [*(start for start, _ in ends), len(text)]
    return [(start, stop) for start, stop in zip(starts, stops, strict=True) if text[start:stop].strip()]


def read_clauses(text: str) -> list[Clause]:
    spans = _sentence_spans(text)
    clauses: list[Clause] = []
    for number, (begin, stop) in enumerate(spans):
        sentence = text[begin:stop]
        following = text[slice(*spans[number + 1])].lower() if number + 1 < len(spans) else ""
        taken_back = bool(TAKEN_BACK.search(following))
        is_assertion = not sentence.rstrip(" \"'").endswith("?")
        span = (begin, spans[number + 1][1] if taken_back else stop)
        # Split before the joining word, so that "but not ..." keeps its denial.
        cuts = [0, *(match.start() for match in CLAUSE_END.finditer(sentence)), len(sentence)]
        for start, end in pairwise(cuts):
            clause = read_clause(sentence[start:end], number, is_assertion)
            if clause.words:
                denials = clause.denials + (1 if taken_back else 0)
                clauses.append(Clause(clause.words, clause.stems, denials, number, is_assertion, clause.is_list, span))
    return clauses


def _is_odd_pair(word: str, following: str) -> bool:
    """Whether English never puts these two words next to each other. `following` is empty at the end of a clause."""
    if word == following:
        return word not in {"that", "had"}
    if word in {"a", "an"} and following and (word == "an") != (following[0] in "aeiou") and following[0] not in "uhoe":
        return True  # h, u, o, e: an hour, a unit, a one-way, a European
    if word in ARTICLES:
        return not following or following in PREPOSITIONS | AUXILIARIES | DETERMINERS | JOINING | PRONOUNS
    if word in PREPOSITIONS:
        if not following:
            return word in {"of", "from", "with", "by", "at", "per", "into", "between", "against"}
        is_infinitive = word == "to" and following in {"be", "have", "do"}
        # "from under", "passes on along", "in and out": the first is a particle or the second a place.
        is_two_step = word in {"from", "in", "on", "over", "along", "across", "through", "to"} and following in SECOND_STEPS
        return (following in AUXILIARIES - {"being", "having", "can", "will", "might"} and not is_infinitive) or (
            following in PREPOSITIONS | {"and", "or", "nor", "than", "because"} and not is_two_step
        )
    if word in FORMS_OF_BE and following in AUXILIARIES:
        return following not in {"being"} and not (word == "being" and following == "had")
    if word in {"does", "do", "did"} and following in FORMS_OF_BE - {"be"}:
        return True
    return word in {"and", "or", "than", "nor"} and (not following or following in {"and", "or", "than", "nor", "of"})


def _is_word_salad(words: Sequence[str]) -> bool:
    """Whether the words are not in an English order: "the of", "of is", "a apple", eight key words in a row, bare lists."""
    if any(_is_odd_pair(word, following) for word, following in zip(words, [*words[1:], ""], strict=True)):
        return True
    if words and words[0] in {"than", "of"}:
        return True
    for place, word in enumerate(words):
        near = words[max(0, place - 6) : place]
        if word == "than" and not any(one.endswith("er") or one in {"more", "less", "rather", "other", "fewer", "worse"} for one in near):
            return True
    run = 0
    for word in words:
        run = 0 if word in NOT_CONTENT | PREPOSITIONS else run + 1
        if run >= LONGEST_RUN:
            return True
    little = [word for word in words if word in NOT_CONTENT | PREPOSITIONS]
    if len(little) >= 6 and len(set(little)) == 1:
        return True
    pieces: list[int] = [0]
    for word in words:
        if word in {"and", "or"}:
            pieces.append(0)
        elif word not in NOT_CONTENT:
            pieces[-1] += 1
    num_short = sum(piece <= 2 for piece in pieces)
    return len(pieces) >= 4 and num_short >= 4 and num_short > len(pieces) / 2


def reads_as_sentence(window: Sequence[Clause]) -> bool:
    """Whether the words are related to each other, and not just a list of key words."""
    words = [word for clause in window for word in clause.words]
    num_function = sum(word in NOT_CONTENT or word in PREPOSITIONS for word in words)
    has_verb = any(word in AUXILIARIES or word in VERB_FORMS for word in words)
    if any(clause.is_list or _is_word_salad(clause.words) for clause in window):
        return False
    if len(window) >= 3 and all(len(clause.words) <= 2 for clause in window):
        return False
    content = [stem_of(word) for word in words if word not in NOT_CONTENT]
    repeats = len(content) >= 6 and len(set(content)) < len(content) / 2
    return not repeats and (
        (has_verb and num_function >= max(1, round(0.12 * len(words)))) or (num_function >= 3 and num_function >= 0.3 * len(words))
    )
