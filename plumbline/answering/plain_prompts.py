"""Base or tuned answers single prompts without choices or context. Touches the model and the store of answers."""

from collections.abc import Mapping
from pathlib import Path

from plumbline.answering.answering import Asked, answer_questions
from plumbline.model.adapter import adapter_sha256
from plumbline.model.base_files import base_fingerprint, read_manifest
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams, Instructions


def answer_prompts(
    prompts: Mapping[int, Mapping[str, str]],
    *,
    base: Path,
    adapter: Path | None = None,
    arm: str = "base",
    complete: bool = True,
    batch_size: int,
) -> list[Answer]:
    """One greedy answer per prompt, in the order of the prompts, with the decoding of the arms.

    `prompts`: most tokens of an answer -> id -> the user's message. `complete`: whether the adapter was trained to its planned end.
    """
    asking = [plain_params(max_new_tokens=limit, batch_size=batch_size) for limit in prompts]
    # Imported here: bad prompts are refused before torch and transformers are loaded (3 s).
    from plumbline.answering.engine_choice import open_engine
    from plumbline.model.runtime import prepare_torch
    from plumbline.model.weights import load_tokenizer

    prepare_torch(read_manifest(base).source)
    tokenizer = load_tokenizer(base)
    identity = base_fingerprint(base)
    with open_engine(asking[0], tokenizer, base=base, adapter=adapter) as engine:
        return [
            answer
            for params, asked in zip(asking, prompts.values(), strict=True)
            for answer in answer_questions(
                engine,
                tokenizer,
                asked={id: Asked(prompt) for id, prompt in asked.items()},
                params=params,
                arm=arm,
                complete=complete,
                model_identity=identity if adapter is None else f"{identity}+{adapter_sha256(adapter)}",
            )
        ]


def plain_params(*, max_new_tokens: int, batch_size: int) -> AnswerParams:
    """Parameters for greedy answers by transformers that add nothing to a prompt."""
    return AnswerParams(
        engine="transformers",
        max_new_tokens=max_new_tokens,
        batch_size=batch_size,
        num_samples=1,
        temperature=0.0,
        seed=0,
        choice_scoring="text",
        choice_prefix="",
        instructions=Instructions(mcq="", numeric="", explanation=""),
    )
