"""Another model of the hub as the weights of an arm: a small file names it, and its folder is made in our cache. Touches files and the hub."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from plumbline.model.base_files import BaseRefused, write_manifest
from plumbline.model.chat_params import ChatParams
from plumbline.model.hub_base import fetch_from_hub
from plumbline.pipeline.cache import cache_folder
from plumbline.pipeline.files import replacing_folder, sha256_of
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.problems import problems_of
from plumbline.rows.manifest import Manifest


class OtherModel(ChatParams):
    """A model of the hub that is asked, but not trained; the keys are those of `base`."""

    repo: str
    """organisation/name."""
    revision: str
    """The commit, 40 hex digits."""
    dtype: Literal["float32", "bfloat16", "float16"]
    quantization: Literal["none", "nf4"]


def read_other_model(file: Path) -> OtherModel:
    """Read the file. BaseRefused names every key that is missing, unknown or of another type."""
    if not file.is_file():
        raise BaseRefused(f"{file}, the weights of an arm, is not a file. Write one like examples/other_model.yaml.")
    try:
        return OtherModel.model_validate(read_yaml(file))
    except ValidationError as error:
        raise BaseRefused(f"{file}: {problems_of(error, OtherModel)}.") from None


def other_base(file: Path, *, templates: Path) -> Path:
    """The folder of that model, as `base` makes models/base; made once per content of the file. BaseRefused if the hub does not give it."""
    model = read_other_model(file)
    folder = cache_folder("models") / sha256_of(file)[:32]
    if (folder / "manifest.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(folder) as partial:
        fetched = fetch_from_hub(
            model.repo, model.revision, model, dtype=model.dtype, quantization=model.quantization, folder=partial, templates=templates
        )
        manifest = Manifest(
            source="hub",
            repo=model.repo,
            revision=model.revision,
            dtype=model.dtype,
            quantization=model.quantization,
            files={path.name: sha256_of(path) for path in sorted(partial.iterdir())},
            hub_files=fetched.hub_files,
            pinned=fetched.pinned,
        )
        write_manifest(partial, manifest)
    return folder
