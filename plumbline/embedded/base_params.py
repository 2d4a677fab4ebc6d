"""Parameters of the base model that is made here."""

from plumbline.pipeline.record import Params


class EmbeddedParams(Params):
    """Size and training of the model made here."""

    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    vocab_size: int
    block_tokens: int
    """Tokens of a training row; longer texts are cut."""
    rows_per_step: int
    epochs: int
    learning_rate: float
    """For embeddings and norms (AdamW)."""
    muon_learning_rate: float
    """For the matrices (Muon)."""
    num_threads: int
    """Part of the result: the order of sums depends on it."""
    seed: int
