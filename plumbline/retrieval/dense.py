"""Score passages by the similarity of static embeddings: the mean of their tokens' vectors. Touches a folder of the hub.

It reads the files of model2vec: `tokenizer.json`, `config.json` and `model.safetensors` with `embeddings` (tokens, dimensions) and, if
present, `weights` (tokens,) and `mapping` (token id -> row). It needs neither torch nor another library of models.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from plumbline.model.base_files import BaseRefused, hub_folder
from plumbline.pipeline.refused import Refused

FILES = ["tokenizer.json", "config.json", "model.safetensors"]
NAMES = ("embeddings", "embedding.weight")
"""Names of the matrix in model2vec and in wordllama."""
BATCH = 1024


def embedding_folder(repo: str | None, revision: str | None) -> Path:
    """The folder of the embeddings at a pinned revision. Refused if none is named, or the hub does not provide it."""
    if repo is None or revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise Refused(
            f"retrieve.dense has repo {repo!r} and revision {revision!r}. With method dense, set them to organisation/name of a "
            "model2vec model and a commit of 40 hex digits, or set retrieve.method to bm25."
        )
    try:
        return hub_folder(repo, revision, patterns=FILES, offline=False)
    except BaseRefused as error:  # the message names the base model, which is fetched in the same way
        said = str(error).replace("base.repo", "retrieve.dense.repo").replace("dvc repro -f base", "dvc repro retrieve")
        raise Refused(f"The embeddings of retrieve.dense cannot be fetched: {said}") from None


class DenseScorer:
    """Unit vectors of all passages, in memory; a score is a cosine."""

    def __init__(self, folder: Path, texts: Sequence[str]) -> None:
        """Refused if the folder holds no static embeddings."""
        try:
            tensors = load_file(folder / "model.safetensors")
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except (OSError, SafetensorError, ValueError) as error:
            raise Refused(f"{folder}: no static embeddings ({error}). Name a model2vec model in retrieve.dense.repo.") from None
        name = next((name for name in NAMES if name in tensors), None)
        if name is None or tensors[name].ndim != 2:
            raise Refused(
                f"{folder}/model.safetensors holds {sorted(tensors)}, but no matrix with the name {' or '.join(NAMES)}. "
                "Name a model2vec model in retrieve.dense.repo."
            )
        self._vectors_VD = tensors[name].astype(np.float32)
        size = self._tokenizer.get_vocab_size()
        mapping = tensors.get("mapping")
        self._rows_T = np.arange(size) if mapping is None else mapping.astype(np.int64)
        weights = tensors.get("weights")
        self._weights_T = np.ones(size, dtype=np.float32) if weights is None else weights.astype(np.float32)
        if len(self._rows_T) < size or len(self._weights_T) < size or self._rows_T.max() >= len(self._vectors_VD):
            raise Refused(f"{folder}: the tokenizer knows {size} tokens, but the matrix has {len(self._vectors_VD)} rows. Fetch it again.")
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._unknown = unknown_id(folder / "tokenizer.json")
        self._texts_ND = self.embed(texts)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (texts, dimensions). A text without a known token gets zeros."""
        vectors = np.zeros((len(texts), self._vectors_VD.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            encoded = self._tokenizer.encode_batch(list(texts[start : start + BATCH]), add_special_tokens=False)
            for place, one in enumerate(encoded, start=start):
                ids = np.array([token for token in one.ids if token != self._unknown], dtype=np.int64)
                if len(ids):
                    vectors[place] = (self._vectors_VD[self._rows_T[ids]] * self._weights_T[ids, None]).mean(axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(lengths, np.finfo(np.float32).tiny)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Shape (passages,); cosines."""
        return self._texts_ND @ self.embed([query])[0]


def unknown_id(tokenizer: Path) -> int | None:
    """Id of the token for text that the tokenizer does not know. Its vector means nothing."""
    content = json.loads(tokenizer.read_text(encoding="utf-8"))
    token = content["model"].get("unk_token")
    return (
        content["model"].get("vocab", {}).get(token) if isinstance(content["model"].get("vocab"), dict) else content["model"].get("unk_id")
    )
