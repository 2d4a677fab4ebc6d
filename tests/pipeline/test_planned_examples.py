"""A plan counts tokens as `train` will, with the tokenizer that `base` would make of a snapshot that is here, or else estimates them."""

import json
import shutil
from pathlib import Path

import pytest

from plumbline.model.weights import load_tokenizer
from plumbline.pipeline.params import section_of
from plumbline.planning.planned_examples import examples_of, num_tokens_about, tokenizer_at_hand
from plumbline.planning.planned_params import planned_params
from stages.base import BaseParams
from tests.conftest import ROOT
from tests.fakes import tiny_training

TEMPLATES = ROOT / "examples/chat_templates"
REVISION = "5a" * 20


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model as a snapshot of a hub repository."""
    tiny_training.save_tiny_base(tmp_path / "base")
    folder = tmp_path / "hub/lab/tiny" / REVISION
    folder.parent.mkdir(parents=True)
    shutil.copytree(tmp_path / "base", folder)
    (folder / "manifest.json").unlink()
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
    return folder


def params(*overrides: str) -> BaseParams:
    named = ["base.source=hub", "base.repo=lab/tiny", f"base.revision={REVISION}", *overrides]
    return section_of(planned_params(ROOT, named), "base", BaseParams)


def at_hand(*overrides: str) -> object:
    return tokenizer_at_hand(Path("none"), params(*overrides), here=False, templates=TEMPLATES)


def test_the_tokens_of_a_snapshot_are_those_of_the_base_made_of_it(snapshot: Path, tmp_path: Path) -> None:
    rows = tiny_training.rows(20, "t")
    found = tokenizer_at_hand(Path("none"), params(), here=False, templates=TEMPLATES)
    assert found is not None
    counted, known = examples_of(rows, found)
    assert known == "counted"
    assert [one.ids for one in counted] == [one.ids for one in examples_of(rows, load_tokenizer(tmp_path / "base"))[0]]


def test_the_template_that_a_parameter_names_is_counted(snapshot: Path) -> None:
    other = tokenizer_at_hand(Path("none"), params("base.chat_template=plain"), here=False, templates=TEMPLATES)
    shipped = tokenizer_at_hand(Path("none"), params(), here=False, templates=TEMPLATES)
    assert other is not None and shipped is not None
    assert other.chat_template == (TEMPLATES / "plain.jinja").read_text(encoding="utf-8") != shipped.chat_template


def test_what_base_could_not_use_is_estimated(snapshot: Path) -> None:
    assert at_hand("base.repo=lab/other") is None and at_hand("base.source=embedded") is None
    assert at_hand("base.chat_template=absent") is None
    config = json.loads((snapshot / "tokenizer_config.json").read_text())
    for template in (None, "{{ raise_exception('no') }}", "{% if %}"):
        (snapshot / "chat_template.jinja").unlink(missing_ok=True)
        (snapshot / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": template}))
        assert at_hand() is None, template
    (snapshot / "tokenizer_config.json").write_text(json.dumps(config))
    (snapshot / "tokenizer.json").unlink()
    assert at_hand() is None, "a tokenizer without a vocabulary"


def test_an_estimate_has_the_template_and_each_digit() -> None:
    assert num_tokens_about("x" * 40) == 10 and num_tokens_about("1234") == 4 and num_tokens_about("") == 0
    (row,) = tiny_training.rows(1, "t")
    (one,), known = examples_of([row], None, template_tokens=31)
    assert known == "estimated, 4 characters or one digit a token"
    asked, said = num_tokens_about(row.instruction + row.input), num_tokens_about(row.output)
    assert len(one.ids) == asked + 31 + said
