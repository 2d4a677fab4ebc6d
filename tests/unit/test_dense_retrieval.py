"""Static embeddings: read from a pinned folder without a library of models, and ranked by cosine."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused
from plumbline.retrieval.bm25 import Bm25Scorer
from plumbline.retrieval.dense import DenseScorer, embedding_folder
from plumbline.retrieval.params import RetrieveParams
from plumbline.retrieval.ranking import best_of
from plumbline.retrieval.search import open_scorer

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = {"[UNK]": 0, "hot": 1, "warm": 2, "cold": 3, "lens": 4, "the": 5}
VECTORS = np.array([[9, 9, 9], [1, 0, 0], [0.9, 0.1, 0], [-1, 0, 0], [0, 0, 1], [0, 1, 0]], dtype=np.float32)
TEXTS = ["the warm", "the cold", "the lens", "hot"]
REVISION = "a" * 40


def save_model(folder: Path, **tensors: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text("{}", encoding="utf-8")
    save_file(tensors or {"embeddings": VECTORS}, folder / "model.safetensors")
    return folder


def found(scorer: DenseScorer, query: str, k: int = 4) -> list[str]:
    return [TEXTS[one.place] for one in best_of(scorer.scores(query), TEXTS, k)]


def test_a_passage_is_found_by_meaning_where_no_word_is_shared(tmp_path: Path) -> None:
    scorer = DenseScorer(save_model(tmp_path / "m"), TEXTS)
    assert found(scorer, "hot")[:2] == ["hot", "the warm"]
    assert [TEXTS[one.place] for one in best_of(Bm25Scorer(TEXTS).scores("hot"), TEXTS, 4)] == ["hot"]
    assert found(scorer, "lens", k=1) == ["the lens"]


def test_vectors_have_length_one_and_unknown_words_say_nothing(tmp_path: Path) -> None:
    scorer = DenseScorer(save_model(tmp_path / "m"), TEXTS)
    vectors = scorer.embed(["hot warm", "hot zzz", "zzz", ""])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 0, 0])
    assert vectors[1] == pytest.approx(scorer.embed(["hot"])[0])
    assert found(scorer, "zzz") == []


def test_weights_and_mapping_of_tokens_count(tmp_path: Path) -> None:
    weights = np.array([1, 1, 1, 1, 1, 0], dtype=np.float64)
    weighted = DenseScorer(save_model(tmp_path / "w", embeddings=VECTORS, weights=weights), TEXTS)
    assert weighted.embed(["the lens"])[0] == pytest.approx([0, 0, 1])
    mapping = np.array([0, 1, 1, 3, 4, 5], dtype=np.int64)
    mapped = DenseScorer(save_model(tmp_path / "m", embeddings=VECTORS, mapping=mapping), TEXTS)
    assert mapped.embed(["warm"])[0] == pytest.approx([1, 0, 0])


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"head": VECTORS}, r"holds \['head'\], but no matrix with the name embeddings"),
        ({"embeddings": VECTORS[:3]}, "knows 6 tokens, but the matrix has 3 rows"),
    ],
)
def test_a_folder_that_holds_no_static_embeddings_is_refused(tensors: dict[str, np.ndarray], said: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=said):
        DenseScorer(save_model(tmp_path / "m", **tensors), TEXTS)


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(Refused, match=r"no static embeddings .*retrieve\.dense\.repo"):
        DenseScorer(folder, TEXTS)


@pytest.mark.parametrize(("repo", "revision"), [(None, None), ("a/b", "main"), (None, REVISION)])
def test_embeddings_without_a_pinned_revision_are_refused(repo: str | None, revision: str | None) -> None:
    with pytest.raises(Refused, match=r"retrieve\.dense has repo .*40 hex digits, or set retrieve\.method to bm25"):
        embedding_folder(repo, revision)


def test_embeddings_that_are_not_there_are_refused_by_their_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path))
    with pytest.raises(
        Refused, match=rf"embeddings of retrieve\.dense cannot be fetched: .*a/b/{REVISION} is not a folder\. Copy the files of a/b"
    ):
        embedding_folder("a/b", REVISION)


def test_the_method_chooses_what_ranks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_model(tmp_path / "a/b" / REVISION)
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path))
    section = json.loads(json.dumps(read_yaml(ROOT / "params.yaml")["retrieve"]))
    dense = section | {"method": "dense", "dense": {"repo": "a/b", "revision": REVISION}}
    assert isinstance(open_scorer(RetrieveParams.model_validate(dense), TEXTS), DenseScorer)
    assert isinstance(open_scorer(RetrieveParams.model_validate(section), TEXTS), Bm25Scorer)
