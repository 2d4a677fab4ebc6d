"""Serve base and tuned by one vLLM server, for answers of both arms without starting it twice: python -m plumbline.commands.serve_models

Runs `vllm serve` in the foreground with the base model, the adapter as a LoRA module, and names that hold the fingerprints of
their weights; after another training it has to be started again. In another terminal:
    export PLUMBLINE_VLLM_URL=http://127.0.0.1:8000
    dvc exp run -S answer.engine=vllm
Needs the `vllm` command (requirements-vllm.txt).
"""

import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path

from plumbline.answering.engine_choice import served
from plumbline.answering.vllm_server import serve_command
from plumbline.model.tokenization import template_sha256
from plumbline.model.weights import load_tokenizer


def main(arguments: list[str]) -> None:
    """Become the server, or print its command line."""
    parser = argparse.ArgumentParser(
        prog="python -m plumbline.commands.serve_models", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--base", type=Path, default=Path("models/base"))
    parser.add_argument("--adapter", type=Path, default=Path("models/adapter"))
    parser.add_argument("--print", action="store_true", dest="only_print", help="print the command line and end")
    given = parser.parse_args(arguments)
    wanted = served(given.base, given.adapter, template=template_sha256(load_tokenizer(given.base)))
    command = serve_command(wanted, port=given.port)
    sys.stdout.write(shlex.join(command) + "\n")
    sys.stdout.flush()
    if given.only_print:
        return
    program = shutil.which("vllm")
    if program is None:
        sys.exit("there is no `vllm` command: install requirements-vllm.txt in an environment of its own and put it on the path.")
    os.execv(program, command)


if __name__ == "__main__":
    main(sys.argv[1:])
