"""Clean one line that is not blank: a kept row, or a quarantined line with its reason. Pure."""

from plumbline.cleaning.answer_cleaning import answer_text, classify_output, output_as_it_stands
from plumbline.cleaning.classification import Classified, classify
from plumbline.cleaning.cleaned_row import Cleaned, CleanedExchange, Rejected
from plumbline.cleaning.codes import Action, Notice, OutputClass, Reason, Repair, RowRefused, Rule
from plumbline.cleaning.json_line import MAX_LINE_BYTES, LineRefused, parse_line
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.quality_rules import broken_rules, holds_secret
from plumbline.cleaning.raw_row import RawExchange, RawRow
from plumbline.cleaning.row_shapes import read_row
from plumbline.cleaning.text_repair import MendedText, is_blank, mend_text

UNTOUCHED = MendedText("", (), ())
NEVER_SHOWN = frozenset({Rule.SPECIAL_TOKEN, Rule.SECRET, Rule.PERSONAL_DATA, Rule.JUDGE_INSTRUCTION})
"""Rules that also hold for a text that is shown but not trained."""


def clean_line(raw: bytes, policy: Policy, active: frozenset[Rule]) -> Cleaned | Rejected:
    """Decide on one line that is not blank. Nothing is raised: each line is kept or rejected with its reason."""
    before = OutputClass.UNREADABLE
    try:
        if len(raw) > MAX_LINE_BYTES:
            raise LineRefused(Reason.OVERSIZE_LINE, f"{len(raw)} bytes; a line may have at most {MAX_LINE_BYTES}")
        content, line_repairs = parse_line(raw)
        row = read_row(content, policy.columns)
        if row.earlier and policy.trained_turns == "last":
            row = row._replace(earlier=tuple(exchange._replace(is_trained=False) for exchange in row.earlier))
        before, verdict = clean_row(row, line_repairs, policy, active)
    except RowRefused as refusal:
        verdict = Rejected(refusal.reason, refusal.detail, refusal.reason == Reason.OVERSIZE_LINE, before)
    # A line that is rejected for another reason may hold a key as well.
    if isinstance(verdict, Rejected) and (verdict.reason == Rule.SECRET or holds_secret(raw[:MAX_LINE_BYTES].decode("utf-8", "replace"))):
        return Rejected(verdict.reason, "key material: only length and hash of the line are kept", True, before)
    return verdict


def clean_row(row: RawRow, line_repairs: list[Repair], policy: Policy, active: frozenset[Rule]) -> tuple[OutputClass, Cleaned | Rejected]:
    """Decide on one row with its question and answer found; also return the class of its output."""
    seen = classify_output(row.output)
    try:
        return seen.kind, cleaned_or_rejected(row, seen, line_repairs, policy, active)
    except RowRefused as refusal:
        return seen.kind, Rejected(refusal.reason, refusal.detail, False, seen.kind)


def cleaned_or_rejected(
    row: RawRow, seen: Classified, line_repairs: list[Repair], policy: Policy, active: frozenset[Rule]
) -> Cleaned | Rejected:
    """Convert and repair one row, prove that nothing is lost, and apply the quality rules."""
    if not policy.standardize:
        return as_it_stands(row, seen, line_repairs, policy, active)
    repairs: list[str] = list(line_repairs)
    flags: list[str] = [Notice.EXTRA_KEYS] if row.has_extra_keys else []
    earlier = tuple(cleaned_exchange(exchange, repairs, flags) for exchange in row.earlier)
    instruction = mend_text(row.instruction)
    input_text = mend_text(row.input) if row.input else UNTOUCHED
    output, after = answer_text(row.instruction, row.output, seen, repairs, flags)
    if is_blank(instruction.text):
        raise LineRefused(Reason.EMPTY_FIELD, "instruction is empty")
    for repaired in (instruction, input_text):
        repairs += repaired.repairs
        flags += repaired.notices
    texts = (instruction.text, input_text.text, output)
    return judged(Cleaned(*texts, tuple(repairs), tuple(flags), seen.kind, after, earlier), policy, active)


def cleaned_exchange(exchange: RawExchange, repairs: list[str], flags: list[str]) -> CleanedExchange:
    """An earlier exchange as text, with its repairs and flags added; LineRefused if it cannot be shown."""
    user = mend_text(exchange.user)
    if is_blank(user.text):
        raise LineRefused(Reason.EMPTY_FIELD, "an earlier user turn is empty")
    answer, _ = answer_text(exchange.user, exchange.assistant, classify_output(exchange.assistant), repairs, flags)
    repairs += user.repairs
    flags += user.notices
    return CleanedExchange(user.text, answer, exchange.is_trained)


def as_it_stands(row: RawRow, seen: Classified, line_repairs: list[Repair], policy: Policy, active: frozenset[Rule]) -> Cleaned | Rejected:
    """Keep a row's texts unchanged: what training sees without cleaning."""
    output = output_as_it_stands(row.output)
    earlier = tuple(CleanedExchange(one.user, output_as_it_stands(one.assistant), one.is_trained) for one in row.earlier)
    shown = [(name, text) for one in earlier for name, text in (("an earlier user turn", one.user), ("an earlier answer", one.assistant))]
    for name, text in (("instruction", row.instruction), ("output", output), *shown):
        if is_blank(text):
            raise LineRefused(Reason.EMPTY_FIELD, f"{name} is empty")
    flags = (Notice.EXTRA_KEYS,) if row.has_extra_keys else ()
    after = seen.kind if output is row.output else classify(output).kind
    return judged(Cleaned(row.instruction, row.input, output, tuple(line_repairs), flags, seen.kind, after, earlier), policy, active)


def judged(row: Cleaned, policy: Policy, active: frozenset[Rule]) -> Cleaned | Rejected:
    """Apply the quality rules: the row with their flags, or the first rule that puts it aside."""
    broken = rules_broken_by(row, policy, active)
    for rule in broken:
        if policy.actions[rule] is Action.QUARANTINE:
            return Rejected(rule, f"quality rule {rule}", rule == Rule.SECRET, row.before)
    if not row.repairs and not row.flags and not broken:
        return row
    return row._replace(repairs=tuple(sorted(set(row.repairs))), flags=tuple(sorted({*row.flags, *broken})))


def rules_broken_by(row: Cleaned, policy: Policy, active: frozenset[Rule]) -> list[Rule]:
    """The active rules that a row breaks, in the order of `Rule`. For an answer that is not trained, only `NEVER_SHOWN` counts."""

    def broken(asked: str, about: str, answered: str, rules: frozenset[Rule]) -> list[Rule]:
        limits = {"min_output_characters": policy.min_output_characters, "max_output_characters": policy.max_output_characters}
        return broken_rules(asked, about, answered, active=rules, **limits)

    if not row.earlier:
        return broken(row.instruction, row.input, row.output, active)
    # After another exchange, an answer may refer to what was said before, as it may to an input.
    found = set(broken(row.instruction, row.input or " ", row.output, active))
    for place, one in enumerate(row.earlier):
        found |= set(broken(one.user, " " if place else "", one.assistant, active if one.is_trained else active & NEVER_SHOWN))
    return [rule for rule in Rule if rule in found]
