"""Turn one answer into plain text, or refuse it. Pure."""

import json

from plumbline.cleaning.asked_structure import asked_notice
from plumbline.cleaning.classification import Classified, classify, from_python_objects
from plumbline.cleaning.codes import STRUCTURED, OutputClass, Reason, Repair
from plumbline.cleaning.json_line import LineRefused, json_type
from plumbline.cleaning.latex_repair import restore_swallowed
from plumbline.cleaning.plain_text import lost, to_plain_text, unwrap
from plumbline.cleaning.structured_value import Members, Value, Written
from plumbline.cleaning.text_repair import is_blank, mend_text


def answer_text(question: str, output: object, seen: Classified, repairs: list[str], flags: list[str]) -> tuple[str, OutputClass]:
    """An answer as plain text, and its class; add its repairs and flags. LineRefused if it is not an answer."""
    asked = asked_notice(question, output, seen)
    if asked:
        flags.append(asked)
    repaired = mend_text(str(output) if asked else converted(output, seen, repairs))
    if is_blank(repaired.text):
        raise LineRefused(Reason.EMPTY_FIELD, "output is empty")
    after = seen.kind if repaired.text == output else classify(repaired.text).kind
    if after in STRUCTURED and not asked:
        raise LineRefused(Reason.STRUCTURED_RESIDUE, f"the cleaned text still reads as {after}")
    repairs += repaired.repairs
    flags += repaired.notices
    return repaired.text, after


def output_as_it_stands(output: object) -> str:
    """The output unchanged if it is text, else as JSON; null becomes an empty text."""
    return output if isinstance(output, str) else "" if output is None else json.dumps(output, ensure_ascii=False)


def classify_output(output: object) -> Classified:
    """Classify an output field, whatever type it has."""
    if output is None or (isinstance(output, str) and is_blank(output)):
        return Classified(OutputClass.EMPTY, None, frozenset())
    if isinstance(output, str):
        return classify(output)
    try:
        return Classified(OutputClass.WRONG_TYPE, from_python_objects(output), frozenset())
    except ValueError:
        return Classified(OutputClass.WRONG_TYPE, None, frozenset())


def converted(output: object, seen: Classified, repairs: list[str]) -> str:
    """The output as plain text, a number as JSON shows it; add the repairs. LineRefused if a value would be lost."""
    if seen.value is None:
        if seen.kind == OutputClass.WRONG_TYPE:
            raise LineRefused(
                Reason.WRONG_TYPE,
                f"output is a JSON {json_type(output)}; write the answer out as text, a number, an object or a list",
            )
        if seen.kind == OutputClass.BROKEN_JSON:
            raise LineRefused(
                Reason.STRINGIFIED_JSON, f"the output begins as JSON but has no single reading: {', '.join(sorted(seen.faults))}"
            )
        return "" if output is None else str(output)
    unwrapped = unwrap(seen.value)
    # Restore first: a form that puts an answer on one line would read a swallowed `\theta` as a tab.
    value = restored(unwrapped)
    if value != unwrapped:
        repairs.append(Repair.LATEX_ESCAPE_SWALLOWED)
    text = to_plain_text(value)
    if missing := lost(value, text):
        raise LineRefused(Reason.VALUE_LOST, f"the text would lack {missing}")
    repairs.append(Repair.WRONG_TYPE if seen.kind == OutputClass.WRONG_TYPE else Repair.STRINGIFIED_JSON)
    if seen.kind in (OutputClass.PYTHON_LITERAL, OutputClass.ENCODED_TWICE):
        repairs.append(seen.kind)
    repairs.extend(seen.faults)
    return text


def restored(value: Value) -> Value:
    """A value with the swallowed LaTeX commands in its keys and texts restored."""
    if isinstance(value, Members):
        return Members((restore_swallowed(key).text, restored(item)) for key, item in value)
    if isinstance(value, list):
        return [restored(item) for item in value]
    return value if isinstance(value, Written) else restore_swallowed(value).text
