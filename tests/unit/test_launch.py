"""The process that starts the ranks ends with one true code, passes signals on, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from plumbline.model.orphans import refuse_to_be_an_orphan
from plumbline.training import launch as launching
from plumbline.training.launch import Launch, LaunchRefused, asked_for, environments, exit_code, read_configuration, run_ranks

ROOT = Path(__file__).resolve().parents[2]
DDP = """compute_environment: LOCAL_MACHINE
distributed_type: MULTI_CPU
num_machines: 1
num_processes: 3
mixed_precision: 'no'
"""


@pytest.fixture(autouse=True)
def not_launched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "DVC_STAGE", launching.LAUNCH, launching.SUPERVISOR):
        monkeypatch.delenv(name, raising=False)


def run(script: str, num_ranks: int = 2) -> int | str | None:
    """Exit code of ranks that run a Python script."""
    try:
        run_ranks(Launch(num_ranks, {}), [sys.executable, "-c", "import os, signal, sys, time\nrank = int(os.environ['RANK'])\n" + script])
    except SystemExit as error:
        return error.code
    return 0


@pytest.mark.parametrize(
    ("codes", "first_failure", "signalled", "expected"),
    [
        ([0, 0], None, False, 0),
        ([75, 75], None, False, 75),
        ([75, 0], None, True, 75),
        ([-15, 75], -15, True, 75),
        ([-15, -9], -15, False, 143),
        ([1, -9], 1, False, 1),
        ([-9, 1], -9, False, 137),
        ([75, 1], 1, True, 1),
        ([0, 0], None, True, 0),
    ],
)
def test_one_code_for_all(codes: list[int], first_failure: int | None, signalled: bool, expected: int) -> None:
    assert exit_code(codes, first_failure=first_failure, signalled=signalled) == expected


def test_ranks_that_end_well_end_well() -> None:
    assert run("assert os.environ['WORLD_SIZE'] == '3' and os.environ['LOCAL_RANK'] == str(rank)", 3) == 0


def test_the_code_75_of_the_ranks_is_not_lost() -> None:
    assert run("sys.exit(75)") == 75


def test_a_rank_that_fails_takes_the_others_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(launching, "GRACE_SECONDS", 0.2)
    script = f"if rank: sys.exit(3)\ntime.sleep(60)\nopen({str(tmp_path / 'orphan')!r}, 'w')"
    started = time.monotonic()
    assert run(script) == 3 and time.monotonic() - started < 30


def test_a_rank_killed_outright_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "GRACE_SECONDS", 0.2)
    assert run("if rank: os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(60)") == 137


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_every_rank_and_is_75(tmp_path: Path, number: signal.Signals) -> None:
    script = f"""
def stop(*_):
    open({str(tmp_path)!r} + f"/stopped-{{rank}}", "w").close()
    sys.exit(75)
signal.signal(signal.SIGTERM, stop)
open({str(tmp_path)!r} + f"/ready-{{rank}}", "w").close()
time.sleep(60)
"""

    def send() -> None:
        while len(list(tmp_path.glob("ready-*"))) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    def is_not_ours(*_: object) -> None:
        raise AssertionError("the launcher did not take the signal")

    # Tests that run under nohup inherit an ignored SIGHUP, which the launcher leaves ignored.
    inherited = signal.signal(number, is_not_ours)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        assert run(script) == 75
        sender.join()
        assert sorted(path.name for path in tmp_path.glob("stopped-*")) == ["stopped-0", "stopped-1"]
        assert signal.getsignal(number) is is_not_ours
    finally:
        signal.signal(number, inherited)


def test_a_signal_before_the_ranks_can_handle_it_is_75_too(tmp_path: Path) -> None:
    def send() -> None:
        while len(list(tmp_path.glob("ready-*"))) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    sender = threading.Thread(target=send)
    sender.start()
    assert run(f"open({str(tmp_path)!r} + f'/ready-{{rank}}', 'w').close()\ntime.sleep(60)") == 75
    sender.join()


def test_the_ranks_do_not_watch_the_inputs_and_know_who_started_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_THREADS", "3")
    inherited = {**os.environ, "DVC_STAGE": "train", launching.LAUNCH: "2", "HOME": "/x"}
    first, second = environments(Launch(2, {"FSDP_VERSION": "2"}), inherited)
    for found in (first, second):
        assert "DVC_STAGE" not in found and launching.LAUNCH not in found
        assert found["HOME"] == "/x" and found["FSDP_VERSION"] == "2" and found["OMP_NUM_THREADS"] == "3"
        assert found[launching.SUPERVISOR] == str(os.getpid())
    assert (first["RANK"], second["RANK"]) == ("0", "1") and first["MASTER_PORT"] == second["MASTER_PORT"]


@pytest.mark.slow
def test_ranks_die_with_the_process_that_started_them(tmp_path: Path) -> None:
    rank = f"""
import os, time
from plumbline.model.orphans import die_with_parent
die_with_parent()
open({str(tmp_path)!r} + f"/{{os.environ['RANK']}}-{{os.getpid()}}", "w").close()
time.sleep(120)
"""
    script = f"import sys\nfrom plumbline.training.launch import *\nrun_ranks(Launch(2, {{}}), [sys.executable, '-c', {rank!r}])"
    supervisor = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    deadline = time.monotonic() + 300
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    supervisor.kill()
    supervisor.wait()
    ids = [int(path.name.split("-")[1]) for path in tmp_path.iterdir()]
    assert len(ids) == 2
    stats = [Path(f"/proc/{pid}/stat") for pid in ids]
    while any(stat.exists() and stat.read_text().split()[2] != "Z" for stat in stats) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert time.monotonic() < deadline, "a rank outlived the process that started it"


def test_a_rank_whose_supervisor_is_gone_ends_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_to_be_an_orphan()
    monkeypatch.setenv(launching.SUPERVISOR, str(os.getppid()))
    refuse_to_be_an_orphan()
    monkeypatch.setenv(launching.SUPERVISOR, "1234567")
    with pytest.raises(SystemExit, match="is gone"):
        refuse_to_be_an_orphan()


@pytest.mark.parametrize(("text", "expected"), [("", None), ("1", None), (" 1 ", None), ("2", Launch(2, {})), ("16", Launch(16, {}))])
def test_what_is_asked_for(monkeypatch: pytest.MonkeyPatch, text: str, expected: Launch | None) -> None:
    monkeypatch.setenv(launching.LAUNCH, text)
    assert asked_for() == expected
    monkeypatch.setenv("RANK", "0")
    assert asked_for() is None, "a rank starts no further ranks"


@pytest.mark.parametrize("text", ["0", "-1", "two", "2 processes", "ddp"])
def test_anything_else_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(launching.LAUNCH, text)
    with pytest.raises(LaunchRefused, match="Set it to a number of processes, at least 1, or to"):
        asked_for()


def test_dvc_under_a_launcher_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "train")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(LaunchRefused, match=r"WORLD_SIZE is 4.*Start `dvc repro` once, with PLUMBLINE_LAUNCH=N"):
        asked_for()


@pytest.mark.parametrize(
    ("name", "num_ranks", "environment"),
    [
        ("ddp.yaml", 2, {}),
        ("fsdp2.yaml", 2, {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT"}),
    ],
)
def test_accelerate_of_the_pinned_version_reads_the_configurations_that_ship(
    name: str, num_ranks: int, environment: dict[str, str]
) -> None:
    found = read_configuration(str(ROOT / "launch" / name))
    assert found.num_ranks == num_ranks and environment.items() <= found.environment.items()
    assert set(found.environment) <= {key for key in found.environment if key.startswith(("ACCELERATE_USE_FSDP", "FSDP_"))}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("MULTI_CPU", "DEEPSPEED", "distributed_type is DEEPSPEED. Set it to one of MULTI_CPU, MULTI_GPU, FSDP"),
        ("num_machines: 1", "num_machines: 2", "num_machines is 2"),
        ("'no'", "bf16", "mixed_precision is bf16. Set it to 'no': base.dtype decides"),
        ("num_processes: 3", "num_processes: 0", "num_processes is 0. Set it to 1 or more"),
        ("MULTI_CPU", "FSDP", "fsdp_version is None. Set it to 2"),
        ("MULTI_CPU", "FSDP\nfsdp_config:\n  fsdp_version: 2", "Set it to FULL_STATE_DICT: rank 0 writes"),
        ("num_machines", "num_machine", "num_machine"),
    ],
)
def test_a_configuration_that_would_train_something_else_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "accelerate.yaml"
    path.write_text(DDP)
    assert read_configuration(str(path)) == Launch(3, {})
    path.write_text(DDP.replace(old, new))
    with pytest.raises(ValueError, match=said):
        read_configuration(str(path))
