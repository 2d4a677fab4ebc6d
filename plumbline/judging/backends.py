"""Makes the judge that the parameters name. A new backend gets a line here."""

from plumbline.judging.judge import Judge
from plumbline.judging.key_points_judge import KeyPointsJudge
from plumbline.judging.no_judge import NoJudge
from plumbline.judging.params import JudgeParams


def make_judge(params: JudgeParams, *, is_second: bool = False) -> Judge:
    """Make the judge of `params.backend`. `is_second`: use the server that the environment names for a second judge."""
    if params.backend == "none":
        return NoJudge()
    if params.backend == "key_points":
        return KeyPointsJudge()
    assert params.model is not None and params.max_tokens is not None and params.max_replies is not None, "checked by JudgeParams"
    if params.backend == "openai_compatible":
        # Imported here: backends without a model need no HTTP.
        from plumbline.judging.openai_client import FIRST, SECOND
        from plumbline.judging.openai_judge import OpenAIJudge

        return OpenAIJudge(
            model=params.model,
            max_tokens=params.max_tokens,
            epoch=params.epoch,
            max_replies=params.max_replies,
            endpoint=SECOND if is_second else FIRST,
        )
    # Imported here: the other backends need no SDK (0.7 s).
    from plumbline.judging.claude_judge import ClaudeJudge

    return ClaudeJudge(
        model=params.model,
        max_tokens=params.max_tokens,
        effort=params.effort,
        epoch=params.epoch,
        max_replies=params.max_replies,
        max_cost_usd=params.max_cost_usd,
        in_batches=params.mode == "batch",
        section="judge.second" if is_second else "judge",
    )
