"""The backup proves itself: a small repository, its cache and its remote are damaged in a hundred ways, and every one is found."""

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.repo import Repo

from plumbline.commands.backup import NotBackedUp, fresh_clone, main
from plumbline.keeping.stored_objects import StoredObject, cache_troubles, fetch_all, tracked_objects
from plumbline.pipeline.files import sha256_of

PIPELINE = """\
stages:
  answer:
    cmd: python make.py
    deps: [make.py]
    outs: [data/answers, models/adapter.bin, data/empty.txt]
  grade:
    cmd: python grade.py
    deps: [grade.py, data/answers]
    outs: [data/grades/graded.txt: {remote: bundled}]
  grade_again:
    cmd: echo again
    deps: [grade.py]
  report:
    cmd: python report.py
    deps: [report.py, data/grades/graded.txt]
    metrics: [metrics/scores.json: {cache: false}]
"""
MAKE = """\
import pathlib, random
draw = random.Random(5)
for folder in ("data/answers", "models"):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
for number in range(12):
    pathlib.Path(f"data/answers/{number}.bin").write_bytes(draw.randbytes(200 + 50 * number))
pathlib.Path("models/adapter.bin").write_bytes(draw.randbytes(5000))
pathlib.Path("data/empty.txt").write_bytes(b"")
"""
GRADE = """\
import hashlib, pathlib
pathlib.Path("data/grades").mkdir(parents=True, exist_ok=True)
rows = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(pathlib.Path("data/answers").iterdir())]
pathlib.Path("data/grades/graded.txt").write_text("\\n".join(rows))
"""
REPORT = """\
import json, pathlib
pathlib.Path("metrics").mkdir(exist_ok=True)
rows = pathlib.Path("data/grades/graded.txt").read_text().split()
pathlib.Path("metrics/scores.json").write_text(json.dumps({"n": len(rows), "score": sum(row < "8" for row in rows) / len(rows)}) + "\\n")
"""


def run(root: Path, *words: str) -> str:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **{f"GIT_{who}_{what}": "test@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    return subprocess.run(words, cwd=root, env=environment, check=True, capture_output=True, text=True).stdout


def dvc(root: Path, *words: str) -> str:
    return run(root, sys.executable, "-m", "dvc", *words)


def make_repository(parent: Path, url: str = "../../store") -> Path:
    """A pipeline of three stages, run, committed and pushed."""
    root = parent / "repo"
    root.mkdir()
    for name, text in {"dvc.yaml": PIPELINE, "make.py": MAKE, "grade.py": GRADE, "report.py": REPORT}.items():
        (root / name).write_text(text)
    (root / ".gitignore").write_text("/data\n/models\n")
    run(root, "git", "init", "-q", "-b", "main")
    dvc(root, "init", "-q")
    (root / ".dvc/config").write_text(
        f"[core]\n    remote = backup\n    analytics = false\n['remote \"backup\"']\n    url = {url}\n['remote \"bundled\"']\n    url = bundled\n"
    )
    dvc(root, "repro", "-q")
    dvc(root, "push", "-q", "-r", "bundled", "grade")
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-q", "-m", "run")
    return root


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path)


@pytest.mark.slow
def test_a_sound_backup_is_proven_and_told(repository: Path) -> None:
    told = main(repository)
    assert "proven: every object fetched into a fresh clone and hashed" in told
    assert "data/grades/graded.txt, metrics/scores.json" in told
    assert re.search(r"data/answers +13 +6.5 kB +cache, backup", told), told
    assert "survives a lost folder, not a lost disk" in told
    assert run(repository, "git", "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_run_that_git_does_not_hold_is_not_called_backed_up(repository: Path) -> None:
    (repository / "make.py").write_text(MAKE.replace("Random(5)", "Random(6)"))
    dvc(repository, "repro", "-q")
    with pytest.raises(NotBackedUp, match=r"(?s)not committed.*dvc\.lock.*git add"):
        main(repository)


@pytest.mark.slow
def test_with_a_corrupt_object_an_uncommitted_run_is_not_called_pushed(repository: Path, tmp_path: Path) -> None:
    (repository / "make.py").write_text(MAKE.replace("Random(5)", "Random(6)"))
    dvc(repository, "repro", "-q")
    with Repo(str(repository)) as repo:
        objects, _ = tracked_objects(repo)
    stored = next(stored for stored in objects if stored.path == "data/answers/7.bin")
    path = repository / ".dvc/cache/files/md5" / stored.oid[:2] / stored.oid[2:]
    path.chmod(0o644)
    flip(path, random.Random(1))
    path.chmod(0o444)
    with pytest.raises(NotBackedUp) as refused:
        main(repository)
    assert re.search(r"corrupt +in cache +data/answers/7\.bin", str(refused.value)), refused.value
    assert re.search(r"(?s)nothing was pushed.*not committed.*dvc\.lock", str(refused.value)), refused.value
    assert "pushed, but not proven" not in str(refused.value)
    assert not (tmp_path / "store/files/md5" / stored.oid[:2] / stored.oid[2:]).exists()


@pytest.mark.slow
def test_grades_that_the_committed_stages_do_not_give_are_found(repository: Path) -> None:
    (repository / "grade.py").write_text(GRADE + "import os; pathlib.Path('data/grades/graded.txt').write_text(os.urandom(8).hex())\n")
    dvc(repository, "repro", "-q")
    dvc(repository, "push", "-q")
    run(repository, "git", "add", "-A")
    run(repository, "git", "commit", "-q", "-m", "not reproducible")
    with pytest.raises(NotBackedUp, match=r"other bytes for data/grades/graded\.txt"):
        main(repository)


def flip(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def truncate(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: draw.randrange(1, path.stat().st_size)])


def delete(path: Path, draw: random.Random) -> None:
    path.unlink()


def empty(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"")


FAULTS: dict[str, Callable[[Path, random.Random], None]] = {"flip": flip, "truncate": truncate, "delete": delete, "empty": empty}


@pytest.mark.slow
def test_a_hundred_injected_faults_are_all_found_where_they_are_and_nowhere_else(repository: Path, tmp_path: Path) -> None:
    dvc(repository, "push", "-q")
    draw = random.Random(20261125)
    clone = fresh_clone(repository, tmp_path)
    stores = {"cache": repository / ".dvc/cache/files/md5", "backup": tmp_path / "store/files/md5"}
    with Repo(str(repository)) as repo:
        objects, _ = tracked_objects(repo)
    targets = [stored for stored in objects if stored.remote == "backup" and not stored.path.endswith("empty.txt")]
    assert len(targets) == 14, "twelve answers, their listing, the adapter"

    def survey() -> set[tuple[str, str, str]]:
        shutil.rmtree(clone / ".dvc/cache/files", ignore_errors=True)
        with Repo(str(repository)) as repo, Repo(str(clone)) as there:
            found, _ = tracked_objects(repo)
            assert {stored.oid for stored in found} == {stored.oid for stored in objects}
            troubles = [*cache_troubles(repo, found), *fetch_all(there, found, {})]
        arrived = {path.parent.name + path.name for path in (clone / ".dvc/cache/files/md5").glob("*/*")}
        assert not arrived & {trouble.object.oid for trouble in troubles if trouble.place != "cache"}, "a bad object reached the clone"
        return {(trouble.place, trouble.object.oid, trouble.state) for trouble in troubles}

    def place_of(place: str, stored: StoredObject) -> Path:
        return stores[place] / stored.oid[:2] / stored.oid[2:]

    assert survey() == set()
    num_found = 0
    for number in range(100):
        place = ("cache", "backup")[number % 2]
        fault = (*FAULTS, "swap")[number // 2 % 5]
        chosen = draw.sample(targets, 2 if fault == "swap" else 1)
        paths = [place_of(place, stored) for stored in chosen]
        before = [(path.read_bytes(), path.stat().st_mode) for path in paths]
        for path in paths:
            path.chmod(0o644)
        if fault == "swap":
            paths[0].write_bytes(before[1][0])
            paths[1].write_bytes(before[0][0])
        else:
            FAULTS[fault](paths[0], draw)
        # DVC trusts a read-only object without looking.
        for path in paths:
            if path.exists():
                path.chmod(0o444)
        state = "missing" if fault == "delete" else "corrupt"
        assert survey() == {(place, stored.oid, state) for stored in chosen}, (number, place, fault)
        num_found += 1
        for path, (content, mode) in zip(paths, before, strict=True):
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            path.chmod(mode)
    assert num_found == 100
    assert survey() == set()


@pytest.mark.slow
@pytest.mark.parametrize(("place", "fault"), [("cache", "flip"), ("store", "flip"), ("store", "truncate"), ("cache", "delete")])
def test_a_fault_fails_the_verb_with_its_name_and_repair_mends_it(repository: Path, tmp_path: Path, place: str, fault: str) -> None:
    dvc(repository, "push", "-q")
    with Repo(str(repository)) as repo:
        objects, _ = tracked_objects(repo)
    stored = next(stored for stored in objects if stored.path == "data/answers/7.bin")
    store = repository / ".dvc/cache" if place == "cache" else tmp_path / "store"
    path = store / "files/md5" / stored.oid[:2] / stored.oid[2:]
    good = path.read_bytes()
    path.chmod(0o644)
    FAULTS[fault](path, random.Random(1))
    if path.exists():
        path.chmod(0o444)
    with pytest.raises(NotBackedUp, match=rf"(?s){'missing' if fault == 'delete' else 'corrupt'} +in .*data/answers/7\.bin.*--repair"):
        main(repository)
    assert "repaired: data/answers/7.bin" in main(repository, repair=True)
    assert path.read_bytes() == good
    main(repository)


@pytest.mark.slow
def test_an_object_without_any_good_copy_is_said_to_have_none(repository: Path, tmp_path: Path) -> None:
    dvc(repository, "push", "-q")
    for path in (next(p for p in (folder / "files/md5").glob("*/*.dir")) for folder in (repository / ".dvc/cache", tmp_path / "store")):
        path.chmod(0o644)
        path.write_bytes(b"[]")
    with pytest.raises(NotBackedUp, match=r"There is no good copy of data/answers"):
        main(repository, repair=True)


@pytest.mark.slow
def test_restore_drill_brings_every_byte_back_from_the_remote(repository: Path) -> None:
    main(repository)
    files = [path for folder in ("data", "models") for path in (repository / folder).rglob("*") if path.is_file()]
    before = {path: sha256_of(path) for path in files}
    assert len(before) == 15
    shutil.rmtree(repository / "data")
    shutil.rmtree(repository / "models")
    shutil.rmtree(repository / ".dvc/cache")
    dvc(repository, "pull", "-q")
    assert dvc(repository, "status").strip() == "Data and pipelines are up to date."
    assert {path: sha256_of(path) for path in files} == before


@pytest.mark.slow
def test_a_bucket_is_backed_up_to_and_restored_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("dvc_s3", "flask", "flask_cors"):
        pytest.importorskip(package, reason=f"{package} is not installed: the bucket needs the packages of requirements-dev.txt")
    import boto3
    from moto.server import ThreadedMotoServer

    for name, value in {"ID": "AWS_ACCESS_KEY_ID", "SECRET": "AWS_SECRET_ACCESS_KEY", "us-east-1": "AWS_DEFAULT_REGION"}.items():
        monkeypatch.setenv(value, name)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        bucket = boto3.client("s3", endpoint_url=endpoint)
        bucket.create_bucket(Bucket="plumbline")
        root = make_repository(tmp_path, url="s3://plumbline/backup")
        (root / ".dvc/config.local").write_text(f"['remote \"backup\"']\n    endpointurl = {endpoint}\n")
        assert "s3://plumbline/backup" in main(root)
        with Repo(str(root)) as repo:
            stored = next(stored for stored in tracked_objects(repo)[0] if stored.path == "models/adapter.bin")
        key = f"backup/files/md5/{stored.oid[:2]}/{stored.oid[2:]}"
        bucket.put_object(Bucket="plumbline", Key=key, Body=b"other bytes")
        with pytest.raises(NotBackedUp, match=r"corrupt +in backup +models/adapter\.bin"):
            main(root)
        assert "repaired: models/adapter.bin" in main(root, repair=True)
        adapter = sha256_of(root / "models/adapter.bin")
        for folder in ("data", "models", ".dvc/cache"):
            shutil.rmtree(root / folder)
        dvc(root, "pull", "-q")
        assert sha256_of(root / "models/adapter.bin") == adapter
    finally:
        server.stop()
