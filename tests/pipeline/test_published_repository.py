"""A published repository works without our code: the lines of the card load it and answer as the pipeline's own loader does."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plumbline.keeping.model_card import QUESTION
from plumbline.keeping.published_files import payload
from plumbline.pipeline.files import write_json
from plumbline.rows.question import Question
from stages.base import main as bring_in_base
from stages.report import main as report
from tests.conftest import ROOT
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, make_world, write_world
from tests.fakes.hub_server import FakeHub, serving_hub
from tests.fakes.tiny_base import save_tiny_model
from tests.fakes.tiny_training import save_tiny_base
from tests.pipeline.test_ask_and_merge import save_tiny_adapter
from tests.unit.test_base import params

pytestmark = pytest.mark.slow
REPO, BASE_REPO = "lab/physics-lora", "acme/tiny"
NOT_OURS = "\nimport sys\nassert not {'plumbline', 'stages', 'dvc', 'trl'} & {name.split('.')[0] for name in sys.modules}\n"
AUTO = """
import sys, torch
from peft import AutoPeftModelForCausalLM
model = AutoPeftModelForCausalLM.from_pretrained(sys.argv[1]).eval()
print(model(input_ids=torch.arange(3, 40)[None]).logits.double().sum().item())
"""


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving_hub() as server:
        server.private |= {REPO: False, BASE_REPO: False}
        yield server


@pytest.fixture(params=["embedded", "hub"])
def published(request: pytest.FixtureRequest, hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a tiny base, sent to the hub; the folder of its project."""
    root = tmp_path / "run"
    world = make_world(num_mcq=8, num_numeric=8, num_explanation=4, num_clusters=4)
    report(PARAMS, ANSWERING, JUDGING, world.compared, write_world(world, root))
    write_json(root / "metrics/data.json", {"lines": 44, "kept": 43, "quarantined": 1, "blank": 0})
    (root / "params.yaml").write_text(json.dumps({"clean": {"source": "physics.jsonl"}, "answer": ANSWERING.model_dump()}))
    shutil.rmtree(root / "models")
    if request.param == "embedded":
        save_tiny_base(root / "models/base")
    else:
        (tmp_path / "snapshot").mkdir()
        save_tiny_model(tmp_path / "snapshot")
        files: dict[str, bytes | None] = {path.name: path.read_bytes() for path in (tmp_path / "snapshot").iterdir()}
        revision = hub.commit(BASE_REPO, files)
        (tmp_path / "hub" / BASE_REPO).mkdir(parents=True)
        (tmp_path / "snapshot").rename(tmp_path / "hub" / BASE_REPO / revision)
        monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
        bring_in_base(
            params(source="hub", repo=BASE_REPO, revision=revision), corpus=Path("none"), templates=Path("none"), base=root / "models/base"
        )
    save_tiny_adapter(root / "models/base", root / "models/adapter")
    (tmp_path / "made").mkdir()
    sent = payload(root, tmp_path / "made", repo=REPO, license="apache-2.0", dataset=None, revision="0" * 40)
    hub.commit(REPO, {name: path.read_bytes() for name, path in sent.items()})
    return root


def run_elsewhere(code: str, *words: str, folder: Path, hub: FakeHub) -> str:
    """What a program prints in an empty folder, with an empty home and no variable of ours."""
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PLUMBLINE_", "DVC_", "PYTHON"))}
    kept |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code + NOT_OURS, *words], cwd=folder, env=kept, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "multiple adapters" not in ended.stderr
    return ended.stdout


def loaded_here(root: Path) -> tuple[Any, Any]:
    """Base and adapter through the pipeline's own loader, which refuses an adapter on another base."""
    from plumbline.model.adapter import load_adapter
    from plumbline.model.base_files import base_fingerprint
    from plumbline.model.tokenization import template_sha256
    from plumbline.model.weights import load_model, load_tokenizer

    base, tokenizer = root / "models/base", load_tokenizer(root / "models/base")
    fingerprint, template = base_fingerprint(base), template_sha256(tokenizer)
    model = load_adapter(load_model(base, device="cpu"), root / "models/adapter", base_fingerprint=fingerprint, template_sha256=template)
    return model.eval(), tokenizer


def test_the_lines_of_the_card_answer_as_the_pipeline_does(published: Path, hub: FakeHub, tmp_path: Path) -> None:
    import torch

    (code,) = re.findall(r"```python\n(.*?)```", hub.files(REPO)["README.md"].decode(), re.DOTALL)
    told = run_elsewhere(code, folder=tmp_path / "elsewhere", hub=hub)
    model, tokenizer = loaded_here(published)
    turn = [{"role": "user", "content": QUESTION}]
    ids = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_dict=True, return_tensors="pt")

    def said() -> str:
        with torch.inference_mode():
            out = model.generate(**ids, do_sample=False, max_new_tokens=96)
        return tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True) + "\n"

    assert told == said()
    with model.disable_adapter():
        assert told != said(), "the adapter was not applied"


def test_one_name_loads_base_and_adapter_in_plain_peft(published: Path, hub: FakeHub, tmp_path: Path) -> None:
    import torch

    if (published / "models/base/model.safetensors").is_file():
        code = AUTO.replace("(sys.argv[1])", '(sys.argv[1], adapter_kwargs={"subfolder": "base"})')
    else:
        code = AUTO
    told = float(run_elsewhere(code, REPO, folder=tmp_path / "elsewhere", hub=hub))
    model, _ = loaded_here(published)
    with torch.inference_mode():
        assert told == pytest.approx(model(input_ids=torch.arange(3, 40)[None]).logits.double().sum().item(), abs=1e-6)


def test_tokenizer_template_and_the_words_of_the_exam_lie_next_to_the_adapter(published: Path, hub: FakeHub) -> None:
    from plumbline.answering.exam_prompt import exam_prompt

    files = hub.files(REPO)
    assert {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "adapter_model.safetensors", "exam.json"} <= set(files)
    assert files["chat_template.jinja"] == (published / "models/base/chat_template.jinja").read_bytes()
    exam = json.loads(files["exam.json"])
    assert exam["instructions"] == ANSWERING.instructions.model_dump() and exam["decoding"]["max_new_tokens"] == ANSWERING.max_new_tokens
    question = Question(
        id="q", kind="mcq", question="What?", choices={"A": "this", "B": "that"}, target="A", unit=None, key_points=(), cluster="c"
    )
    filled = exam["prompts"]["mcq"].replace("<the question>", "What?").replace("<first choice>", "this").replace("<second choice>", "that")
    assert filled == exam_prompt(question, ANSWERING.instructions.model_dump())
    assert str(ROOT) not in files["README.md"].decode()
