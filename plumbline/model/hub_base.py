"""Fetch the base model from the hub: a pinned commit, its small files first, and the weights if these do not rule it out."""

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HfHubHTTPError

from plumbline.model.base_files import BaseRefused, hub_folder
from plumbline.model.chat_params import ChatParams
from plumbline.model.usable_base import WEIGHT_PATTERNS, refuse_config, refuse_files, refuse_tokenizer
from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.heartbeat import working

SMALL_PATTERNS = [
    "config.json",
    "adapter_config.json",
    "generation_config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "chat_template*",
]
"""Kilobytes to a few megabytes. No pickles, no code."""
HUB_PATTERNS = [*WEIGHT_PATTERNS, *SMALL_PATTERNS]


class FromHub(NamedTuple):
    """What was fetched."""

    hub_files: dict[str, str]
    """Name -> sha256 of the weights and their config, which stay in the cache."""
    pinned: dict[str, str]
    """What was pinned in the chat template."""


def fetch_from_hub(
    repo: str | None, revision: str | None, chat: ChatParams, *, dtype: str, quantization: str, folder: Path, templates: Path
) -> FromHub:
    """Write tokenizer, config and template of a pinned hub model into `folder`; the weights stay in the cache.

    `templates`: the folder of chat templates that `chat` may name. If the small files rule the model out, it is refused before the weights
    are fetched: BaseUnusable, DeviceUnfit, TemplateRefused and NoEndOfTurn say why. BaseRefused if the hub does not give the files.
    """
    if repo is None or revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise BaseRefused(
            f"base.repo is {repo!r} and base.revision {revision!r}. With source hub, give organisation/name and a commit of 40 hex digits "
            "(a branch moves, and the results with it)."
        )
    source = hub_folder(repo, revision, patterns=SMALL_PATTERNS, offline=False)
    names = file_names(repo, revision, source)
    if names is not None:
        refuse_files(repo, names)
    # Imported here: a repository that cannot be used is refused before torch and transformers load (3 s).
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

    from plumbline.model.device_support import refuse_unfit_form
    from plumbline.model.runtime import device
    from plumbline.model.weights import save_tokenizer_of

    refuse_config(repo, read_small(source / "config.json"), known_types=CONFIG_MAPPING_NAMES, causal=MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    told = read_small(source / "tokenizer_config.json")
    refuse_tokenizer(repo, told, is_known=tokenizer_class_from_name(str(told.get("tokenizer_class"))) is not None)
    refuse_unfit_form(dtype, quantization, device())
    pinned = save_tokenizer_of(source, folder, chat, templates=templates)
    with working(f"fetching the weights of {repo}"):
        source = hub_folder(repo, revision, patterns=HUB_PATTERNS, offline=False)
    weights = sorted({path for pattern in WEIGHT_PATTERNS for path in source.glob(pattern)})
    if not weights:
        raise BaseRefused(
            f"the hub does not answer, and the weights of {repo} at {revision} are not in its cache. Run `dvc repro -f base` with a network."
        )
    with working("hashing the weights"):
        return FromHub({path.name: sha256_of(path) for path in [*weights, source / "config.json"]}, pinned)


def file_names(repo: str, revision: str, source: Path) -> list[str] | None:
    """Names of all files of the repository, as the hub lists them, or of a local folder; None if the hub does not answer.

    `source`: where the small files lie.
    """
    if not source.resolve().is_relative_to(Path(constants.HF_HUB_CACHE).resolve()):
        return [path.name for path in source.iterdir()]
    try:
        return HfApi(token=os.environ.get("HF_TOKEN") or None).list_repo_files(repo, revision=revision)
    except (HfHubHTTPError, httpx2.TransportError, OSError):
        return None


def read_small(path: Path) -> dict[str, Any]:
    """The content of a small JSON file; empty if there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
