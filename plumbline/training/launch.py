"""Start a training as several processes and watch them: one exit code, signals passed on, no process left behind.

torchrun is not used: it turns exit code 75 into 1, and after 30 seconds it kills processes that may still be writing a checkpoint.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

from plumbline.model.orphans import SUPERVISOR
from plumbline.model.threads import num_threads

log = logging.getLogger("launch")

LAUNCH = "PLUMBLINE_LAUNCH"
TEMPORARY_FAILURE = 75
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GRACE_SECONDS = 10.0
"""After one rank failed, the others get this time to log what went wrong. They cannot go on. A kill leaves no half-written checkpoint."""


def taken_signals() -> list[signal.Signals]:
    """The signals that a training handles. SIGHUP is left out if it is ignored, as under nohup."""
    return [number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]


class LaunchRefused(ValueError):
    """The value of PLUMBLINE_LAUNCH cannot be started, or would train something else."""


class Launch(NamedTuple):
    """How many processes, and the environment variables that accelerate needs in them."""

    num_ranks: int
    environment: dict[str, str]


def asked_for() -> Launch | None:
    """Read PLUMBLINE_LAUNCH: a number of processes on this machine, or the path of an accelerate configuration. None for one process.

    A process that a launcher has started (RANK) is already a rank. LaunchRefused if the value cannot be started.
    """
    if "DVC_STAGE" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise LaunchRefused(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}: a launcher started DVC several times. Start `dvc repro` once, with {LAUNCH}=N."
        )
    text = os.environ.get(LAUNCH, "").strip()
    if "RANK" in os.environ or text in ("", "1"):
        return None
    if text.isdigit() and int(text) > 1:
        return Launch(int(text), {})
    if not text.endswith((".yaml", ".yml")):
        raise LaunchRefused(
            f"{LAUNCH} is {text!r}. Set it to a number of processes, at least 1, or to an accelerate configuration such as launch/ddp.yaml."
        )
    return read_configuration(text)


def read_configuration(path: str) -> Launch:
    """Take the number of processes and the FSDP settings from an accelerate configuration, with accelerate's reader.

    FileNotFoundError if there is no file, accelerate's ValueError for an unknown key, LaunchRefused for settings that change the training.
    """
    # Imported here: it loads torch, and the process that starts the ranks needs no torch.
    from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils import DistributedType
    from accelerate.utils.launch import prepare_multi_gpu_env

    config = load_config_from_file(path)
    if not isinstance(config, ClusterConfig):
        raise LaunchRefused(f"{path}: compute_environment is {config.compute_environment}. Set it to LOCAL_MACHINE.")
    found = DistributedType(config.distributed_type)
    allowed = (DistributedType.MULTI_CPU, DistributedType.MULTI_GPU, DistributedType.FSDP)
    sharded, fsdp = found == DistributedType.FSDP, getattr(config, "fsdp_config", None) or {}
    for wrong, said in (
        (found not in allowed, f"distributed_type is {found.value}. Set it to one of {', '.join(kind.value for kind in allowed)}"),
        (
            config.num_machines != 1,
            f"num_machines is {config.num_machines}, but `dvc repro` starts processes on one machine only. Set it to 1, or read Several "
            "GPUs in docs/gpu.md",
        ),
        (config.mixed_precision not in (None, "no"), f"mixed_precision is {config.mixed_precision}. Set it to 'no': base.dtype decides"),
        (config.num_processes < 1, f"num_processes is {config.num_processes}. Set it to 1 or more"),
        (sharded and fsdp.get("fsdp_version") != 2, f"fsdp_version is {fsdp.get('fsdp_version')}. Set it to 2"),
        (
            sharded and fsdp.get("fsdp_state_dict_type") != "FULL_STATE_DICT",
            f"fsdp_state_dict_type is {fsdp.get('fsdp_state_dict_type')}. Set it to FULL_STATE_DICT: rank 0 writes the checkpoint",
        ),
    ):
        if wrong:
            raise LaunchRefused(f"{path}: {said}.")
    if not sharded:
        return Launch(config.num_processes, {})
    arguments, _, _ = _validate_launch_command(
        launch_command_parser().parse_args(["--config_file", path, "--main_process_port", "0", "train"])
    )
    environment = prepare_multi_gpu_env(arguments)
    # The other variables of accelerate (precision, compilation, threads) would change the sums without notice.
    return Launch(config.num_processes, {k: v for k, v in environment.items() if k.startswith(("ACCELERATE_USE_FSDP", "FSDP_"))})


def free_port() -> int:
    """A port of this machine on which no process listens now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environments(launch: Launch, inherited: Mapping[str, str]) -> list[dict[str, str]]:
    """One environment per rank. DVC_STAGE is left out: only the process of the stage watches the inputs."""
    common = {name: value for name, value in inherited.items() if name not in ("DVC_STAGE", LAUNCH)} | {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "WORLD_SIZE": str(launch.num_ranks),
        "LOCAL_WORLD_SIZE": str(launch.num_ranks),
        "OMP_NUM_THREADS": str(num_threads(inherited)),
        SUPERVISOR: str(os.getpid()),
        **launch.environment,
    }
    return [common | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(launch.num_ranks)]


def exit_code(codes: Sequence[int], *, first_failure: int | None, signalled: bool) -> int:
    """One code for all: 0 if every rank ended with 0, 75 if they stopped or a signal stopped them, else the code of the first that failed.

    If signal n ended a rank, its code is 128 + n, as in a shell.
    """
    stopped = {0, TEMPORARY_FAILURE} | ({-number for number in SIGNALS} if signalled else set())
    if all(code == 0 for code in codes):
        return 0
    if all(code in stopped for code in codes):
        return TEMPORARY_FAILURE
    assert first_failure is not None
    return first_failure if first_failure > 0 else 128 - first_failure


@contextmanager
def _noting(received: list[int]) -> Iterator[None]:
    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in taken_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_ranks(launch: Launch, command: Sequence[str]) -> None:
    """Run the command once per rank, until all have ended. Exits with their code if it is not 0.

    SIGTERM, SIGINT and SIGHUP reach every rank as SIGTERM. If one rank fails, the others are stopped. The ranks die with this process.
    """
    log.info("%d processes", launch.num_ranks)
    received: list[int] = []
    signalled, first_failure, deadline = False, None, float("inf")
    with _noting(received):
        ranks = [subprocess.Popen(command, env=environment) for environment in environments(launch, os.environ)]
        while None in [process.poll() for process in ranks]:
            if received:
                received.clear()
                signalled = True
                for process in ranks:
                    process.terminate()
            failed = [process.returncode for process in ranks if process.returncode not in (None, 0, TEMPORARY_FAILURE)]
            if failed and first_failure is None:
                first_failure, deadline = failed[0], time.monotonic() + GRACE_SECONDS
            if time.monotonic() > deadline:
                for process in ranks:
                    process.kill()
            time.sleep(0.05)
    codes = [process.returncode for process in ranks]
    if first_failure is None:
        first_failure = next((code for code in codes if code not in (0, TEMPORARY_FAILURE)), None)
    code = exit_code(codes, first_failure=first_failure, signalled=signalled)
    if code:
        log.warning("processes ended with %s: exit code %d", codes, code)
        sys.exit(code)
