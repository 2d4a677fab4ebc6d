"""Start a training as several processes and answer for them: one exit code, signals passed on, no one left behind.

torchrun is not used for this: it turns exit code 75 into 1, and kills after 30 seconds what may still be writing a checkpoint.
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
"""For the others to say what went wrong, once one rank has failed: without it they cannot go on, and a checkpoint is whole or absent."""


def taken_signals() -> list[signal.Signals]:
    """The signals that a training takes for itself: not SIGHUP where it is ignored, as below nohup."""
    return [number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]


class LaunchRefused(ValueError):
    """What PLUMBLINE_LAUNCH asks for cannot be started, or would train something else."""


class Launch(NamedTuple):
    """How many processes, and what accelerate wants them to find in their environment."""

    num_ranks: int
    environment: dict[str, str]


def asked_for() -> Launch | None:
    """Read PLUMBLINE_LAUNCH: a number of processes on this machine, or the path of an accelerate configuration; None for one process.

    A process that a launcher has started (RANK) is a rank already. LaunchRefused for what cannot be started.
    """
    if "DVC_STAGE" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise LaunchRefused(
            f"WORLD_SIZE={os.environ['WORLD_SIZE']}: a launcher has started DVC itself several times. Start `dvc repro` once, with {LAUNCH}=N."
        )
    text = os.environ.get(LAUNCH, "").strip()
    if "RANK" in os.environ or text in ("", "1"):
        return None
    if text.isdigit() and int(text) > 1:
        return Launch(int(text), {})
    if not text.endswith((".yaml", ".yml")):
        raise LaunchRefused(f"{LAUNCH} is {text!r}: a number of processes from 1 on, or the path of an accelerate configuration (launch/).")
    return read_configuration(text)


def read_configuration(path: str) -> Launch:
    """Take number of processes and FSDP settings from an accelerate configuration, through accelerate's own reader.

    FileNotFoundError, accelerate's ValueError for an unknown key, LaunchRefused for what would change the training.
    """
    # Imported here: it loads torch, which the process that starts the ranks has no other use for.
    from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils import DistributedType
    from accelerate.utils.launch import prepare_multi_gpu_env

    config = load_config_from_file(path)
    if not isinstance(config, ClusterConfig):
        raise LaunchRefused(f"{path}: compute_environment is {config.compute_environment}: LOCAL_MACHINE is what can be started here.")
    found = DistributedType(config.distributed_type)
    allowed = (DistributedType.MULTI_CPU, DistributedType.MULTI_GPU, DistributedType.FSDP)
    sharded, fsdp = found == DistributedType.FSDP, getattr(config, "fsdp_config", None) or {}
    for wrong, said in (
        (found not in allowed, f"distributed_type is {found.value}: one of {', '.join(kind.value for kind in allowed)}"),
        (
            config.num_machines != 1,
            f"num_machines is {config.num_machines}: `dvc repro` starts the processes of one machine; for more see README, Several GPUs",
        ),
        (config.mixed_precision not in (None, "no"), f"mixed_precision is {config.mixed_precision}: 'no', since base.dtype decides"),
        (config.num_processes < 1, f"num_processes is {config.num_processes}: 1 or more"),
        (sharded and fsdp.get("fsdp_version") != 2, "fsdp_version must be 2"),
        (sharded and fsdp.get("fsdp_state_dict_type") != "FULL_STATE_DICT", "fsdp_state_dict_type must be FULL_STATE_DICT: rank 0 writes"),
    ):
        if wrong:
            raise LaunchRefused(f"{path}: {said}.")
    if not sharded:
        return Launch(config.num_processes, {})
    arguments, _, _ = _validate_launch_command(
        launch_command_parser().parse_args(["--config_file", path, "--main_process_port", "0", "train"])
    )
    environment = prepare_multi_gpu_env(arguments)
    # The rest of what accelerate sets (precision, compilation, threads) would change the sums behind our back.
    return Launch(config.num_processes, {k: v for k, v in environment.items() if k.startswith(("ACCELERATE_USE_FSDP", "FSDP_"))})


def free_port() -> int:
    """A port of this machine that no one listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environments(launch: Launch, inherited: Mapping[str, str]) -> list[dict[str, str]]:
    """One environment per rank. DVC_STAGE stays here: the inputs are watched once, by the process that answers for the stage."""
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
    """One code for all: 0 if every rank has it; 75 where they stopped or were stopped by a signal; else that of the first to fail.

    A rank ended by signal n counts as 128 + n, as in a shell.
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
    """Run the command once per rank, to the end of all; exits with their code where it is not 0.

    SIGTERM, SIGINT and SIGHUP reach every rank as SIGTERM. A rank that fails takes the others with it. The ranks die with this process.
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
