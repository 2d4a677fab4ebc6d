"""Which engine the advice calls faster."""

import pytest

from plumbline.answering.engine_advice import crossover_tokens, engine_advice


def test_at_the_crossover_both_engines_take_equally_long() -> None:
    tokens = crossover_tokens(start_up_seconds=60, slow_rate=1000, fast_rate=4000)
    assert tokens / 1000 == pytest.approx(60 + tokens / 4000)


@pytest.mark.parametrize(("slow", "fast"), [(100, 100), (200, 100), (0, 100)])
def test_an_engine_that_is_not_faster_never_makes_up_for_its_start(slow: float, fast: float) -> None:
    with pytest.raises(ValueError, match="must write faster"):
        crossover_tokens(start_up_seconds=1, slow_rate=slow, fast_rate=fast)


def test_the_other_engine_is_named_only_where_it_would_be_sooner_done() -> None:
    assert engine_advice("transformers", num_answers=400, max_new_tokens=96) == "400 answers on transformers, at most 38,400 output tokens"
    assert engine_advice("transformers", num_answers=1000, max_new_tokens=512).endswith(
        "faster from about 200,000 on: consider answer.engine=vllm"
    )
    assert "transformers would finish sooner" in engine_advice("vllm", num_answers=400, max_new_tokens=96)
    assert engine_advice("vllm", num_answers=1000, max_new_tokens=512).endswith("output tokens")
