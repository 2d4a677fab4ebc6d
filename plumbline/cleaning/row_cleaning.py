"""Clean one line: a kept row, a quarantined line with its reason, or nothing for a blank one. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from plumbline.cleaning.classification import Classified, classify, from_python_objects
from plumbline.cleaning.codes import STRUCTURED, Action, Notice, OutputClass, Reason, Repair, RowRefused, Rule
from plumbline.cleaning.json_line import MAX_LINE_BYTES, LineRefused, parse_line
from plumbline.cleaning.latex_repair import restore_swallowed
from plumbline.cleaning.plain_text import lost, to_plain_text, unwrap
from plumbline.cleaning.quality_rules import broken_rules, holds_secret
from plumbline.cleaning.row_shapes import SHAPES, RawRow
from plumbline.cleaning.structured_value import Members, Value, Written
from plumbline.cleaning.text_repair import MendedText, is_blank, mend_text

UNTOUCHED = MendedText("", (), ())
ASKS_FOR_JSON = re.compile(r"\bJSON\b")


@dataclass(frozen=True)
class Policy:
    """What params.yaml says about rows."""

    shape: str
    actions: Mapping[Rule, Action]
    min_output_characters: int
    max_output_characters: int
    standardize: bool = True
    """False: every text stays as it stands; the quality rules still apply."""

    @property
    def active(self) -> frozenset[Rule]:
        """Rules that are not switched off."""
        return frozenset(rule for rule, action in self.actions.items() if action is not Action.OFF)


class Cleaned(NamedTuple):
    """A row to keep."""

    instruction: str
    input: str
    output: str
    repairs: tuple[str, ...]
    flags: tuple[str, ...]
    before: OutputClass
    after: OutputClass


class Rejected(NamedTuple):
    """A line to quarantine."""

    reason: str
    detail: str
    redacted: bool
    """The line must not be copied: only its length and hash are kept."""
    before: OutputClass


def clean_line(raw: bytes, policy: Policy, active: frozenset[Rule]) -> Cleaned | Rejected:
    """Decide on one line that is not blank. Nothing is raised: each line is kept or rejected with its reason."""
    before = OutputClass.UNREADABLE
    try:
        if len(raw) > MAX_LINE_BYTES:
            raise LineRefused(Reason.OVERSIZE_LINE, f"{len(raw)} bytes; lines up to {MAX_LINE_BYTES} are read")
        content, line_repairs = parse_line(raw)
        row = SHAPES[policy.shape](content)
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
    """Convert, repair, prove and judge one row."""
    if not policy.standardize:
        return as_it_stands(row, seen, line_repairs, policy, active)
    repairs: list[str] = list(line_repairs)
    flags: list[str] = [Notice.EXTRA_KEYS] if row.has_extra_keys else []
    instruction = mend_text(row.instruction)
    input_text = mend_text(row.input) if row.input else UNTOUCHED
    asked = "JSON" in row.instruction and ASKS_FOR_JSON.search(row.instruction) is not None and isinstance(row.output, str)
    if asked and (seen.value is not None or seen.kind == OutputClass.BROKEN_JSON):
        flags.append(Notice.JSON_REQUESTED)
        plain = str(row.output)
    else:
        plain = converted(row.output, seen, repairs)
    output = mend_text(plain)
    for name, mended in (("instruction", instruction), ("output", output)):
        if is_blank(mended.text):
            raise LineRefused(Reason.EMPTY_FIELD, f"{name} is empty")
    after = seen.kind if output.text == row.output else classify(output.text).kind
    if after in STRUCTURED and Notice.JSON_REQUESTED not in flags:
        raise LineRefused(Reason.STRUCTURED_RESIDUE, f"the cleaned text still reads as {after}")
    for mended in (instruction, input_text, output):
        repairs += mended.repairs
        flags += mended.notices
    return judged(Cleaned(instruction.text, input_text.text, output.text, tuple(repairs), tuple(flags), seen.kind, after), policy, active)


def output_as_it_stands(row: RawRow) -> str:
    """The output without a change; one that is no text becomes its JSON."""
    return row.output if isinstance(row.output, str) else json.dumps(row.output, ensure_ascii=False)


def as_it_stands(row: RawRow, seen: Classified, line_repairs: list[Repair], policy: Policy, active: frozenset[Rule]) -> Cleaned | Rejected:
    """Keep a row's texts without a change: what training sees where no one cleans."""
    output = output_as_it_stands(row)
    for name, text in (("instruction", row.instruction), ("output", output)):
        if is_blank(text):
            raise LineRefused(Reason.EMPTY_FIELD, f"{name} is empty")
    flags = (Notice.EXTRA_KEYS,) if row.has_extra_keys else ()
    after = seen.kind if output is row.output else classify(output).kind
    return judged(Cleaned(row.instruction, row.input, output, tuple(line_repairs), flags, seen.kind, after), policy, active)


def judged(row: Cleaned, policy: Policy, active: frozenset[Rule]) -> Cleaned | Rejected:
    """Apply the quality rules: the row with their flags, or the first rule that puts it aside."""
    broken = broken_rules(
        row.instruction,
        row.input,
        row.output,
        active=active,
        min_output_characters=policy.min_output_characters,
        max_output_characters=policy.max_output_characters,
    )
    for rule in broken:
        if policy.actions[rule] is Action.QUARANTINE:
            return Rejected(rule, f"quality rule {rule}", rule == Rule.SECRET, row.before)
    if not row.repairs and not row.flags and not broken:
        return row
    repairs, flags = tuple(sorted(set(row.repairs))), tuple(sorted({*row.flags, *broken}))
    return Cleaned(row.instruction, row.input, row.output, repairs, flags, row.before, row.after)


def classify_output(output: object) -> Classified:
    """Classify an output field, whatever type it has."""
    if isinstance(output, str):
        return Classified(OutputClass.EMPTY, None, frozenset()) if is_blank(output) else classify(output)
    try:
        return Classified(OutputClass.WRONG_TYPE, from_python_objects(output), frozenset())
    except ValueError:
        return Classified(OutputClass.WRONG_TYPE, None, frozenset())


def converted(output: object, seen: Classified, repairs: list[str]) -> str:
    """The output as plain text, with the repairs it took added; LineRefused where a value would be lost."""
    if seen.value is None:
        if seen.kind == OutputClass.WRONG_TYPE:
            raise LineRefused(
                Reason.WRONG_TYPE, f"output is a {type(output).__name__}; text, or an object or list that can become text, is read"
            )
        if seen.kind == OutputClass.BROKEN_JSON:
            raise LineRefused(
                Reason.STRINGIFIED_JSON, f"the output begins as JSON and has no single reading: {', '.join(sorted(seen.faults))}"
            )
        return str(output)
    unwrapped = unwrap(seen.value)
    # Before writing: a form that sets an answer on one line would take a swallowed `\theta` for a tab.
    value = restored(unwrapped)
    if value != unwrapped:
        repairs.append(Repair.LATEX_ESCAPE_SWALLOWED)
    text = to_plain_text(value)
    if missing := lost(value, text):
        raise LineRefused(Reason.VALUE_LOST, f"the text would not carry {missing}")
    repairs.append(Repair.WRONG_TYPE if seen.kind == OutputClass.WRONG_TYPE else Repair.STRINGIFIED_JSON)
    if seen.kind in (OutputClass.PYTHON_LITERAL, OutputClass.ENCODED_TWICE):
        repairs.append(seen.kind)
    repairs.extend(seen.faults)
    return text


def restored(value: Value) -> Value:
    """A value with the swallowed LaTeX commands of its keys and texts put back."""
    if isinstance(value, Members):
        return Members((restore_swallowed(key).text, restored(item)) for key, item in value)
    if isinstance(value, list):
        return [restored(item) for item in value]
    return value if isinstance(value, Written) else restore_swallowed(value).text


def row_id(instruction: str, input_text: str, output: str) -> str:
    """Hash of a row's content: stable when rows are added or reordered."""
    return hashlib.sha256(f"{instruction}\0{input_text}\0{output}".encode()).hexdigest()[:16]


def content_keys(row: Cleaned) -> tuple[bytes, bytes]:
    """16-byte keys of the question and of the whole row; texts that differ in white space only are equal."""
    question = single_spaced(row.instruction)
    if row.input:
        question += "\0" + single_spaced(row.input)
    asked = hashlib.blake2b(question.encode(), digest_size=16).digest()
    return asked, hashlib.blake2b(asked + single_spaced(row.output).encode(), digest_size=16).digest()


def single_spaced(text: str) -> str:
    """The text with every run of white space as one blank, and none at its ends."""
    # A printable text has no white space but blanks; where no two stand together and none at an end, nothing is to do.
    if text.isprintable() and "  " not in text and not text.startswith(" ") and not text.endswith(" "):
        return text
    return " ".join(text.split())
