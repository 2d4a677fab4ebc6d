"""Cleaning on Ray keeps every promise of the local engine: the same bytes, the same refusals, no half files, and no process left behind.

Each test starts Ray in a separate process, by an interpreter that has it (`make clean-on-ray` makes .venv/ray). Without one they skip.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from plumbline.cleaning.ray_workers import Work, look_for_cluster, packed, ray_address, reason_of
from plumbline.cleaning.source_lines import Chunk
from plumbline.pipeline.refused import InputRefused
from stages.clean import main
from tests.pipeline.test_clean import ROWS, params

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = ("kept", "quarantined", "metrics", "classes", "repair_examples")
CLEAN = """
import json, sys
from pathlib import Path
from stages.clean import main
from tests.pipeline.test_clean import params
source, out, shape = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
main(params(format=shape), source=source, **{name: out / name for name in ("kept", "quarantined", "metrics", "classes", "repair_examples")})
"""
MAP = """
import os, sys, time
from pathlib import Path
from plumbline.cleaning.ray_workers import map_on_ray
from plumbline.cleaning.source_format import SourceFormat
def mapped(function, address="local"):
    return map_on_ray(function, Path(sys.argv[1]), SourceFormat(), address)
"""


@pytest.fixture(scope="module")
def ray_python() -> str:
    """An interpreter that has Ray: this one, or the environment that `make clean-on-ray` makes."""
    own = Path(os.environ.get("PLUMBLINE_RAY_PYTHON", ROOT / ".venv/ray/bin/python"))
    if find_spec("ray"):
        return sys.executable
    if own.exists():
        return str(own)
    pytest.skip("Ray is not installed: it is an extra; `make clean-on-ray` sets it up in .venv/ray")


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 4 MiB, so several chunks, with every sort of bad line."""
    path = tmp_path_factory.mktemp("messy") / "source.jsonl"
    bad = [b"not json", b"", b"   ", b'{"instruction": "Why?"}', b'{"instruction": "Caf\xe9?", "output": "yes"}', b"[1, 2]"]
    bad += [json.dumps({"instruction": "Key?", "output": "sk-ant-api03-" + "Q" * 40}).encode()]
    with path.open("wb") as stream:
        for number in range(4000):
            for row in ROWS:
                changed = {**row, "instruction": f"{row['instruction']} Case {number // 3}, in the words of lesson {number % 7}."}
                stream.write(json.dumps(changed | {"input": row["input"] or "x" * 80}).encode() + b"\n")
            if number % 50 == 0:
                stream.write(bad[number // 50 % len(bad)] + b"\n")
            if number == 2000:
                stream.write(b'{"instruction": "q", "output": "' + b"x" * (2 << 20) + b'"}\n')
    return path


def run(python: str, code: str, *words: Any, check: bool = True, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code by the interpreter that has Ray; never longer than four minutes."""
    command = [python, "-c", code, *map(str, words)]
    two = {**os.environ, "PLUMBLINE_WORKERS": "2", **environment}
    done = subprocess.run(command, cwd=cwd, env=two, capture_output=True, text=True, timeout=240, check=False)
    assert not check or done.returncode == 0, done.stderr[-3000:]
    return done


def local_bytes(source: Path, out: Path, shape: str) -> dict[str, bytes]:
    main(params(format=shape), source=source, **{name: out / name for name in OUTPUTS})  # type: ignore[arg-type]
    return {name: (out / name).read_bytes() for name in OUTPUTS}


def ray_folders() -> set[Path]:
    return set(Path("/tmp").glob("plumbline-ray-*"))


@pytest.mark.slow
def test_two_processes_on_ray_write_the_same_bytes_as_the_local_engine(ray_python: str, messy: Path, tmp_path: Path) -> None:
    expected = local_bytes(messy, tmp_path / "local", "alpaca")
    folders = ray_folders()
    run(ray_python, CLEAN, messy, tmp_path / "ray", "alpaca", PLUMBLINE_RAY_ADDRESS="local")
    assert {name: (tmp_path / "ray" / name).read_bytes() for name in OUTPUTS} == expected
    summary = json.loads(expected["metrics"])
    assert len([reason for reason, number in summary["reasons"].items() if number]) >= 6 and summary["blank"] > 0
    assert ray_folders() == folders, "logs and sockets of Ray were left"


@pytest.mark.slow
def test_csv_with_a_relative_path_gives_the_same_bytes(ray_python: str, tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_bytes(b"instruction,output\n" + b'Why?,"It falls,\nslowly."\nWhat?,one,two\nCaf\xe9?,yes\nWho?,Newton\n' * 300)
    relative = Path(os.path.relpath(source, ROOT))
    expected = local_bytes(relative, tmp_path / "local", "csv")
    run(ray_python, CLEAN, relative, tmp_path / "ray", "csv", PLUMBLINE_RAY_ADDRESS="local")
    assert {name: (tmp_path / "ray" / name).read_bytes() for name in OUTPUTS} == expected


@pytest.mark.slow
def test_two_processes_work_on_the_loopback_only_and_a_dead_one_is_replaced(ray_python: str, messy: Path, tmp_path: Path) -> None:
    code = f"""{MAP}
import json, psutil
died = Path(sys.argv[2])
def work(chunk):
    time.sleep(4 if chunk.first_line == 1 else 0.5)  # the first comes out first, though it is done last
    if chunk.first_line > 1 and not died.exists():
        died.touch()
        os.kill(os.getpid(), 9)
    return chunk.first_line, os.getpid()
seen, sockets = [], []
for num_lines, (first_line, pid) in mapped(work):
    seen.append((num_lines, first_line, pid))
    children = psutil.Process().children(recursive=True)
    for process in [psutil.Process(), *children]:
        try:
            connections = process.net_connections("inet")
        except psutil.NoSuchProcess:  # a worker may end between the two calls; it holds no socket then
            continue
        sockets += [end.ip for connection in connections for end in (connection.laddr, connection.raddr) if end]
    from ray._common.usage import usage_lib
    usage = usage_lib.usage_stats_enabled()
def is_left(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
left = [process for process in children if is_left(process)]
print(json.dumps([seen, sorted(set(sockets)), usage, len(left)]))
"""
    done = run(ray_python, code, messy, tmp_path / "died")
    seen, addresses, usage, num_left = json.loads(done.stdout.splitlines()[-1])
    assert (tmp_path / "died").exists()
    lines = 1
    for num_lines, first_line, _ in seen:
        assert first_line == lines, "chunks came out of order, or one is missing"
        lines += num_lines
    assert lines - 1 == messy.read_bytes().count(b"\n")
    assert len({pid for *_, pid in seen}) >= 2
    assert addresses and all(address.endswith("127.0.0.1") for address in addresses)
    assert usage is False and num_left == 0


@pytest.mark.slow
def test_a_chunk_that_kills_its_process_again_and_again_fails_the_stage_and_old_outputs_stand(
    ray_python: str, messy: Path, tmp_path: Path
) -> None:
    code = f"""
import os, plumbline.cleaning.first_pass
def kills(chunk, *, file, policy):
    os.kill(os.getpid(), 9)
plumbline.cleaning.first_pass.clean_source_chunk = kills
{CLEAN}"""
    for name in OUTPUTS:
        (tmp_path / name).write_bytes(b"old")
    folders = ray_folders()
    done = run(ray_python, code, messy, tmp_path, "alpaca", check=False, PLUMBLINE_RAY_ADDRESS="local")
    assert done.returncode == 1 and "RayFailed" in done.stderr and "died unexpectedly" in done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(OUTPUTS, b"old")
    assert ray_folders() == folders


@pytest.mark.slow
def test_a_refused_file_is_refused_in_the_same_words(ray_python: str, messy: Path, tmp_path: Path) -> None:
    source = tmp_path / "conflict.jsonl"
    source.write_bytes(messy.read_bytes() + b"<<<<<<< HEAD\n")
    with pytest.raises(InputRefused) as refusal:
        local_bytes(source, tmp_path / "local", "alpaca")
    done = run(ray_python, CLEAN, source, tmp_path / "ray", "alpaca", check=False, PLUMBLINE_RAY_ADDRESS="local")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"plumbline.pipeline.refused.InputRefused: {refusal.value}"
    assert not list((tmp_path / "ray").iterdir())


@pytest.mark.slow
def test_a_cluster_of_two_nodes_gets_the_code_and_gives_the_same_bytes(ray_python: str, messy: Path, tmp_path: Path) -> None:
    code = f"""
import os, shutil, sys
sys.path.insert(0, {str(ROOT)!r})  # of this process alone: the nodes know no path to the code
folder = {tempfile.mkdtemp(prefix="ray-nodes-", dir="/tmp")!r}
os.environ.update(RAY_TMPDIR=folder, RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled")
from ray.cluster_utils import Cluster
cluster = Cluster(head_node_args={{"num_cpus": 1, "include_dashboard": False}}, initialize_head=True)
cluster.add_node(num_cpus=1)
try:
    os.environ["PLUMBLINE_RAY_ADDRESS"] = cluster.address
    {MAP.replace(chr(10), chr(10) + "    ")}
    def work(chunk):
        import plumbline, ray
        time.sleep(0.5)
        return ray.get_runtime_context().get_node_id(), plumbline.__path__[0]
    places = [place for _, place in mapped(work, cluster.address)]
    print("places", len({{node for node, _ in places}}), all("runtime_resources" in path for _, path in places))
    sys.argv[1:] = [sys.argv[1], sys.argv[2], "alpaca"]
    {CLEAN.replace(chr(10), chr(10) + "    ")}
finally:
    cluster.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
"""
    expected = local_bytes(messy, tmp_path / "local", "alpaca")
    done = run(ray_python, code, messy, tmp_path / "ray", cwd=tmp_path)
    assert "places 2 True" in done.stdout
    assert {name: (tmp_path / "ray" / name).read_bytes() for name in OUTPUTS} == expected


@pytest.mark.slow
def test_killed_without_warning_it_leaves_no_process_and_old_outputs(ray_python: str, messy: Path, tmp_path: Path) -> None:
    code = f"""
import time, plumbline.cleaning.first_pass
def waits(chunk, *, file, policy):
    time.sleep(600)
plumbline.cleaning.first_pass.clean_source_chunk = waits
{CLEAN}"""
    (tmp_path / "kept").write_bytes(b"old")
    command = [ray_python, "-c", code, str(messy), str(tmp_path), "alpaca"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PLUMBLINE_RAY_ADDRESS": "local"}, stderr=subprocess.DEVNULL)
    folders = ray_folders()
    children: list[psutil.Process] = []
    deadline = time.monotonic() + 120
    while not any("Map(Work)" in child.name() for child in children if child.is_running()) and time.monotonic() < deadline:
        time.sleep(0.5)
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # What cleans dies with the parent; two helpers of Ray's first look for its other processes for a minute.
    _, left = psutil.wait_procs(children, timeout=120)
    assert len(children) > 3 and not left
    assert (tmp_path / "kept").read_bytes() == b"old"
    for folder in ray_folders() - folders:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.mark.parametrize("given", ["", "local", "10.0.0.4:6379", "head.cluster:6379", "[fd00::1]:6379"])
def test_addresses_that_are_read(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_RAY_ADDRESS", given)
    assert ray_address() == (given or None)


@pytest.mark.parametrize("given", ["ray://head:10001", "auto", "head", "head:port", ":6379", "1"])
def test_addresses_that_are_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_RAY_ADDRESS", given)
    with pytest.raises(ValueError, match="Set it to `local`, or on a machine of a running cluster to its HOST:PORT"):
        ray_address()


def test_without_ray_the_error_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = tmp_path / "source.jsonl"
    source.write_text(json.dumps(ROWS[0]) + "\n")
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("PLUMBLINE_RAY_ADDRESS", "local")
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "RAY_AUTH_TOKEN"):
        monkeypatch.setenv(name, "0")  # put back afterwards
    with pytest.raises(ValueError, match="make clean-on-ray"):
        local_bytes(source, tmp_path / "out", "alpaca")
    assert not list((tmp_path / "out").iterdir())


def test_an_address_where_nothing_answers_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match="nothing answers there"):
            look_for_cluster(f"127.0.0.1:{port}")
        taken.listen()
        look_for_cluster(f"127.0.0.1:{port}")


def test_a_machine_with_other_versions_is_refused() -> None:
    with pytest.raises(ValueError, match="Install the same there"):
        Work(lambda chunk: len(chunk.lines), {"python": "2.7.18"})({"given": packed(Chunk(1, [b"{}"]))})


def test_the_reason_of_a_ray_error_is_the_error_of_our_own_code() -> None:
    told = "\x1b[36mray::Map(Work)()\x1b[39m (pid=1)\n  File 'x.py', line 3\nAssertionError: a line vanished\n\nray.exceptions.UserCodeException: UDF"
    assert reason_of(Exception(told)) == "AssertionError: a line vanished"
    assert reason_of(Exception("The worker died.\nMore")) == "The worker died."
