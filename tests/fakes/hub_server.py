"""A Hugging Face Hub on the loopback: the endpoints that publishing and loading use, with faults on demand. It keeps commits, as the real Hub does."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.loopback import LoopbackHandler, on_loopback


@dataclass
class FakeHub:
    """One server; `commits` is a list of (id, {path: bytes}) per repository, newest last."""

    commits: dict[str, list[tuple[str, dict[str, bytes]]]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    """sha256 -> bytes that arrived by PUT."""
    faults: list[str] = field(default_factory=list)
    """Taken one per commit: "500", "409", "412", "cut_after", "move_first"."""
    lie_about: str | None = None
    """A path with a wrong hash in the reply."""
    tokens: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def head(self, repo: str) -> str:
        return self.commits[repo][-1][0]

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        return next(files for oid, files in reversed(self.commits[repo]) if revision in ("main", oid))

    def commit(self, repo: str, changes: dict[str, bytes | None]) -> str:
        files = {**self.files(repo)} if self.commits.get(repo) else {}
        for path, content in changes.items():
            if content is None:
                files.pop(path, None)
            else:
                files[path] = content
        history = self.commits.setdefault(repo, [])
        oid = hashlib.sha1(f"{repo}{len(history)}{sorted(files)}".encode()).hexdigest()
        history.append((oid, files))
        return oid


class Handler(LoopbackHandler[FakeHub]):
    def reply(self, status: int, content: object = None, headers: dict[str, str] | None = None) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def is_large(self, path: str) -> bool:
        return path.endswith(".safetensors")

    def told(self, path: str, content: bytes) -> dict[str, object]:
        """A file as paths-info shows it."""
        lie = self.fake.lie_about == path
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(content), "oid": "0" * 40 if lie else blob}
        if self.is_large(path):
            entry["lfs"] = {"oid": "0" * 64 if lie else hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return entry

    def handle_request(self) -> None:
        hub = self.fake
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self.chunks())
        path = unquote(urlsplit(self.path).path)
        hub.requests.append(f"{self.command} {path}")
        hub.tokens.add(self.headers.get("Authorization", ""))
        parts = path.strip("/").split("/")
        if path == "/api/validate-yaml":
            return self.reply(200, {"errors": [], "warnings": []})
        if path == "/api/repos/create":
            asked = json.loads(body)
            repo = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            if repo in hub.commits:
                return self.reply(409, {"error": "You already created this model repo", "url": f"{hub.url}/{repo}"})
            hub.private[repo] = asked.get("visibility") == "private"
            hub.commit(repo, {".gitattributes": b"*.safetensors filter=lfs\n"})
            return self.reply(200, {"url": f"{hub.url}/{repo}"})
        if self.command == "PUT" and parts[0] == "upload":
            hub.large[parts[1]] = body
            return self.reply(200)
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {"oid": o["oid"], "size": o["size"], "actions": {"upload": {"href": f"{hub.url}/upload/{o['oid']}", "header": {}}}}
                for o in json.loads(body)["objects"]
            ]
            return self.reply(200, {"transfer": "basic", "objects": objects})
        if len(parts) > 4 and parts[2] == "resolve":
            return self.send_file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        repo = "/".join(parts[2:4])
        if repo not in hub.commits:
            return self.reply(
                404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
            )
        what = parts[4] if len(parts) > 4 else "info"
        revision = parts[5] if len(parts) > 5 else "main"
        if what in ("info", "revision"):
            files = [{"rfilename": name} for name in sorted(hub.files(repo, revision))]
            return self.reply(
                200, {"id": repo, "modelId": repo, "sha": hub.head(repo), "private": hub.private[repo], "siblings": files, "tags": []}
            )
        if what == "tree":
            below = "/".join([*parts[6:], ""]) if len(parts) > 6 else ""
            found = [self.told(name, content) for name, content in sorted(hub.files(repo, revision).items()) if name.startswith(below)]
            return self.reply(200, found) if found else self.no_entry()
        if what == "paths-info":
            files = hub.files(repo, revision)
            return self.reply(200, [self.told(name, files[name]) for name in parse_qs(body.decode()).get("paths", []) if name in files])
        if what == "preupload":
            modes = [
                {"path": f["path"], "uploadMode": "lfs" if self.is_large(f["path"]) else "regular", "shouldIgnore": False, "oid": None}
                for f in json.loads(body)["files"]
            ]
            return self.reply(200, {"files": modes})
        if what == "commit":
            return self.take_commit(repo, [json.loads(line) for line in body.splitlines()])
        return self.reply(404, {"error": f"no {what}"})

    def no_entry(self) -> None:
        self.reply(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"})

    def send_file(self, repo: str, revision: str, name: str) -> None:
        """A file of a commit, as a client fetches it."""
        content = self.fake.files(repo, revision).get(name)
        if content is None:
            return self.no_entry()
        self.send_response(200)
        headers = {
            "Content-Length": str(len(content)),
            "X-Repo-Commit": self.fake.head(repo) if revision == "main" else revision,
            "ETag": f'"{hashlib.sha1(content).hexdigest()}"',
            "Accept-Ranges": "bytes",
        }
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def take_commit(self, repo: str, lines: list[dict[str, Any]]) -> None:
        hub = self.fake
        fault = hub.faults.pop(0) if hub.faults else None
        if fault == "500":
            return self.reply(500, {"error": "Internal Error"})
        if fault == "409":
            return self.reply(409, {"error": "A concurrent commit is being made"})
        if fault == "move_first":
            hub.commit(repo, {"NOTES.md": b"somebody was here"})
        changes: dict[str, bytes | None] = {}
        for line in lines:
            value = line["value"]
            if line["key"] == "header" and value.get("parentCommit") not in (None, hub.head(repo)):
                return self.reply(412, {"error": "A commit has happened since. Please refresh and try again."})
            if line["key"] == "file":
                changes[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                changes[value["path"]] = hub.large[value["oid"]]
            elif line["key"] in ("deletedFile", "deletedFolder"):
                changes[value["path"]] = None
        oid = hub.commit(repo, changes)
        if fault == "cut_after":
            self.close_connection = True
            self.connection.close()
            return None
        return self.reply(200, {"success": True, "commitOid": oid, "commitUrl": f"{hub.url}/{repo}/commit/{oid}", "hookOutput": ""})

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def do_GET(self) -> None:
        self.handle_request()

    do_POST = do_PUT = do_HEAD = do_GET


@contextmanager
def serving_hub() -> Iterator[FakeHub]:
    """A hub that runs while the block runs."""
    hub = FakeHub()
    with on_loopback(Handler, hub) as hub.url:
        yield hub
