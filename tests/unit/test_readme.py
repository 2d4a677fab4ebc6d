"""README.md and the manual tell the truth: their numbers are those of the committed run, and the tree is that of the repository."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plumbline.commands.readme import PAGES, blocks, command
from plumbline.pages.blocks import BLOCK, filled
from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import read_yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MANUAL = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
WHOLE = "\n".join(MANUAL.values())
"""README and the manual as one text."""
GENERATED = {"docs/benchmarks.md"}
"""Another command fills the blocks of these pages: `make bench`."""


def committed(path: str) -> Any:
    """A JSON file as committed: a run on another processor may have changed the last digits in the folder."""
    found = subprocess.run(["git", "-C", str(ROOT), "show", f"HEAD:{path}"], capture_output=True, text=True)
    return json.loads(found.stdout) if found.returncode == 0 else present(path)


def present(path: str) -> Any:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_numbers_are_those_of_the_metrics(page: str) -> None:
    text = MANUAL[page]
    assert text in (filled(text, blocks(committed)), filled(text, blocks(present))), "run plumbline readme"


def test_each_block_has_a_writer_and_each_writer_a_block() -> None:
    assert sorted(match["name"] for match in BLOCK.finditer(WHOLE)) == sorted(blocks(present))


def test_no_other_page_has_a_block() -> None:
    marked = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md") if "<!-- numbers: " in page.read_text(encoding="utf-8")}
    assert marked - set(PAGES) == GENERATED, "name the page in PAGES of plumbline/commands/readme.py, or no one fills its blocks"


def test_readme_stays_short() -> None:
    assert len(README.splitlines()) <= 220, "move what is not for the first ten minutes to a page of docs/"


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_a_page_has_a_title_leads_back_in_its_first_paragraph_and_is_found_from_readme(page: Path) -> None:
    title, purpose = page.read_text(encoding="utf-8").split("\n\n")[:2]
    assert re.fullmatch(r"# .+", title)
    assert not purpose.startswith(("#", "|", "-", "<")) and "](../README.md)" in purpose
    assert f"](docs/{page.name})" in README


def test_the_command_fills_the_blocks_of_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("docs", "metrics"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / ".dvc").mkdir()
    for page in PAGES:
        (tmp_path / page).write_text(BLOCK.sub(r"\1typed\n\4", MANUAL[page]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command)
    assert done.exit_code == 0, done.output
    assert {page: (tmp_path / page).read_text(encoding="utf-8") for page in PAGES} == {
        page: filled(text, blocks(present)) for page, text in MANUAL.items()
    }


def test_a_number_that_was_typed_is_put_right() -> None:
    typed = re.sub(r"(numeric, 5 % tolerance, units \| \d+ \| )[\d.]+", r"\g<1>0.99", WHOLE)
    assert typed != WHOLE
    assert filled(typed, blocks(present)) == filled(WHOLE, blocks(present))


def test_the_sample_of_another_alpha_says_of_each_stage_what_becomes_of_it() -> None:
    stages = expanded_stages(read_yaml(ROOT / "dvc.yaml"), read_yaml(ROOT / "params.yaml"))
    block = re.search(r"```console\n\$ dvc exp run -S lora\.alpha=128\n(.*?)```", MANUAL["docs/using.md"], re.DOTALL)
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
    graph = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r'node\d+\["(\w+)"\]', graph)) == stages
    assert {name for name in stages if f"\n  {name}.py " in README} == stages
