"""The endpoints of the hub that fetching a snapshot uses, for a few repositories, open or gated, on a loopback port."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.loopback import LoopbackHandler, on_loopback


@contextmanager
def gated_hub(snapshot: Path, *, repo: str, revision: str, accepted: str) -> Iterator[tuple[str, list[str]]]:
    """Serve the files of `snapshot` to whoever sends the token `accepted`; give the address and the list of files sent."""
    with snapshots_hub({repo: snapshot}, revision=revision, accepted=accepted) as served:
        yield served


@contextmanager
def snapshots_hub(snapshots: Mapping[str, Path], *, revision: str, accepted: str | None) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder per repository; give the address and the list of files sent. `accepted`: a token; None for open repositories.

    As on the hub, anyone may list the files of a gated repository; a wrong token is 401, none at all 401 with `GatedRepo`.
    """
    sent: list[str] = []

    class Handler(LoopbackHandler[None]):
        def reply(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            for repo, snapshot in snapshots.items():
                if path == f"/api/models/{repo}/tree/{revision}":
                    entries = [
                        {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": hashlib.sha1(file.read_bytes()).hexdigest()}
                        for file in sorted(snapshot.iterdir())
                    ]
                    self.reply(200, json.dumps(entries).encode(), Content_Type="application/json")
                    return
            if path.startswith("/api/models/"):
                known = any(path.startswith(f"/api/models/{repo}/") for repo in snapshots)
                self.reply(404, b"{}", X_Error_Code="RevisionNotFound" if known else "RepoNotFound", X_Error_Message="not found")
                return
            authorization = self.headers.get("Authorization")
            if accepted is not None and authorization is None:
                self.reply(401, b"", X_Error_Code="GatedRepo", X_Error_Message="Access to this repository is restricted.")
            elif accepted is not None and authorization != f"Bearer {accepted}":
                self.reply(401, b"", X_Error_Message="Invalid credentials in Authorization header")
            else:
                owner, name, _, _, file = path.strip("/").split("/")
                found = snapshots[f"{owner}/{name}"] / file
                if not found.is_file():
                    self.reply(404, b"", X_Error_Code="EntryNotFound", X_Error_Message="Entry not found")
                    return
                body = found.read_bytes()
                if self.command == "GET":
                    sent.append(file if accepted is not None else f"{owner}/{name}/{file}")
                self.reply(200, body, X_Repo_Commit=revision, ETag=f'"{hashlib.sha1(body).hexdigest()}"', Accept_Ranges="bytes")

        do_HEAD = do_GET

    with on_loopback(Handler, None) as url:
        yield url, sent
