"""The deterministic judge: which key points an answer states, leaves out or contradicts. Pure.

A reader of words, not of physics: it wants a point's content words, lightly stemmed and in any order, inside one sentence
(or two neighbouring clauses) that reads as an assertion. It cannot follow a paraphrase in other words; a model judge can.
"""

# ruff: noqa: SIM905 -- word lists read best as running text
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

RULES_VERSION = 2
"""Part of the judge's identity: raise it whenever a rule below can move a score."""

Finding = Literal["stated", "missing", "contradicted"]

DETERMINERS = frozenset("a an the this these its their his her our your my each every".split())
PREPOSITIONS = frozenset("of to in on at by for from with into through against between under over across along per".split())
SECOND_STEPS = (PREPOSITIONS | {"and"}) - {"of"}
"""What may follow a particle or a first preposition of place; never "of"."""
AUXILIARIES = frozenset(
    "is are was were be been being am has have had do does did can could will would shall should may might must".split()
)
CONJUNCTIONS = frozenset("and or nor as than that which who whose what where while because so since when if but though although".split())
OTHER_FUNCTION_WORDS = frozenset(
    "it he she they we you i them him us there here then thus hence therefore also only just very too more most much many some any all both "
    "such same own itself themselves one about up down out off again how why not no never s t re ve ll d m".split()
)
# These carry meaning in physics, so they count as content although they are short and common.
MEANINGFUL = frozenset("more up down out off against between under over through same all both into most one".split())
FUNCTION_WORDS = DETERMINERS | PREPOSITIONS | AUXILIARIES | CONJUNCTIONS | OTHER_FUNCTION_WORDS
NOT_CONTENT = FUNCTION_WORDS - MEANINGFUL

ARTICLES = frozenset(("a", "an", "the"))
FORMS_OF_BE = frozenset("is are was were be been being am".split())
JOINING = frozenset("and or nor than that which because while if but".split())
PRONOUNS = frozenset("it he she they we you i them him us there".split())
LONGEST_RUN = 8
"""So many words without a little word between them are a heap, not a sentence."""

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

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
CLAUSE_END = re.compile(
    r"[;:—]|\s[–-]\s|,?\s+\b(?:because|while|whereas|but|although|though|so|since|when|whenever|if|which|however|therefore|thus|hence)\b|,\s+and\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[a-z]+?n't\b|[a-z]+|\d+(?:\.\d+)?")
# "not only" adds, "no matter" admits, "no longer" is a change: none of them denies.
NO_DENIAL = re.compile(r"\b(?:not (?:only|just|merely)|no matter|no doubt|nothing but|no wonder|not to mention)\b")
TAKEN_BACK = re.compile(
    r"^\W*(?:but |however |actually |no )*(?:this|that|it|which|the (?:statement|claim|above)|all (?:of )?(?:this|that))?\s*(?:statement|claim)?\s*"
    r"(?:is|are|was|s)\s+(?:not (?:true|right|correct|so)|false|wrong|incorrect|untrue|a (?:myth|lie|misconception))\W*$"
    r"|\bthe (?:opposite|reverse|contrary) is (?:true|the case|right)\b"
)
HEDGES = frozenset("maybe perhaps possibly might guess unsure".split())

FARTHEST_APART = 7
"""Words of a key point that follow each other there stand at most so many words apart in a sentence that states it."""

MIN_WORDS_OF_A_LISTING = 40
MIN_RELEVANT_FRACTION = 0.3
"""Of the content words of a long answer, the share that question, reference or key points use; a dump of facts has less."""


def _canonical(word: str) -> str:
    """A word's stem: light suffix stripping, so that `rubs`, `rubbed`, `rubbing` meet."""
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
    for _left, _right in ((_canonical(_one), _canonical(_other)), (_canonical(_other), _canonical(_one))):
        OPPOSITE_STEMS[_left] = OPPOSITE_STEMS.get(_left, frozenset()) | {_right}

# Forms, not stems: "vibration" is no verb. Nouns that look like verbs do not make a heap of nouns a sentence.
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
INVERSELY = _canonical("inversely")
PROPORTIONAL = _canonical("proportional")
FACTORS = frozenset(_canonical(word) for word in ("double", "twice", "halve", "half", "triple", "treble", "quadruple"))
"""A clause that relates quantities by a factor must use the point's own ones: "doubles ... halves" is not "doubles ... doubles"."""


@dataclass(frozen=True)
class _Clause:
    words: tuple[str, ...]
    stems: frozenset[str]
    denials: int
    """How many words deny: an even number affirms."""
    sentence: int
    is_assertion: bool
    is_list: bool = False
    """Mostly single words between commas: they relate nothing to each other."""


def _read_clause(text: str, sentence: int, is_assertion: bool) -> _Clause:
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
    stems = frozenset(_canonical(word) for word in words if word and word not in NOT_CONTENT and word not in NEGATIONS)
    pieces = [len(WORD.findall(piece)) for piece in folded.split(",")]
    num_short = sum(piece <= 2 for piece in pieces)
    is_list = num_short >= 5 and num_short > 0.6 * len(pieces)
    return _Clause(tuple(words), stems, denials, sentence, is_assertion, is_list)


def _clauses(text: str) -> list[_Clause]:
    sentences = [sentence for sentence in SENTENCE_END.split(text) if sentence.strip()]
    clauses: list[_Clause] = []
    for number, sentence in enumerate(sentences):
        following = sentences[number + 1].lower() if number + 1 < len(sentences) else ""
        taken_back = bool(TAKEN_BACK.search(following))
        is_assertion = not sentence.rstrip(" \"'").endswith("?")
        # Split before the joining word, so that "but not ..." keeps its denial.
        cuts = [0, *(match.start() for match in CLAUSE_END.finditer(sentence)), len(sentence)]
        for start, end in pairwise(cuts):
            clause = _read_clause(sentence[start:end], number, is_assertion)
            if clause.words:
                denials = clause.denials + (1 if taken_back else 0)
                clauses.append(_Clause(clause.words, clause.stems, denials, number, is_assertion, clause.is_list))
    return clauses


def _is_odd_pair(word: str, following: str) -> bool:
    """Whether no English puts these two words side by side. `following` is empty at the end of a clause."""
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
    """Whether words stand where no English puts them: "the of", "of is", "a apple", eight key words in a row, bare lists."""
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


def _reads_as_sentence(window: Sequence[_Clause]) -> bool:
    """Whether the words are related to each other, or a mere list of key words."""
    words = [word for clause in window for word in clause.words]
    num_function = sum(word in NOT_CONTENT or word in PREPOSITIONS for word in words)
    has_verb = any(word in AUXILIARIES or word in VERB_FORMS for word in words)
    if any(clause.is_list or _is_word_salad(clause.words) for clause in window):
        return False
    if len(window) >= 3 and all(len(clause.words) <= 2 for clause in window):
        return False
    content = [_canonical(word) for word in words if word not in NOT_CONTENT]
    repeats = len(content) >= 6 and len(set(content)) < len(content) / 2
    return not repeats and (
        (has_verb and num_function >= max(1, round(0.12 * len(words)))) or (num_function >= 3 and num_function >= 0.3 * len(words))
    )


def _windows(clauses: Sequence[_Clause]) -> list[list[tuple[_Clause, ...]]]:
    """Stretches in which a point may stand, shortest first: one clause; several of a sentence; two across a sentence end."""
    by_length: list[list[tuple[_Clause, ...]]] = [[(clause,) for clause in clauses]]
    for length in range(2, 5):
        stretches = [tuple(clauses[start : start + length]) for start in range(len(clauses) - length + 1)]
        by_length.append([window for window in stretches if window[0].sentence == window[-1].sentence])
    across = [window for window in pairwise(clauses) if window[0].sentence != window[1].sentence]
    return [*by_length, list(across)]


def _offers_alternatives(window: Sequence[_Clause], point: _Clause) -> bool:
    """Whether an "or" sets a word of the point beside something the point does not say, or the whole is hedged."""
    for clause in window:
        if HEDGES & set(clause.words) - set(point.words):
            return True
        for position, word in enumerate(clause.words):
            if word != "or" or "or" in point.words:
                continue
            before = [_canonical(w) for w in clause.words[:position] if w not in NOT_CONTENT][-1:]
            after = [_canonical(w) for w in clause.words[position + 1 :] if w not in NOT_CONTENT][:1]
            if any(one in point.stems for one in before + after) and not all(one in point.stems for one in before + after):
                return True
    return False


def _stems_of(window: Sequence[_Clause]) -> frozenset[str]:
    return frozenset(stem for clause in window for stem in clause.stems)


def _holds_together(window: Sequence[_Clause], point: _Clause) -> bool:
    """Whether the point's words are related here as they are there: neighbours near each other, half of them in the same order.

    A heap of the same words in another order is no statement; a passive or a moved clause still is one.
    """
    places: dict[str, list[int]] = {}
    for place, word in enumerate(word for clause in window for word in clause.words):
        places.setdefault(_canonical(word), []).append(place)
    chain = [_canonical(word) for word in point.words if word not in NOT_CONTENT and word not in NEGATIONS]
    chain = [stem for stem in chain if stem in places]
    num_near = num_in_order = num_pairs = 0
    for one, other in pairwise(chain):
        if one == other:
            continue
        gaps = [second - first for first in places[one] for second in places[other] if second != first]
        num_pairs += 1
        num_near += any(abs(gap) <= FARTHEST_APART for gap in gaps)
        num_in_order += any(0 < gap <= FARTHEST_APART for gap in gaps)
    allowed_far = len(window) - 1  # a clause may be moved: "when the volume falls, the pressure rises"
    return num_near >= num_pairs - allowed_far and 2 * num_in_order >= num_pairs


def _find(point: _Clause, clauses: Sequence[_Clause]) -> Finding:
    """Judge one key point against the clauses of an answer."""
    allowed_missing = 1 if len(point.stems) >= 6 else 0

    def covers(window: Sequence[_Clause]) -> bool:
        stems = _stems_of(window)
        missing = point.stems - stems
        return len(missing) <= allowed_missing and not any(OPPOSITE_STEMS.get(stem, frozenset()) & stems for stem in missing)

    for clause in clauses:
        if not clause.is_assertion or (clause.denials - point.denials) % 2:
            continue
        for stem in point.stems - clause.stems:
            if point.stems - {stem} <= clause.stems and OPPOSITE_STEMS.get(stem, frozenset()) & clause.stems - point.stems:
                return "contradicted"
    finding: Finding = "missing"
    for windows in _windows(clauses):
        for window in filter(covers, windows):
            if not all(clause.is_assertion for clause in window):
                continue
            stems = _stems_of(window)
            is_denied = (sum(clause.denials for clause in window) - point.denials) % 2 == 1
            if PROPORTIONAL in point.stems and (INVERSELY in stems) != (INVERSELY in point.stems):
                is_denied = not is_denied
            if len(window) == 1 and point.stems & FACTORS and stems & FACTORS != point.stems & FACTORS:
                is_denied = True
            if is_denied and window[0].sentence == window[-1].sentence:
                return "contradicted"
            if len(window) == 1 and any(OPPOSITE_STEMS.get(stem, frozenset()) & stems - point.stems for stem in point.stems):
                continue  # "grows and shrinks" commits to neither
            if not is_denied and _reads_as_sentence(window) and _holds_together(window, point) and not _offers_alternatives(window, point):
                finding = "stated"
        if finding == "stated":
            break
    return finding


def _is_listing(clauses: Sequence[_Clause], relevant: frozenset[str]) -> bool:
    """Whether a long answer is mostly about other things: a dump of facts in the hope that some fit."""
    stems = [stem for clause in clauses for stem in clause.stems]
    return len(stems) >= MIN_WORDS_OF_A_LISTING and sum(stem in relevant for stem in stems) < MIN_RELEVANT_FRACTION * len(stems)


@dataclass(frozen=True)
class KeyPointVerdict:
    """The rule's score with its account."""

    score: float
    """0, 0.25, 0.5, 0.75 or 1."""
    findings: tuple[Finding, ...]
    """One per key point, in their order."""
    is_listing: bool

    def account(self, key_points: Sequence[str]) -> str:
        """JSON text (ASCII) that says what was found for each point."""
        points = [{"point": point, "finding": finding} for point, finding in zip(key_points, self.findings, strict=True)]
        return json.dumps({"points": points, "listing": self.is_listing, "score": self.score})

    def reasoning(self, key_points: Sequence[str]) -> str:
        """The same for a reader."""
        said = "; ".join(f"{finding}: {point}" for point, finding in zip(key_points, self.findings, strict=True))
        return f"{said}; lists everything" if self.is_listing else said


def judge_key_points(answer: str, key_points: Sequence[str], *, question: str, reference: str) -> KeyPointVerdict:
    """Score an answer by its share of stated key points, rounded down to the scale.

    0 where a point is contradicted (also if it is stated elsewhere: both cannot be meant) or the answer lists everything.
    ValueError without key points.
    """
    points = [_read_clause(point, 0, True) for point in key_points]
    if not points or any(not point.stems for point in points):
        raise ValueError(
            f"key points {list(key_points)!r}: each must hold at least one content word; write them or use another judge backend."
        )
    clauses = _clauses(answer)
    findings: tuple[Finding, ...] = tuple(_find(point, clauses) for point in points)
    relevant = _stems_of([clause for text in (question, reference, *key_points) for clause in _clauses(text)])
    is_listing = _is_listing(clauses, relevant)
    share = findings.count("stated") / len(findings)
    score = 0.0 if is_listing or "contradicted" in findings else int(share * 4 + 1e-9) / 4
    return KeyPointVerdict(score, findings, is_listing)
