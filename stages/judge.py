"""Judge explanations: by the key-point rubric, by Claude, or not at all; every raw reply is kept."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator
from tqdm import tqdm

from stages.io.inputs import inputs_unchanged
from stages.io.jsonl import read_jsonl, write_jsonl
from stages.io.params import load_params
from stages.io.verdict_store import VerdictStore, judge_cache_folder
from stages.logic.judge_causes import RETRYABLE, JudgeCause
from stages.logic.judge_precheck import PRECHECK_VERSION, is_no_answer
from stages.logic.judge_prompt import CORRECT_FROM, SCALE, SCHEMA, SYSTEM, JudgeItem, asking_identity, digest, item_key, render_item
from stages.logic.judge_replies import PARSER_VERSION, reply_from_body, standing, usage_of
from stages.logic.key_points import RULES_VERSION, judge_key_points
from stages.logic.prices import largest_cost_usd, usage_cost_usd
from stages.records.answer import ARMS, Answer, Arm
from stages.records.judgement import Judgement, RawReply
from stages.records.outcome import Outcome
from stages.records.question import Question
from stages.records.record import Params

log = logging.getLogger("judge")

SMALLEST_BATCH = 50
"""Fewer open answers than this are asked directly: minutes instead of hours, for cents."""
EXIT_STOPPED = 3
"""No call can help before somebody does something (key, credit, model, cost cap)."""
EXIT_INCOMPLETE = 4
"""Some items got no reply this time: run the stage again, what is there is not paid twice."""


class JudgeParams(Params):
    """Who judges, and what may change its verdicts. A backend's own keys are null where another backend judges."""

    backend: Literal["key_points", "claude", "none"]
    model: str | None
    """claude: id as the API takes it; the id it returns is recorded with every reply."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None
    """claude: how much the model thinks; null leaves the model's own default."""
    max_tokens: int | None
    """claude: of a reply, thinking included."""
    max_replies: int | None
    """claude: replies without a usable verdict before an item counts as unjudged."""
    max_cost_usd: float | None
    """claude: over all replies of this judge to these answers, earlier runs included; null for no cap."""
    mode: Literal["direct", "batch"] | None
    """claude: batch costs half and may take 24 hours."""
    epoch: int
    """Raise it to have everything judged anew."""

    @model_validator(mode="after")
    def _claude_is_whole(self) -> "JudgeParams":
        missing = [name for name in ("model", "max_tokens", "max_replies", "mode") if getattr(self, name) is None]
        if self.backend == "claude" and missing:
            raise ValueError(f"judge.backend is claude: set {', '.join('judge.' + name for name in missing)}")
        if self.backend == "claude" and ((self.max_tokens or 0) < 1 or (self.max_replies or 0) < 1 or (self.max_cost_usd or 1) <= 0):
            raise ValueError("judge.max_tokens and judge.max_replies must be at least 1, judge.max_cost_usd above 0 or null")
        return self


@dataclass(frozen=True)
class Due:
    """One answer that is due a verdict."""

    question: Question
    answer: Answer

    @property
    def item(self) -> JudgeItem:
        """What the judge sees of it."""
        return JudgeItem(self.question.question, self.question.target, self.question.key_points, self.answer.response)


def collect(questions: Sequence[Question], answers: Sequence[Answer]) -> list[Due]:
    """Pair every explanation question with both arms' answers, in benchmark order; ValueError where one is missing or doubled."""
    by_place: dict[tuple[str, Arm], Answer] = {}
    for answer in answers:
        if (answer.id, answer.arm) in by_place:
            raise ValueError(f"{answer.arm} answers question {answer.id} twice; run answer_{answer.arm} again.")
        by_place[answer.id, answer.arm] = answer
    due = []
    for question in questions:
        for arm in ARMS if question.kind == "explanation" else ():
            if (question.id, arm) not in by_place:
                raise ValueError(f"{arm} has no answer to question {question.id}; run answer_{arm} again.")
            due.append(Due(question, by_place[question.id, arm]))
    return due


def judgement(
    due: Due, *, judge_id: str, key: str, score: float | None, cause: JudgeCause | str, reasoning: str, replies: tuple[RawReply, ...]
) -> Judgement:
    """Write down one verdict; the outcome follows from the score alone."""
    outcome = Outcome.UNJUDGED if score is None else Outcome.CORRECT if score >= CORRECT_FROM else Outcome.INCORRECT
    return Judgement(
        id=due.answer.id,
        arm=due.answer.arm,
        judge_id=judge_id,
        outcome=outcome,
        score=score,
        cause=str(cause),
        reasoning=reasoning,
        replies=replies,
        key=key,
        complete=due.answer.complete,
    )


NO_ANSWER_REASON = "empty, punctuation, an opener, or the question itself: 0 without a judge"


def judge_by_nobody(dues: Sequence[Due]) -> list[Judgement]:
    """Leave every explanation unjudged."""
    return [
        judgement(due, judge_id="none", key=item_key("none", due.item), score=None, cause=JudgeCause.JUDGE_OFF, reasoning="", replies=())
        for due in dues
    ]


def judge_by_key_points(dues: Sequence[Due]) -> list[Judgement]:
    """Score by the deterministic rubric."""
    identity = digest(["key_points", RULES_VERSION, PRECHECK_VERSION, SCALE])
    judge_id = f"key_points:{identity[:16]}"
    judged = []
    for due in dues:
        key, points = item_key(identity, due.item), due.question.key_points
        if is_no_answer(due.answer.response, due.question.question):
            judged.append(
                judgement(due, judge_id=judge_id, key=key, score=0.0, cause=JudgeCause.NO_ANSWER, reasoning=NO_ANSWER_REASON, replies=())
            )
        elif not points:
            judged.append(judgement(due, judge_id=judge_id, key=key, score=None, cause=JudgeCause.NO_KEY_POINTS, reasoning="", replies=()))
        else:
            verdict = judge_key_points(due.answer.response, points, question=due.question.question, reference=due.question.target)
            account = RawReply(
                attempt=1, stop_reason=None, model=None, request_id=None, body=verdict.account(points), input_tokens=0, output_tokens=0
            )
            judged.append(
                judgement(
                    due,
                    judge_id=judge_id,
                    key=key,
                    score=verdict.score,
                    cause=JudgeCause.SCORED,
                    reasoning=verdict.reasoning(points),
                    replies=(account,),
                )
            )
    return judged


def request_for(item: JudgeItem, params: JudgeParams, *, token_factor: int) -> dict[str, Any]:
    """Return the body of one call. No sampling parameters: the API refuses them."""
    assert params.model is not None and params.max_tokens is not None, "checked by JudgeParams"
    output: dict[str, Any] = {"format": {"type": "json_schema", "schema": SCHEMA}}
    if params.effort is not None:
        output["effort"] = params.effort
    return {
        "model": params.model,
        "max_tokens": params.max_tokens * token_factor,
        "system": SYSTEM,
        "messages": [{"role": "user", "content": render_item(item)}],
        "output_config": output,
    }


def judge_by_claude(dues: Sequence[Due], params: JudgeParams) -> tuple[list[Judgement], str | None]:
    """Ask for what the store lacks, then read every verdict from it. Returns also why the run stopped early, if it did."""
    # Imported here: the other backends must start without the SDK (0.7 s).
    from stages.io.claude import API_VERSION, JudgeStopped, NoReply, api_key, ask_directly, limits_from_environment
    from stages.io.claude_batches import ask_in_batches

    assert params.model is not None and params.max_tokens is not None and params.max_replies is not None, "checked by JudgeParams"
    model, max_replies = params.model, params.max_replies
    identity = asking_identity(model=model, max_tokens=params.max_tokens, effort=params.effort, api_version=API_VERSION, epoch=params.epoch)
    store = VerdictStore(judge_cache_folder(), identity)
    items = {item_key(identity, due.item): due.item for due in dues if not is_no_answer(due.answer.response, due.question.question)}
    problems: dict[str, NoReply] = {}
    stopped: str | None = None

    def cost_so_far() -> float | None:
        costs = [usage_cost_usd(usage_of(reply), model) for key in items for reply in store.replies(key)]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def is_open(key: str) -> bool:
        return standing(store.replies(key), max_replies=max_replies).verdict is None

    if any(is_open(key) for key in items):
        with store.sole_asker():
            missing = [key for key in items if is_open(key)]
            largest = [
                largest_cost_usd(
                    model, num_characters=len(SYSTEM) + len(render_item(items[key])), max_tokens=params.max_tokens, batch=False
                )
                for key in missing
            ]
            spent = cost_so_far()
            if missing and None not in largest and spent is not None:
                log.info(
                    "%d of %d answers to ask about; at most %.2f USD, spent so far %.2f USD", len(missing), len(items),
                    sum(cost for cost in largest if cost is not None), spent,
                )  # fmt: skip
            elif missing:
                log.info("%d of %d answers to ask about; the price of %s is unknown", len(missing), len(items), model)
            if missing and params.max_cost_usd is not None and (None in largest or spent is None):
                raise SystemExit(
                    f"judge.max_cost_usd is set, but the price of {model} is unknown (stages/logic/prices.py): "
                    "add it there, or set judge.max_cost_usd to null."
                )
            reserved: dict[str, float] = {}
            in_batch = params.mode == "batch"

            def next_request(key: str) -> dict[str, Any] | None:
                where = standing(store.replies(key), max_replies=max_replies)
                reserved.pop(key, None)
                if where.verdict is not None:
                    return None
                request = request_for(items[key], params, token_factor=where.token_factor)
                if params.max_cost_usd is not None:
                    size = len(SYSTEM) + len(request["messages"][0]["content"])
                    most = largest_cost_usd(model, num_characters=size, max_tokens=request["max_tokens"], batch=in_batch) or 0.0
                    if (spent or 0.0) + sum(reserved.values()) + most > params.max_cost_usd:
                        raise JudgeStopped(
                            f"judge.max_cost_usd of {params.max_cost_usd:g} USD would be passed: {spent or 0.0:.4f} USD spent. "
                            "Raise it to go on; nothing is paid twice."
                        )
                    reserved[key] = most
                return request

            def keep(key: str, body: bytes, request_id: str | None) -> None:
                nonlocal spent
                reserved.pop(key, None)
                reply = reply_from_body(body, attempt=len(store.replies(key)) + 1, request_id=request_id)
                store.add(key, reply)
                cost = usage_cost_usd(usage_of(reply), model)
                spent = None if spent is None or cost is None else spent + cost
                if spent is not None:
                    progress.set_postfix_str(f"{spent:.3f} USD", refresh=False)

            def keep_once(key: str, body: bytes, batch_id: str) -> None:
                # A kill while collecting leaves a part of a batch in the store: its results come again.
                reply = reply_from_body(body, attempt=0, request_id=batch_id)
                if all((known.request_id, known.body) != (batch_id, reply.body) for known in store.replies(key)):
                    keep(key, body, batch_id)
                    progress.update()

            if missing:
                try:
                    secret = api_key()
                except JudgeStopped as stop:
                    raise SystemExit(str(stop)) from None
                with tqdm(total=len(missing), unit="answer", desc="judge", disable=None) as progress:
                    limits = limits_from_environment()
                    if in_batch:
                        problems, stopped = ask_in_batches(
                            secret,
                            limits,
                            missing,
                            journal_path=store.path.with_suffix(".batches"),
                            next_request=next_request,
                            keep=keep_once,
                            leave_below=SMALLEST_BATCH,
                        )
                        reserved.clear()
                        missing = [key for key in missing if is_open(key) and getattr(problems.get(key), "cause", "") != "rejected_request"]
                        in_batch = False
                    if missing and stopped is None:
                        more, stopped = ask_directly(secret, limits, missing, next_request=next_request, keep=keep, settled=progress.update)
                        problems |= more
    cost = cost_so_far()
    log.info("%s: %d answers, cost %s", model, len(items), "unknown" if cost is None else f"{cost:.4f} USD")

    models = sorted({reply.model for key in items for reply in store.replies(key) if reply.model is not None})
    if len(models) > 1:
        stopped = stopped or (
            f"the API answered as {' and as '.join(models)} to requests for {model}: two judges, not comparable. "
            "Raise judge.epoch to have all answers judged by the present one."
        )

    def judge_id(returned: str | None) -> str:
        return f"claude:{digest([identity, returned, PARSER_VERSION, PRECHECK_VERSION])[:16]}"

    common = judge_id(models[0] if models else None)
    judged = []
    for due in dues:
        key = item_key(identity, due.item)
        if key not in items:
            judged.append(
                judgement(due, judge_id=common, key=key, score=0.0, cause=JudgeCause.NO_ANSWER, reasoning=NO_ANSWER_REASON, replies=())
            )
            continue
        replies = store.replies(key)
        verdict = standing(replies, max_replies=max_replies).verdict
        returned = next((reply.model for reply in reversed(replies) if reply.model is not None), None)
        if verdict is None:
            cause = problems[key].cause if key in problems else JudgeCause.NOT_ASKED
            judged.append(judgement(due, judge_id=common, key=key, score=None, cause=cause, reasoning="", replies=replies))
        else:
            judged.append(
                judgement(
                    due,
                    judge_id=judge_id(returned) if returned else common,
                    key=key,
                    score=verdict.score,
                    cause=verdict.cause,
                    reasoning=verdict.reasoning,
                    replies=replies,
                )
            )
    return judged, stopped


def main(params: JudgeParams, *, questions: Path, base: Path, tuned: Path, judged: Path) -> None:
    """Judge both arms' explanations. Writes what there is; exits non-zero if a further run may add to it, or must be stopped."""
    answers = [*read_jsonl(base, Answer), *read_jsonl(tuned, Answer)]
    dues = collect(list(read_jsonl(questions, Question)), answers)
    stopped: str | None = None
    if params.backend == "none":
        judgements = judge_by_nobody(dues)
    elif params.backend == "key_points":
        judgements = judge_by_key_points(dues)
    else:
        judgements, stopped = judge_by_claude(dues, params)
    assert [(row.id, row.arm) for row in judgements] == [(due.answer.id, due.answer.arm) for due in dues], "one judgement per answer due"
    write_jsonl(judged, judgements)
    num_scored = sum(row.score is not None for row in judgements)
    num_open = sum(row.cause in RETRYABLE for row in judgements)
    causes = sorted({row.cause for row in judgements})
    log.info("%d explanations, %d scored by %s (%s)", len(judgements), num_scored, params.backend, ", ".join(causes))
    if stopped is not None:
        log.error("stopped: %s", stopped)
        raise SystemExit(EXIT_STOPPED)
    if num_open:
        log.error("%d of %d answers got no reply; run the stage again, nothing is paid twice", num_open, len(judgements))
        raise SystemExit(EXIT_INCOMPLETE)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("judge", JudgeParams),
            questions=Path("data/split/benchmark.jsonl"),
            base=Path("data/answers/base.jsonl"),
            tuned=Path("data/answers/tuned.jsonl"),
            judged=Path("data/grades/judged.jsonl"),
        )
