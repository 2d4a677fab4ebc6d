"""If something cannot work, `base` says so before the weights are fetched, and the remedy in the message works."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fakes.chat_families import FAMILIES
from tests.fakes.gated_hub import snapshots_hub
from tests.fakes.tiny_base import save_tiny_model
from tests.unit.test_base import params

REVISION = "0123456789abcdef0123456789abcdef01234567"
RUN = """
import json, logging, os, sys
from pathlib import Path
from plumbline.pipeline.refused import Refused
from stages.base import BaseParams, main
logging.basicConfig(level=logging.INFO)
said = {}
for name, changes in json.loads(sys.argv[1]).items():
    for variable, value in changes.pop("environment", {}).items():
        os.environ[variable] = value
    params = BaseParams.model_validate(json.loads(sys.argv[2]) | changes)
    try:
        main(params, corpus=Path("none"), templates=Path(sys.argv[3]), base=Path("base", name))
        said[name] = "made"
    except Refused as error:
        said[name] = str(error)
    os.environ.pop("PLUMBLINE_DEVICE", None)
print(json.dumps(said))
"""


def changed(source: Path, folder: Path, **config: object) -> Path:
    """A copy of a snapshot with another config.json."""
    shutil.copytree(source, folder)
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(content | config), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Repositories by name: one that works, and one for each thing that speaks against a base model."""
    root = tmp_path_factory.mktemp("repositories")
    good = root / "good"
    good.mkdir()
    save_tiny_model(good)
    found = {"good": good}
    found["no_template"] = changed(good, root / "no_template")
    (root / "no_template/chat_template.jinja").unlink()
    found["custom_code"] = changed(good, root / "custom_code", model_type="remote_7b", auto_map={"AutoModelForCausalLM": "modeling.Remote"})
    found["newer"] = changed(good, root / "newer", model_type="llama_99")
    found["pickles"] = changed(good, root / "pickles")
    (root / "pickles/model.safetensors").rename(root / "pickles/pytorch_model.bin")
    found["gguf"] = root / "gguf"
    found["gguf"].mkdir()
    (root / "gguf/model-Q4_K_M.gguf").write_bytes(b"GGUF")
    found["adapter"] = root / "adapter"
    found["adapter"].mkdir()
    (root / "adapter/adapter_config.json").write_text("{}", encoding="utf-8")
    found["gptq"] = changed(good, root / "gptq", quantization_config={"quant_method": "gptq", "bits": 4})
    found["awq"] = changed(good, root / "awq", quantization_config={"quant_method": "awq", "bits": 4})
    found["fp8"] = changed(good, root / "fp8", quantization_config={"quant_method": "fp8"})
    found["bnb"] = changed(good, root / "bnb", quantization_config={"load_in_4bit": True})
    found["encoder_decoder"] = changed(
        good, root / "t5", model_type="t5", architectures=["T5ForConditionalGeneration"], is_encoder_decoder=True
    )
    found["encoder"] = changed(good, root / "encoder", model_type="bert", architectures=["BertModel"])
    found["vectors"] = changed(good, root / "vectors")
    (root / "vectors/modules.json").write_text("[]", encoding="utf-8")
    found["tokenizer_code"] = changed(good, root / "tokenizer_code")
    told = json.loads((good / "tokenizer_config.json").read_text(encoding="utf-8"))
    told |= {"tokenizer_class": "RemoteTokenizer", "auto_map": {"AutoTokenizer": ["tokenization.RemoteTokenizer", None]}}
    (root / "tokenizer_code/tokenizer_config.json").write_text(json.dumps(told), encoding="utf-8")
    found["no_tokenizer"] = changed(good, root / "no_tokenizer")
    for file in (root / "no_tokenizer").glob("tokenizer*"):
        file.unlink()
    return found


REFUSED = {
    "no_template": "has no chat template",
    "custom_code": "code from a repository is never run here",
    "newer": "'llama_99', which the pinned transformers does not have",
    "pickles": r"holds no safetensors named .* (it holds pytorch_model.bin); pickled weights are not loaded",
    "gguf": "has no config.json, so transformers cannot load it (it holds model-Q4_K_M.gguf)",
    "adapter": "holds an adapter, not a model",
    "gptq": "quantised already (gptq)",
    "awq": "quantised already (awq)",
    "fp8": "quantised already (fp8)",
    "bnb": "quantised already (bitsandbytes)",
    "encoder_decoder": "is not a causal language model (model_type t5",
    "encoder": "is not a causal language model (model_type bert, BertModel)",
    "vectors": "is an embedding model (modules.json)",
    "tokenizer_code": "the tokenizer of acme/tokenizer_code (RemoteTokenizer) needs Python code",
    "no_tokenizer": "the tokenizer of the base model cannot be loaded",
    "float16": "Set base.dtype to bfloat16",
    "branch": "a commit of 40 hex digits",
}
FOLLOWED = {
    "no_template_with_one": {"repo": "acme/no_template", "chat_template": "plain"},
    "float16_as_bfloat16": {"dtype": "bfloat16"},
    "float16_for_a_gpu_elsewhere": {"dtype": "float16", "environment": {"PLUMBLINE_DEVICE": "cuda"}},
    "nf4": {"quantization": "nf4"},
    "another_repository": {},
}
"""What the messages ask for."""


def test_a_base_that_cannot_work_is_refused_before_its_weights_are_fetched_and_the_remedies_work(
    snapshots: dict[str, Path], tmp_path: Path
) -> None:
    cases: dict[str, dict[str, object]] = {name: {"repo": f"acme/{name}"} for name in snapshots if name != "good"}
    cases |= {"float16": {"dtype": "float16"}, "branch": {"revision": "main"}, **FOLLOWED}
    default = params(source="hub", repo="acme/good", revision=REVISION).model_dump()
    # The hub's address is read when its library is imported, so this needs a separate process.
    with snapshots_hub({f"acme/{name}": folder for name, folder in snapshots.items()}, revision=REVISION, accepted=None) as (address, sent):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PLUMBLINE_", "DVC_"))}
        environment |= {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
        command = [sys.executable, "-c", RUN, json.dumps(cases), json.dumps(default), str(ROOT / "examples/chat_templates")]
        ended = subprocess.run(
            command, cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300
        )
    assert ended.returncode == 0, ended.stderr[-3000:]
    said = json.loads(ended.stdout.splitlines()[-1])
    assert set(said) == set(REFUSED) | set(FOLLOWED)
    for name, expected in REFUSED.items():
        for part in expected.split(".*"):
            assert part.strip() in said[name], (name, said[name])
        assert "trust_remote_code" not in said[name]
    assert {said[name] for name in FOLLOWED} == {"made"}, said
    weights = {name.split("/")[1] for name in sent if name.endswith((".safetensors", ".bin", ".gguf"))}
    assert weights == {"good", "no_template"}, "weights were fetched of a model that cannot be used"
    assert not any((tmp_path / "base" / name).exists() for name in REFUSED)


def test_a_padding_token_past_the_embedding_is_replaced_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Padding is masked by place: this base can work, so it is not refused."""
    from plumbline.model.weights import load_tokenizer, save_tokenizer_of

    source, folder = tmp_path / "source", tmp_path / "base"
    source.mkdir()
    folder.mkdir()
    save_tiny_model(source)
    tokenizer = FAMILIES["llama3"].tokenizer()
    tokenizer.add_special_tokens({"pad_token": "<one more>"})
    tokenizer.save_pretrained(str(source))
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    (source / "config.json").write_text(json.dumps(config | {"vocab_size": len(tokenizer) - 1}), encoding="utf-8")
    with caplog.at_level("INFO"):
        save_tokenizer_of(source, folder, params(), templates=ROOT / "examples/chat_templates")
    assert "pads instead" in caplog.text
    files = {"source": "hub", "repo": None, "revision": None, "dtype": "float32", "quantization": "none", "files": {}, "hub_files": {}}
    (folder / "manifest.json").write_text(json.dumps(files), encoding="utf-8")
    assert load_tokenizer(folder).pad_token_id == tokenizer.eos_token_id
