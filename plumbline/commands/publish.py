"""Publish adapter, model card and evaluation in one commit, and compare what arrived hash by hash. Touches git, DVC, the Hub and HF_TOKEN."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import httpx2
from dvc.repo import Repo
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import disable_progress_bars, validate_repo_id

from plumbline.commands.backup import uncommitted
from plumbline.commands.final_part import RECORD, missing_uses
from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.revisions import NotThere
from plumbline.keeping.publish_requirement import CannotTell, gate_result
from plumbline.keeping.published_files import NotPublished, payload
from plumbline.keeping.result_exports import RESULTS_FILE
from plumbline.model.adapter import read_training_record
from plumbline.model.base_files import read_manifest
from plumbline.number_text import size_text
from plumbline.pipeline.files import sha256_of, write_json
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.refused import Refused
from plumbline.reporting.final_part import uses_in

RECEIPT = "metrics/published.json"
MAX_TRIES = 4


def check_run(root: Path) -> None:
    """NotPublished unless the run in the workspace is complete, valid, and the one that git records."""
    record = read_training_record(root / "models/adapter")
    if not record.complete:
        raise NotPublished(
            f"the adapter is incomplete: {record.num_done_steps} of {record.num_planned_steps} steps. "
            "Train it to its planned end: run `dvc repro` without the lowered train.max_steps."
        )
    for name in ("scores.json", "evaluation.json"):
        content = json.loads((root / "metrics" / name).read_text(encoding="utf-8"))
        for key in ("complete", "valid"):
            if content[key] is not True:
                raise NotPublished(
                    f"metrics/{name} says {key}: {json.dumps(content[key])}. Fix what metrics/report.html names, then run `dvc repro`."
                )
    try:
        gate = gate_result(root)
    except CannotTell as why:
        raise NotPublished(str(why)) from None
    if not gate.ok:
        raise NotPublished("the report does not show what publish.require in params.yaml asks for:\n  " + "\n  ".join(gate.unmet))
    own = uses_in(json.loads((root / "metrics/evaluation.json").read_text(encoding="utf-8")))
    if own and (missing := missing_uses(root, own)):
        raise NotPublished(
            f"{len(missing)} more {'arm was' if len(missing) == 1 else 'arms were'} scored on the final part than {RECORD} lists, so report and card would count too few. "
            "Run `plumbline final-part` and `dvc repro` (only report runs), commit, then publish."
        )
    with Repo(str(root)) as repo:
        changed = repo.status()
    if changed:
        raise NotPublished(
            f"the workspace is not the run that dvc.lock records ({', '.join(map(str, changed))} changed). Run `dvc repro`, commit, then publish."
        )
    loose = [line for line in uncommitted(root) if not line.endswith(RECEIPT)]
    if loose:
        raise NotPublished(
            "some changes are not committed, so the revision would not name this run. Commit first:\n  " + "\n  ".join(loose)
        )


def is_same(remote: RepoFile, path: Path) -> bool:
    """Whether the Hub holds these bytes: sha256 for a large file, the git hash, which covers every byte too, for a small one."""
    content = path.read_bytes()
    if remote.size != len(content):
        return False
    if remote.lfs is not None:
        return remote.lfs.sha256 == hashlib.sha256(content).hexdigest() and remote.lfs.size == len(content)
    return remote.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def differing(api: HfApi, repo: str, commit: str, files: dict[str, Path]) -> list[str]:
    """Names of the files that have other bytes at a commit than were to be sent."""
    there = {found.path: found for found in api.get_paths_info(repo, list(files), revision=commit) if isinstance(found, RepoFile)}
    return sorted(name for name, path in files.items() if name not in there or not is_same(there[name], path))


def hub_error(error: HfHubHTTPError) -> int | None:
    """Status code of a refusal."""
    return error.response.status_code if error.response is not None else None


def check_head(api: HfApi, repo: str, head: str, root: Path, onto: str | None) -> None:
    """NotPublished if the head of the repository is a commit that we did not make and that `onto` does not name."""
    receipt: dict[str, Any] = json.loads((root / RECEIPT).read_text(encoding="utf-8")) if (root / RECEIPT).exists() else {}
    ours = receipt.get("commit") if receipt.get("repo") == repo else None
    if head in (onto, ours):
        return
    foreign = [name for name in api.list_repo_files(repo, revision=head) if name != ".gitattributes"]
    if foreign or ours is not None:
        raise NotPublished(
            f"the head of {repo} is {head[:12]}, a commit that this project did not make, as far as {RECEIPT} tells"
            + (f" (ours is {ours[:12]})" if ours else f" (it holds {', '.join(foreign[:5])})")
            + f". Nothing was sent. Look at it, then publish onto it: make publish REPO={repo} PUBLISH='--onto {head}'."
        )


def commit_files(api: HfApi, repo: str, files: dict[str, Path], *, root: Path, onto: str | None, message: str) -> tuple[str, bool]:
    """Make one commit and return its id and whether it was made now. If an earlier reply was lost, the commit is found and not made twice."""
    parent: str | None = None
    for tries in range(1, MAX_TRIES + 1):
        try:
            head = api.model_info(repo).sha
            assert head is not None
            if not differing(api, repo, head, files):
                return head, parent is not None
            if parent is None:
                check_head(api, repo, head, root, onto)
                parent = head
            elif head != parent:
                raise NotPublished(
                    f"{repo} moved from {parent[:12]} to {head[:12]} meanwhile, and nothing of ours is there. Look at it and publish again."
                )
            stale = [
                name
                for name in api.list_repo_files(repo, revision=head)
                if name.startswith(("base/", "evaluation/", RESULTS_FILE)) and name not in files
            ]
            operations = [
                *(CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(path)) for name, path in files.items()),
                *(CommitOperationDelete(path_in_repo=name) for name in stale),
            ]
            return api.create_commit(repo, operations, commit_message=message, parent_commit=parent).oid, True
        except HfHubHTTPError as error:
            status = hub_error(error)
            if status in (409, 412):
                raise NotPublished(
                    f"{repo} got another commit meanwhile ({status}), and nothing was overwritten. Look at it and publish again."
                ) from None
            if status is not None and status < 500 and status != 429:
                raise
            if tries == MAX_TRIES:
                raise NotPublished(
                    f"the Hub answered {status} {MAX_TRIES} times. Run it again: what arrived is found, nothing is sent twice."
                ) from None
        except httpx2.TransportError as error:
            if tries == MAX_TRIES:
                raise NotPublished(f"no connection to the Hub ({type(error).__name__}). Run it again: what arrived is found.") from None
        time.sleep(float(os.environ.get("PLUMBLINE_HUB_BACKOFF_SECONDS", "2")) * tries)
    raise AssertionError("unreachable")


def check_names(**names: str | None) -> None:
    """NotPublished unless each name that is given is organisation/name, as the Hub accepts it."""
    for what, name in names.items():
        if name is None:
            continue
        try:
            validate_repo_id(name)
            accepted = name.count("/") == 1
        except HFValidationError:
            accepted = False
        if not accepted:
            raise NotPublished(
                f"{what} is {name!r}. Give organisation/name as on the Hub, such as lab/my-adapter: letters, digits, '-', '_' and '.', one '/'; "
                "no '--' or '..', no '-' or '.' at an end, and no '.git'."
            )


def token_of(environment: Mapping[str, str]) -> str:
    """The token, without the end of line that a file of secrets leaves. NotPublished if there is none, or if no header can hold it; it is never shown."""
    token = environment.get("HF_TOKEN", "").strip()
    if not token:
        raise NotPublished(
            "HF_TOKEN is not set. Make a token with write access to this one repository (huggingface.co/settings/tokens) and export it."
        )
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise NotPublished("HF_TOKEN holds a blank or a letter that no token has. Copy the token again and export it.")
    return token


def main(
    root: Path, repo: str, *, private: bool, license: str | None, dataset: str | None, onto: str | None, benchmark: str | None = None
) -> str:
    """Publish and return what to print. NotPublished says why not."""
    check_names(**{"REPO": repo, "--dataset": dataset, "--benchmark": benchmark})
    token = token_of(os.environ)
    check_run(root)
    manifest = read_manifest(root / "models/base")
    if license is None and manifest.source == "hub":
        raise NotPublished(
            "--license is missing. Name the licence of the adapter, such as apache-2.0; the licences of base model and data may limit your choice."
        )
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True).stdout.strip()
    if not sys.stderr.isatty():
        disable_progress_bars()
    api = HfApi(token=token, endpoint=os.environ.get("HF_ENDPOINT"))
    with tempfile.TemporaryDirectory(prefix="publish-") as name:
        files = payload(
            root, Path(name), repo=repo, license=license or "apache-2.0", dataset=dataset, revision=revision, benchmark=benchmark
        )
        created = "" if api.repo_exists(repo) else f" (new, {'private' if private else 'public'})"
        api.create_repo(repo, private=private, exist_ok=True)
        with working("publish: sending"):
            commit, is_new = commit_files(api, repo, files, root=root, onto=onto, message=f"Adapter and evaluation of {revision[:12]}")
        wrong = differing(api, repo, commit, files)
        if wrong:
            raise NotPublished(
                f"at {repo}@{commit[:12]} the Hub reports other bytes than were sent for {', '.join(wrong)}. Do not use that commit. "
                "No receipt was written; delete the commit or publish again onto it."
            )
        receipt = {
            "repo": repo,
            "commit": commit,
            "project_revision": revision,
            "files": {name: {"size": path.stat().st_size, "sha256": sha256_of(path)} for name, path in sorted(files.items())},
        }
    write_json(root / RECEIPT, receipt)
    size = sum(entry["size"] for entry in receipt["files"].values())
    did = f"published {len(files)} files, {size_text(size)}, in one commit" if is_new else "already there, nothing sent"
    return (
        f"{repo}@{commit[:12]}{created}: {did}\nchecked: size and hash of every file at that commit\n"
        f"receipt: {RECEIPT}\n{api.endpoint}/{repo}/tree/{commit}"
    )


@click.command()
@click.argument("repo")
@click.option("--public", is_flag=True, help="Make a new repository public; an existing one stays as it is.")
@click.option("--license", metavar="ID", help="Licence id for the card; apache-2.0 for the embedded world.")
@click.option("--dataset", metavar="ORG/NAME", help="The training data on the Hub, for the card.")
@click.option("--benchmark", metavar="ORG/NAME", help="The benchmark on the Hub: the results are also sent as .eval_results.")
@click.option("--onto", metavar="COMMIT", help="Full id of someone else's commit to build on.")
def command(repo: str, public: bool, license: str | None, dataset: str | None, benchmark: str | None, onto: str | None) -> None:
    """Publish adapter, card and evaluation on the Hub.

    REPO is organisation/name. Everything goes in one commit, and its files are then compared with what was sent, hash by hash. An incomplete or invalid
    run is refused, and so is a repository with a commit that this project did not make. A new repository is private unless --public is given. The token
    is read from HF_TOKEN.

    Writes metrics/published.json: what went where. If everything is already there, running it again sends nothing.

    Exit 1 if it was refused or failed.
    """
    root = repository()
    with refusing(1, NotPublished, NotThere, Refused, RepositoryNotFoundError, HfHubHTTPError, OSError, heading="NOT PUBLISHED"):
        try:
            told = main(root, repo, private=not public, license=license, dataset=dataset, benchmark=benchmark, onto=onto)
        except httpx2.TransportError as error:
            raise NotPublished(
                f"no connection to the Hub ({type(error).__name__}). Look at the network, and at HF_ENDPOINT if you set it. "
                "Run it again: what arrived is found."
            ) from None
    click.echo(told)
