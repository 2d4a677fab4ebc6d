"""Which engine is faster for so many tokens: vLLM writes faster, but starts slowly. Pure.

The three numbers are rough ones for a 7B model in bf16 on one H100: estimates for `generate`, vLLM's published rate of about
12,500 tokens/s less the third that serving a LoRA adapter costs (vllm-project/vllm#11267). Not measured here.
"""

START_UP_SECONDS = 75.0
TRANSFORMERS_TOKENS_PER_SECOND = 2000.0
VLLM_TOKENS_PER_SECOND = 8250.0


def crossover_tokens(*, start_up_seconds: float, slow_rate: float, fast_rate: float) -> float:
    """Output tokens from which the faster engine has made up for its start; rates in tokens per second. ValueError unless it is faster."""
    if not 0 < slow_rate < fast_rate:
        raise ValueError(f"rates {slow_rate} and {fast_rate}: the engine that starts slowly must write faster.")
    return start_up_seconds / (1 / slow_rate - 1 / fast_rate)


def engine_advice(engine: str, *, num_answers: int, max_new_tokens: int) -> str:
    """Say in one line what the engine has to write at most, and where the other would begin to pay."""
    most = num_answers * max_new_tokens
    crossover = crossover_tokens(
        start_up_seconds=START_UP_SECONDS, slow_rate=TRANSFORMERS_TOKENS_PER_SECOND, fast_rate=VLLM_TOKENS_PER_SECOND
    )
    rounded = round(crossover, -4)
    said = (
        f"{num_answers} answers on {engine}, at most {most:,} output tokens; on a GPU the start-up of vLLM pays from about {rounded:,.0f}"
    )
    if engine == "vllm" and most < rounded:
        return f"{said}: answer.engine=transformers would be done sooner, unless the server runs already"
    if engine == "transformers" and most >= rounded:
        return f"{said}: consider answer.engine=vllm"
    return said
