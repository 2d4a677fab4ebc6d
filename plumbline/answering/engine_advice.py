"""Which engine is faster for a number of tokens: vLLM writes faster, but starts slowly. Pure.

The three numbers are rough, for a 7B model in bf16 on one H100: estimates for `generate`, and vLLM's published rate of about
12,500 tokens/s minus a third, which serving a LoRA adapter costs (vllm-project/vllm#11267). They were not measured here.
"""

START_UP_SECONDS = 75.0
TRANSFORMERS_TOKENS_PER_SECOND = 2000.0
VLLM_TOKENS_PER_SECOND = 8250.0


def crossover_tokens(*, start_up_seconds: float, slow_rate: float, fast_rate: float) -> float:
    """Output tokens after which the faster engine has made up for its start. Rates: tokens per second. ValueError unless it is faster."""
    if not 0 < slow_rate < fast_rate:
        raise ValueError(f"The rates are {slow_rate} and {fast_rate}. The engine that starts slowly must write faster.")
    return start_up_seconds / (1 / slow_rate - 1 / fast_rate)


def engine_advice(engine: str, *, num_answers: int, max_new_tokens: int) -> str:
    """Say in one line how much the engine writes at most; and if the other one is faster on a GPU, from how many tokens on."""
    most = num_answers * max_new_tokens
    crossover = crossover_tokens(
        start_up_seconds=START_UP_SECONDS, slow_rate=TRANSFORMERS_TOKENS_PER_SECOND, fast_rate=VLLM_TOKENS_PER_SECOND
    )
    rounded = round(crossover, -4)
    said = f"{num_answers} answers on {engine}, at most {most:,} output tokens"
    faster = f"on a GPU, vLLM is faster from about {rounded:,.0f} on"
    if engine == "vllm" and most < rounded:
        return f"{said}; {faster}: answer.engine=transformers would finish sooner, unless the server is already running"
    if engine == "transformers" and most >= rounded:
        return f"{said}; {faster}: consider answer.engine=vllm"
    return said
