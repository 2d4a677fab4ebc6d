"""Count the tokens of texts and conversations as the base model sees them, without torch or transformers. Reads models/base.

It renders a chat template as transformers does: in Jinja's sandbox, with the same extensions, filters and globals.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from plumbline.answering.longest_prompt import longest_sequence
from plumbline.pipeline.refused import Refused

NUM_REMEMBERED = 4096
SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class _Generation(Extension):
    """The block `{% generation %}`, which marks the trained text and adds none."""

    tags = {"generation"}  # noqa: RUF012 -- as jinja declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The nodes inside the block."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _tojson(content: object, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(content, ensure_ascii=ensure_ascii, indent=indent, **options)


class BaseTokenizer:
    """The tokenizer and chat template of models/base, and the most tokens that the model takes."""

    def __init__(self, base: Path) -> None:
        """Refused if the folder lacks its tokenizer or template."""
        for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
            if not (base / name).is_file():
                raise Refused(f"{base / name} is missing, so no prompt can be measured. Run `dvc repro base`.")
        self._tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        self._tokenizer.no_truncation()
        told = json.loads((base / "tokenizer_config.json").read_text(encoding="utf-8"))
        config = json.loads((base / "config.json").read_text(encoding="utf-8")) if (base / "config.json").is_file() else {}
        self.limit = longest_sequence(config, told)
        self._special = {name: text for name in SPECIAL_TOKENS if (text := _text_of(told.get(name))) is not None}
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
        environment.filters["tojson"] = _tojson
        environment.globals["raise_exception"] = _refuse
        self._template = environment.from_string((base / "chat_template.jinja").read_text(encoding="utf-8"))
        self.count = lru_cache(maxsize=NUM_REMEMBERED)(self._count)

    def _count(self, text: str) -> int:
        """Tokens of a text, without the tokens that a model adds at its ends."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        return [len(one.ids) for one in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def conversation(self, messages: Sequence[tuple[str, str]]) -> str:
        """The prompt of a conversation of (role, content), up to the model's answer. Refused if the template refuses it."""
        shown = [{"role": role, "content": content} for role, content in messages]
        try:
            return self._template.render(messages=shown, tools=None, documents=None, add_generation_prompt=True, **self._special)
        except TemplateError as error:
            raise Refused(
                f"The chat template of the base refuses a prompt of {len(messages)} messages ({error}). "
                "Name another template in base.chat_template, or give no arm a context with examples."
            ) from None


def _text_of(token: object) -> str | None:
    """A special token from tokenizer_config.json: a text, or an object with its content."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else None
