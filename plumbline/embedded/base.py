"""Make the embedded base model from its corpus: tokenizer and weights, written into a folder."""

from pathlib import Path

from plumbline.embedded.base_params import EmbeddedParams
from plumbline.embedded.passage import Passage
from plumbline.pipeline.jsonl import read_jsonl


def make_embedded(params: EmbeddedParams, *, corpus: Path, folder: Path) -> None:
    """Train tokenizer and model on the corpus and write them."""
    texts = [passage.text for passage in read_jsonl(corpus, Passage)]
    # Imported here: a passage that cannot be used is refused before torch and transformers load (3 s).
    from plumbline.embedded.pretraining import pretrain, save_embedded, train_tokenizer

    tokenizer = train_tokenizer(texts, vocab_size=params.vocab_size)
    save_embedded(pretrain(texts, tokenizer, params), tokenizer, folder)
