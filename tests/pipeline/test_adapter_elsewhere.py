"""models/adapter loads in plain PEFT: its configuration names the base where its weights are."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.fakes.gated_hub import snapshots_hub
from tests.fakes.tiny_base import save_tiny_model
from tests.fakes.tiny_training import save_tiny_base
from tests.unit.test_base import REVISION, params

RUN = """
import json, sys
from pathlib import Path
import torch
from peft import AutoPeftModelForCausalLM
from plumbline.model.adapter import load_adapter
from plumbline.model.base_files import base_fingerprint
from plumbline.model.tokenization import template_sha256
from plumbline.model.weights import load_model, load_tokenizer
from stages.base import BaseParams, main
from tests.pipeline.test_ask_and_merge import save_tiny_adapter

base, adapter = Path("models/base"), Path("models/adapter")
if not base.exists():
    main(BaseParams.model_validate(json.loads(sys.argv[1])), corpus=Path("none"), templates=Path("none"), base=base)
save_tiny_adapter(base, adapter)
ours = load_adapter(
    load_model(base, device="cpu"), adapter, base_fingerprint=base_fingerprint(base), template_sha256=template_sha256(load_tokenizer(base))
)
theirs = AutoPeftModelForCausalLM.from_pretrained(str(adapter))
ids = torch.arange(3, 40)[None]
with torch.inference_mode():
    logits = [model.eval()(input_ids=ids).logits for model in (ours, theirs, ours.get_base_model())]
    with ours.disable_adapter():
        logits[2] = ours(input_ids=ids).logits
print(json.dumps([torch.equal(logits[0], logits[1]), torch.equal(logits[0], logits[2])]))
"""


def same_as_ours(folder: Path, **environment: str) -> list[bool]:
    """Whether plain PEFT gives the logits of our loader, and whether these are base's; the adapter's configuration stays in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PLUMBLINE_", "DVC_"))}
    settings = params(source="hub", repo="acme/tiny", revision=REVISION).model_dump()
    ended = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(settings)],
        cwd=folder,
        env=kept
        | {"PYTHONPATH": str(ROOT), "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def named_base(folder: Path) -> list[object]:
    config = json.loads((folder / "models/adapter/adapter_config.json").read_text(encoding="utf-8"))
    return [config["base_model_name_or_path"], config["revision"]]


def test_an_adapter_of_a_hub_model_names_repository_and_commit_and_loads_in_plain_peft(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    save_tiny_model(snapshot)
    with snapshots_hub({"acme/tiny": snapshot}, revision=REVISION, accepted=None) as (address, _):
        assert same_as_ours(tmp_path, HF_ENDPOINT=address) == [True, False]
    assert named_base(tmp_path) == ["acme/tiny", REVISION]


def test_an_adapter_of_the_embedded_model_names_its_folder_and_loads_in_plain_peft(tmp_path: Path) -> None:
    save_tiny_base(tmp_path / "models/base")
    assert same_as_ours(tmp_path, HF_HUB_OFFLINE="1") == [True, False]
    assert named_base(tmp_path) == ["models/base", None]
