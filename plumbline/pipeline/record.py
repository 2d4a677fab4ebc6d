"""The contract of every row and every parameter section: frozen, strict, closed."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A row of a data file: unknown fields, wrong types, NaN and infinities are errors."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Params(BaseModel):
    """A section of params.yaml: it has no defaults, so a missing key fails by name, and so does an unknown one.

    Sequences are declared as list: in strict mode a YAML list is not a tuple.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)
