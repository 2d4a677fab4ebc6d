"""Find texts that say nearly the same: MinHash signatures (rensa), bands by sorting, exact similarity as the last word. Pure.

Two texts are near-duplicates when they hold the same numbers in the same order and the Jaccard similarity of their
5-byte shingles reaches the threshold. Candidates that share a band are compared exactly, so nothing is called a
near-duplicate by chance; a pair at similarity 0.7 escapes all 32 bands of 4 with a probability of 2e-4, at 0.8 of 5e-8.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue]  (compiled, without stubs)

NUM_BANDS = 32
ROWS_PER_BAND = 4
NUM_PERMUTATIONS = NUM_BANDS * ROWS_PER_BAND
SHINGLE_BYTES = 5
SEED = 2026
"""Of the permutations: which candidates are compared, never whether two texts are near."""
BATCH = 4096
MAX_REPRESENTATIVES = 8
"""Texts that a member of a crowded bucket is compared with: keeps 10^5 equal-banded texts from 10^10 comparisons."""
MAX_REMEMBERED_PAIRS = 1_000_000

NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")
PUNCTUATION = str.maketrans(dict.fromkeys(".,;:!?'\"`’“”()$*", " "))


def normalise(text: str) -> str:
    """The text in the form for shingles: lower case, with punctuation and runs of white space as one blank."""
    return " ".join(text.lower().translate(PUNCTUATION).split())


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers of a text in order: different numbers make a different question."""
    return tuple(NUMBERS.findall(text))


def shingles(encoded: bytes) -> NDArray[np.uint64]:
    """The window of 5 bytes at each byte, as a number; blanks follow the last, so that short texts have windows too."""
    padded = np.frombuffer(encoded + b" " * (SHINGLE_BYTES - 1), dtype=np.uint8).astype(np.uint64)
    windows = np.zeros(len(encoded), dtype=np.uint64)
    for offset in range(SHINGLE_BYTES):
        windows |= padded[offset : offset + len(encoded)] << np.uint64(8 * offset)
    return windows


@lru_cache(maxsize=4096)
def shingle_set(encoded: bytes) -> frozenset[bytes]:
    """The same windows as a set: for one pair of texts ten times faster than arrays."""
    padded = encoded + b" " * (SHINGLE_BYTES - 1)
    return frozenset(padded[start : start + SHINGLE_BYTES] for start in range(len(encoded)))


def similarity(left: bytes, right: bytes) -> float:
    """Exact Jaccard similarity of the shingle sets of two normalised texts, in 0-1."""
    first, second = shingle_set(left), shingle_set(right)
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared) if shared else float(left == right)


def signatures(encoded: Sequence[bytes]) -> NDArray[np.uint32]:
    """MinHash signatures, shape (texts, permutations)."""
    # All texts in one array, four blanks between them; windows that begin in the blanks belong to no text.
    gap = SHINGLE_BYTES - 1
    texts = [text or b" " for text in encoded]
    lengths = np.array([len(text) for text in texts])
    ends = np.cumsum(lengths + gap)
    in_text = np.ones(int(ends[-1]), dtype=bool)
    for offset in range(1, gap + 1):
        in_text[ends - offset] = False
    hashed = shingles((b" " * gap).join(texts) + b" " * gap)[in_text] * np.uint64(0x9E3779B97F4A7C15)
    hashed ^= hashed >> np.uint64(29)
    offsets = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(lengths).astype(np.uint64)])
    return np.array(RMinHash.digest_matrix_from_flat_token_hashes(hashed, offsets, NUM_PERMUTATIONS, SEED).to_rows(), dtype=np.uint32)


def band_keys(texts: Iterable[str]) -> tuple[NDArray[np.uint64], list[bytes]]:
    """Band keys, shape (texts, bands), and the normalised texts. Texts with different numbers share no key."""
    encoded: list[bytes] = []
    numbers: list[int] = []
    for text in texts:
        encoded.append(normalise(text).encode())
        numbers.append(int.from_bytes(hashlib.blake2b(" ".join(numbers_in(text)).encode(), digest_size=8).digest(), "little"))
    keys = np.empty((len(encoded), NUM_BANDS), dtype=np.uint64)
    for start in range(0, len(encoded), BATCH):
        signed = signatures(encoded[start : start + BATCH]).reshape(-1, NUM_BANDS, ROWS_PER_BAND).astype(np.uint64)
        mixed = np.repeat(np.array(numbers[start : start + BATCH], dtype=np.uint64)[:, None], NUM_BANDS, axis=1)
        for row in range(ROWS_PER_BAND):
            mixed = (mixed ^ signed[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(31)
        keys[start : start + BATCH] = mixed
    return keys, encoded


def root(parents: list[int], index: int) -> int:
    """The member that represents a group. `parents`: for each member another one of its group, or itself; each use shortens the path."""
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def near_duplicate_groups(texts: Iterable[str], threshold: float) -> NDArray[np.int64]:
    """For each text the index of the first text of its group; a text without near-duplicates is its own.

    Groups are closed under being near: a and c share one if a is near b and b is near c.
    """
    keys, encoded = band_keys(texts)
    parents = list(range(len(encoded)))
    apart: set[tuple[int, int]] = set()

    def joins(member: int, other: int) -> bool:
        """Whether two texts are near; they become one group then. A pair that is not is compared in one band only."""
        left, right = root(parents, member), root(parents, other)
        if left == right:
            return True
        if (other, member) in apart:
            return False
        if not near(encoded[member], encoded[other], threshold):
            if len(apart) >= MAX_REMEMBERED_PAIRS:
                apart.clear()
            apart.add((other, member))
            return False
        parents[max(left, right)] = min(left, right)
        return True

    for band in range(NUM_BANDS):
        column = keys[:, band]
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else np.empty(0, dtype=np.int64)
        ends = np.append(starts[1:], len(ordered))
        for start, end in zip(starts[ends - starts > 1].tolist(), ends[ends - starts > 1].tolist(), strict=True):
            representatives: list[int] = []
            for member in order[start:end].tolist():
                if not any(joins(member, other) for other in representatives):
                    representatives = [*representatives[-MAX_REPRESENTATIVES + 1 :], member]
    return np.array([root(parents, index) for index in range(len(encoded))], dtype=np.int64)


def near(left: bytes, right: bytes, threshold: float) -> bool:
    """Whether two normalised texts reach the threshold; many pairs are decided by the sizes of their sets."""
    if left == right:
        return True
    fewer, more = sorted((len(shingle_set(left)), len(shingle_set(right))))
    return fewer >= threshold * more and similarity(left, right) >= threshold
