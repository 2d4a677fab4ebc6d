"""How much less likely tuned finds what base would have said."""

from plumbline.pipeline.record import Record


class Forgetting(Record):
    """Negative log-likelihood of base's own answers to general prompts, in nats per trained token, before and after.

    Stands in metrics/train.json under `forgetting`; the report warns from `report.max_forgetting_nats` on.
    """

    num_prompts: int
    num_tokens: int
    """Tokens of their answers: each counts alike."""
    num_cut: int
    """Of these prompts: answers cut at `general.max_new_tokens`, measured without an end of sequence."""
    num_empty: int
    """Of these prompts: answers without a word, of which the end of sequence alone is measured."""
    base_nll: float
    tuned_nll: float
    increase: float
    """tuned - base."""
    increase_low: float | None
    """95 % interval over prompts; None where all prompts moved alike, and nothing can be said about others."""
    increase_high: float | None
