"""Install pinned packages into .venv in one pass of pip's resolver, and say what is being done. Touches .venv, the network and the terminal.

It runs before anything is installed, so it imports only the standard library: `python3 -m plumbline.keeping.installing requirements.txt`.
"""

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

VENV = Path(".venv")
QUIET_SECONDS = 15.0
ROOM_BYTES = 4 << 30
"""The space that pip needs to unpack a wheel of torch with CUDA; a small tmpfs has less."""
LINE = re.compile(r"^(Collecting|Downloading|Using cached|Installing collected packages|Successfully installed)\b[: ]*(.*)")


def phases(lines: Iterable[str], num_packages: int) -> Iterator[str]:
    """What pip is doing: a phrase each time it starts something else."""
    num_found = 0
    for line in lines:
        match = LINE.match(line.strip())
        if match is None:
            continue
        what, rest = match[1], match[2]
        if what == "Collecting":
            num_found += 1
            yield f"looking up {min(num_found, num_packages)} of about {num_packages} packages"
        elif what == "Downloading":
            yield f"downloading {rest.rsplit('/', 1)[-1]}"
        elif what == "Installing collected packages":
            yield f"unpacking {len(rest.split(','))} packages"


def say(told: Iterable[str], *, start: float, on_terminal: bool) -> None:
    """Show what is being done and for how long: on one line of a terminal, else a line now and then, so that a log stays short."""
    waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for one in told:
                waiting.put(one)
        finally:
            waiting.put(None)

    threading.Thread(target=read, daemon=True).start()
    phrase, said = "starting pip", start
    while True:
        # Unpacking is one step of several minutes, and pip prints nothing during it.
        with contextlib.suppress(queue.Empty):
            found = waiting.get(timeout=1.0)
            if found is None:
                break
            phrase = found
        now = time.monotonic()
        if on_terminal:
            sys.stdout.write(f"\r\033[K  {phrase[:100]} ({now - start:.0f} s)")
        elif now - said >= QUIET_SECONDS:
            sys.stdout.write(f"  {phrase} ({now - start:.0f} s)\n")
            said = now
        sys.stdout.flush()
    if on_terminal:
        sys.stdout.write("\r\033[K")


def pip_environment() -> dict[str, str]:
    """Our environment; with a folder for temporary files below .venv if the usual one is small."""
    try:
        has_room = shutil.disk_usage(tempfile.gettempdir()).free >= ROOM_BYTES
    except OSError:
        has_room = False
    if has_room:
        return dict(os.environ)
    folder = VENV.resolve() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "TMPDIR": str(folder)}


def install(requirements: str, python: str) -> int:
    """Run pip and return its exit code; show its last lines if it fails."""
    num_packages = sum(
        "==" in line and not line.startswith("#") for line in Path("constraints.txt").read_text(encoding="utf-8").splitlines()
    )
    start, kept = time.monotonic(), []
    # Only wheels: to build a package here would take a compiler, and minutes.
    words = [python, "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    words += ["--requirement", requirements]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=pip_environment())
    assert process.stdout is not None

    def lines() -> Iterator[str]:
        for line in process.stdout or ():
            kept.append(line.rstrip())
            del kept[:-20]
            yield line

    say(phases(lines(), num_packages), start=start, on_terminal=sys.stdout.isatty())
    code = process.wait()
    if code:
        sys.stderr.write(
            "\n".join(kept[-8:])
            + f"\npip could not install {requirements}; its last lines stand above. Fix what they say and run the same command again.\n"
        )
    else:
        sys.stdout.write(f"  done in {time.monotonic() - start:.0f} s\n")
    return code


def main(requirements: str) -> int:
    """Make .venv if it is not there, and install."""
    python = VENV / "bin/python"
    if not python.exists():
        sys.stdout.write("Making .venv ...\n")
        sys.stdout.flush()
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if made.returncode:
            last = (made.stdout + made.stderr).strip().splitlines()[-3:]
            sys.stderr.write("\n".join(last) + "\npython could not make .venv. On Debian and Ubuntu, run: apt install python3-venv\n")
            return made.returncode
    sys.stdout.write(
        f"Installing the packages of {requirements} into .venv, once: some hundred MB on macOS, up to 6 GB with CUDA on Linux ...\n"
    )
    sys.stdout.flush()
    code = install(requirements, str(python))
    if code == 0:
        # Our own package: one line in a .pth file, nothing to resolve and nothing to compile.
        words = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-build-isolation",
            "--editable",
            ".",
        ]
        code = subprocess.run(words).returncode
    shutil.rmtree(VENV / "tmp", ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
