"""Bring in the base model: trained here from the corpus, or pinned on the hub by revision and checksums."""

import logging
from pathlib import Path
from typing import Literal

import plumbline.model.quiet  # noqa: F401
from plumbline.embedded.base import make_embedded
from plumbline.embedded.base_params import EmbeddedParams
from plumbline.model.base_files import write_manifest
from plumbline.model.chat_params import ChatParams
from plumbline.model.hub_base import FromHub, fetch_from_hub
from plumbline.pipeline.files import replacing_folder, sha256_of
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.rows.manifest import Manifest

log = logging.getLogger("base")


class BaseParams(ChatParams):
    """Which base model, and how its weights are loaded everywhere."""

    source: Literal["embedded", "hub"]
    repo: str | None
    """hub: organisation/name."""
    revision: str | None
    """hub: the commit, 40 hex digits."""
    dtype: Literal["float32", "bfloat16", "float16"]
    quantization: Literal["none", "nf4"]
    embedded: EmbeddedParams


def main(params: BaseParams, *, corpus: Path, templates: Path, base: Path) -> None:
    """Fill `base`; it appears whole or not at all."""
    with replacing_folder(base) as folder:
        fetched = FromHub({}, {})
        if params.source == "embedded":
            make_embedded(params.embedded, corpus=corpus, folder=folder)
        else:
            form = {"dtype": params.dtype, "quantization": params.quantization}
            fetched = fetch_from_hub(params.repo, params.revision, params, **form, folder=folder, templates=templates)
        manifest = Manifest(
            source=params.source,
            repo=params.repo if params.source == "hub" else None,
            revision=params.revision if params.source == "hub" else None,
            dtype=params.dtype,
            quantization=params.quantization,
            files={path.name: sha256_of(path) for path in sorted(folder.iterdir())},
            hub_files=fetched.hub_files,
            pinned=fetched.pinned,
        )
        write_manifest(folder, manifest)
    log.info(
        "%s, %d files, dtype %s, quantization %s%s",
        params.repo if params.source == "hub" else params.source,
        len(manifest.files),
        params.dtype,
        params.quantization,
        "".join(f", {name} {value}" for name, value in manifest.pinned.items()),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("base", BaseParams),
            corpus=Path("data/raw/embedded/corpus.jsonl"),
            templates=Path("examples/chat_templates"),
            base=Path("models/base"),
        )
