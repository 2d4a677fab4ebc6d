"""Start one vLLM server for base and tuned. Touches models/ and becomes the program `vllm`."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from plumbline.answering.engine_choice import served
from plumbline.answering.vllm_server import serve_command
from plumbline.commands.refusing import refusing
from plumbline.model.tokenization import template_sha256
from plumbline.model.weights import load_tokenizer


def command_line(port: int, base: Path, adapter: Path) -> list[str]:
    """The words that start the server."""
    return serve_command(served(base, adapter, template=template_sha256(load_tokenizer(base))), port=port)


@click.command()
@click.option("--port", type=int, default=8000, show_default=True, help="The port on this machine.")
@click.option("--base", type=click.Path(path_type=Path), default=Path("models/base"), show_default=True, help="Folder of the base model.")
@click.option(
    "--adapter", type=click.Path(path_type=Path), default=Path("models/adapter"), show_default=True, help="Folder of the adapter."
)
@click.option("--print", "only_print", is_flag=True, help="Print the command line and end.")
def command(port: int, base: Path, adapter: Path, only_print: bool) -> None:
    """Serve base and tuned by one vLLM server.

    Runs `vllm serve` in the foreground with the base model, the adapter as a LoRA module, and names that hold the fingerprints of their weights.
    Start it again after each training. In another terminal:

    \b
    export PLUMBLINE_VLLM_URL=http://127.0.0.1:8000
    dvc exp run -S answer.engine=vllm

    Needs the program `vllm` (requirements-vllm.txt).

    Exit 1 if the server cannot be started.
    """
    with refusing(1, ValueError, OSError):
        words = command_line(port, base, adapter)
        click.echo(shlex.join(words))
        if only_print:
            return
        program = shutil.which("vllm")
        if program is None:
            raise FileNotFoundError(
                "the program `vllm` was not found. Install requirements-vllm.txt in a separate environment, and put its `bin` on the path."
            )
        sys.stdout.flush()
        os.execv(program, words)
