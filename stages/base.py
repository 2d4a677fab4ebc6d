"""Bring in the base model: trained here from the corpus, or pinned on the hub by revision and checksums."""

import logging
import re
from pathlib import Path
from typing import Literal

import plumbline.model.quiet  # noqa: F401
from plumbline.embedded.passage import Passage
from plumbline.model.base_files import BaseRefused, hub_folder, write_manifest
from plumbline.pipeline.files import replacing_folder, sha256_of
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.rows.manifest import Manifest

log = logging.getLogger("base")

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


class EmbeddedParams(Params):
    """Size and training of the model made here."""

    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    vocab_size: int
    block_tokens: int
    """Tokens of a training row; longer texts are cut."""
    rows_per_step: int
    epochs: int
    learning_rate: float
    """Of embeddings and norms (AdamW)."""
    muon_learning_rate: float
    """Of the matrices (Muon)."""
    num_threads: int
    """Part of the result: the order of sums depends on it."""
    seed: int


class BaseParams(Params):
    """Which base model, and how its weights are loaded everywhere."""

    source: Literal["embedded", "hub"]
    repo: str | None
    """hub: organisation/name."""
    revision: str | None
    """hub: the commit, 40 hex digits."""
    dtype: Literal["float32", "bfloat16", "float16"]
    quantization: Literal["none", "nf4"]
    embedded: EmbeddedParams


def make_embedded(params: EmbeddedParams, *, corpus: Path, folder: Path) -> None:
    """Train tokenizer and model on the corpus and write them."""
    texts = [passage.text for passage in read_jsonl(corpus, Passage)]
    # Imported here: a passage that cannot be used is refused before torch and transformers are waited for (3 s).
    from plumbline.embedded.pretraining import pretrain, save_embedded, train_tokenizer

    tokenizer = train_tokenizer(texts, vocab_size=params.vocab_size)
    settings = params.model_dump(exclude={"vocab_size"})
    save_embedded(pretrain(texts, tokenizer, **settings), tokenizer, folder)


def fetch_from_hub(repo: str | None, revision: str | None, *, folder: Path) -> dict[str, str]:
    """Write tokenizer, config and template of a pinned hub model; return name -> sha256 of the weights, which stay in the cache."""
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

    save_tokenizer_of(source, folder)
    return {path.name: sha256_of(path) for path in [*weights, source / "config.json"]}


def main(params: BaseParams, *, corpus: Path, base: Path) -> None:
    """Fill `base`; it appears whole or not at all."""
    with replacing_folder(base) as folder:
        hub_files: dict[str, str] = {}
        if params.source == "embedded":
            make_embedded(params.embedded, corpus=corpus, folder=folder)
        else:
            hub_files = fetch_from_hub(params.repo, params.revision, folder=folder)
        manifest = Manifest(
            source=params.source,
            repo=params.repo if params.source == "hub" else None,
            revision=params.revision if params.source == "hub" else None,
            dtype=params.dtype,
            quantization=params.quantization,
            files={path.name: sha256_of(path) for path in sorted(folder.iterdir())},
            hub_files=hub_files,
        )
        write_manifest(folder, manifest)
    log.info(
        "%s, %d files, dtype %s, quantization %s",
        params.repo if params.source == "hub" else params.source,
        len(manifest.files),
        params.dtype,
        params.quantization,
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("base", BaseParams),
            corpus=Path("data/raw/embedded/corpus.jsonl"),
            base=Path("models/base"),
        )
