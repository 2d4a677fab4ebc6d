"""Start `vllm serve` for the base model with the adapter as a LoRA module, wait until it answers, and end it with the stage."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from plumbline.answering.vllm_engine import ServerRefused, VllmServer, setting
from plumbline.model.orphans import end_with_parent
from plumbline.pipeline.cache import cache_folder
from plumbline.pipeline.heartbeat import working

LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Values that --max-lora-rank accepts. Its default, 16, refuses an adapter of a higher rank."""
MORE_ARGUMENTS = "PLUMBLINE_VLLM_ARGS"
"""Arguments for this machine, such as --gpu-memory-utilization 0.5. They change a text only through rounding."""
TAIL_CHARACTERS = 1500
END_SECONDS = 30


class Served(NamedTuple):
    """What a server must serve. Names hold fingerprints, so changed weights have another name."""

    weights: Path
    """Folder of the base model's weights and configuration."""
    tokenizer: Path
    dtype: str
    base_name: str
    adapter: Path | None
    tuned_name: str | None
    rank: int
    """LoRA rank of the adapter; 0 without one."""


def serve_command(served: Served, *, port: int) -> list[str]:
    """The command line. LoRA is always enabled, so that arms with and without an adapter run on the same kernels."""
    command = ["vllm", "serve", str(served.weights), "--tokenizer", str(served.tokenizer), "--served-model-name", served.base_name]
    command += ["--dtype", served.dtype, "--generation-config", "vllm", "--host", "127.0.0.1", "--port", str(port), "--enable-lora"]
    if served.adapter is not None:
        rank = next((rank for rank in LORA_RANKS if rank >= served.rank), None)
        if rank is None:
            raise ValueError(f"lora.r is {served.rank}, but vLLM serves ranks up to {LORA_RANKS[-1]}. Set answer.engine to transformers.")
        command += ["--max-lora-rank", str(rank), "--lora-modules", f"{served.tuned_name}={served.adapter}"]
    return [*command, *shlex.split(os.environ.get(MORE_ARGUMENTS, ""))]


def free_port() -> int:
    """A port on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(server: VllmServer, process: subprocess.Popen[bytes] | None, log: Path) -> None:
    """Wait until our own server is up, or until another one has finished loading. If no server runs there, do not wait."""
    limit = setting("PLUMBLINE_VLLM_START_SECONDS", 600)
    started = time.monotonic()
    with working(f"vllm starts, at most {limit:g} s"):
        while (state := server.state()) != "ready" and (process is not None or state == "loading"):
            took = time.monotonic() - started
            tail = "" if process is None else f" The end of its log ({log}):\n{log.read_text('utf-8', errors='replace')[-TAIL_CHARACTERS:]}"
            if process is not None and process.poll() is not None:
                raise ServerRefused(f"vLLM ended with status {process.returncode} before it was ready.{tail}")
            if took > limit:
                raise ServerRefused(f"{server.url} was not ready within {limit:g} s. Raise PLUMBLINE_VLLM_START_SECONDS.{tail}")
            time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, so that it frees the GPU. If it does not, kill it and its workers."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running_server(served: Served) -> Iterator[VllmServer]:
    """The server at PLUMBLINE_VLLM_URL, or our own server while the block runs.

    ServerRefused if there is neither a URL nor a `vllm` command.
    """
    log = cache_folder("answers") / "vllm.log"
    url = os.environ.get("PLUMBLINE_VLLM_URL")
    if url:
        server = VllmServer(url)
        _wait_until_ready(server, None, log)
        yield server
        return
    port = free_port()
    command = serve_command(served, port=port)
    beside = Path(sys.executable).with_name("vllm")
    program = str(beside) if beside.is_file() else shutil.which("vllm")
    if program is None:
        raise ServerRefused(
            "answer.engine is vllm, but there is no `vllm` command and PLUMBLINE_VLLM_URL is not set. Install vLLM in its own environment "
            "(requirements-vllm.txt) and put it on the PATH. Or start a server with `plumbline serve-models` and set PLUMBLINE_VLLM_URL. "
            "Or set answer.engine to transformers."
        )
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [program, *command[1:]],
            stdout=stream,
            stderr=stream,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    try:
        server = VllmServer(f"http://127.0.0.1:{port}")
        _wait_until_ready(server, process, log)
        yield server
    finally:
        _end(process)


def shown(served: Served) -> str:
    """The command as a user types it, for messages."""
    return shlex.join(serve_command(served, port=8000))
