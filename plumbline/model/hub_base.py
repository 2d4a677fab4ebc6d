"""Bring in the base model from the hub: a pinned commit, safetensors alone, and the sha256 of each file of weights."""

import re
from pathlib import Path
from typing import NamedTuple

from plumbline.model.base_files import BaseRefused, hub_folder
from plumbline.model.chat_params import ChatParams
from plumbline.pipeline.files import sha256_of

WEIGHT_PATTERNS = ["model*.safetensors", "model*.safetensors.index.json"]
"""As transformers names them: repositories of Mistral hold `consolidated.safetensors` besides, the same 14.5 GB in another layout."""
HUB_PATTERNS = [
    *WEIGHT_PATTERNS,
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "chat_template*",
]
"""No pickles, no code."""


class FromHub(NamedTuple):
    """What was brought in."""

    hub_files: dict[str, str]
    """Name -> sha256 of the weights and their config, which stay in the cache."""
    pinned: dict[str, str]
    """What was pinned in the chat template."""


def fetch_from_hub(repo: str | None, revision: str | None, chat: ChatParams, *, folder: Path, templates: Path) -> FromHub:
    """Write tokenizer, config and template of a pinned hub model into `folder`; the weights stay in the cache.

    `templates`: the folder of chat templates that `chat` may name.
    """
    if repo is None or revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise ValueError(
            f"base.repo is {repo!r} and base.revision {revision!r}: with source hub, give organisation/name and a commit of 40 hex digits "
            "(a branch moves, and the results with it)."
        )
    source = hub_folder(repo, revision, patterns=HUB_PATTERNS, offline=False)
    weights = sorted({path for pattern in WEIGHT_PATTERNS for path in source.glob(pattern)})
    if not weights:
        raise BaseRefused(
            f"{repo} at {revision} holds no safetensors named {' or '.join(WEIGHT_PATTERNS)}; pickled weights are not loaded. "
            "Name a repository that has them."
        )
    # Imported here: a repository that cannot be used is refused before torch and transformers are waited for (3 s).
    from plumbline.model.weights import save_tokenizer_of

    pinned = save_tokenizer_of(source, folder, chat, templates=templates)
    return FromHub({path.name: sha256_of(path) for path in [*weights, source / "config.json"]}, pinned)
