"""Fix in a chat template what it would read from outside: today's date, whether to think, and which of several templates it is.

The pinned values stand at the start of the template itself. So training, answering, merged and published models render the same ids on every day
and in every program that loads them.
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.model.assistant_turn import PROBES
from plumbline.pipeline.refused import Refused

if TYPE_CHECKING:  # a base without a template is refused before transformers is loaded
    from transformers import PreTrainedTokenizerBase

THINKING_VARIABLES = ("enable_thinking", "thinking")
"""Names that templates give to the switch of their thinking block: the first in Qwen, GLM, Nemotron and SmolLM3; the second in Granite and DeepSeek."""


DATE_CALL = re.compile(r"""strftime_now\(\s*(?P<quote>['"])(?P<format>.*?)(?P=quote)\s*\)""")


class TemplateRefused(Refused):
    """The base model has no chat template that can be used as asked."""


def chosen_template(shipped: str | Mapping[str, str] | None, chosen: str | None, *, folder: Path) -> str:
    """The text of the template to use.

    `shipped`: of the tokenizer, one text or several by name; `chosen`: `base.chat_template`, a name among those or a file of `folder`.
    TemplateRefused lists what there is.
    """
    named = shipped if isinstance(shipped, Mapping) else {}
    ours = {path.name.removesuffix(".jinja"): path for path in sorted(folder.glob("*.jinja"))}
    if chosen is not None:
        if chosen in named:
            return named[chosen]
        if chosen in ours:
            return ours[chosen].read_text(encoding="utf-8")
        there = ", ".join([*named, *ours])
        raise TemplateRefused(
            f"base.chat_template is {chosen!r}, but the templates are: {there}. Name one of these, or put a file <name>.jinja into {folder}."
        )
    if isinstance(shipped, str):
        return shipped
    if "default" in named:
        return named["default"]
    if named:
        raise TemplateRefused(
            f"the base model has several chat templates and no default. Set base.chat_template to one of {', '.join(named)}."
        )
    raise TemplateRefused(
        "the base model has no chat template, so it was not trained to answer. Name an instruct model, "
        f"or set base.chat_template to one of {', '.join(ours)} (files of {folder})."
    )


def pin_template(tokenizer: "PreTrainedTokenizerBase", *, today: date, thinking: bool) -> dict[str, str]:
    """Write `today` and `thinking` into the tokenizer's template if it asks for them. Returns what was pinned, by name.

    TemplateRefused if `thinking` is asked of a template without a thinking block.
    """
    pinned: dict[str, str] = {}
    lines: list[str] = []
    if "strftime_now" in str(tokenizer.chat_template):
        lines.append(_clock_that_stands(str(tokenizer.chat_template), today))
        pinned["date"] = today.isoformat()
    if switches := [name for name in THINKING_VARIABLES if _texts(tokenizer, **{name: True}) != _texts(tokenizer, **{name: False})]:
        lines += [f"{{%- set {name} = {'true' if thinking else 'false'} -%}}" for name in switches]
        pinned["thinking"] = "on" if thinking else "off"
    elif thinking:
        raise TemplateRefused(
            "base.thinking is true, but the chat template of this base has no thinking block. Set base.thinking to false."
        )
    tokenizer.chat_template = "".join(lines) + str(tokenizer.chat_template)
    return pinned


def _clock_that_stands(template: str, today: date) -> str:
    """A macro that replaces transformers' `strftime_now`: it gives this date in the formats that the template asks for."""
    formats = dict.fromkeys(found["format"] for found in DATE_CALL.finditer(template))
    cases = "".join(f"{{%- if format == {json.dumps(asked)} -%}}{today.strftime(asked)}{{%- else -%}}" for asked in formats)
    return f"{{%- macro strftime_now(format) -%}}{cases}{today.isoformat()}{'{%- endif -%}' * len(formats)}{{%- endmacro -%}}"


def _texts(tokenizer: "PreTrainedTokenizerBase", **variables: object) -> list[object]:
    """An exchange as it is shown in answering and in training."""
    user, assistant = {"role": "user", "content": "?"}, {"role": "assistant", "content": PROBES[0]}
    asked = tokenizer.apply_chat_template([user], tokenize=False, add_generation_prompt=True, **variables)  # type: ignore[arg-type]
    return [asked, tokenizer.apply_chat_template([user, assistant], tokenize=False, **variables)]  # type: ignore[arg-type]
