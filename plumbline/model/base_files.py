"""The folder of the base model: its manifest, its fingerprint, and the check that all bytes are those on record. Loads no torch."""

import json
import os
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

from plumbline.model.local_models import local_model
from plumbline.pipeline.cache import cache_folder
from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.refused import Refused
from plumbline.rows.manifest import Manifest

MANIFEST = "manifest.json"


class BaseRefused(Refused):
    """Files of the base model are missing or are not those of the manifest."""


def read_manifest(base: Path) -> Manifest:
    """Read models/base/manifest.json."""
    path = base / MANIFEST
    if not path.is_file():
        raise BaseRefused(f"{path} is missing. Run `dvc repro base`, or `dvc pull` if a remote holds it.")
    return Manifest.model_validate_json(path.read_text(encoding="utf-8"))


def base_fingerprint(base: Path) -> str:
    """Identify base model, dtype and quantisation: the hash of the manifest, which holds the hash of every file."""
    return sha256_of(base / MANIFEST)


def verify_files(folder: Path, expected: dict[str, str]) -> None:
    """Compare files with their recorded sha256. BaseRefused names the first that is missing or differs."""
    for name, digest in sorted(expected.items()):
        path = folder / name
        if not path.is_file():
            raise BaseRefused(f"{path} is missing, though the manifest of the base model lists it. Run `dvc repro base`.")
        found = sha256_of(path)
        if found != digest:
            raise BaseRefused(
                f"{path} has sha256 {found[:12]}, but the manifest says {digest[:12]}: it was changed or cut. Run `dvc repro base`."
            )


def local_hub() -> Path:
    """The folder of the snapshots that were made here, as <organisation>/<name>/<revision>/: next to our caches, in the main repository."""
    return cache_folder("train").parent / "hub"


def folder_here(repo: str, revision: str) -> Path | None:
    """The snapshot in PLUMBLINE_HUB_DIR, else in the local hub; None if neither holds it. The revision in the path keeps commits apart."""
    given = os.environ.get("PLUMBLINE_HUB_DIR")
    hubs = [*([Path(given)] if given is not None else []), local_hub()]
    return next((folder for hub in hubs if (folder := hub / repo / revision).is_dir()), None)


def hub_folder(repo: str, revision: str, *, patterns: list[str], offline: bool) -> Path:
    """Find a snapshot of a hub repository, and fetch what is missing unless `offline`.

    It looks in this order: PLUMBLINE_HUB_DIR, a folder for machines without a network; .cache/hub, for models that are made here; the hub cache.
    BaseRefused if the hub does not give the files; it says what to do. HF_TOKEN is sent, never shown.
    """
    folder = folder_here(repo, revision)
    if folder is not None:
        return folder
    if local_model(repo) is not None:
        raise BaseRefused(f"{repo} at {revision} is made on this machine, but it is not in {local_hub()}. Run `plumbline fetch-model`.")
    local = os.environ.get("PLUMBLINE_HUB_DIR")
    if local is not None:
        missing = Path(local) / repo / revision
        raise BaseRefused(f"PLUMBLINE_HUB_DIR is {local}, but {missing} is not a folder. Copy the files of {repo} at {revision} there.")
    token = os.environ.get("HF_TOKEN") or None
    given = "HF_TOKEN is set" if token else "HF_TOKEN is not set"
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=patterns, local_files_only=offline, token=token))
    except GatedRepoError:  # the errors of the hub quote addresses and headers: none of them is passed on
        problem = (
            f"{repo} is gated, and {given}. Accept its licence at https://huggingface.co/{repo} and set HF_TOKEN to a token of that account "
            "that may read gated repositories"
        )
    except RevisionNotFoundError:
        problem = f"{repo} has no commit {revision}. Copy one of 40 hex digits from https://huggingface.co/{repo}/commits/main"
    except RepositoryNotFoundError:
        problem = (
            f"there is no repository {repo}, or it is private, and {given}. Check base.repo, or set HF_TOKEN to a token that may read it"
        )
    except LocalEntryNotFoundError:
        problem = (
            f"{repo} at {revision} is incomplete in the hub cache{'' if offline else ', and the hub does not answer'}. Run `dvc repro -f base` "
            "with a network, or set PLUMBLINE_HUB_DIR to a folder that holds it as <organisation>/<name>/<revision>/"
        )
    except HfHubHTTPError as error:
        problem = (
            f"the hub answered {error.response.status_code} for {repo}, and {given}. Check that the token is valid, or try again later"
        )
    raise BaseRefused(f"{problem}.")


def weights_folder(base: Path) -> Path:
    """Where the weights lie: models/base itself, or the snapshot in the hub cache; BaseRefused unless all files are those of the manifest."""
    manifest = read_manifest(base)
    verify_files(base, manifest.files)
    if manifest.source == "embedded":
        return base
    assert manifest.repo is not None and manifest.revision is not None, "the manifest of a hub model names repo and revision"
    folder = hub_folder(manifest.repo, manifest.revision, patterns=sorted(manifest.hub_files), offline=True)
    with working("checking the weights"):
        verify_files(folder, manifest.hub_files)
    return folder


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder; last, since its presence says that everything else is there."""
    (folder / MANIFEST).write_text(
        json.dumps(manifest.model_dump(exclude_defaults=True), indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
