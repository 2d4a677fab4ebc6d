"""What models/base holds, down to the hash of every file."""

from typing import Literal

from pydantic import Field

from plumbline.pipeline.record import Record


class Manifest(Record):
    """Written by `base` into models/base/manifest.json; read before any weight is used."""

    source: Literal["embedded", "hub"]
    repo: str | None
    """organisation/name on the hub; None for the embedded model."""
    revision: str | None
    """40 hex digits; None for the embedded model."""
    dtype: Literal["float32", "bfloat16", "float16"]
    """Of the weights as loaded, in training and in answering."""
    quantization: Literal["none", "nf4"]
    files: dict[str, str]
    """Name -> sha256 of every other file in models/base."""
    hub_files: dict[str, str]
    """Name -> sha256 of the weight files that stay in the hub cache; empty for the embedded model."""
    pinned: dict[str, str] = Field(default_factory=dict)
    """What the chat template would otherwise read from outside: `date`, and whether `thinking` is on or off. Empty if it asks for neither."""
