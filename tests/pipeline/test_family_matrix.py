"""Families x stages: the real chat template, a tiny random model of that architecture, and every stage from base to a published adapter.

docs/models.md says about a family what passes here.
"""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.files import write_json
from tests.fakes.chat_families import FAMILIES, ChatFamily
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, make_world, write_world
from tests.fakes.hub_world import QUESTIONS, HubWorld

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
REVISION = "5a" * 20
OVERRIDES = [
    "base.source=hub",
    f"base.revision={REVISION}",
    "train.max_length=512",
    "train.tokens_per_step=1024",
    "train.learning_rate=3.0e-3",
    "train.evaluations_per_epoch=1",
    "answer.max_new_tokens=8",
    "answer.choice_scoring=letter",
    "preflight.num_overfit_rows=4",
]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A family's template on one of its architectures."""

    family: str
    """Of tests/fakes/chat_families.py."""
    architecture: str
    """transformers' `model_type`."""
    config: dict[str, object] = field(default_factory=dict)
    """Over the architecture's own defaults, as that family has it."""
    overrides: tuple[str, ...] = ()
    has_template: bool = True
    """False: the tokenizer has no template, and a parameter names one of ours."""


MODELS = {
    "SmolLM2": Model(family="smollm2", architecture="llama", config={"tie_word_embeddings": True}),
    "Qwen2.5": Model(family="qwen2_5", architecture="qwen2"),
    "Qwen3, thinking off": Model(family="qwen3", architecture="qwen3"),
    "Qwen3, thinking on": Model(family="qwen3", architecture="qwen3", overrides=("base.thinking=true",)),
    "Qwen3 MoE": Model(family="qwen3", architecture="qwen3_moe"),
    "Llama 3": Model(family="llama3", architecture="llama"),
    "Llama 3.1": Model(family="llama3_1", architecture="llama"),
    "Llama 3.2": Model(family="llama3_2", architecture="llama", config={"tie_word_embeddings": True}),
    "Gemma": Model(family="gemma", architecture="gemma"),
    "Gemma 2": Model(family="gemma", architecture="gemma2", overrides=("train.packing=false",)),
    "Gemma 3": Model(family="gemma3", architecture="gemma3_text"),
    "Mistral v0.3": Model(family="mistral_v0_3", architecture="mistral"),
    "Mixtral": Model(family="mixtral", architecture="mixtral"),
    "Phi-3": Model(family="phi3", architecture="phi3"),
    "Phi-3.5": Model(family="phi3_5", architecture="phi3"),
    "OLMo 2": Model(family="olmo2", architecture="olmo2"),
    "Granite": Model(family="granite", architecture="granite"),
    "GLM-4": Model(family="glm4moe", architecture="glm4"),
    "GLM-4 MoE": Model(family="glm4moe", architecture="glm4_moe"),
    "gpt-oss": Model(family="gptoss", architecture="gpt_oss", overrides=("train.packing=false",)),
    "Cohere": Model(family="cohere", architecture="cohere"),
    "Cohere 2": Model(family="cohere2", architecture="cohere2"),
    "LFM2": Model(family="lfm2", architecture="lfm2", overrides=("train.packing=false",)),
    "GPT-2, template by parameter": Model(family="olmo2", architecture="gpt2", has_template=False, overrides=("base.chat_template=plain",)),
    "GPT-NeoX, template by parameter": Model(
        family="olmo2", architecture="gpt_neox", has_template=False, overrides=("base.chat_template=plain",)
    ),
}
"""Named as people name them."""


def save_snapshot(hub: Path, model: Model, *, repo: str) -> None:
    """Write <hub>/<repo>/<revision>/: the family's tokenizer and template, and random weights of a few thin layers."""
    import torch
    from transformers import AutoConfig, GenerationConfig

    from plumbline.preflight.shrunk import shrunk_model

    family: ChatFamily = FAMILIES[model.family]
    tokenizer = family.tokenizer()
    ids = {
        name: tokenizer.convert_tokens_to_ids(token)
        for name, token in (("bos", family.bos), ("eos", family.eos), ("pad", family.pad))
        if token
    }
    special = {f"{name}_token_id": token for name, token in ids.items()}
    full = AutoConfig.for_model(model.architecture, vocab_size=len(tokenizer), **special, **model.config)
    folder = hub / repo / REVISION
    folder.mkdir(parents=True)
    tiny = shrunk_model(full, seed=0)
    tiny.generation_config = GenerationConfig(**special | {"eos_token_id": tokenizer.convert_tokens_to_ids(list(family.stops))})
    tiny.to(torch.float32).save_pretrained(folder)
    if not model.has_template:
        tokenizer.chat_template = None
    tokenizer.save_pretrained(folder)


@pytest.fixture(params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def plain_answer(folder: Path, base: Path, prompt: str, *, num_tokens: int) -> list[int]:
    """What transformers and PEFT answer greedily, given the folders and nothing of ours."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder / "base" if (folder / "base").exists() else folder))
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(str(base), dtype=torch.float32), str(folder)).eval()
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    return model.generate(**ids, do_sample=False, max_new_tokens=num_tokens)[0, ids["input_ids"].shape[1] :].tolist()


def test_a_model_goes_from_base_to_a_published_adapter(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from plumbline.answering.decoding import decode_answer
    from plumbline.answering.exam_prompt import exam_prompt
    from plumbline.commands.merge import main as merge
    from plumbline.keeping.published_files import payload
    from plumbline.model.tokenization import stop_ids
    from plumbline.model.weights import load_tokenizer, stops_of_files
    from plumbline.pipeline.params import load_params
    from plumbline.rows.answer_params import AnswerParams
    from stages.report import main as report

    model, repo = MODELS[name], "acme/tiny"
    save_snapshot(tmp_path / "hub", model, repo=repo)
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "world"))
    monkeypatch.delenv("DVC_STAGE", raising=False)
    world = HubWorld(tmp_path / "world", [*OVERRIDES, f"base.repo={repo}", *model.overrides], num_rows=40)
    monkeypatch.chdir(world.folder)

    world.bring_in_base()
    checks = world.preflight()
    assert not [f"{check}: {found}" for check, found in checks.items() if found.startswith("fail")]
    losses = world.train()["validation_loss"]
    assert losses["best"] < losses["base"]
    base, tuned = world.answer()
    assert base[1].choice_logprobs != tuned[1].choice_logprobs, "the adapter was not applied"

    answering = load_params("answer", AnswerParams)
    told = merge(
        answering,
        benchmark=world.folder / "benchmark.jsonl",
        base=world.base,
        adapter=world.adapter,
        out=world.folder / "merged",
        num_questions=2,
    )
    assert "2 of 2 benchmark answers the same" in told
    numbers = make_world(num_mcq=8, num_numeric=8, num_explanation=4, num_clusters=4)
    report(PARAMS, ANSWERING, JUDGING, numbers.compared, write_world(numbers, tmp_path / "numbers"))
    shutil.copytree(tmp_path / "numbers/metrics", world.folder / "metrics")
    write_json(world.folder / "metrics/data.json", {"lines": 40, "kept": 40, "quarantined": 0, "blank": 0})
    published = tmp_path / "published"
    (tmp_path / "card").mkdir()
    for target, path in payload(world.folder, tmp_path / "card", repo="lab/x", license="mit", dataset=None, revision="6" * 40).items():
        (published / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, published / target)
    assert json.loads((published / "adapter_config.json").read_text())["base_model_name_or_path"] == repo

    tokenizer = load_tokenizer(world.base)
    stops = stop_ids(tokenizer, stops_of_files(world.base))
    user = exam_prompt(QUESTIONS[0], answering.instructions.model_dump())
    for file in world.base.glob("*token*"):
        shutil.copyfile(file, published / file.name)
    for file in world.base.glob("chat_template*"):
        shutil.copyfile(file, published / file.name)
    with torch.inference_mode():
        found: Any = plain_answer(published, tmp_path / "hub" / repo / REVISION, user, num_tokens=answering.max_new_tokens)
    ended = next((place for place, token in enumerate(found) if token in stops), len(found))
    assert decode_answer(tokenizer, found[:ended], stops=stops) == tuned[0].response


def test_a_base_without_a_template_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plumbline.model.pinned_template import TemplateRefused

    save_snapshot(tmp_path / "hub", MODELS["GPT-2, template by parameter"], repo="acme/tiny")
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
    world = HubWorld(tmp_path / "world", [*OVERRIDES, "base.repo=acme/tiny"])
    monkeypatch.chdir(world.folder)
    with pytest.raises(TemplateRefused, match=r"has no chat template.*set base\.chat_template to one of plain"):
        world.bring_in_base()
    assert not world.base.exists()


def test_the_page_of_models_lists_what_is_tested_here() -> None:
    rows = re.findall(r"^\| (.+?) \| `(\w+)` \| (.*) \|$", (ROOT / "docs/models.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [(family, architecture) for family, architecture, _ in rows] == [(name, model.architecture) for name, model in MODELS.items()]
    for family, _, what in rows:
        assert {one.split("=")[0] for one in MODELS[family].overrides} - {"train.tokens_per_step"} <= set(
            re.findall(r"`([a-z_.]+)[=`]", what)
        ), family
