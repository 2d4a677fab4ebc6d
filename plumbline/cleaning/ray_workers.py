"""Map a pure function over the chunks of a source file on Ray Data: processes of this machine or of a cluster, in order, in bounded memory.

Ray is an extra (requirements-ray.txt), imported only here and only if PLUMBLINE_RAY_ADDRESS asks for it.
"""

import hashlib
import logging
import os
import pickle
import re
import secrets
import shutil
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, NamedTuple, TypeVar

from plumbline.cleaning.source_format import SourceFormat
from plumbline.cleaning.source_lines import Chunk, read_chunks
from plumbline.cleaning.workers import num_workers
from plumbline.pipeline.refused import InputRefused

ANSI = re.compile(r"\x1b\[[0-9;]*m")
Result = TypeVar("Result")
PACKAGE = Path(__file__).resolve().parents[1]
OBJECT_STORE_BYTES = 512 << 20
"""Shared memory for chunks on their way; the rest of a large file waits on the disk."""
TRIES_OF_A_CHUNK = 4
"""If the process of one chunk dies this often, the stage fails: Ray would otherwise try a chunk that needs all memory for ever."""
SECONDS_TO_CONNECT = 10
DECIDING_PACKAGES = ("ftfy", "orjson", "pydantic")
"""With other versions of these, a row may come out differently."""


def ray_address() -> str | None:
    """Where to clean: PLUMBLINE_RAY_ADDRESS, `local` or HOST:PORT of a running cluster; None if it is unset. Never changes a result."""
    given = os.environ.get("PLUMBLINE_RAY_ADDRESS", "")
    host, _, port = given.rpartition(":")
    if not given or given == "local" or (host and "/" not in host and port.isascii() and port.isdigit()):
        return given or None
    raise ValueError(
        f"PLUMBLINE_RAY_ADDRESS is {given!r}. Set it to `local`, or on a machine of a running cluster to its HOST:PORT "
        "(not to a ray:// client: the source file must be on that machine). Unset it to clean without Ray."
    )


def map_on_ray(
    function: Callable[[Chunk], Result], source: Path, source_format: SourceFormat, address: str
) -> Iterator[tuple[int, Result]]:
    """Yield the number of lines of each chunk of the source with its result, in the order of the chunks.

    The file is read on the machine of this process, a chunk at a time; every chunk goes to a free process of the cluster. If a process
    dies, another one does its chunk again. InputRefused as `read_chunks` raises it, RayFailed for anything else. The Ray processes
    that were started here end with the iterator, however it ends.
    """
    expected = 1
    with ray_started(address) as (ray, data):
        here = data.DataContext.get_current()
        # One block per chunk: in blocks of 128 MiB, Ray's default, all chunks would go to one process.
        here.target_max_block_size = 1
        here.execution_options.preserve_order = True
        here.enable_progress_bars = False
        # Reading takes no slot from a cleaning process, and its different resources keep Ray from merging both into one step.
        near = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
        lines = data.read_datasource(source_of_chunks(data, source, source_format), override_num_blocks=1, num_cpus=0, label_selector=near)
        with warnings.catch_warnings():
            # Ray has no other way yet to limit the tries, which are endless by default. It warns that 2.64 removes this one.
            warnings.simplefilter("ignore", DeprecationWarning)
            limited = {"max_retries": TRIES_OF_A_CHUNK - 1}
            results = lines.map(Work(function, versions()), num_cpus=1, ray_remote_args_fn=lambda: limited)
        try:
            for row in results.iter_rows():
                done: Done | Refusal = unpacked(row["done"])
                if isinstance(done, Refusal):
                    raise InputRefused(done.reason, done.message)
                assert done.first_line == expected, f"a chunk from line {done.first_line} came where line {expected} was due"
                expected += done.num_lines
                yield done.num_lines, done.result
        except ray.exceptions.RayError as error:
            raise RayFailed(
                f"{source}: Ray could not clean the chunk from line {expected} on, or a later one ({reason_of(error)}). "
                "Nothing was written. Fix the cause, or unset PLUMBLINE_RAY_ADDRESS to clean without Ray."
            ) from error


class RayFailed(RuntimeError):
    """Ray gave up: a process died again and again, a machine has other versions, or the function failed."""


def reason_of(error: Exception) -> str:
    """The one line of a Ray error that says what happened: the first error in its traceback, else its first line."""
    lines = [line.strip() for line in ANSI.sub("", str(error)).splitlines() if line.strip()]
    ours = [line for line in lines if re.match(r"\w+(Error|Exception|Refused): ", line)]
    return (ours or lines or [type(error).__name__])[0]


class Refusal(NamedTuple):
    """Why the file as a whole is refused. It travels like a chunk: Ray would wrap an exception, and its code would be lost."""

    reason: str
    message: str


class Done(NamedTuple):
    """A chunk and its result."""

    first_line: int
    num_lines: int
    result: Any


def packed(content: Chunk | Refusal | Done) -> bytes:
    """The content as bytes, so that Ray knows how large a row is and slows the reader down in time."""
    return pickle.dumps(content, protocol=5)


def unpacked(content: bytes) -> Any:
    """What was packed, here or by our own code in another process of the cluster."""
    return pickle.loads(content)  # noqa: S301


class Work:
    """What a Ray process does with a row of the data set, which holds a packed chunk or the refusal of the file."""

    def __init__(self, function: Callable[[Chunk], Any], wanted: dict[str, str]) -> None:
        """`wanted`: the versions of the process that asks."""
        self.function, self.wanted = function, wanted

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        """The packed result of a row. ValueError if this machine has other versions: its rows might come out differently."""
        if versions() != self.wanted:
            raise ValueError(f"A machine of the cluster has {versions()}, but the one that asks has {self.wanted}. Install the same there.")
        given: Chunk | Refusal = unpacked(row["given"])
        if isinstance(given, Refusal):
            return {"done": row["given"]}
        return {"done": packed(Done(given.first_line, len(given.lines), self.function(given)))}


@cache
def versions() -> dict[str, str]:
    """What can change a row: this code itself, Python, and the packages that the rows go through."""
    code = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        code.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes())
    return {"code": code.hexdigest()[:16], "python": python_version(), **{package: version(package) for package in DECIDING_PACKAGES}}


def source_of_chunks(data: Any, source: Path, source_format: SourceFormat) -> Any:
    """A Ray data source of one task that reads the file as a stream: a row per chunk, and a last one if the file is refused."""
    import pyarrow

    # A process of a cluster has its own working folder.
    absolute = source.resolve()

    def read() -> Iterator[Any]:
        try:
            for chunk in read_chunks(absolute, source_format):
                yield pyarrow.table({"given": [packed(chunk)]})
        except InputRefused as refusal:
            message = str(refusal).removeprefix(f"{refusal.reason}: ").replace(str(absolute), str(source))
            yield pyarrow.table({"given": [packed(Refusal(refusal.reason, message))]})

    class ChunkSource(data.Datasource):
        def estimate_inmemory_data_size(self) -> int:
            return source.stat().st_size

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:
            unknown = data.block.BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
            return [data.ReadTask(read, unknown)]

    return ChunkSource()


@contextmanager
def ray_started(address: str) -> Iterator[tuple[Any, Any]]:
    """Ray and its Data library, connected to a cluster, or to their own processes on this machine, which listen on the loopback only.

    ValueError if Ray is not installed, or nothing answers at the address. No usage data is sent to Ray's makers.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address == "local":
        # Ray reads both when it is imported. The first keeps Ray on 127.0.0.1 (its name is about other systems, where this is the default).
        # Without the second, Ray would write a token to the home folder.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray  # pyright: ignore[reportMissingImports]
        import ray.data  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise ValueError(
            f"PLUMBLINE_RAY_ADDRESS is {address!r}, but {error.name} is not installed here. Run `make clean-on-ray`, which sets Ray up in "
            ".venv/ray and cleans with it, or unset the variable to clean without Ray."
        ) from None
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    # It holds sockets, and a socket's path may have at most 107 characters: so it does not lie below a deep TMPDIR.
    folder = Path(tempfile.mkdtemp(prefix="plumbline-ray-", dir="/tmp"))
    try:
        if address == "local":
            ray.init(
                address="local",
                num_cpus=num_workers(),
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=str(folder),
                **quiet,
            )
            assert ray.util.get_node_ip_address() == "127.0.0.1", "Ray was imported before its settings were made"
        else:
            look_for_cluster(address)
            # The other machines may have no checkout, or another one, so they get this code.
            ray.init(address=address, runtime_env={"py_modules": [str(PACKAGE)]}, **quiet)
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        yield ray, ray.data
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def look_for_cluster(address: str) -> None:
    """ValueError if nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS_TO_CONNECT).close()
    except OSError as error:
        raise ValueError(
            f"PLUMBLINE_RAY_ADDRESS is {address}, but nothing answers there ({error}). Start a cluster (`ray start --head` on that machine), or unset it."
        ) from None
