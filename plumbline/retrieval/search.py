"""From a corpus to passages for each question: read, compare with the benchmark, rank. Touches the corpus; with method dense, the hub."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.pipeline.heartbeat import watched, working
from plumbline.pipeline.refused import Refused
from plumbline.retrieval.corpus_files import Corpus, read_corpus
from plumbline.retrieval.leaks import LeakFinder, nearest_pieces
from plumbline.retrieval.overlap_records import CorpusSummary, LeakedPassage, QuestionNearest
from plumbline.retrieval.params import OverlapParams, RetrieveParams
from plumbline.retrieval.pieces import CountTokens, Piece
from plumbline.retrieval.ranking import Scorer, best_of
from plumbline.rows.context import ContextPassage
from plumbline.rows.question import Question
from plumbline.splitting.benchmark_overlap import BenchmarkIndex


@dataclass(frozen=True, kw_only=True)
class Found:
    """Passages for each question, and what happened to the corpus."""

    passages: dict[str, tuple[ContextPassage, ...]]
    """Question id -> passages, best first."""
    summary: CorpusSummary
    nearest: list[QuestionNearest]
    leaked: list[LeakedPassage]


def benchmark_index(questions: Sequence[Question], overlap: OverlapParams) -> BenchmarkIndex:
    """The questions in the form for comparison with texts."""
    return BenchmarkIndex(
        questions,
        ngram_words=overlap.ngram_words,
        ngram_share=overlap.ngram_share,
        near_similarity=overlap.near_duplicate_similarity,
    )


def find_passages(params: RetrieveParams, corpus: Path, questions: Sequence[Question], *, count: CountTokens) -> Found:
    """The best passages of the corpus for each question. Refused if the corpus cannot be used."""
    with working("retrieve: reading the corpus"):
        read = read_corpus(corpus, max_tokens=params.chunk_tokens, count=count)
    index = benchmark_index(questions, params.overlap)
    kept, leaked = sift(read, questions, index, near_share=params.overlap.near_share)
    if not kept:
        raise Refused(f"{corpus}: all {len(read.pieces)} passages give benchmark questions away. Name another corpus in retrieve.corpus.")
    with working("retrieve: ranking"):
        texts = [piece.text for piece in kept]
        scorer = open_scorer(params, texts)
        passages = {question.id: ranked_passages(scorer, question, kept, texts, params.k) for question in questions}
        nearest = nearest_pieces(kept, len(questions), index)
    reasons = Counter(one.reason for one in leaked)
    touched = Counter(one.question_id for one in leaked)
    return Found(
        passages=passages,
        summary=CorpusSummary(
            num_passages=len(kept),
            num_tokens=sum(piece.num_tokens for piece in kept),
            dropped=dict(sorted((read.dropped + reasons).items())),
            unread_files=tuple(read.unread),
        ),
        nearest=[
            QuestionNearest(question_id=question.id, score=score, nearest_passage_id=holder, num_dropped=touched[question.id])
            for question, (score, holder) in zip(questions, nearest, strict=True)
        ],
        leaked=leaked,
    )


def sift(
    read: Corpus, questions: Sequence[Question], index: BenchmarkIndex, *, near_share: float
) -> tuple[list[Piece], list[LeakedPassage]]:
    """Pieces that may be shown, and pieces that give a question away."""
    finder = LeakFinder(questions, index, near_share=near_share)
    kept: list[Piece] = []
    leaked: list[LeakedPassage] = []
    for piece in watched(read.pieces, "retrieve: overlap with the benchmark", unit="passage", total=len(read.pieces)):
        leak = finder.find(piece)
        if leak is None:
            kept.append(piece)
            continue
        question = questions[leak.question]
        leaked.append(
            LeakedPassage(passage_id=piece.id, question_id=question.id, reason=leak.reason, score=round(leak.score, 4), text=piece.text)
        )
    return kept, leaked


def open_scorer(params: RetrieveParams, texts: Sequence[str]) -> Scorer:
    """The scorer of retrieve.method. Imported here: each brings libraries that the other does not need."""
    if params.method == "dense":
        from plumbline.retrieval.dense import DenseScorer, embedding_folder

        return DenseScorer(embedding_folder(params.dense.repo, params.dense.revision), texts)
    from plumbline.retrieval.bm25 import Bm25Scorer

    return Bm25Scorer(texts)


def ranked_passages(scorer: Scorer, question: Question, kept: Sequence[Piece], texts: Sequence[str], k: int) -> tuple[ContextPassage, ...]:
    """The passages of one question. The search includes its choices: the words of "Which of these is true?" find nothing."""
    query = "\n".join([question.question, *question.choices.values()])
    ranked = best_of(scorer.scores(query), texts, k)
    return tuple(ContextPassage(id=kept[one.place].id, score=one.score, text=texts[one.place]) for one in ranked)
