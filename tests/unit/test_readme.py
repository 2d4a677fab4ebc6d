"""README.md tells the truth: its numbers are those of the committed run, its files exist, its commands are run somewhere."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from plumbline.commands.readme import blocks
from plumbline.pages.blocks import BLOCK, filled
from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import read_yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def committed(path: str) -> Any:
    """A JSON file as committed: a run on another processor may have changed the last digits in the folder."""
    found = subprocess.run(["git", "-C", str(ROOT), "show", f"HEAD:{path}"], capture_output=True, text=True)
    return json.loads(found.stdout) if found.returncode == 0 else present(path)


def present(path: str) -> Any:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def test_numbers_are_those_of_the_metrics() -> None:
    assert README in (filled(README, blocks(committed)), filled(README, blocks(present))), "run plumbline readme"


def test_each_block_has_a_writer_and_each_writer_a_block() -> None:
    assert sorted(match["name"] for match in BLOCK.finditer(README)) == sorted(blocks(present))


def test_a_number_that_was_typed_is_put_right() -> None:
    typed = re.sub(r"(numeric, 5 % tolerance, units \| \d+ \| )[\d.]+", r"\g<1>0.99", README)
    assert typed != README
    assert filled(typed, blocks(present)) == filled(README, blocks(present))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http|#)([^)#]+)", README))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def anchors(text: str) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("anchor", sorted(set(re.findall(r"\]\(#([^)]+)\)", README))))
def test_anchors_lead_somewhere(anchor: str) -> None:
    assert anchor in anchors(README)


def test_the_sample_of_another_alpha_says_of_each_stage_what_becomes_of_it() -> None:
    stages = expanded_stages(read_yaml(ROOT / "dvc.yaml"), read_yaml(ROOT / "params.yaml"))
    block = re.search(r"```console\n\$ dvc exp run -S lora\.alpha=128\n(.*?)```", README, re.DOTALL)
    assert block is not None
    runs = re.findall(r"(?m)^Running stage '([\w@]+)':$", block[1])
    skipped = re.findall(r"(?m)^Stage '([\w@]+)' didn't change, skipping$", block[1])
    made = {name: {next(iter(out)) if isinstance(out, dict) else out for out in one.get("outs", [])} for name, one in stages.items()}
    due = {name for name, one in stages.items() if "lora" in one.get("params", [])}

    def reads(one: dict[str, Any], path: str) -> bool:
        return any(path == dep or path.startswith(f"{dep}/") for dep in one["deps"])

    while later := {name for name, one in stages.items() if any(reads(one, path) for before in due for path in made[before])} - due:
        due |= later
    assert set(runs) == due and set(skipped) == set(stages) - due and len(runs) + len(skipped) == len(stages)
    # Each stage that runs says more than is shown.
    assert len(re.findall(r"(?m)^\.\.\.$", block[1])) == len(runs) + 1


def test_the_picture_of_the_run_and_the_tree_name_every_stage() -> None:
    stages = set(read_yaml(ROOT / "dvc.yaml")["stages"])
    assert set(re.findall(r'node\d+\["(\w+)"\]', README)) == stages
    assert {name for name in stages if f"\n  {name}.py " in README} == stages
