"""Using the model: one question to both arms, and one folder that answers as base plus adapter do. Two layers, no training."""

import json
import math
from pathlib import Path

import pytest
import scipy.stats
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import plumbline.commands.ask
import plumbline.commands.merge
import plumbline.keeping.merging
from plumbline.answering.engine import Generated
from plumbline.keeping.merging import MIN_SAME, MergedDiffers
from plumbline.model.adapter import save_adapter
from plumbline.model.base_files import base_fingerprint, read_manifest
from plumbline.model.tokenization import template_sha256
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.pipeline.files import sha256_of, write_json
from plumbline.rows.question import Kind
from plumbline.rows.training_record import TrainingRecord
from tests.fakes.evaluation_world import ANSWERING, make_question, make_world, write_lines
from tests.fakes.tiny_training import save_tiny_base
from tests.pipeline.test_publish import RECORD

SHORT = ANSWERING.model_copy(update={"max_new_tokens": 12})


def save_tiny_adapter(base: Path, adapter: Path, *, complete: bool = True) -> TrainingRecord:
    """An adapter with random weights on both sides: tuned differs from base without having been trained."""
    torch.manual_seed(3)
    tuned = get_peft_model(
        load_model(base, device="cpu"), LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    weights = {}
    for name, value in tuned.state_dict().items():
        if "lora_" in name:
            weights[name.replace(".default", "")] = torch.randn_like(value) * 0.2
    changes = {
        "base_fingerprint": base_fingerprint(base),
        "template_sha256": template_sha256(load_tokenizer(base)),
        "complete": complete,
        "num_done_steps": 120 if complete else 5,
    }
    record = RECORD.model_copy(update=changes)
    save_adapter(adapter, model=tuned, weights=weights, record=record, base=read_manifest(base))
    return record


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLUMBLINE_DEVICE", "cpu")
    save_tiny_base(tmp_path / "base")
    save_tiny_adapter(tmp_path / "base", tmp_path / "adapter")
    world = make_world(num_mcq=6, num_numeric=6, num_explanation=4, num_clusters=4)
    write_lines(tmp_path / "benchmark.jsonl", world.questions)
    return tmp_path


def merge(folder: Path) -> str:
    return plumbline.commands.merge.main(
        SHORT,
        benchmark=folder / "benchmark.jsonl",
        base=folder / "base",
        adapter=folder / "adapter",
        out=folder / "merged",
        num_questions=8,
    )


@pytest.mark.parametrize(("total", "count"), [(40, 24), (47, 24), (400, 24), (24, 24), (5, 24)])
def test_the_sample_that_a_merge_is_checked_on_is_spread_over_the_benchmark(total: int, count: int) -> None:
    questions = [make_question("numeric", number, num_clusters=5) for number in range(total)]
    places = [questions.index(question) for question in plumbline.commands.merge.sample(questions, count)]
    assert len(places) == min(count, total) and places == sorted(set(places))
    gaps = [after - before for before, after in zip(places, [*places[1:], total], strict=True)]
    assert max(gaps, default=0) - min(gaps, default=0) <= 1, "no stretch of the benchmark is left out"


def ask(folder: Path, text: str, choices: tuple[str, ...] = (), width: int = 100) -> str:
    return plumbline.commands.ask.main(text, choices, None, SHORT, base=folder / "base", adapter=folder / "adapter", width=width)


def test_both_arms_answer_as_the_stages_do(folder: Path) -> None:
    told = ask(folder, "What is the unit of force?", ("newton", "joule"))
    assert told.splitlines()[0].split() == ["base", "│", "tuned"]
    assert told.count("likeliest:") == 2
    assert max(map(len, told.splitlines())) <= 100
    base, tuned = plumbline.commands.ask.both_answers(
        "What is the unit of force?", {}, SHORT, base=folder / "base", adapter=folder / "adapter"
    )
    assert base.response != tuned.response, "the adapter changes what is said"
    model, tokenizer = load_model(folder / "base", device="cpu"), load_tokenizer(folder / "base")
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the unit of force?"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    plain = model.generate(**ids, max_new_tokens=12, do_sample=False)  # type: ignore[operator]
    assert base.response == tokenizer.decode(plain[0, ids["input_ids"].shape[1] :], skip_special_tokens=True).strip()


def test_an_incomplete_adapter_is_said_beside_its_answer_and_never_merged(folder: Path) -> None:
    save_tiny_adapter(folder / "base", folder / "adapter", complete=False)
    assert "tuned (INCOMPLETE: 5 of 120 steps)" in ask(folder, "Why?")
    with pytest.raises(plumbline.commands.merge.MergeRefused, match="5 of 120 steps"):
        merge(folder)
    assert not (folder / "merged").exists()


@pytest.mark.parametrize(
    ("choices", "kind", "said"),
    [
        (("newton", "joule"), "numeric", "choices belong to a multiple-choice question, but --kind is numeric"),
        ((), "mcq", "has 2 to 26 choices, not 0. Give --choice TEXT once for each"),
        (("newton",), None, "not 1"),
        (tuple(map(str, range(27))), None, "not 27"),
    ],
)
def test_kind_and_choices_go_together(choices: tuple[str, ...], kind: Kind | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        plumbline.commands.ask.question_of("What is the unit of force?", choices, kind)


def test_a_narrow_terminal_and_control_characters_are_shown_plainly() -> None:
    answer = Generated("asked", "first \x1b[31mred\nsecond", 9, False, {"A": -0.5, "B": -0.25})
    told = plumbline.commands.ask.side_by_side(answer, answer, RECORD, width=40)
    assert "\x1b" not in told and "likeliest: B -0.25  A -0.50" in told and "(9 tokens, cut at 9)" in told
    assert told.index("base") < told.index("tuned")


def test_the_merged_folder_loads_anywhere_and_answers_as_base_plus_adapter(folder: Path) -> None:
    assert "8 of 8 benchmark answers the same" in merge(folder)
    merged = folder / "merged"
    assert (merged / "tokenizer.json").exists() and (merged / "chat_template.jinja").exists() and (merged / "config.json").exists()
    assert not list(merged.glob("*.bin")) and not list(merged.glob("adapter*")), "whole weights, no pickles"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(merged), AutoTokenizer.from_pretrained(merged)
    assert tokenizer.chat_template == load_tokenizer(folder / "base").chat_template
    base = load_model(folder / "base", device="cpu")
    weight = "model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(model.state_dict()[weight], base.state_dict()[weight]), "the adapter is in the weights"
    record = json.loads((merged / "plumbline.json").read_text())
    assert record["adapter_sha256"] == sha256_of(folder / "adapter/adapter_model.safetensors")
    assert record["base"]["fingerprint"] == base_fingerprint(folder / "base")
    assert record["files"] == {path.name: sha256_of(path) for path in merged.iterdir() if path.name != "plumbline.json"}
    before = {path.name: sha256_of(path) for path in merged.iterdir()}
    merge(folder)
    assert {path.name: sha256_of(path) for path in merged.iterdir()} == before


@pytest.mark.parametrize("fault", ["not_merged", "nan", "slightly_off"])
def test_a_merge_that_answers_differently_gets_no_name(folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    honest = plumbline.keeping.merging.merge_and_save

    def spoilt(tuned, tokenizer, out: Path) -> None:  # type: ignore[no-untyped-def]
        honest(tuned, tokenizer, out)
        path = out / "model.safetensors"
        weights = load_file(path)
        if fault == "not_merged":
            base = load_model(folder / "base", device="cpu").state_dict()
            weights = {name: base[name].clone() for name in weights}
        elif fault == "nan":
            weights["lm_head.weight"][0, 0] = float("nan")
        else:
            weights["lm_head.weight"] += 0.05
        save_file(weights, path, metadata={"format": "pt"})

    monkeypatch.setattr(plumbline.commands.merge, "merge_and_save", spoilt)
    with pytest.raises(MergedDiffers, match="logits differ"):
        merge(folder)
    assert not (folder / "merged").exists() and not (folder / "merged.partial").exists()


def test_nothing_is_merged_into_nf4(folder: Path) -> None:
    manifest = read_manifest(folder / "base").model_dump() | {"quantization": "nf4"}
    write_json(folder / "base/manifest.json", manifest)
    with pytest.raises(plumbline.commands.merge.MergeRefused, match=r"(?s)nf4.*base\.quantization=none"):
        merge(folder)
    assert not (folder / "merged").exists()


def test_a_merge_of_a_real_model_in_16_bits_is_not_refused_by_chance() -> None:
    """84 of 100 answers of SmolLM2 in bfloat16 are those of base and adapter (docs/decisions.md); a merge is checked with 24 questions."""
    refused = scipy.stats.binom.cdf(math.ceil(MIN_SAME["bfloat16"] * 24) - 1, 24, 0.84)
    assert refused < 0.01
    assert scipy.stats.binom.sf(math.ceil(MIN_SAME["bfloat16"] * 24) - 1, 24, 0.25) < 0.01, "a model that says something else is refused"
