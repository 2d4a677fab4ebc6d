"""Templates are read in one way: an unknown name is an error, and escaping is said."""

import subprocess
from pathlib import Path

import jinja2
import pytest

from plumbline.pages.templating import read_template
from tests.conftest import ROOT


@pytest.mark.parametrize(("autoescape", "rendered"), [(True, "a &lt; b"), (False, "a < b")])
def test_escaping_is_as_asked(tmp_path: Path, autoescape: bool, rendered: str) -> None:
    template = tmp_path / "page.j2"
    template.write_text("{{ words }}", encoding="utf-8")
    assert read_template(template, autoescape=autoescape, trim_blocks=True, keep_trailing_newline=True).render(words="a < b") == rendered


def test_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    template = tmp_path / "page.j2"
    template.write_text("{{ wrods }}", encoding="utf-8")
    with pytest.raises(jinja2.UndefinedError, match="wrods"):
        read_template(template, autoescape=True, trim_blocks=True, keep_trailing_newline=True).render(words="a")


def test_no_other_module_makes_an_environment() -> None:
    files = subprocess.check_output(["git", "grep", "-lE", r"\bEnvironment\(", "--", "plumbline", "stages"], cwd=ROOT, text=True).split()
    assert files == ["plumbline/pages/templating.py"]
