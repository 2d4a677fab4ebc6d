"""Settings of contexts: section `retrieve` of params.yaml."""

from typing import Literal

from pydantic import Field

from plumbline.pipeline.record import Params


class ExampleParams(Params):
    """How many training rows are shown before a question of each kind; 0 means none."""

    mcq: int = Field(ge=0)
    numeric: int = Field(ge=0)
    explanation: int = Field(ge=0)
    max_tokens: int = Field(gt=0)
    """Most tokens of question and answer together; a longer row is not an example."""


class DenseParams(Params):
    """Static embeddings from the hub, in the format of model2vec; read only with method dense."""

    repo: str | None
    """organisation/name."""
    revision: str | None
    """40 hex digits."""


class OverlapParams(Params):
    """When a passage gives a benchmark question away. The first three fields are as in `split`."""

    ngram_words: int = Field(gt=0)
    ngram_share: float = Field(gt=0, le=1)
    near_duplicate_similarity: float = Field(gt=0, le=1)
    near_share: float = Field(gt=0, le=1)
    """From this share of a question's word trigrams on, a passage asks nearly the same. If it also holds the answer, it is a leak."""


class RetrieveParams(Params):
    """Section `retrieve` of params.yaml."""

    corpus: str
    """A file or a folder of Markdown, plain text and JSON lines."""
    method: Literal["bm25", "dense"]
    k: int = Field(gt=0)
    """Most passages for each question."""
    chunk_tokens: int = Field(gt=0)
    """Most tokens of a passage, by the base's tokenizer."""
    seed: int
    examples: ExampleParams
    dense: DenseParams
    overlap: OverlapParams
