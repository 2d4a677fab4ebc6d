"""Another model of the hub as the weights of an arm: named by a small file, pinned, made once, and asked unchanged."""

from pathlib import Path

import pytest

from plumbline.model.base_files import BaseRefused
from plumbline.model.other_model import other_base, read_other_model
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import ArmParams
from tests.fakes.hub_world import HubWorld
from tests.pipeline.test_family_matrix import MODELS, OVERRIDES, REVISION, save_snapshot

ROOT = Path(__file__).resolve().parents[2]
MODEL = f"""repo: acme/other
revision: {REVISION}
dtype: float32
quantization: none
chat_template: null
template_date: "2026-11-01"
thinking: false
"""


def test_the_example_file_is_one() -> None:
    assert read_other_model(ROOT / "examples/other_model.yaml").repo == "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MODEL.replace("repo:", "repository:"), r"repository is not a known key; known keys: .*repo"),
        (MODEL.replace("float32", "float64"), "dtype"),
        (None, "is not a file. Write one like examples/other_model.yaml"),
    ],
)
def test_a_file_that_names_no_model_is_refused(text: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BaseRefused, match=said):
        read_other_model(file)


@pytest.mark.slow
def test_another_model_answers_by_its_own_template_and_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import stages.answer

    first, other = list(MODELS.values())[:2]
    save_snapshot(tmp_path / "hub", first, repo="acme/tiny")
    save_snapshot(tmp_path / "hub", other, repo="acme/other")
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "world"))
    monkeypatch.delenv("DVC_STAGE", raising=False)
    world = HubWorld(tmp_path / "world", [*OVERRIDES, "base.repo=acme/tiny", *first.overrides])
    monkeypatch.chdir(world.folder)
    world.bring_in_base()
    (world.folder / "other.yaml").write_text(MODEL)
    (world.folder / "none.jsonl").touch()

    def answered(arm: str, weights: str) -> list[Answer]:
        out = world.folder / f"{arm}.jsonl"
        stages.answer.main(
            arm,
            ArmParams(weights=weights, context="none.jsonl"),
            load_params("answer", AnswerParams),
            benchmark=world.folder / "benchmark.jsonl",
            base=world.base,
            templates=ROOT / "examples/chat_templates",
            answers=out,
        )
        return list(read_jsonl(out, Answer))

    base, others = answered("base", "models/base"), answered("other", "other.yaml")
    assert [answer.id for answer in base] == [answer.id for answer in others]
    assert {answer.arm for answer in others} == {"other"} and [one.response for one in base] != [one.response for one in others]
    folder = other_base(world.folder / "other.yaml", templates=ROOT / "examples/chat_templates")
    made = (folder / "manifest.json").stat().st_mtime_ns
    assert folder.is_relative_to(tmp_path / "world/.cache/models"), "in the main repository, next to our other caches"
    answered("again", "other.yaml")
    assert (folder / "manifest.json").stat().st_mtime_ns == made
    (world.folder / "other.yaml").write_text(MODEL.replace(REVISION, "f" * 40))
    with pytest.raises(BaseRefused, match=r"is not a folder\. Copy the files of acme/other"):
        answered("moved", "other.yaml")
