"""dvc.yaml is read as DVC reads it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from dvc.parsing import DataResolver
from dvc.repo import Repo
from ruamel.yaml import YAML

from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import load_params, read_yaml
from plumbline.pipeline.refused import Refused
from plumbline.rows.arms import ArmParams
from tests.fakes.evaluation_world import FIVE, ROOT, TWO


def stages_of_dvc(folder: Path) -> dict[str, Any]:
    """The stages as DVC itself expands them."""
    with Repo.init(str(folder), no_scm=True) as repo:
        return DataResolver(repo, str(folder), read_yaml(folder / "dvc.yaml")).resolve()["stages"]


@pytest.mark.parametrize("arms", [TWO, FIVE], ids=["two arms", "five arms"])
def test_our_stages_are_those_of_dvc(arms: dict[str, ArmParams], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    params = read_yaml(ROOT / "params.yaml") | {"arms": {name: arm.model_dump() for name, arm in arms.items()}}
    YAML().dump(params, tmp_path / "params.yaml")
    found = expanded_stages(read_yaml(tmp_path / "dvc.yaml"), read_yaml(tmp_path / "params.yaml"))
    assert found == stages_of_dvc(tmp_path)
    assert [name for name in found if name.startswith("answer@")] == [f"answer@{name}" for name in arms]
    assert "data/answers/tuned.jsonl" in str(found["answer@tuned"]["outs"]) and "models/adapter" in found["answer@tuned"]["deps"]


def test_a_foreach_over_a_dict_that_dvc_yaml_holds_is_expanded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("size: {small: 3}\n")
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n  draw:\n    foreach: {one: {file: a, size: 1}, two: {file: b, size: 2}}\n"
        "    do: {cmd: 'draw ${key} ${size.small}', deps: ['${item.file}'], outs: ['${key}/${item.size}']}\n"
    )
    assert expanded_stages(read_yaml(tmp_path / "dvc.yaml"), read_yaml(tmp_path / "params.yaml")) == stages_of_dvc(tmp_path)


@pytest.mark.parametrize(
    ("foreach", "said"),
    [
        ("${arms}", r"params\.yaml has no arms, which dvc\.yaml names; it has \['names'\]"),
        ("${names}", r"stage answer runs once per entry of \$\{names\}\. Make this a dict in params\.yaml"),
    ],
    ids=["no section", "a list"],
)
def test_what_is_no_dict_of_entries_is_refused(foreach: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        expanded_stages({"stages": {"answer": {"foreach": foreach, "do": {"cmd": "x"}}}}, {"names": ["base"]})


def test_a_stage_of_an_arm_reads_its_own_arm_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setenv("DVC_STAGE", "answer@tuned")
    assert load_params("arms.tuned", ArmParams) == TWO["tuned"]
    with pytest.raises(
        Refused, match=r"stage answer@tuned reads params section 'arms\.base' but declares only \['answer', 'arms\.tuned'\]"
    ):
        load_params("arms.base", ArmParams)
