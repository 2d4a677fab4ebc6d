"""Table of the words that declare an answer in languages other than English, one line per language. Pure.

To cover another language, add its line, and a case to tests/golden/grading_cases.jsonl.
"""

import re
from typing import NamedTuple

from plumbline.grading.patterns import bounded


class Cues(NamedTuple):
    """The words that declare an answer in one language. Each field is a pattern of alternatives."""

    noun: str
    """Words for the answer: "the right answer"."""
    verb: str
    """Words between the noun and the answer. A colon or an equals sign is always allowed."""
    article: str
    """Words that may come before the letter: "die", "la opción"."""
    denial: str
    """Words that take the declaration back, before the answer or directly after it."""
    choice: str = r"(?!)"
    """Words that point at a letter without a noun: "也选B"."""


LANGUAGES: dict[str, Cues] = {
    "German": Cues(
        r"(?:(?:richtige|korrekte|endgültige)\s+)?(?:antwort|lösung|ergebnis)", r"ist|lautet|wäre", r"die|der|das|option|antwort", r"nicht|kein\w*|weder"
    ),
    "French": Cues(
        r"(?:bonne\s+)?(?:réponse|résultat)(?:\s+(?:correcte|exacte|finale?))?", r"est|serait", r"la|le|l['’]|option|lettre|réponse", r"pas|ni|aucun\w*"
    ),
    "Spanish": Cues(
        r"(?:respuesta|resultado|opción)(?:\s+(?:correct[oa]|final))?", r"es|sería", r"la|el|opción|letra|alternativa", r"no|ni|ningun\w*"
    ),
    "Portuguese": Cues(
        r"(?:resposta|resultado|alternativa|opção)(?:\s+(?:corret[oa]|cert[oa]|final))?", r"é|seria", r"a|o|letra|opção|alternativa", r"não|nem"
    ),
    "Italian": Cues(
        r"(?:risposta|risultato|opzione)(?:\s+(?:corrett[oa]|esatt[oa]|giust[oa]|finale))?", r"è|sarebbe", r"la|il|lettera|opzione", r"non|né"
    ),
    "Dutch": Cues(r"(?:(?:juiste|correcte|goede)\s+)?(?:antwoord|resultaat)", r"is|luidt", r"optie|de|het", r"niet|geen"),
    "Polish": Cues(
        r"(?:(?:prawidłowa|poprawna|ostateczna)\s+)?(?:odpowiedź|wynik)", r"to|jest|brzmi|wynosi", r"opcja|odpowiedź", r"nie|ani"
    ),
    "Russian": Cues(r"(?:(?:правильный|верный|окончательный)\s+)?ответ", r"это|—|–|-", r"вариант|буква", r"не|ни"),
    "Turkish": Cues(r"(?:doğru\s+)?(?:cevap|yanıt)", r"şudur", r"seçenek|şık", r"değil\w*"),
    "Chinese": Cues(
        r"(?:正确|最终|最後|最后|正確)?(?:的)?(?:答案|选项|選項)(?:应该|應該|应|就)?", r"是|为|為|选|選", r"选项|選項|选|選", r"不|非|没有",
        choice=r"(?:故|应|應|所以|因此|也|就)(?:选|選)(?:择|擇)?|(?:选|選)(?:择|擇)",
    ),
    "Japanese": Cues(r"(?:最終的な)?(?:答え|正解|解答|回答)", r"は", r"選択肢", r"(?:で|じゃ)は?な[いく]|ではありません|以外"),
    "Korean": Cues(r"(?:정답|최종\s*답|답안|답)", r"은|는", r"선택지", r"아니\w*|아닙\w*"),
}  # fmt: skip
UNSPACED = frozenset({"Chinese", "Japanese", "Korean"})


def compile_cues(language: str, cues: Cues) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return two patterns of a language: one declares an answer, the other denies it after the answer."""
    starts, ends = ("", "") if language in UNSPACED else (r"(?<![^\W\d_])", r"(?![A-Za-zÀ-ž])")
    declared = bounded(
        rf"""
        (?: {starts} (?:{cues.noun}) \s* (?: [:=：] | (?:{cues.verb}){ends} \s* [:：]? ) | {cues.choice} ) \s*
        (?: (?:{cues.article}){ends} \s* ){{0,2}}
        """,
        re.IGNORECASE | re.VERBOSE,
    )
    denied = bounded(
        rf"(?: \W{{0,4}} \w{{0,2}} )? [^\S\n]* [)\]]? [^\S\n]* [が가이은는は]? \s* (?:{cues.denial}) {ends}", re.IGNORECASE | re.VERBOSE
    )
    return declared, denied


COMPILED = {language: compile_cues(language, cues) for language, cues in LANGUAGES.items()}
# One search for all languages: most answers are in English. If you add a language, add the beginnings of its nouns here.
STEMS = (
    "antwort", "lösung", "ergebnis", "réponse", "résultat", "respuesta", "resultado", "opción", "resposta", "alternativa", "opção", "risposta",
    "risultato", "opzione", "antwoord", "resultaat", "odpowied", "wynik", "ответ", "cevap", "yanıt", "答", "选", "選", "正解", "답",
)  # fmt: skip


DENIED_BEFORE = bounded(
    rf"(?<![^\W\d_]) (?: {'|'.join(cues.denial for language, cues in LANGUAGES.items() if language not in UNSPACED)} ) \W{{1,4}} (?: \w{{1,3}} \W{{1,4}} )? $",
    re.IGNORECASE | re.VERBOSE,
)


def denied_before(text: str, place: int) -> bool:
    """Say whether a word of another language denies the text at a place: "nicht (B)", "no es (B)"."""
    return DENIED_BEFORE.search(text, max(0, place - 30), place) is not None


def declared_abroad(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of every declaration in another language; the answer follows after its end. Denied ones are left out."""
    small = text.lower()
    if not any(stem in small for stem in STEMS):
        return []
    return sorted(
        (match.start(), match.end())
        for declared, denied in COMPILED.values()
        for match in declared.finditer(text)
        if not denied.match(text, match.end())
    )
