"""Build the manual as a small site in site/, from README and docs/: `make docs`. Touches site/ and a temporary folder.

README becomes the first page. The pages are copied, and only links are changed: on the site all pages lie in one folder.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OTHERS = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "wheels/README.md": "wheels.md"}
"""Pages outside of docs/, and their names on the site."""
ORDER = (
    "index.md", "using.md", "data.md", "formats.md", "arms.md", "results.md", "reading-results.md", "gpu.md", "publishing.md", "models.md",
    "platforms.md", "commands.md", "changing.md", "architecture.md", "contributing.md", "decisions.md", "experiments.md", "benchmarks.md",
    "scale.md", "glossary.md", "changelog.md", "wheels.md",
)  # fmt: skip
"""The pages as README lists them."""
LINK = re.compile(r"(?P<picture>!?)\[(?P<label>[^\]]*)\]\((?!https?:|mailto:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
SETTINGS = """\
[project]
site_name = "Plumbline"
docs_dir = "pages"
site_dir = "site"
use_directory_urls = false
nav = [{nav}]

[project.theme]
font = false
features = ["navigation.top"]
"""


def moved(text: str, page: str) -> str:
    """The text of a page with its links as they are on the site. A link to a file that the site does not have becomes its label.

    A graph in Mermaid stays text: the program that draws it would come from a network.
    """

    def link(match: re.Match[str]) -> str:
        target = os.path.normpath(Path(page).parent / match["path"])
        inside = OTHERS.get(target, target.removeprefix("docs/"))
        if inside == target:
            return match["label"]
        return f"{match['picture']}[{match['label']}]({inside}{match['anchor'] or ''})"

    return LINK.sub(link, text.replace("```mermaid", "```text"))


def pages() -> dict[str, str]:
    """The text of each page by its name on the site."""
    sources = OTHERS | {f"docs/{page.name}": page.name for page in sorted((ROOT / "docs").glob("*.md"))}
    return {name: moved((ROOT / source).read_text(encoding="utf-8"), source) for source, name in sources.items()}


def main() -> None:
    site = ROOT / "site"
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        (folder / "pages").mkdir()
        for name, text in pages().items():
            (folder / "pages" / name).write_text(text, encoding="utf-8")
        for picture in [*(ROOT / "docs").glob("*.png"), *(ROOT / "docs").glob("*.svg")]:
            shutil.copy(picture, folder / "pages")
        nav = ", ".join(f'"{name}"' for name in ORDER)
        (folder / "zensical.toml").write_text(SETTINGS.format(nav=nav), encoding="utf-8")
        done = subprocess.run([Path(sys.executable).with_name("zensical"), "build", "--strict"], cwd=folder)
        if done.returncode:
            sys.exit("The site was not built. The lines above say why.")
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(folder / "site", site)
    sys.stdout.write(f"The manual: {(site / 'index.html').as_uri()}\n")


if __name__ == "__main__":
    main()
