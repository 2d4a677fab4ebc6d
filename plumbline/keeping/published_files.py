"""What a published repository holds, so that one name loads base, adapter and tokenizer. Reads the run and HF_TOKEN; sends nothing."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plumbline.answering.exam_prompt import PROMPT_VERSION, exam_prompt
from plumbline.cleaning.quality_rules import holds_secret
from plumbline.keeping.model_card import answering_of, render_card
from plumbline.keeping.result_exports import RESULTS_FILE, eval_results_text
from plumbline.model.base_files import read_manifest, weights_folder
from plumbline.model.local_models import is_on_the_hub
from plumbline.pipeline.files import write_json, write_text
from plumbline.rows.question import KINDS, Question

EVALUATION = ("evaluation.json", "scores.json", "train.json", "data.json", "preflight.json")
ALLOWED = (".json", ".safetensors", ".jinja", ".md", ".model", ".txt", ".yaml")
"""A pickle runs code when it is read, so none is published."""
OUR_KEYS = frozenset(
    {"HF_TOKEN", "ANTHROPIC_API_KEY", "PLUMBLINE_JUDGE_KEY", "PLUMBLINE_SECOND_JUDGE_KEY", "PLUMBLINE_SERVE_KEY", "PLUMBLINE_VLLM_API_KEY"}
)
"""Values of these environment variables are never published, however short."""
HOLDS_KEY = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$")
"""Other variables with such names hold keys."""
KEY_CHARACTERS = 8
OTHER_KEY_CHARACTERS = 16
"""A shorter value is a word or a number, which may occur in any file."""
PART_BYTES = 1 << 22
PART_OVERLAP = 1 << 12
"""A key that crosses the end of a part is whole in the next one."""
ASCII_ALONE = bytes(range(128)) + b" " * 128
TOKENIZER_FILES = ("tokenizer", "special_tokens", "chat_template", "vocab", "merges", "added_tokens")
MADE_HERE = ("LICENSE.txt", "source.json")
"""For a base that was made here from a package: its licence, and what it was made from."""
DESCRIBES_BASE = ("manifest.json", *MADE_HERE)
"""These lie in base/, and nothing is loaded from there."""
EXAM = "exam.json"


class NotPublished(ValueError):
    """Nothing was published, or it could not be checked; the text says why and what to do."""


def payload(
    root: Path, folder: Path, *, repo: str, license: str, dataset: str | None, revision: str, benchmark: str | None = None
) -> dict[str, Path]:
    """Name in the repository -> file to send; what is made for it is written into `folder`.

    `benchmark`: its repository on the Hub, to which the results belong.
    """
    manifest = read_manifest(root / "models/base")
    config = json.loads((root / "models/adapter/adapter_config.json").read_text(encoding="utf-8"))
    # Others load the base from the Hub, or from this repository if it travels along.
    on_the_hub = is_on_the_hub(manifest)
    config |= {"base_model_name_or_path": manifest.repo if on_the_hub else repo, "revision": manifest.revision if on_the_hub else None}
    write_json(folder / "adapter_config.json", config)
    write_json(folder / EXAM, exam_of(root))
    (folder / "README.md").write_text(render_card(root, repo=repo, license=license, dataset=dataset, revision=revision), encoding="utf-8")
    # With the template that it was trained with: the Hub's may read today's date, or leave a thinking block open.
    files = {name: root / "models/base" / name for name in manifest.files if name.startswith(TOKENIZER_FILES)}
    if not on_the_hub:
        files |= base_files(root / "models/base") | files
    files |= {path.name: path for path in sorted((root / "models/adapter").iterdir())}
    files |= {name: folder / name for name in ("adapter_config.json", "README.md", EXAM)}
    files |= {f"evaluation/{name}": root / "metrics" / name for name in EVALUATION}
    if benchmark is not None:
        evaluation = json.loads((root / "metrics/evaluation.json").read_text(encoding="utf-8"))
        files[RESULTS_FILE] = folder / "eval_results.yaml"
        write_text(files[RESULTS_FILE], eval_results_text(evaluation, dataset=benchmark))
    refuse_what_must_stay(files)
    return files


def base_files(base: Path) -> dict[str, Path]:
    """A base that no hub has, next to the adapter: PEFT gives one name to both, and cannot look for the base in another folder."""
    manifest, weights = read_manifest(base), weights_folder(base)
    found = {name: weights / name for name in manifest.hub_files} | {name: base / name for name in manifest.files}
    described = {name: place / name for name in DESCRIBES_BASE for place in (weights, base) if (place / name).is_file()}
    return found | {f"base/{name}": path for name, path in described.items()}


def exam_of(root: Path) -> dict[str, Any]:
    """How the questions of the benchmark were asked: the words after a question of each kind, and a made-up prompt of each."""
    params = answering_of(root)
    instructions = params.instructions.model_dump()
    prompts = {
        kind: exam_prompt(
            Question(
                id="example",
                kind=kind,
                question="<the question>",
                choices={"A": "<first choice>", "B": "<second choice>"} if kind == "mcq" else {},
                target="A",
                unit=None,
                key_points=(),
                cluster="example",
            ),
            instructions,
        )
        for kind in KINDS
    }
    return {
        "prompt_version": PROMPT_VERSION,
        "instructions": instructions,
        "prompts": prompts,
        "decoding": {"do_sample": params.is_sampled, "max_new_tokens": params.max_new_tokens}
        | ({"temperature": params.temperature, "num_samples": params.num_samples} if params.is_sampled else {}),
    }


def refuse_what_must_stay(files: dict[str, Path]) -> None:
    """NotPublished for a file that may hold a program, or that holds what looks like a key."""
    keys = keys_of(os.environ)
    for name, path in files.items():
        if path.suffix not in ALLOWED:
            raise NotPublished(f"{path}: only {', '.join(ALLOWED)} are published, no pickles. Move it out of the folder.")
        if (found := key_in(path, keys)) is not None:
            raise NotPublished(f"{name} holds {found}, so nothing was sent. Remove it from the run, and renew the key.")


def keys_of(environment: Mapping[str, str]) -> dict[str, bytes]:
    """Variable -> key, for each variable of an environment that holds one."""
    least = {name: KEY_CHARACTERS if name in OUR_KEYS else OTHER_KEY_CHARACTERS for name in environment}
    return {
        name: value.strip().encode("utf-8", "surrogateescape")
        for name, value in environment.items()
        if (name in OUR_KEYS or HOLDS_KEY.search(name)) and len(value.strip()) >= least[name]
    }


def key_in(path: Path, keys: Mapping[str, bytes]) -> str | None:
    """The words for a key that a file holds; None if it holds none. Reads it in parts, since weights are large."""
    with path.open("rb") as stream:
        kept = b""
        while part := stream.read(PART_BYTES):
            seen = kept + part
            if variable := next((name for name, key in keys.items() if key in seen), None):
                return f"the value of {variable}"
            if holds_secret(seen.translate(ASCII_ALONE).decode("ascii")):
                return "what looks like a key"
            kept = seen[-PART_OVERLAP:]
    return None
