"""Judge explanations: by the key-point rubric, by Claude, or not at all; every raw reply is kept."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator
from tqdm import tqdm

from stages.io.inputs import inputs_unchanged
from stages.io.jsonl import read_jsonl, write_jsonl
from stages.io.params import load_params
from stages.io.verdict_store import VerdictStore, judge_cache_folder
from stages.logic.judge_budget import Budget, OverBudgetError
from stages.logic.judge_canaries import canaries, is_retested
from stages.logic.judge_causes import RETRYABLE, JudgeCause
from stages.logic.judge_precheck import PRECHECK_VERSION, is_no_answer
from stages.logic.judge_prompt import (
    API_VERSION,
    CORRECT_FROM,
    SCALE,
    SCHEMA,
    SYSTEM,
    JudgeItem,
    asking_identity,
    digest,
    item_key,
    render_item,
)
from stages.logic.judge_replies import PARSER_VERSION, reply_from_body, standing, usage_of
from stages.logic.key_points import RULES_VERSION, judge_key_points
from stages.logic.prices import largest_cost_usd
from stages.records.answer import ARMS, Answer, Arm
from stages.records.judge_check import JudgeCheck, Probe
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
    num_canary_questions: int
    """Questions of which answers with a known verdict are judged too: each right reference, wrong, stuffed, negated, ..."""
    retest_fraction: float | None
    """claude: share of the answers that are judged a second time, to see how often the judge agrees with itself."""

    @model_validator(mode="after")
    def _claude_is_whole(self) -> "JudgeParams":
        missing = [name for name in ("model", "max_tokens", "max_replies", "mode", "retest_fraction") if getattr(self, name) is None]
        if self.backend == "claude" and missing:
            raise ValueError(f"judge.backend is claude: set {', '.join('judge.' + name for name in missing)}")
        if self.backend == "claude" and ((self.max_tokens or 0) < 1 or (self.max_replies or 0) < 1 or (self.max_cost_usd or 1) <= 0):
            raise ValueError("judge.max_tokens and judge.max_replies must be at least 1, judge.max_cost_usd above 0 or null")
        return self


@dataclass(frozen=True)
class Asked:
    """One item that is due a verdict."""

    item: JudgeItem
    asking: int = 1
    """2 for the second asking of a retest: the same item under a key of its own."""

    @property
    def is_no_answer(self) -> bool:
        """Whether nobody needs to be asked."""
        return is_no_answer(self.item.answer, self.item.question)


@dataclass(frozen=True)
class Verdict:
    """What a backend says to one item."""

    judge_id: str
    key: str
    score: float | None
    cause: str
    reasoning: str
    replies: tuple[RawReply, ...]


NO_ANSWER_REASON = "empty, punctuation, an opener, or the question itself: 0 without a judge"


def pair_answers(questions: Sequence[Question], answers: Sequence[Answer]) -> list[tuple[Answer, Asked]]:
    """Pair every explanation question with both arms' answers, in benchmark order; ValueError where one is missing or doubled."""
    by_place: dict[tuple[str, Arm], Answer] = {}
    for answer in answers:
        if (answer.id, answer.arm) in by_place:
            raise ValueError(f"{answer.arm} answers question {answer.id} twice; run answer_{answer.arm} again.")
        by_place[answer.id, answer.arm] = answer
    due = []
    for question in questions:
        for arm in ARMS if question.kind == "explanation" else ():
            answer = by_place.get((question.id, arm))
            if answer is None:
                raise ValueError(f"{arm} has no answer to question {question.id}; run answer_{arm} again.")
            due.append((answer, Asked(JudgeItem(question.question, question.target, question.key_points, answer.response))))
    return due


def judge_by_nobody(asked: Sequence[Asked]) -> list[Verdict]:
    """Leave every explanation unjudged."""
    return [Verdict("none", item_key("none", one.item), None, JudgeCause.JUDGE_OFF, "", ()) for one in asked]


def judge_by_key_points(asked: Sequence[Asked]) -> list[Verdict]:
    """Score by the deterministic rubric."""
    identity = digest(["key_points", RULES_VERSION, PRECHECK_VERSION, SCALE])
    judge_id = f"key_points:{identity[:16]}"
    verdicts = []
    for one in asked:
        key, points = item_key(identity, one.item), one.item.key_points
        if one.is_no_answer:
            verdicts.append(Verdict(judge_id, key, 0.0, JudgeCause.NO_ANSWER, NO_ANSWER_REASON, ()))
        elif not points:
            verdicts.append(Verdict(judge_id, key, None, JudgeCause.NO_KEY_POINTS, "", ()))
        else:
            found = judge_key_points(one.item.answer, points, question=one.item.question, reference=one.item.reference)
            body = found.account(points)
            account = RawReply(attempt=1, stop_reason=None, model=None, request_id=None, body=body, input_tokens=0, output_tokens=0)
            verdicts.append(Verdict(judge_id, key, found.score, JudgeCause.SCORED, found.reasoning(points), (account,)))
    return verdicts


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


def fill_store(
    store: VerdictStore, items: Mapping[str, JudgeItem], params: JudgeParams, *, max_replies: int, budget: Budget, identity: str
) -> tuple[dict[str, str], str | None]:
    """Ask Claude for the replies that the store lacks. Returns causes of items without one, and why the run stopped early, if it did."""
    # Imported here: a full store, and the other backends, need no SDK (0.7 s).
    from stages.io.claude import JudgeStopped, api_key, ask_directly, limits_from_environment
    from stages.io.claude_batches import ask_in_batches
    from stages.io.judge_models import end_of_life

    if (end := end_of_life(params.model or "")) is not None:
        log.warning("%s stops answering on %s: bridge to its successor before (python -m verbs.judge_bridge)", params.model, end)
    try:
        secret = api_key()
        limits = limits_from_environment()
    except JudgeStopped as stop:
        raise SystemExit(str(stop)) from None
    in_batch = params.mode == "batch"

    def next_request(key: str) -> dict[str, Any] | None:
        where = standing(store.replies(key), max_replies=max_replies)
        budget.release(key)
        if where.verdict is not None:
            return None
        request = request_for(items[key], params, token_factor=where.token_factor)
        size = len(SYSTEM) + len(request["messages"][0]["content"])
        try:
            budget.reserve(key, num_characters=size, max_tokens=request["max_tokens"], batch=in_batch)
        except OverBudgetError as over:
            raise JudgeStopped(str(over)) from None
        return request

    def keep(key: str, body: bytes, request_id: str | None) -> None:
        reply = reply_from_body(body, attempt=len(store.replies(key)) + 1, request_id=request_id)
        store.add(key, reply)
        budget.release(key)
        budget.count(usage_of(reply))
        if budget.spent_usd is not None:
            progress.set_postfix_str(f"{budget.spent_usd:.3f} USD", refresh=False)

    def keep_once(key: str, body: bytes, batch_id: str) -> None:
        # A kill while collecting leaves a part of a batch in the store: its results come again.
        reply = reply_from_body(body, attempt=0, request_id=batch_id)
        if all((known.request_id, known.body) != (batch_id, reply.body) for known in store.replies(key)):
            keep(key, body, batch_id)
            progress.update()

    with store.sole_asker(identity):
        missing = [key for key in items if standing(store.replies(key), max_replies=max_replies).verdict is None]
        for key in items:
            for reply in store.replies(key):
                budget.count(usage_of(reply))
        announce(missing, items, params, budget, in_batch=in_batch)
        problems: dict[str, str] = {}
        stopped: str | None = None
        with tqdm(total=len(missing), unit="answer", desc="judge", disable=None) as progress:
            if in_batch and missing:
                journal = store.path.with_name(f"{identity[:16]}.batches")
                found, stopped = ask_in_batches(
                    secret,
                    limits,
                    missing,
                    api_version=API_VERSION,
                    journal_path=journal,
                    next_request=next_request,
                    keep=keep_once,
                    leave_below=SMALLEST_BATCH,
                )
                problems = {key: problem.cause for key, problem in found.items()}
                budget.release_all()
                in_batch = False
                missing = [key for key in missing if standing(store.replies(key), max_replies=max_replies).verdict is None]
                missing = [key for key in missing if problems.get(key) != JudgeCause.REJECTED_REQUEST]
            if missing and stopped is None:
                found, stopped = ask_directly(
                    secret, limits, missing, api_version=API_VERSION, next_request=next_request, keep=keep, settled=progress.update
                )
                problems |= {key: problem.cause for key, problem in found.items()}
    return problems, stopped


def announce(missing: Sequence[str], items: Mapping[str, JudgeItem], params: JudgeParams, budget: Budget, *, in_batch: bool) -> None:
    """Say what is about to be spent, before the first call."""
    assert params.model is not None and params.max_tokens is not None, "checked by JudgeParams"
    costs = [
        largest_cost_usd(
            params.model, num_characters=len(SYSTEM) + len(render_item(items[key])), max_tokens=params.max_tokens, batch=in_batch
        )
        for key in missing
    ]
    if None in costs or budget.spent_usd is None:
        log.info("%d of %d items to ask %s about; its price is unknown", len(missing), len(items), params.model)
        return
    most = sum(cost for cost in costs if cost is not None)
    log.info(
        "%d of %d items to ask %s about, at most %.2f USD if every reply fills its %d tokens; %.4f USD spent before, cap %s",
        len(missing), len(items), params.model, most, params.max_tokens, budget.spent_usd, params.max_cost_usd,
    )  # fmt: skip


def judge_by_claude(asked: Sequence[Asked], params: JudgeParams) -> tuple[list[Verdict], str | None]:
    """Ask for what the store lacks, then read every verdict from it. Returns also why the run stopped early, if it did."""
    assert params.model is not None and params.max_tokens is not None and params.max_replies is not None, "checked by JudgeParams"
    identity = asking_identity(model=params.model, max_tokens=params.max_tokens, effort=params.effort, epoch=params.epoch)
    keys = [item_key(identity, one.item, asking=one.asking) for one in asked]
    items = {key: one.item for key, one in zip(keys, asked, strict=True) if not one.is_no_answer}
    store = VerdictStore(judge_cache_folder())
    problems: dict[str, str] = {}
    stopped: str | None = None
    if any(standing(store.replies(key), max_replies=params.max_replies).verdict is None for key in items):
        budget = Budget(params.model, params.max_cost_usd)
        problems, stopped = fill_store(store, items, params, max_replies=params.max_replies, budget=budget, identity=identity)
    total = Budget(params.model, None)
    for key in items:
        for reply in store.replies(key):
            total.count(usage_of(reply))
    cost = "of unknown cost" if total.spent_usd is None else f"cost {total.spent_usd:.4f} USD"
    log.info("%s: replies to %d items, %s, earlier runs included", params.model, len(items), cost)

    models = sorted({reply.model for key in items for reply in store.replies(key) if reply.model is not None})
    if len(models) > 1:
        stopped = stopped or (
            f"the API answered as {' and as '.join(models)} to requests for {params.model}: two judges, not comparable. "
            "Raise judge.epoch to have all answers judged by the present one."
        )

    def judge_id(returned: str | None) -> str:
        return f"claude:{digest([identity, returned, PARSER_VERSION, PRECHECK_VERSION])[:16]}"

    common = judge_id(models[0] if models else None)
    verdicts = []
    for key in keys:
        if key not in items:
            verdicts.append(Verdict(common, key, 0.0, JudgeCause.NO_ANSWER, NO_ANSWER_REASON, ()))
            continue
        replies = store.replies(key)
        final = standing(replies, max_replies=params.max_replies).verdict
        returned = next((reply.model for reply in reversed(replies) if reply.model is not None), None)
        name = judge_id(returned) if returned else common
        if final is None:
            verdicts.append(Verdict(name, key, None, problems.get(key, JudgeCause.NOT_ASKED), "", replies))
        else:
            verdicts.append(Verdict(name, key, final.score, final.cause, final.reasoning, replies))
    return verdicts, stopped


def judgement(answer: Answer, verdict: Verdict) -> Judgement:
    """Write down one verdict; the outcome follows from the score alone."""
    score = verdict.score
    return Judgement(
        id=answer.id,
        arm=answer.arm,
        judge_id=verdict.judge_id,
        outcome=Outcome.UNJUDGED if score is None else Outcome.CORRECT if score >= CORRECT_FROM else Outcome.INCORRECT,
        score=score,
        cause=str(verdict.cause),
        reasoning=verdict.reasoning,
        replies=verdict.replies,
        key=verdict.key,
        complete=answer.complete,
    )


def check(probe: Probe, question_id: str, verdict: Verdict, *, least: float, most: float) -> JudgeCheck:
    """Write down how one probe of the judge went."""
    return JudgeCheck(
        probe=probe,
        id=question_id,
        key=verdict.key,
        judge_id=verdict.judge_id,
        score=verdict.score,
        cause=str(verdict.cause),
        least=least,
        most=most,
        is_passed=None if verdict.score is None else least <= verdict.score <= most,
        replies=verdict.replies,
    )


def main(params: JudgeParams, *, questions: Path, base: Path, tuned: Path, judged: Path, checks: Path | None = None) -> None:
    """Judge both arms' explanations and, where `checks` says where to, probe the judge. Writes what there is; exits non-zero if a further run may add to it."""
    asked_questions = list(read_jsonl(questions, Question))
    due = pair_answers(asked_questions, [*read_jsonl(base, Answer), *read_jsonl(tuned, Answer)])
    probes = canaries(asked_questions, num_questions=params.num_canary_questions) if params.backend != "none" and checks else []
    again = [
        (number, Asked(asked.item, asking=2))
        for number, (answer, asked) in enumerate(due)
        if checks
        and params.backend == "claude"
        and not asked.is_no_answer
        and is_retested(answer.id, answer.arm, fraction=params.retest_fraction or 0)
    ]
    everything = [*(asked for _, asked in due), *(Asked(probe.item) for probe in probes), *(asked for _, asked in again)]
    stopped: str | None = None
    if params.backend == "none":
        verdicts = judge_by_nobody(everything)
    elif params.backend == "key_points":
        verdicts = judge_by_key_points(everything)
    else:
        verdicts, stopped = judge_by_claude(everything, params)
    assert len(verdicts) == len(everything), "one verdict per item"
    of_answers, of_probes, of_retests = (
        verdicts[: len(due)],
        verdicts[len(due) : len(due) + len(probes)],
        verdicts[len(due) + len(probes) :],
    )

    judgements = [judgement(answer, verdict) for (answer, _), verdict in zip(due, of_answers, strict=True)]
    checked = [
        check(probe.probe, probe.question.id, verdict, least=probe.least, most=probe.most)
        for probe, verdict in zip(probes, of_probes, strict=True)
    ]
    for (number, _), verdict in zip(again, of_retests, strict=True):
        first = judgements[number].score
        if first is not None:
            checked.append(check("retest", judgements[number].id, verdict, least=first, most=first))
    write_jsonl(judged, judgements)
    if checks:
        write_jsonl(checks, checked)

    num_scored = sum(row.score is not None for row in judgements)
    log.info(
        "%d explanations, %d scored by %s %s", len(judgements), num_scored, params.backend, dict(Counter(row.cause for row in judgements))
    )
    for probe in sorted({row.probe for row in checked}):
        passed = [row.is_passed for row in checked if row.probe == probe]
        log.info("probe %s: %d of %d passed", probe, sum(one is True for one in passed), len(passed))
    num_open = sum(row.cause in RETRYABLE for row in (*judgements, *checked))
    if stopped is not None:
        log.error("stopped: %s", stopped)
        raise SystemExit(EXIT_STOPPED)
    if num_open:
        log.error("%d of %d items got no reply; run the stage again, nothing is paid twice", num_open, len(everything))
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
            checks=Path("data/grades/judge_checks.jsonl"),
        )
