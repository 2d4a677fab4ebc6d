"""Parameters of the general prompts: which they are, how base answers them, how they are divided."""

from plumbline.pipeline.record import Params


class GeneralParams(Params):
    """Nothing here depends on the adapter, so no training makes base answer again."""

    prompts: str
    """JSON lines of `id` and `prompt`."""
    max_new_tokens: int
    batch_size: int
    """Prompts per batch, sorted by length."""
    measured_fraction: float
    """Share of the prompts, 0-1, by hash of the id, that measure forgetting; the others may be replayed."""
    seed: int
    """Of that hash."""
