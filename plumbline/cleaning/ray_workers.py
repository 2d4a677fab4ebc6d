"""Map a pure function over the chunks of a source file on Ray Data: processes of this machine or of a cluster, in order, in bounded memory.

Ray is an extra (requirements-ray.txt) and imported only here, only when asked for.
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
"""A chunk whose process dies this often fails the stage: a chunk that takes all memory would take it for ever."""
SECONDS_TO_CONNECT = 10
DECIDING_PACKAGES = ("ftfy", "orjson", "pydantic")
"""Of other versions a row may come out otherwise."""


def ray_address() -> str | None:
    """Where to clean: PLUMBLINE_RAY_ADDRESS, `local` or HOST:PORT of a running cluster; None where it is unset. Never changes a result."""
    given = os.environ.get("PLUMBLINE_RAY_ADDRESS", "")
    host, _, port = given.rpartition(":")
    if not given or given == "local" or (host and "/" not in host and port.isascii() and port.isdigit()):
        return given or None
    raise ValueError(
        f"PLUMBLINE_RAY_ADDRESS is {given!r}; `local` is read, or HOST:PORT of a running cluster, from one of its machines "
        "(no ray:// client: the source file must be at hand). Unset it to clean without Ray."
    )


def map_on_ray(
    function: Callable[[Chunk], Result], source: Path, source_format: SourceFormat, address: str
) -> Iterator[tuple[int, Result]]:
    """Yield the number of lines of each chunk of the source with its result, in the order of the chunks.

    The file is read on the machine of this process, a chunk at a time; every chunk goes to a free process of the cluster. A process
    that dies is replaced and its chunk done again. InputRefused as `read_chunks` raises it, RayFailed for anything else; the Ray
    processes that were started here end with the iterator, however it ends.
    """
    expected = 1
    with ray_started(address) as (ray, data):
        here = data.DataContext.get_current()
        # A block for each chunk: joined to blocks of 128 MiB, which are Ray's measure, they would all go to one process.
        here.target_max_block_size = 1
        here.execution_options.preserve_order = True
        here.enable_progress_bars = False
        # Reading takes no place of a cleaning process, and its own demands keep Ray from making one step of both.
        near = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
        lines = data.read_datasource(source_of_chunks(data, source, source_format), override_num_blocks=1, num_cpus=0, label_selector=near)
        with warnings.catch_warnings():
            # Ray has no other way yet to bound the tries, which are endless by default, and warns that this one will go in 2.64.
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
                f"{source}: Ray could not do the chunk from line {expected} or one after it ({reason_of(error)}). "
                "Nothing was written; fix the cause, or unset PLUMBLINE_RAY_ADDRESS to work without Ray."
            ) from error


class RayFailed(RuntimeError):
    """Ray gave up: a process died again and again, a machine does not fit, or the function failed."""


def reason_of(error: Exception) -> str:
    """The one line of a Ray error that says what happened: the first error in its traceback, else its first line."""
    lines = [line.strip() for line in ANSI.sub("", str(error)).splitlines() if line.strip()]
    ours = [line for line in lines if re.match(r"\w+(Error|Exception|Refused): ", line)]
    return (ours or lines or [type(error).__name__])[0]


class Refusal(NamedTuple):
    """Why the file as a whole is refused. Travels like a chunk: an exception would come back wrapped in Ray's own, its code lost."""

    reason: str
    message: str


class Done(NamedTuple):
    """A chunk and its result."""

    first_line: int
    num_lines: int
    result: Any


def packed(content: Chunk | Refusal | Done) -> bytes:
    """As bytes: Ray then knows how large a row is, and holds the reader back in time."""
    return pickle.dumps(content, protocol=5)


def unpacked(content: bytes) -> Any:
    """What was packed, here or by our own code in another process of the cluster."""
    return pickle.loads(content)  # noqa: S301


class Work:
    """What a Ray process does with a row of the data set, which holds a packed chunk or the refusal of the file."""

    def __init__(self, function: Callable[[Chunk], Any], wanted: dict[str, str]) -> None:
        """`wanted` are the versions of the process that asked."""
        self.function, self.wanted = function, wanted

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        """Its result, packed. ValueError where this machine has other versions: its rows might come out otherwise."""
        if versions() != self.wanted:
            raise ValueError(f"a machine of the cluster has {versions()}, the one that asks {self.wanted}: install the same there.")
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

    # A process of a cluster has a working folder of its own.
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
    """Ray and its Data library, connected: to processes of its own on this machine, which listen on the loopback only, or to a cluster.

    ValueError where Ray is not installed, or nothing answers at the address. Nothing is sent to Ray's makers.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address == "local":
        # Both are read when Ray is imported. The first keeps to 127.0.0.1 (its name speaks of other systems, where it is the default);
        # the second is what Ray would else write to the home folder.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray  # pyright: ignore[reportMissingImports]
        import ray.data  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise ValueError(
            f"PLUMBLINE_RAY_ADDRESS is {address!r} and {error.name} is not installed here: `make clean-on-ray` sets Ray up in .venv/ray and "
            "cleans with it. Unset the variable to clean without Ray."
        ) from None
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    # Sockets live in it, whose paths may have 107 characters: not below a deep TMPDIR.
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
            # The other machines may have no checkout, or another one: this code goes along.
            ray.init(address=address, runtime_env={"py_modules": [str(PACKAGE)]}, **quiet)
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        yield ray, ray.data
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def look_for_cluster(address: str) -> None:
    """ValueError where nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS_TO_CONNECT).close()
    except OSError as error:
        raise ValueError(
            f"PLUMBLINE_RAY_ADDRESS is {address}, and nothing answers there ({error}): start a cluster (`ray start --head` on that machine), or unset it."
        ) from None
