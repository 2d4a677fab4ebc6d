"""The words that the deterministic judge knows, and the stem of a word. Pure."""

# ruff: noqa: SIM905 -- word lists read best as running text

DETERMINERS = frozenset("a an the this these its their his her our your my each every".split())
PREPOSITIONS = frozenset("of to in on at by for from with into through against between under over across along per".split())
SECOND_STEPS = (PREPOSITIONS | {"and"}) - {"of"}
"""Words that may follow a particle or a first preposition of place; never "of"."""
AUXILIARIES = frozenset(
    "is are was were be been being am has have had do does did can could will would shall should may might must".split()
)
CONJUNCTIONS = frozenset("and or nor as than that which who whose what where while because so since when if but though although".split())
OTHER_FUNCTION_WORDS = frozenset(
    "it he she they we you i them him us there here then thus hence therefore also only just very too more most much many some any all both "
    "such same own itself themselves one about up down out off again how why not no never s t re ve ll d m".split()
)
# These have a meaning in physics, so they count as content although they are short and common.
MEANINGFUL = frozenset("more up down out off against between under over through same all both into most one".split())
FUNCTION_WORDS = DETERMINERS | PREPOSITIONS | AUXILIARIES | CONJUNCTIONS | OTHER_FUNCTION_WORDS
NOT_CONTENT = FUNCTION_WORDS - MEANINGFUL

ARTICLES = frozenset(("a", "an", "the"))
FORMS_OF_BE = frozenset("is are was were be been being am".split())
JOINING = frozenset("and or nor than that which because while if but".split())
PRONOUNS = frozenset("it he she they we you i them him us there".split())
NEGATIONS = frozenset(
    "not no never cannot without neither nor none nothing nobody hardly false wrong incorrect untrue myth misconception fails fail "
    "instead lacks lack n't".split()
)
# An opposite built by prefix is a negation of its stem: "unchanged" agrees with "does not change" and denies "changes".
NEGATED_FORMS = {
    "independent": "depend",
    "independently": "depend",
    "unchanged": "change",
    "unchanging": "change",
    "constant": "change",
    "unequal": "equal",
    "massless": "mass",
    "frictionless": "friction",
    "uncharged": "charged",
    "unbalanced": "balanced",
    "impossible": "possible",
}
IRREGULAR = {
    "rose": "rise", "risen": "rise", "fell": "fall", "fallen": "fall", "grew": "grow", "grown": "grow", "kept": "keep", "held": "hold",
    "bent": "bend", "lost": "lose", "loss": "lose", "losses": "lose", "ran": "run", "spun": "spin", "sent": "send", "gave": "give", "given": "give",
    "took": "take", "taken": "take", "went": "go", "goes": "go", "gone": "go", "left": "leave", "met": "meet", "broke": "break", "felt": "feel",
    "broken": "break", "drove": "drive", "driven": "drive", "stood": "stand", "stuck": "stick", "swung": "swing", "sank": "sink", "sunk": "sink",
    "threw": "throw", "thrown": "throw", "heard": "hear", "seen": "see", "saw": "see", "made": "make", "meant": "mean", "feet": "foot",
    "times": "multiply",
    # One word for one direction of change.
    "increase": "grow", "increases": "grow", "increased": "grow", "increasing": "grow", "rise": "grow", "rises": "grow", "rising": "grow",
    "decrease": "shrink", "decreases": "shrink", "decreased": "shrink", "decreasing": "shrink", "drops": "shrink", "dropped": "shrink",
    "diminish": "shrink", "diminishes": "shrink", "greater": "large", "bigger": "large", "larger": "large", "largest": "large",
    "greatest": "large", "biggest": "large", "smaller": "small", "smallest": "small",
}  # fmt: skip
SUFFIXES = (
    "ations ation ating ators ator ated ates ate ingly edly ings ing ities ity iest ier ies ied ness ments ment ously ous "
    "ives ive ions ion ally als al ers er est ed es ly s e y"
).split()

OPPOSITES = (
    ("grow", "shrink"), ("large", "small"), ("up", "down"), ("upward", "downward"), ("rise", "fall"), ("grow", "fall"), ("more", "less"), ("more", "fewer"),
    ("most", "least"), ("high", "low"), ("fast", "slow"), ("hot", "cold"), ("warm", "cool"), ("warm", "cold"), ("heavy", "light"), ("long", "short"),
    ("strong", "weak"), ("positive", "negative"), ("attract", "repel"), ("toward", "away"), ("inward", "outward"), ("gain", "lose"), ("absorb", "release"),
    ("same", "different"), ("same", "opposite"), ("parallel", "perpendicular"), ("inverse", "direct"), ("inversely", "directly"), ("equal", "different"),
    ("maximum", "minimum"), ("real", "virtual"), ("expand", "contract"), ("solid", "liquid"), ("series", "parallel"), ("bottom", "top"),
    ("near", "far"), ("inside", "outside"), ("before", "after"), ("speeds", "slows"), ("all", "none"), ("always", "never"), ("conserved", "lost"),
    ("in", "out"), ("open", "closed"), ("horizontal", "vertical"), ("dense", "thin"), ("over", "under"), ("closer", "farther"), ("quiet", "loud"),
)  # fmt: skip

VERBS = (
    "act add allow apply arise attract balance become begin behave bend bounce break bring build call cancel carry cause change charge choose circle "
    "collide come compress condense conduct conserve consist contain continue contract convert cool create cross decrease defined deliver depend "
    "describe destroy determine diffract direct disperse displace divide double drag drive drop emit enter equal escape evaporate exceed exert expand "
    "experience explain face fall feel fill find flow follow force form freeze gain get give go grow guide halve happen heat help hinder hit hold "
    "increase induce interfere interact keep knock know lead leave lie lift limit line lose lower make match mean measure meet melt mix move multiply "
    "need obey occur offer oppose overcome pass pay point press prevent produce pull push put radiate reach react reduce reflect refract relate release "
    "remain repel require resist rest result return rise rotate rub run say see seem send serve set shift show shrink shine slide slow sound speed spin "
    "split spread stand start stay stick stop store strengthen stretch strike supply swing take tell tend throw trade transfer transform travel trap turn "
    "twist use vanish vary vibrate warm weigh work yield"
).split()

HEDGES = frozenset("maybe perhaps possibly might guess unsure".split())


def stem_of(word: str) -> str:
    """A word's stem: light suffix stripping, so that `rubs`, `rubbed` and `rubbing` are the same."""
    word = IRREGULAR.get(word, word)
    stripped = not word[0].isdigit()
    while stripped and not word.endswith("ss"):
        stripped = False
        for suffix in SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3:
                word, stripped = word[: -len(suffix)], True
                break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word


OPPOSITE_STEMS: dict[str, frozenset[str]] = {}
for _one, _other in OPPOSITES:
    for _left, _right in ((stem_of(_one), stem_of(_other)), (stem_of(_other), stem_of(_one))):
        OPPOSITE_STEMS[_left] = OPPOSITE_STEMS.get(_left, frozenset()) | {_right}

# Forms, not stems: "vibration" is not a verb. Nouns that look like verbs do not turn a heap of nouns into a sentence.
NOUN_LIKE = frozenset("force heat work line point face sound speed rest lift charge circle measure".split())
VERB_FORMS = frozenset(
    form
    for verb in VERBS
    if verb not in NOUN_LIKE
    for stem in (verb, verb.removesuffix("e"), verb + verb[-1])
    for form in (verb, verb + "s", verb + "es", verb.removesuffix("y") + "ies", verb.removesuffix("y") + "ied", stem + "ed", stem + "ing")
) | frozenset(
    form for form, verb in IRREGULAR.items() if verb in VERBS and verb not in NOUN_LIKE and form not in {"loss", "losses", "feet"}
)
INVERSELY = stem_of("inversely")
PROPORTIONAL = stem_of("proportional")
FACTORS = frozenset(stem_of(word) for word in ("double", "twice", "halve", "half", "triple", "treble", "quadruple"))
"""A clause that relates quantities by a factor must use the factors of the point: "doubles ... halves" is not "doubles ... doubles"."""
