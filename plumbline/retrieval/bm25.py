"""Score passages by BM25 over our own search words. Pure."""

import logging
from collections.abc import Sequence

import numpy as np
from bm25s import BM25
from numpy.typing import NDArray

from plumbline.retrieval.search_words import search_words

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it logs each index at DEBUG, and sets its own level to DEBUG


class Bm25Scorer:
    """An index of the corpus, in memory: Lucene's BM25 with its usual k1 = 1.5 and b = 0.75."""

    def __init__(self, texts: Sequence[str]) -> None:
        vocabulary: dict[str, int] = {}
        ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in search_words(text)] for text in texts]
        self._vocabulary, self._num_texts = vocabulary, len(texts)
        self._index = BM25(k1=1.5, b=0.75, method="lucene", backend="numpy")
        if vocabulary:
            self._index.index((ids, vocabulary), create_empty_token=False, show_progress=False)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Shape (passages,); 0 for a passage that shares no word with the query."""
        # Added up in the order of the words, so that the order of the corpus, which numbers them, does not change the last digit.
        known = [self._vocabulary[word] for word in sorted(set(search_words(query))) if word in self._vocabulary]
        if not known:
            return np.zeros(self._num_texts, dtype=np.float32)
        return self._index.get_scores_from_ids(known)
