"""What params.yaml says about contexts."""

from typing import Literal

from pydantic import Field

from plumbline.pipeline.record import Params


class ExampleParams(Params):
    """How many training rows are shown before a question of each kind; 0: none."""

    mcq: int = Field(ge=0)
    numeric: int = Field(ge=0)
    explanation: int = Field(ge=0)
    max_tokens: int = Field(gt=0)
    """Of question and answer together: a longer row is no example."""


class DenseParams(Params):
    """Static embeddings of the hub, in the format of model2vec; read with method dense only."""

    repo: str | None
    """organisation/name."""
    revision: str | None
    """40 hex digits."""


class OverlapParams(Params):
    """When a passage gives a benchmark question away. The first three as in `split`."""

    ngram_words: int = Field(gt=0)
    ngram_share: float = Field(gt=0, le=1)
    near_duplicate_similarity: float = Field(gt=0, le=1)
    near_share: float = Field(gt=0, le=1)
    """Share of a question's word trigrams from which a passage that asks nearly the same, and holds the answer, is a leak."""


class RetrieveParams(Params):
    """Section `retrieve` of params.yaml."""

    corpus: str
    """A file or a folder of Markdown, plain text and JSON lines."""
    method: Literal["bm25", "dense"]
    k: int = Field(gt=0)
    """Passages for each question, at most."""
    chunk_tokens: int = Field(gt=0)
    """Of the base's tokenizer: the size of a passage, at most."""
    seed: int
    examples: ExampleParams
    dense: DenseParams
    overlap: OverlapParams
