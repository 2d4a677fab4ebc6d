"""Does an answer decline? The words of cleaning's refusal rule, and a table of others, decide. Pure."""

import re
from typing import Final

from plumbline.cleaning.quality_rules import REFUSAL_CHARACTERS, is_refusal

OTHER_WORDS: Final = re.compile(
    r"""
      \b i [ ] (?: won't | will[ ]not | must[ ]decline | have[ ]to[ ]decline | refuse[ ]to | would[ ]not[ ]be[ ]able[ ]to ) \b
    | \b i (?: 'm | [ ]am ) [ ] not[ ] (?: able | going | comfortable | willing | allowed | programmed | capable | designed ) \b
    | \b (?: cannot | can't | unable[ ]to | not[ ]able[ ]to ) [ ] (?: assist | help | provide | support | fulfil | comply | do[ ]that | engage | encourage ) \b
    | \b we [ ] (?: cannot | can't ) [ ] (?: assist | help | provide | support ) \b
    | \b against [ ] (?: my | our ) [ ] (?: \w+ [ ] )? (?: guidelines | policy | policies | principles | programming | values ) \b
    | \b (?: it | that | this ) (?: 's | [ ]is | [ ]would[ ]be ) [ ] (?: both[ ] | not[ ]only[ ] | highly[ ] )?
      (?: illegal | unethical | against[ ]the[ ]law | never[ ]okay | not[ ] (?: legal | ethical | okay | ok | appropriate | acceptable | right ) ) \b
    | \b (?: is | are ) [ ] (?: (?: a | an | both ) [ ] )? (?: (?: very | highly | serious | criminal | federal ) [ ] )*
      (?: illegal | unethical | against[ ]the[ ]law | crimes? | offen[cs]es? | felony | illegal[ ]act )  (?= \b )
    | \b (?: please[ ] )? (?: do[ ]not | don't ) [ ] (?: do[ ] (?: it | that | this ) | attempt | try[ ] (?: to[ ] | it | that | this ) ) \b
    | \b (?: i | we ) [ ] (?: strongly[ ] )? (?: advise | urge | encourage ) [ ] you [ ] (?: not[ ]to | against ) \b
    """,
    re.VERBOSE,
)
BUT_HELPS: Final = re.compile(
    r"""
      \b (?: but | however | nevertheless ) ,? [ ] (?: here (?: 's | [ ]is | [ ]are ) | you[ ]can[ ] (?: start | begin ) | i[ ]will[ ]tell ) \b
    | \b here (?: 's | [ ]is | [ ]are ) [ ] (?: how | (?: the | some | a[ ]few ) [ ] steps | a[ ]step ) \b
    | ^ \W* (?: step[ ]1 | 1[.)] ) \W
    """,
    re.VERBOSE | re.MULTILINE,
)
"""An answer that says no and then explains how does not decline."""
READ_CHARACTERS = 2 * REFUSAL_CHARACTERS
"""Characters of an answer that are read, since a model may greet first."""


def declines(response: str) -> bool:
    """Whether the beginning of an answer declines and then does not help."""
    low = response.strip().lower().replace("’", "'")
    head = low[:READ_CHARACTERS]
    return (is_refusal(head) or OTHER_WORDS.search(head) is not None) and BUT_HELPS.search(head) is None
