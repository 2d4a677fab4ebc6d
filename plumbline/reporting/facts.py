"""The metrics of other stages as lines that a person reads: names in words, values rounded, zeros gathered. Pure."""

import re
from collections.abc import Mapping

from plumbline.number_text import counted
from plumbline.reporting.validity import Severity

MANY = 8
"""If a table of counts has more lines than this, its zeros are gathered."""
NAMES = {
    "base_nll": "base",
    "tuned_nll": "tuned",
    "increase_low": "increase, 95 % interval from",
    "increase_high": "increase, 95 % interval to",
    "scale": "LoRA scale",
    "update_norm_ratio": "largest norm of update / weight",
    "lr_schedule": "learning rate schedule",
    "cost_usd": "cost, USD",
    "p50": "half are up to",
    "p90": "90 % are up to",
    "p99": "99 % are up to",
    "max": "longest",
}
"""Words for keys that a reader would not understand, or that lack their unit."""
TITLES = {
    "validation_loss": "validation loss, nats a token",
    "forgetting": "forgetting, nats a token",
    "classes_before": "classes of the outputs, before",
    "classes_after": "classes of the outputs, after",
    "output_characters": "length of the outputs, characters",
}


def name_of(key: str) -> str:
    """A key of a JSON document in words; the name of a file stays as it is."""
    return NAMES.get(key) or (key if "." in key else key.removeprefix("num_").replace("_", " "))


def capital(words: str) -> str:
    """Words as a heading."""
    return f"{words[0].upper()}{words[1:]}"


def short(text: str) -> str:
    """A hash by its first characters: no one reads the rest, and evaluation.json has it."""
    return text[:16] if re.fullmatch("[0-9a-f]{40,64}", text) else text


def facts(document: object, prefix: str = "") -> list[tuple[str, str]]:
    """(name, value) lines of a JSON document, however nested; lists as their values or their length."""
    if isinstance(document, Mapping):
        lines: list[tuple[str, str]] = []
        for key, value in document.items():
            name = name_of(str(key))
            lines += facts(value, f"{prefix} · {name}" if prefix else name)
        return lines
    return [(prefix, shown(document))]


def shown(value: object) -> str:
    """A value of a JSON document for reading."""
    if isinstance(value, list):
        listed = len(value) <= 12 and all(isinstance(one, str | int | float) for one in value)
        return ", ".join(str(one) for one in value) if listed else f"{len(value)} entries"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else short(str(value)) or "(empty)"


def fact_groups(document: Mapping[str, object], title: str) -> list[dict[str, object]]:
    """A JSON document of another stage as tables: its scalars under `title`, each of its objects under its own name.

    If there are many counts, those that are 0 share one line.
    """
    plain = {name: value for name, value in document.items() if not isinstance(value, Mapping)}
    groups: list[dict[str, object]] = [{"title": capital(title), "facts": facts(plain)}] if plain else []
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            zeros = [key for key, count in value.items() if count == 0 and not isinstance(count, bool)] if len(value) > MANY else []
            lines = facts({key: count for key, count in value.items() if key not in zeros})
            if zeros:
                lines.append((counted(len(zeros), "other measure is", "other measures are"), "0"))
            groups.append({"title": capital(TITLES.get(name) or name_of(name)), "facts": lines})
    return groups


def checks_of(preflight: Mapping[str, object]) -> list[dict[str, object]]:
    """The checks of metrics/preflight.json, each `status: what was found`, as the report shows its own."""
    checks = preflight["checks"]
    assert isinstance(checks, Mapping)
    lines: list[dict[str, object]] = []
    for name, text in checks.items():
        status, found = str(text).split(": ", 1)
        lines.append(
            {
                "name": name_of(name),
                "ok": status == "pass",
                "severity": Severity.WARNING if status == "warn" else Severity.INVALID,
                "detail": found,
                "text": f"{name_of(name)}: {found}",
            }
        )
    return lines
