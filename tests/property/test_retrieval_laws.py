"""Words are total and stable; a larger k loses no passage; the order of files changes nothing but ids; nothing of a corpus vanishes."""

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.retrieval.bm25 import Bm25Scorer
from plumbline.retrieval.corpus_files import read_corpus
from plumbline.retrieval.pieces import Section, cut_section, markdown_sections, plain_sections
from plumbline.retrieval.ranking import best_of
from plumbline.retrieval.search_words import search_words
from plumbline.retrieval.shuffling import donors
from plumbline.rows.question import Question

phrases = st.lists(
    st.sampled_from(["force", "mass", "speed", "energy", "heat", "9.81", "m/s^2", "H_2O", "lens"]), min_size=1, max_size=8
).map(" ".join)
prose = st.text(alphabet="ab c.\n#`=-", max_size=80)


@given(st.text(max_size=60))
def test_any_text_has_words_without_gaps_and_they_stay_what_they_are(text: str) -> None:
    found = search_words(text)
    assert all(word and not any(mark.isspace() for mark in word) for word in found)
    assert found == search_words(text)


@given(st.lists(phrases, min_size=1, max_size=6))
def test_words_of_texts_side_by_side_are_the_words_of_each(texts: list[str]) -> None:
    assert search_words(" ".join(texts)) == [word for text in texts for word in search_words(text)]


@given(st.lists(phrases, min_size=1, max_size=12, unique=True), phrases, st.integers(1, 12))
@settings(deadline=None)
def test_a_larger_k_loses_no_passage_and_moves_none(texts: list[str], query: str, k: int) -> None:
    scores = Bm25Scorer(texts).scores(query)
    assert best_of(scores, texts, k + 1)[:k] == best_of(scores, texts, k)


@given(st.lists(phrases, min_size=1, max_size=12, unique=True), phrases, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_corpus_changes_no_passage_and_no_score(texts: list[str], query: str, shuffler: object) -> None:
    moved = list(texts)
    getattr(shuffler, "shuffle")(moved)  # noqa: B009
    found = [[(order[one.place], one.score) for one in best_of(Bm25Scorer(order).scores(query), order, 4)] for order in (texts, moved)]
    assert found[0] == found[1]


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=9), st.integers(1, 9))
def test_the_best_are_the_highest_scores_above_zero(scores: list[float], k: int) -> None:
    texts = [str(place) for place in range(len(scores))]
    found = [one.score for one in best_of(np.array(scores, dtype=np.float32), texts, k)]
    rounded = np.round(np.array(scores, dtype=np.float32).astype(np.float64), 4)
    assert found == sorted((float(score) for score in rounded if score > 0), reverse=True)[:k]


@given(prose, st.sampled_from([plain_sections, markdown_sections]), st.integers(1, 6))
def test_no_letter_of_a_document_vanishes_and_no_piece_is_too_long(
    text: str, sections_of: Callable[[str], list[Section]], max_tokens: int
) -> None:
    def count(piece: str) -> int:
        return len(piece.split())

    sections = sections_of(text)
    shown = "".join(part for section in sections for _, part in cut_section(section, max_tokens=max_tokens, count=count))
    titles = "".join(section.breadcrumb for section in sections)
    missing = Counter(text) - Counter(shown + titles)
    assert not {mark for mark in missing if mark in "ab"}
    assert all(count(part) <= max_tokens for section in sections for _, part in cut_section(section, max_tokens=max_tokens, count=count))


@given(st.lists(phrases, min_size=2, max_size=5, unique=True), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25)
def test_other_names_of_the_files_change_nothing_but_ids(texts: list[str], shuffler: object) -> None:
    names = [f"{place}.txt" for place in range(len(texts))]
    found = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in zip(names, texts, strict=True):
                (Path(folder) / name).write_text(text, encoding="utf-8")
            read = read_corpus(Path(folder), max_tokens=5, count=lambda text: len(text.split()))
        found.append((sorted(piece.text for piece in read.pieces), read.dropped))
        getattr(shuffler, "shuffle")(names)  # noqa: B009
    assert found[0] == found[1]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=14), st.integers(0, 9))
def test_a_lender_is_another_question_and_of_another_cluster_where_none_holds_more_than_half(clusters: list[int], seed: int) -> None:
    questions = [
        Question(id=f"q{n}", kind="explanation", question="?", choices={}, target="t", unit=None, key_points=(), cluster=str(cluster))
        for n, cluster in enumerate(clusters)
    ]
    lent = donors(questions, seed=seed)
    if len(questions) == 1:
        assert lent == {"q0": None}
        return
    assert sorted(lent.values()) == sorted(lent) and all(id != lender for id, lender in lent.items())  # type: ignore[type-var]
    of = {question.id: question.cluster for question in questions}
    num_own = sum(of[id] == of[str(lender)] for id, lender in lent.items())
    assert num_own == max(0, 2 * max(Counter(clusters).values()) - len(clusters))
