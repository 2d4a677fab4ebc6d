"""How many tokens stand before a question, at most, by the settings of `retrieve`. Pure."""

from collections.abc import Mapping

from plumbline.retrieval.params import RetrieveParams
from plumbline.rows.arms import Arms
from plumbline.rows.question import Kind


def tokens_before_a_question(arms: Arms, retrieve: RetrieveParams, num_questions: Mapping[Kind, int]) -> dict[str, float]:
    """Arm -> the most tokens of its context, as a mean over the questions; arms that are asked without a context, or answered elsewhere, are left out."""
    total = sum(num_questions.values())
    shown = retrieve.examples.model_dump()
    examples = sum(shown[kind] * count for kind, count in num_questions.items()) * retrieve.examples.max_tokens / total if total else 0.0
    passages = float(retrieve.k * retrieve.chunk_tokens)
    most = {"examples": examples, "passages": passages, "shuffled": passages}
    return {name: most[arm.context_name] for name, arm in arms.root.items() if arm.context_name in most and arm.weights_kind != "file"}
