"""Tell the formula that a sentence states from formulas that explain it or lead to it. Pure."""

import re

from plumbline.grading.patterns import bounded

MATHS = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
EDGE = bounded(r"[.!?;:] \s | \n", re.VERBOSE)
EQUATION = re.compile(r"(?<![<>!])=|\\approx|≈")
# "the speed is $v$": the words directly before a stated formula.
STATES = bounded(
    r"""
    (?: ^ | [:=→⇒≈] | \\ to
      | \b (?: is | are | be | equals? | becomes? | get | obtain | find | have | gives? | yields? | to | by | so | therefore | thus | hence | then | answer )
        (?: \s+ (?: simply | just | exactly | approximately | therefore | thus | then | about ) )*
    ) [\s(*"]* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "..., where $m$ is the mass", "with $g = 9.8$": an explanation of the stated formula follows.
EXPLAINS = bounded(
    r"\b (?: where | with | for | if | when | which | whose | given | since | because | as | assuming | taking | using | provided | in \s+ which | at | here ) \b",
    re.IGNORECASE | re.VERBOSE,
)
# "With $a = g$, the force is ...": the beginning of a sentence leads to its statement.
LEADS = bounded(
    r"""\W{0,4} (?:(?: so | and | but | now | then | next ) ,? \s+)?
    (?: with | for | if | when | where | using | given | since | because | as | from | substituting | let | here | note | assuming | suppose | taking | at | in ) \b""",
    re.IGNORECASE | re.VERBOSE,
)
COMMENTS = bounded(r"\W{0,4} (?: here | where | note | in \s+ (?: this | which ) ) \b", re.IGNORECASE | re.VERBOSE)
RESUMES = bounded(
    r"""\b (?: we \s+ (?: get | obtain | find | have | arrive ) | gives? | giving | yields? | yielding | so | therefore | thus | hence | becomes
    | it \s+ follows | leads \s+ to | results \s+ in ) \b | → | ⇒""",
    re.IGNORECASE | re.VERBOSE,
)
# "At $t = 0$ the speed is": the statement to which the sentence leads.
HAS_SUBJECT = bounded(r"\b (?: the | its | this ) \b [^$]{1,80} \b (?: is | are | becomes | equals ) \s* $", re.IGNORECASE | re.VERBOSE)
# "$m$ is the mass", "$m$ denotes the mass".
IS_NAMED = bounded(
    r"\s* (?: , \s* )? (?: (?: is | are | be | being | = | as ) \s+ (?: the | a | an | its | their ) | denotes? | represents? | stands? \s+ for | means ) \b",
    re.VERBOSE,
)


def stated(zone: str, *, is_declared: bool) -> str | None:
    """The formula between dollars, \\( or \\[ that a text states; None if there is none, or it is unclear which one.

    `is_declared`: the text follows "the answer is", so a formula at its beginning is the answer.
    """
    spans = list(MATHS.finditer(zone))
    if not spans:
        return None
    words = MATHS.sub(blank, zone).strip()
    if zone.strip().startswith(("$", "\\(", "\\[")) and (is_declared or not (EDGE.search(words) or RESUMES.search(words))):
        return inside(spans[0])
    found: re.Match[str] | None = None
    others: list[re.Match[str]] = []
    is_led = explains = any_explains = stated_here = False
    end = 0
    for span in spans:
        between = zone[end : span.start()]
        edges = list(EDGE.finditer(between))
        is_new = bool(edges) or end == 0
        if is_new:
            clause = between[edges[-1].end() :] if edges else between
            is_led, explains, stated_here = LEADS.match(clause) is not None, False, False
            if COMMENTS.match(clause) and found is not None:
                explains = True
        else:
            clause = between
        if is_led and (re.search(r",\s|\bthen\b", clause) or RESUMES.search(clause) or (not is_new and HAS_SUBJECT.search(clause))):
            is_led = False
        if stated_here and EXPLAINS.search(clause):
            explains = any_explains = True
        if RESUMES.search(clause):
            explains = False
        end = span.end()
        if explains and found is not None and left_side(inside(span)) == inside(found).strip():
            # "The speed is $v$ with $v = gt$": which of the two is asked for?
            return None
        if is_led or explains or IS_NAMED.match(zone, end):
            continue
        if STATES.search(clause) or EQUATION.search(inside(span)):
            found, stated_here = span, True
        else:
            others.append(span)
            any_explains = any_explains or EXPLAINS.search(clause) is not None
    if found is not None:
        return inside(found)
    if len(others) == 1 or (others and not any_explains):
        return inside(others[-1])
    return None


def left_side(equation: str) -> str | None:
    """The text before the first equality sign; None if there is no such sign."""
    sign = EQUATION.search(equation)
    return equation[: sign.start()].strip() if sign else None


def inside(span: re.Match[str]) -> str:
    """The text between the marks."""
    return next(group for group in span.groups() if group is not None)


def blank(span: re.Match[str]) -> str:
    """The formula replaced by a run of letters, so that a mark in it does not end a sentence."""
    return "x" * len(span[0])
