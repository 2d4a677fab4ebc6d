"""Recognise phrases that take an answer back, give none, or conclude. Pure."""

import re

from plumbline.grading.patterns import bounded

# "Wait, ...", "I made a mistake", "that is not right".
RETRACTION = bounded(
    r"""
      (?: ^ | [.!?\n…—-] \s* | , \s* | \b no ,? \s+ | \b but \s+ | \b oh ,? \s+ | \b hmm ,? \s+ )
      (?:
            wait
          | actually
          | correction
          | scratch \s+ that
          | on \s+ second \s+ thought
          | sorry
          | apologies
          | my \s+ apologies
          | oops
          | let \s+ me \s+
            (?: re -? check | re -? do | re -? calculate | re -? consider | correct | fix )
      )
      \b
    | \b i \s+ (?:have \s+)? made \s+ an? \s+ (?:\w+ \s+){0,2} (?: mistake | error )
    | \b that (?: ['’] s | \s+ is | \s+ was ) \s+
      (?: wrong | incorrect | not \s+ (?: right | correct ) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "cannot be determined", "not enough information", "none of the above".
ABSTENTION = bounded(
    r"""
      \b
      (?:
            can \s? not
          | can ['’] t
          | could \s+ not
          | unable \s+ to
          | impossible \s+ to
          | not \s+ possible \s+ to
          | difficult \s+ to
      )
      \s+ (?:be \s+)? (?:\w+ \s+){0,2}
      (?:
            find
          | found
          | determine
          | determined
          | calculate
          | calculated
          | compute
          | computed
          | solve
          | solved
          | answer
          | answered
          | provide
          | give
          | given
          | say
          | tell
          | simplify
          | simplified
          | conclude
      )
      \b
    | \b
      (?:
            not \s+ enough
          | insufficient
          | not \s+ sufficient
          | missing
          | without \s+ (?: more | further | additional | knowing )
      )
      \s+ (?:\w+ \s+){0,2} (?: information | data | detail | the )
    | \b no \s+ (?:\w+ \s+){0,2} (?: solution | answer ) \b
    | \b there \s+ is \s+ no \s+ (?:\w+ \s+)? (?: tension | value | such | number )
    | \b does \s+ not \s+ (?: exist | have \s+ a \s+ solution )
    | \b (?: error | mistake | typo | inconsistency ) \s+ in \s+ the \s+
      (?: problem | question | given | options | statement )
    | \b problem \s+ statement \s+ (?: is | may \s+ be | might \s+ be ) \s+
      (?: wrong | incorrect | flawed )
    | \b
      (?:
            i \s+ (?: do \s+ not | don ['’] t ) \s+ know
          | not \s+ sure
          | i \s+ am \s+ not \s+ able
          | i ['’] m \s+ not \s+ able
          | undefined
          | indeterminate
          | infinity
          | infinite
      )
      \b
    | \\infty
    | ∞
    | \b this \s+ is \s+ (?: not \s+ possible | a \s+ contradiction | impossible )
    | \b none \s+ of \s+ (?: the | these ) \b (?!\s+ (?: others? | remaining | rest ) \b)
    | \b no \s+ option \b
    | \b not \s+ (?: one \s+ of | in | among | listed \s+ (?: in | among ) ) \s+ (?:the \s+)?
      (?: given \s+ | listed \s+ | provided \s+ | available \s+ )? (?: options | choices | answers )
    | \b does \s+ not \s+ match \s+ any \b
    | \b doesn ['’] t \s+ match \s+ any \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "Therefore, ...", "we obtain ...".
CONCLUSION = bounded(
    r"""
      \b
      (?:
            therefore
          | thus
          | hence
          | so
          | consequently
          | accordingly
          | in \s+ conclusion
          | to \s+ conclude
          | as \s+ a \s+ result
          | finally
          | in \s+ summary
          | overall
          | this \s+ means
          | this \s+ gives
          | we \s+ (?: get | find | have | obtain | conclude )
      )
      \b
    | ∴
    | \\therefore
    """,
    re.IGNORECASE | re.VERBOSE,
)


def retracted(text: str, start: int, end: int) -> bool:
    """Say whether the text between two statements takes the first one back."""
    return RETRACTION.search(text, start, end) is not None
