"""models/base: made with the same bytes each time, verified before use, and refused if anything differs from the manifest."""

import io
import json
from functools import partial
from pathlib import Path

import pytest

from plumbline.embedded import pretraining
from plumbline.embedded.corpus import corpus_texts
from plumbline.embedded.passage import Passage
from plumbline.model.base_files import BaseRefused, base_fingerprint, read_manifest
from plumbline.model.usable_base import BaseUnusable
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.pipeline.heartbeat import Progress
from plumbline.pipeline.jsonl import write_jsonl
from stages.base import BaseParams, main
from tests.fakes.tiny_base import save_tiny_model

REVISION = "0123456789abcdef0123456789abcdef01234567"
EMBEDDED = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_layers": 2,
    "num_heads": 2,
    "vocab_size": 400,
    "block_tokens": 32,
    "rows_per_step": 4,
    "epochs": 1,
    "learning_rate": 0.002,
    "muon_learning_rate": 0.01,
    "num_threads": 1,
    "seed": 1,
}

TEMPLATES = Path(__file__).resolve().parents[2] / "examples/chat_templates"


def params(**changes: object) -> BaseParams:
    return BaseParams.model_validate(
        {"source": "embedded", "repo": None, "revision": None, "dtype": "float32", "quantization": "none", "embedded": EMBEDDED}
        | {"chat_template": None, "template_date": "2026-11-01", "thinking": False}
        | changes
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    write_jsonl(path, (Passage(text=text) for text in corpus_texts(num_texts=150, seed=1)))
    return path


@pytest.fixture(scope="module")
def base(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded") / "base"
    main(params(), corpus=corpus, templates=TEMPLATES, base=folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_corpus_gives_the_same_bytes(base: Path, corpus: Path, tmp_path: Path) -> None:
    main(params(), corpus=corpus, templates=TEMPLATES, base=tmp_path / "again")
    assert contents(tmp_path / "again") == contents(base)


def test_what_is_said_meanwhile_changes_no_byte(base: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = io.StringIO()
    monkeypatch.setattr(pretraining, "Progress", partial(Progress, every_seconds=0.002, stream=lines))
    main(params(), corpus=corpus, templates=TEMPLATES, base=tmp_path / "again")
    assert "tokens, loss" in lines.getvalue()
    assert contents(tmp_path / "again") == contents(base)


def test_the_manifest_holds_every_other_file(base: Path) -> None:
    manifest = read_manifest(base)
    assert set(manifest.files) == {path.name for path in base.iterdir()} - {"manifest.json"}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"} <= set(manifest.files)


def test_the_template_is_mistrals_with_one_bos_and_single_control_tokens(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    for token in ("<unk>", "<s>", "</s>", "<pad>", "[INST]", "[/INST]"):
        assert tokenizer.encode(token, add_special_tokens=False) == [tokenizer.convert_tokens_to_ids(token)]
    user = {"role": "user", "content": "What is 3 x 4?"}
    prompt = tokenizer.apply_chat_template([user], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template([user, {"role": "assistant", "content": "12"}], tokenize=False)
    assert prompt == "<s>[INST] What is 3 x 4? [/INST]"
    assert whole == prompt + " 12</s>"
    ids = tokenizer.apply_chat_template([user], tokenize=True, return_dict=False, add_generation_prompt=True)
    assert ids.count(tokenizer.bos_token_id) == 1 and ids[0] == tokenizer.bos_token_id
    with pytest.raises(Exception, match="alternate"):
        tokenizer.apply_chat_template([{"role": "system", "content": "Be brief."}, user], tokenize=False)


@pytest.mark.parametrize("text", ["F = m a = 3 x 4 = 12 N", "ünïcode \\frac{1}{2} 你好 🙂", "a\n\n b\tc  d"])
def test_every_text_survives_the_tokenizer(base: Path, text: str) -> None:
    tokenizer = load_tokenizer(base)
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids) == text
    assert tokenizer.unk_token_id not in ids


def test_digits_stand_alone(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    pieces = tokenizer.convert_ids_to_tokens(tokenizer.encode("v = 1250 m", add_special_tokens=False))
    assert [piece for piece in pieces if any(c.isdigit() for c in piece)] == ["Ġ1", "2", "5", "0"]


def test_the_model_loads_as_it_was_saved(base: Path) -> None:
    model = load_model(base, device="cpu")
    assert not model.training
    assert str(model.dtype) == "torch.float32"
    assert model.config.vocab_size == len(load_tokenizer(base))


def test_a_changed_or_missing_file_is_refused(base: Path, tmp_path: Path) -> None:
    for name, body in contents(base).items():
        (tmp_path / name).write_bytes(body)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(BaseRefused, match=r"model\.safetensors has sha256"):
        load_model(tmp_path, device="cpu")
    weights.unlink()
    with pytest.raises(BaseRefused, match=r"model\.safetensors is missing"):
        load_model(tmp_path, device="cpu")
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(BaseRefused, match="dvc repro base"):
        read_manifest(tmp_path)


def test_a_stage_that_dies_leaves_the_old_base(base: Path, tmp_path: Path) -> None:
    kept = tmp_path / "base"
    kept.mkdir()
    (kept / "manifest.json").write_text("old")
    with pytest.raises(FileNotFoundError):
        main(params(), corpus=tmp_path / "none.jsonl", templates=TEMPLATES, base=kept)
    assert contents(kept) == {"manifest.json": b"old"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "hub" / "acme" / "tiny" / REVISION
    folder.mkdir(parents=True)
    save_tiny_model(folder)
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
    return folder


def test_a_hub_model_leaves_its_weights_where_they_are_and_is_verified(hub: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    main(params(source="hub", repo="acme/tiny", revision=REVISION), corpus=tmp_path / "none.jsonl", templates=TEMPLATES, base=base)
    assert not list(base.glob("*.safetensors"))
    assert "model.safetensors" in read_manifest(base).hub_files
    assert load_tokenizer(base).chat_template
    assert load_model(base, device="cpu").config.hidden_size == 32
    (hub / "model.safetensors").write_bytes(b"other")
    with pytest.raises(BaseRefused, match=r"model\.safetensors has sha256"):
        load_model(base, device="cpu")


def test_a_hub_model_needs_a_commit_and_safetensors(hub: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="40 hex digits"):
        main(params(source="hub", repo="acme/tiny", revision="main"), corpus=tmp_path / "none", templates=TEMPLATES, base=tmp_path / "base")
    (hub / "model.safetensors").rename(hub / "pytorch_model.bin")
    with pytest.raises(BaseUnusable, match="no safetensors"):
        main(
            params(source="hub", repo="acme/tiny", revision=REVISION), corpus=tmp_path / "none", templates=TEMPLATES, base=tmp_path / "base"
        )
    with pytest.raises(BaseRefused, match="Copy the files"):
        main(
            params(source="hub", repo="acme/other", revision=REVISION),
            corpus=tmp_path / "none",
            templates=TEMPLATES,
            base=tmp_path / "base",
        )


def test_the_fingerprint_follows_dtype_and_bytes(base: Path, tmp_path: Path) -> None:
    for name, body in contents(base).items():
        (tmp_path / name).write_bytes(body)
    assert base_fingerprint(tmp_path) == base_fingerprint(base)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"dtype": "bfloat16"}))
    assert base_fingerprint(tmp_path) != base_fingerprint(base)
