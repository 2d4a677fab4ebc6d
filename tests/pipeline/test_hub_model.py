"""The profile of Mistral-7B goes through base, preflight, training and answering with a hub snapshot of its shape, in bf16 and in nf4."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.training_params import LoraParams, TrainParams
from tests.fakes import tiny_hub
from tests.fakes.answering import answer_arm
from tests.fakes.gated_hub import gated_hub
from tests.fakes.hub_world import HubWorld
from tests.fakes.tiny_training import rows
from tests.pipeline.test_profiles import ROOT, overrides

pytestmark = pytest.mark.slow
PROFILE = overrides(ROOT / "profiles/mistral_7b")
REVISION = next(line.partition("=")[2] for line in PROFILE if line.startswith("base.revision="))
SCALED = ["train.max_length=256", "train.tokens_per_step=512", "train.learning_rate=3.0e-3", "answer.max_new_tokens=8"]
"""Size alone: 16 times shorter steps for a hundred rows; a higher rate, so that a few steps are seen."""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, HubWorld]:
    """One world per quantisation, run from base to preflight and training."""
    root = tmp_path_factory.mktemp("mistral")
    tiny_hub.save_snapshot(root / "hub", repo=tiny_hub.REPO, revision=REVISION)
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLUMBLINE_HUB_DIR", str(root / "hub"))
        patch.delenv("DVC_STAGE", raising=False)
        for quantization in ("none", "nf4"):
            made[quantization] = HubWorld(root / quantization, [*PROFILE, *SCALED, f"base.quantization={quantization}"])
            patch.chdir(root / quantization)
            patch.setenv("DVC_ROOT", str(root / quantization))
            made[quantization].bring_in_base()
            made[quantization].preflight()
            made[quantization].train()
    return made


@pytest.fixture
def world(request: pytest.FixtureRequest, worlds: dict[str, HubWorld], monkeypatch: pytest.MonkeyPatch) -> HubWorld:
    return enter(worlds[request.param], monkeypatch)


def enter(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> HubWorld:
    monkeypatch.chdir(world.folder)
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(world.folder.parent / "hub"))
    monkeypatch.setenv("DVC_ROOT", str(world.folder))
    monkeypatch.delenv("DVC_STAGE", raising=False)
    return world


@pytest.mark.parametrize("world", ["none", "nf4"], indirect=True)
def test_the_profile_trains_an_fp32_adapter_on_every_linear_layer_and_answers_with_it(world: HubWorld) -> None:
    import torch
    from safetensors.torch import load_file

    checks = json.loads((world.folder / "preflight.json").read_text(encoding="utf-8"))["checks"]
    assert not [found for found in checks.values() if found.startswith("fail")]
    assert checks["lora_modules"].startswith("pass: 14 modules adapted, 14 expected")
    manifest = json.loads((world.base / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["dtype"], manifest["quantization"]) == ("bfloat16", world.folder.name)
    weights = load_file(world.adapter / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    assert len({name.split(".lora_")[0] for name in weights}) == 7 * 2
    metrics = json.loads((world.folder / "train.json").read_text(encoding="utf-8"))
    assert metrics["complete"] is True
    assert metrics["validation_loss"]["best"] < metrics["validation_loss"]["base"]
    base, tuned = world.answer()
    assert [answer.id for answer in base] == [answer.id for answer in tuned] == ["n", "m"]
    assert set(base[1].choice_logprobs) == {"A", "B"}
    assert base[1].choice_logprobs != tuned[1].choice_logprobs, "the adapter was not applied"


def test_nf4_weights_are_held_in_four_bits_and_adam_in_fp32(worlds: dict[str, HubWorld], monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from plumbline.model.weights import load_model

    world = enter(worlds["nf4"], monkeypatch)
    model = load_model(world.base, device="cpu")
    assert {str(p.dtype) for name, p in model.named_parameters() if "_proj" in name} == {"torch.uint8"}
    states = [torch.load(file, weights_only=True) for file in sorted(world.folder.glob(".cache/train/*/checkpoint-*/optimizer.pt"))]
    moments = [moment for state in states for moments in state["state"].values() for name, moment in moments.items() if "exp_avg" in name]
    assert moments and {moment.dtype for moment in moments} == {torch.float32}


@pytest.mark.parametrize("world", ["none", "nf4"], indirect=True)
def test_an_adapter_is_refused_on_the_same_weights_in_another_quantisation(world: HubWorld, worlds: dict[str, HubWorld]) -> None:
    from plumbline.model.adapter import AdapterRefused

    other = worlds["nf4" if world.folder.name == "none" else "none"]
    with pytest.raises(AdapterRefused, match=r"was trained with base model .*quantisation.* [0-9a-f]{12}, but here it is [0-9a-f]{12}"):
        answer_arm(
            load_params("answer", AnswerParams),
            benchmark=world.folder / "benchmark.jsonl",
            base=other.base,
            adapter=world.adapter,
            answers=world.folder / "refused.jsonl",
        )
    assert not (world.folder / "refused.jsonl").exists()


def test_an_evaluation_takes_no_gradient_away_from_nf4_training(
    worlds: dict[str, HubWorld], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch

    from plumbline.model.tokenization import render_example
    from plumbline.model.weights import load_model, load_tokenizer
    from plumbline.training.packing import pack
    from plumbline.training.schedule import Schedule
    from plumbline.training.trainer import build_trainer

    world = enter(worlds["nf4"], monkeypatch)
    tokenizer = load_tokenizer(world.base)
    params = load_params("train", TrainParams)
    packed = pack([render_example(tokenizer, row.instruction, row.output) for row in rows(8, "t")], max_length=256, packing=True, seed=1)
    trainer = build_trainer(
        model=load_model(world.base, device="cpu"),
        tokenizer=tokenizer,
        train=packed,
        validation=packed,
        lora=load_params("lora", LoraParams),
        params=params,
        folder=tmp_path,
        schedule=Schedule.of_steps(1, num_rows_per_step=1),
    )
    model, batch = trainer.model, trainer.data_collator([packed[0]])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(generator=torch.Generator().manual_seed(1)).mul_(0.01)
    gradients = []
    for _ in range(2):
        model.train()
        model.zero_grad()
        trainer.compute_loss(model, dict(batch)).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
        model.eval()
        with torch.no_grad():
            trainer.compute_loss(model, dict(batch))
    assert torch.linalg.norm(gradients[1] - gradients[0]) < 1e-3 * torch.linalg.norm(gradients[0])


def test_one_changed_byte_of_a_shard_is_refused_by_name(
    worlds: dict[str, HubWorld], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from plumbline.model.base_files import BaseRefused
    from plumbline.model.weights import load_model

    world = enter(worlds["none"], monkeypatch)
    shutil.copytree(world.folder.parent / "hub", tmp_path / "hub")
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
    load_model(world.base, device="cpu")
    shard = tmp_path / "hub" / tiny_hub.REPO / REVISION / "model-00002-of-00003.safetensors"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(BaseRefused, match=r"model-00002-of-00003\.safetensors has sha256 [0-9a-f]{12}, but the manifest says [0-9a-f]{12}"):
        load_model(world.base, device="cpu")


def test_pickles_and_branches_are_refused_and_the_other_copy_of_the_weights_is_left_alone(
    worlds: dict[str, HubWorld], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from plumbline.model.usable_base import BaseUnusable

    enter(worlds["none"], monkeypatch)
    manifest = json.loads((worlds["none"].base / "manifest.json").read_text(encoding="utf-8"))
    assert "consolidated.safetensors" not in manifest["hub_files"]
    assert sum(name.startswith("model-0000") for name in manifest["hub_files"]) == 3
    world = HubWorld(tmp_path / "refused", [*PROFILE, *SCALED, "base.quantization=none"])
    with pytest.raises(ValueError, match="40 hex digits"):
        world.bring_in_base(revision="main")
    folder = tmp_path / "hub" / tiny_hub.REPO / REVISION
    shutil.copytree(worlds["none"].folder.parent / "hub" / tiny_hub.REPO / REVISION, folder)
    for shard in folder.glob("model*"):
        shard.rename(folder / shard.name.replace("model", "pytorch_model").replace(".safetensors", ".bin"))
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
    with pytest.raises(BaseUnusable, match="holds no safetensors"):
        world.bring_in_base()
    assert not world.base.exists()


FETCH = """
import json, logging, os, sys
from pathlib import Path
from stages.base import BaseParams, main
from plumbline.pipeline.params import load_params
from plumbline.model.base_files import BaseRefused
from plumbline.model.weights import load_model
logging.basicConfig(level=logging.DEBUG)
def attempt(token, **changes):
    os.environ.pop("HF_TOKEN", None)
    if token:
        os.environ["HF_TOKEN"] = token
    params = load_params("base", BaseParams).model_copy(update=changes)
    try:
        main(params, corpus=Path("none"), templates=Path("none"), base=Path("base"))
        return "fetched"
    except BaseRefused as error:
        return str(error)
said = [attempt(None), attempt("hf_wrong_secret"), attempt("hf_right_secret", revision="0" * 40), attempt("hf_right_secret", repo="acme/none")]
said += [attempt("hf_right_secret")]
os.environ.pop("HF_TOKEN")
said += [str(load_model(Path("base"), device="cpu").dtype)]
print(json.dumps(said))
"""


def test_a_gated_repository_asks_for_the_licence_and_the_token_and_never_shows_it(
    worlds: dict[str, HubWorld], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = worlds["none"].folder.parent / "hub" / tiny_hub.REPO / REVISION
    world = HubWorld(tmp_path / "fetched", [*PROFILE, *SCALED, "base.quantization=none"])
    # The hub's address is read when its library is imported, so this needs a separate process.
    with gated_hub(snapshot, repo=tiny_hub.REPO, revision=REVISION, accepted="hf_right_secret") as (address, sent):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PLUMBLINE_", "DVC_"))}
        environment |= {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
        ended = subprocess.run(
            [sys.executable, "-c", FETCH], cwd=world.folder, env=environment, capture_output=True, text=True, timeout=300
        )
    assert ended.returncode == 0, ended.stderr[-3000:]
    none, wrong, revision, repository, right, loaded = json.loads(ended.stdout.splitlines()[-1])
    assert f"{tiny_hub.REPO} is gated, and HF_TOKEN is not set" in none and f"https://huggingface.co/{tiny_hub.REPO}" in none
    assert "answered 401" in wrong and "HF_TOKEN is set" in wrong
    assert "has no commit 0000" in revision and "there is no repository acme/none" in repository
    assert (right, loaded) == ("fetched", "torch.bfloat16")
    assert "consolidated.safetensors" not in sent and "model-00001-of-00003.safetensors" in sent
    assert "secret" not in ended.stdout + ended.stderr, "a token was shown"
    assert "secret" not in (world.folder / "base/manifest.json").read_text(encoding="utf-8")
