"""The stage `answer` as a function: one arm answers, from files in the test's folders."""

from pathlib import Path

from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import ArmParams

ROOT = Path(__file__).resolve().parents[2]


def answer_arm(
    params: AnswerParams, *, benchmark: Path, base: Path, answers: Path, adapter: Path | None = None, arm: str | None = None
) -> list[Answer]:
    """Base alone, or with an adapter, which must lie in a folder of that name; no context comes before the questions."""
    from stages.answer import main

    context = answers.parent / "none.jsonl"
    context.parent.mkdir(parents=True, exist_ok=True)
    context.touch()
    return main(
        arm or ("base" if adapter is None else "tuned"),
        ArmParams(weights="models/base" if adapter is None else str(adapter), context=str(context)),
        params,
        benchmark=benchmark,
        base=base,
        templates=ROOT / "examples/chat_templates",
        answers=answers,
    )
