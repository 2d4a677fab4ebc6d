"""Each defect that ruins a training is planted at its origin, and the whole stage refuses it by name, with the number and the remedy."""

import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.run import longest_of
from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.params import load_params
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.instruction_row import Exchange, InstructionRow
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from tests.fakes.answering import answer_arm
from tests.fakes.tiny_base import TEMPLATE
from tests.fakes.tiny_training import LORA, TRAIN, general_answers, rows, save_tiny_base

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
QUESTION = Question(id="q", kind="numeric", question="What force?", choices={}, target="6", unit="N", key_points=(), cluster="f")


def as_conversations(alone: list[InstructionRow]) -> list[InstructionRow]:
    """Rows with none, one or two exchanges before the last one; some of those answers are only shown."""
    before = [Exchange(user=f"Say {place}.", assistant=f"{place} energy", is_trained=place % 2 == 0) for place in range(len(alone) + 2)]
    return [row.model_copy(update={"earlier": tuple(before[place : place + place % 3])}) for place, row in enumerate(alone)]


class Stage:
    """`preflight.main` in a separate folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        self.folder, self.caplog = folder, caplog
        shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
        for package in ("plumbline", "stages"):
            (folder / package).symlink_to(ROOT / package)
        monkeypatch.chdir(folder)
        monkeypatch.delenv("DVC_STAGE", raising=False)
        monkeypatch.setenv("DVC_ROOT", str(folder))
        self.checks: dict[str, str] = {}

    def run(
        self,
        *,
        template: str = TEMPLATE,
        lora: LoraParams = LORA,
        training: TrainParams = TRAIN,
        quantization: str = "none",
        long_row: bool = False,
        conversations: bool = False,
    ) -> None:
        """Run the stage; `checks` then holds name -> status and finding. SystemExit if it is not ready."""
        from plumbline.preflight.run import PreflightFiles
        from stages.preflight import PreflightParams, main

        save_tiny_base(self.folder / "base", template=template, quantization=quantization)
        few = rows(24, "t")
        if long_row:
            few[5] = few[5].model_copy(update={"output": few[5].output * 12})
        if conversations:
            few = as_conversations(few)
        write_jsonl(self.folder / "train.jsonl", few)
        write_jsonl(self.folder / "validation.jsonl", rows(4, "v"))
        write_jsonl(self.folder / "benchmark.jsonl", [QUESTION])
        write_jsonl(self.folder / "general.jsonl", general_answers(12))
        (self.folder / "ready.json").write_text('{"ready": true}')  # of an earlier run: it must not outlive a failure
        try:
            with self.caplog.at_level(logging.INFO):
                main(
                    load_params("preflight", PreflightParams),
                    lora,
                    training,
                    load_params("answer", AnswerParams),
                    PreflightFiles(
                        template=Path("plumbline/pages/templates/preflight.html.j2"),
                        train=self.folder / "train.jsonl",
                        validation=self.folder / "validation.jsonl",
                        benchmark=self.folder / "benchmark.jsonl",
                        general=self.folder / "general.jsonl",
                        base=self.folder / "base",
                        ready=self.folder / "ready.json",
                        metrics=self.folder / "preflight.json",
                        page=self.folder / "preflight.html",
                    ),
                )
        finally:
            self.checks = json.loads((self.folder / "preflight.json").read_text(encoding="utf-8"))["checks"]

    def refuses(self, name: str, found: str, remedy: str, **planted: Any) -> None:
        """Assert that the stage with the planted defect fails by the named check."""
        with pytest.raises(SystemExit) as ended:
            self.run(**planted)
        assert ended.value.code == 1
        assert not (self.folder / "ready.json").exists()
        assert self.checks[name].startswith("fail: "), self.checks
        assert re.search(found, self.checks[name]), self.checks[name]
        assert re.search(f"fail {name}: .*{found}.*{remedy}", self.caplog.text), self.caplog.text
        assert name in (self.folder / "preflight.html").read_text(encoding="utf-8")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Stage:
    return Stage(tmp_path, monkeypatch, caplog)


def test_nothing_planted_is_ready(stage: Stage) -> None:
    stage.run()
    assert json.loads((stage.folder / "ready.json").read_text()) == {"ready": True}
    assert not [found for found in stage.checks.values() if found.startswith("fail")]
    assert stage.checks["lora_modules"].startswith("pass: 14 modules adapted, 14 expected")
    assert stage.checks["rows_fed"].startswith("pass: 28 of 28")


@pytest.mark.parametrize(
    "template",
    [TEMPLATE, TEMPLATE.replace("{% else %} {{ message", "{% else %} {{ '' if loop.last else '(earlier)' }}{{ message")],
    ids=["one sequence", "an example for each answer"],
)
def test_conversations_are_ready(stage: Stage, template: str) -> None:
    stage.run(conversations=True, template=template)
    assert not [found for found in stage.checks.values() if found.startswith("fail")], stage.checks
    whole = template == TEMPLATE
    assert stage.checks["rows_fed"].startswith("pass: 28 of 28" if whole else "pass: 40 of 40"), stage.checks["rows_fed"]


def test_rows_without_packing_are_checked_as_well(stage: Stage) -> None:
    stage.run(training=TRAIN.model_copy(update={"packing": False}))
    assert stage.checks["rows_fed"].startswith("pass: 28 of 28") and stage.checks["prompt_masked"].startswith("pass: 0 of 28")


def test_a_template_that_doubles_bos(stage: Stage) -> None:
    stage.refuses("one_bos", "29 of 29 rows", "Name a chat template that writes BOS once", template="{{ bos_token }}" + TEMPLATE)


def test_a_template_that_never_closes_a_turn_is_given_the_tokenizers_end(stage: Stage) -> None:
    stage.run(template=TEMPLATE.replace("{{ eos_token }}", ""))
    assert stage.checks["eos_trained"].startswith("pass: 0 of 28") and stage.checks["overfit"].startswith("pass: 8 of 8")


def test_a_collator_that_masks_the_end_of_the_turn_as_if_it_were_padding(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import plumbline.training.trainer

    class Careless(plumbline.training.trainer.AdapterTrainer):
        def get_train_dataloader(self) -> Any:
            collate = self.data_collator

            def masking(features: Any) -> Any:
                batch = collate(features)
                return batch | {"labels": batch["labels"].masked_fill(batch["labels"] == self.processing_class.eos_token_id, -100)}

            self.data_collator = masking
            return super().get_train_dataloader()

    monkeypatch.setattr(plumbline.training.trainer, "AdapterTrainer", Careless)
    stage.refuses("eos_trained", "28 of 28 rows do not end", "packing or collating cut the end of a turn")


def test_a_template_whose_prompt_for_answering_is_another_than_in_training(stage: Stage) -> None:
    template = TEMPLATE + "{% if add_generation_prompt %} Answer:{% endif %}"
    stage.refuses("same_prompt", "28 of 28 rows do not begin with the prompt", "chat template with a generation prompt", template=template)
    assert "training rows. Checked" in (stage.folder / "preflight.html").read_text(encoding="utf-8"), "no number of tokens was counted"


def test_a_renderer_that_takes_the_prompt_for_completion(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import plumbline.training.dialogues

    true = plumbline.training.dialogues.render_example
    monkeypatch.setattr(plumbline.training.dialogues, "render_example", lambda *args: true(*args)._replace(num_prompt_tokens=0))
    stage.refuses("prompt_masked", "28 of 28 rows with loss on the prompt", "Labels must be -100 on the prompt")


def test_a_collator_that_trains_on_the_prompt(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import plumbline.training.trainer

    class Careless(plumbline.training.trainer.AdapterTrainer):
        def get_train_dataloader(self) -> Any:
            collate = self.data_collator
            self.data_collator = lambda features: (batch := collate(features)) | {"labels": batch["input_ids"].clone()}
            return super().get_train_dataloader()

    monkeypatch.setattr(plumbline.training.trainer, "AdapterTrainer", Careless)
    stage.refuses("prompt_masked", "28 of 28 rows with loss on the prompt", "Labels must be -100 on the prompt")


def test_packing_that_cuts_examples(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import plumbline.training.packing

    true = plumbline.training.packing.pack_dataset
    monkeypatch.setattr(plumbline.training.packing, "pack_dataset", lambda rows, **named: true(rows, **named | {"strategy": "wrapped"}))
    stage.refuses("rows_fed", "of 28 examples reach the training loop", "was cut, lost or changed")


def test_a_row_longer_than_a_packed_row(stage: Stage) -> None:
    stage.refuses(
        "no_truncation", r"1 of 28 rows are longer than 128 tokens; the longest has \d{3}", "Raise train.max_length to", long_row=True
    )


@pytest.mark.parametrize("packing", [True, False])
def test_no_row_that_fits(stage: Stage, packing: bool) -> None:
    """Nothing is left to be packed or learnt by heart, so that nothing else can be checked."""
    training = TRAIN.model_copy(update={"max_length": 8, "packing": packing})
    stage.refuses("no_truncation", r"28 of 28 rows are longer than 8 tokens", "Raise train.max_length to", training=training)
    assert list(stage.checks) == ["no_truncation"]


def test_a_misspelt_target_module(stage: Stage) -> None:
    lora = LORA.model_copy(update={"target_modules": ["q_proj", "vproj"]})
    stage.refuses("lora_modules", "0 modules adapted, 2 expected, .*no module is named vproj", "Set lora.target_modules", lora=lora)


def test_q_and_v_alone_are_a_choice_but_seen(stage: Stage) -> None:
    stage.run(lora=LORA.model_copy(update={"target_modules": ["q_proj", "v_proj"]}))
    assert stage.checks["lora_modules"].startswith("warn: 4 modules adapted, 4 expected, 14 linear layers")
    assert "Set lora.target_modules to all-linear, unless" in stage.caplog.text
    assert (stage.folder / "ready.json").exists()


def test_peft_that_adapts_other_layers_than_were_named(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import plumbline.training.trainer

    true = plumbline.training.trainer.lora_config
    monkeypatch.setattr(
        plumbline.training.trainer, "lora_config", lambda params: true(params.model_copy(update={"target_modules": ["q_proj", "v_proj"]}))
    )
    stage.refuses("lora_modules", "4 modules adapted, 14 expected", "Set lora.target_modules to all-linear")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_adapters_left_in_half_precision(stage: Stage, monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    import torch

    import plumbline.training.trainer

    def careless(model: torch.nn.Module) -> None:
        if dtype == "float16":
            for parameter in model.parameters():
                parameter.data = parameter.data.half() if parameter.requires_grad else parameter.data

    # With nf4, TRL itself leaves adapters in bf16: it is enough not to undo it.
    monkeypatch.setattr(plumbline.training.trainer, "keep_adapter_in_fp32", careless)
    stage.refuses("adapter_dtype", f"torch.{dtype}", "Cast trainable parameters to float32", quantization="nf4")


def test_attention_that_looks_into_the_document_before(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from transformers import AttentionInterface

    from plumbline.training.attention import PER_DOCUMENT, attend_per_document

    def leaking(module: torch.nn.Module, query: torch.Tensor, *states: Any, cu_seq_lens_q: torch.Tensor, **named: Any) -> Any:
        return attend_per_document(module, query, *states, cu_seq_lens_q=cu_seq_lens_q[[0, -1]], **named)

    monkeypatch.setitem(AttentionInterface._global_mapping, PER_DOCUMENT, leaking)
    stage.refuses("packed_gradients", r"relative difference \d\.\de-0[12]|relative difference \d\.\de\+00", "Set train.packing to false")


def test_an_adapter_of_another_template_or_base_is_refused_with_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another quantisation: tests/pipeline/test_hub_model.py."""
    from plumbline.model.adapter import AdapterRefused, read_training_record
    from plumbline.model.base_files import base_fingerprint, read_manifest, write_manifest
    from plumbline.model.tokenization import template_sha256
    from plumbline.model.weights import load_tokenizer
    from tests.fakes import tiny_training

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    tiny_training.prepare(tmp_path)
    tiny_training.train(tmp_path, tmp_path, params=TRAIN.model_copy(update={"max_steps": 2}))
    record = read_training_record(tmp_path / "adapter")
    write_jsonl(tmp_path / "benchmark.jsonl", [QUESTION])
    answer = load_params("answer", AnswerParams).model_copy(update={"max_new_tokens": 2})

    def answered(base: Path) -> None:
        answer_arm(
            answer, benchmark=tmp_path / "benchmark.jsonl", base=base, adapter=tmp_path / "adapter", answers=tmp_path / "answers.jsonl"
        )

    other_template = tmp_path / "other_template"
    save_tiny_base(other_template, template=TEMPLATE.replace(" [/INST]", "[/INST]"))
    with pytest.raises(AdapterRefused, match=f"{record.base_fingerprint[:12]}, but here it is {base_fingerprint(other_template)[:12]}"):
        answered(other_template)
    # The template is named separately if the base is the same in everything else.
    (other_template / "manifest.json").write_bytes((tmp_path / "base/manifest.json").read_bytes())
    there = template_sha256(load_tokenizer_unverified(other_template))
    with monkeypatch.context() as patch:
        patch.setattr("plumbline.model.weights.load_tokenizer", lambda base: load_tokenizer_unverified(other_template))
        with pytest.raises(AdapterRefused, match=f"chat template {record.template_sha256[:12]}, but here it is {there[:12]}"):
            answered(tmp_path / "base")
    other_weights = tmp_path / "other_weights"
    shutil.copytree(tmp_path / "base", other_weights)
    content = bytearray((other_weights / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (other_weights / "model.safetensors").write_bytes(content)
    manifest = read_manifest(other_weights)
    files = {**manifest.files, "model.safetensors": sha256_of(other_weights / "model.safetensors")}
    write_manifest(other_weights, manifest.model_copy(update={"files": files}))
    with pytest.raises(AdapterRefused, match=f"{record.base_fingerprint[:12]}, but here it is {base_fingerprint(other_weights)[:12]}"):
        answered(other_weights)
    assert not (tmp_path / "answers.jsonl").exists()
    answered(tmp_path / "base")
    assert load_tokenizer(tmp_path / "base").chat_template == TEMPLATE


def test_an_arm_whose_prompts_and_answers_do_not_fit_its_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """retrieve asks this of the base model; another model of an arm may take less."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    write_jsonl(tmp_path / "benchmark.jsonl", [QUESTION])
    save_tiny_base(tmp_path / "base")
    most = longest_of(tmp_path / "base")
    assert most is not None
    answer = load_params("answer", AnswerParams).model_copy(update={"max_new_tokens": most})
    with pytest.raises(Refused, match=rf"arm base: 1 of 1 prompts do not fit its model.*; the model takes {most}\. Lower"):
        answer_arm(answer, benchmark=tmp_path / "benchmark.jsonl", base=tmp_path / "base", answers=tmp_path / "answers.jsonl")
    assert not (tmp_path / "answers.jsonl").exists()


def test_a_template_changed_under_the_base_is_refused_before_base_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plumbline.model.base_files import BaseRefused

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    write_jsonl(tmp_path / "benchmark.jsonl", [QUESTION])
    answer = load_params("answer", AnswerParams).model_copy(update={"max_new_tokens": 2})

    def answered(base: Path) -> None:
        answer_arm(answer, benchmark=tmp_path / "benchmark.jsonl", base=base, answers=tmp_path / "answers.jsonl")

    def stored() -> set[Path]:
        return {path for path in (tmp_path / ".cache/answers").rglob("*") if path.is_file()}

    save_tiny_base(tmp_path / "base")
    answered(tmp_path / "base")
    (tmp_path / "answers.jsonl").unlink()
    before = stored()
    file = tmp_path / "base/chat_template.jinja"
    recorded = sha256_of(file)
    file.write_text(TEMPLATE.replace(" [/INST]", "[/INST]"))
    with pytest.raises(
        BaseRefused, match=rf"chat_template\.jinja has sha256 {sha256_of(file)[:12]}, but the manifest says {recorded[:12]}.*dvc repro base"
    ):
        answered(tmp_path / "base")
    assert not (tmp_path / "answers.jsonl").exists() and stored() == before, "nothing was answered"
    # Another template with a manifest that names it is another base: it answers for itself, and takes over no answer.
    save_tiny_base(tmp_path / "other", template=TEMPLATE.replace(" [/INST]", "[/INST]"))
    answered(tmp_path / "other")
    assert before and stored() > before


def load_tokenizer_unverified(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
