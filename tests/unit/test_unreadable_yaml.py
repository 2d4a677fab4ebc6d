"""A mistake in params.yaml is one line that names the file and the line, whichever command meets it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plumbline.commands.main import plumbline

NO_COLON = "lora:\n  r: 16\n  alpha 32\n  dropout: 0.0\n"
COMMANDS = [
    ["gate"],
    ["clear-arms"],
    ["verify", "--lock"],
    ["profile", "mine"],
    ["smoke"],
    ["regrade"],
    ["backup"],
    ["run"],
    ["serve-check", "http://127.0.0.1:9/v1"],
    ["export", "rows", "--out", "logs/rows.jsonl"],
    ["label-sheet", "write", "logs/S.csv"],
    ["plan"],
    ["plan", "mine"],
    ["compare"],
    ["merge"],
    ["ask", "Why?"],
]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/mine").write_text("lora.r=8\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_forgotten_colon_is_said_with_its_line(clone: Path, words: list[str]) -> None:
    (clone / "params.yaml").write_text(NO_COLON)
    done = CliRunner().invoke(plumbline, words)
    assert done.exit_code in (1, 2), done.exception
    assert ": params.yaml, line 3: this is not YAML (could not find expected ':'). Look at the line;" in done.stderr, done.stderr
    assert len([line for line in done.stderr.splitlines() if line not in ("NOT BACKED UP",)]) == 1


@pytest.mark.parametrize("words", [["gate"], ["run"], ["clear-arms"]], ids=" ".join)
def test_a_file_in_another_encoding_is_said_with_its_line(clone: Path, words: list[str]) -> None:
    (clone / "params.yaml").write_bytes(b"lora:\n  r: 16  # gr\xf6sser\n")
    done = CliRunner().invoke(plumbline, words)
    assert "params.yaml, line 2: this is not UTF-8" in done.stderr and done.exit_code in (1, 2), done.stderr


@pytest.mark.parametrize("content", ["", "\n", "# lora:\n#   r: 16\n", "- lora\n"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_file_without_keys_is_named(clone: Path, words: list[str], content: str) -> None:
    (clone / "params.yaml").write_text(content)
    done = CliRunner().invoke(plumbline, words)
    assert done.exit_code == 2 and "params.yaml is empty, or is not a list of `key: value`. `git restore params.yaml`" in done.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_character_that_yaml_cannot_hold_is_said_with_its_line(clone: Path, words: list[str]) -> None:
    (clone / "params.yaml").write_text("lora:\n  r: 16  # a bell: \x07\n")
    done = CliRunner().invoke(plumbline, words)
    assert done.exit_code == 2 and "params.yaml, line 2: YAML cannot hold the character U+0007. Remove it." in done.stderr


def test_an_override_without_a_value_is_refused_in_a_sentence(clone: Path) -> None:
    (clone / "params.yaml").write_text("lora:\n  r: 16\nclean:\n  source: data/raw/mine.jsonl\n")
    for override, said in (("lora.r", "Error parsing override 'lora.r'"), ("lora.rank=3", "Could not override 'lora.rank'")):
        done = CliRunner().invoke(plumbline, ["profile", "mine", "-S", override])
        assert done.exit_code == 1 and said in done.stderr and "Write KEY=VALUE with a key of params.yaml" in done.stderr, done.stderr
