"""Judge explanations: by the key-point rubric, by Claude, or not at all; every raw reply is kept."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator
from tqdm import tqdm

from plumbline.judging.budget import Budget, OverBudgetError
from plumbline.judging.canaries import canaries, is_retested
from plumbline.judging.causes import RETRYABLE, JudgeCause
from plumbline.judging.end import end_warning
from plumbline.judging.items import Asked, AskedItems, DueAnswers
from plumbline.judging.key_points import RULES_VERSION, judge_key_points
from plumbline.judging.precheck import PRECHECK_VERSION
from plumbline.judging.prompt import (
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
from plumbline.judging.replies import PARSER_VERSION, reply_from_body, standing, usage_of
from plumbline.judging.rows_on_disk import RowsOnDisk
from plumbline.judging.survey import Survey, project, survey
from plumbline.judging.today import today
from plumbline.judging.verdict_store import VerdictStore, judge_cache_folder
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.rows.answer import Answer
from plumbline.rows.judge_check import JudgeCheck, Probe
from plumbline.rows.judgement import Judgement, RawReply
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question

log = logging.getLogger("judge")

SMALLEST_BATCH = 50
"""Fewer open answers than this are asked directly: minutes instead of hours, for cents."""
TRIAL_BATCH = 500
"""Requests of a first batch that is awaited alone: it shows what the rest will cost, and whether its verdicts can be read."""
TRIAL_FROM = 2000
"""Open items from which on it is worth the wait."""
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
class Verdict:
    """What a backend says to one item."""

    judge_id: str
    key: str
    score: float | None
    cause: str
    reasoning: str
    replies: tuple[RawReply, ...]


NO_ANSWER_REASON = "empty, punctuation, an opener, or the question itself: 0 without a judge"


def judge_by_nobody(asked: Iterable[Asked]) -> Iterator[Verdict]:
    """Leave every explanation unjudged."""
    return (Verdict("none", item_key("none", one.item), None, JudgeCause.JUDGE_OFF, "", ()) for one in asked)


def judge_by_key_points(asked: Iterable[Asked]) -> Iterator[Verdict]:
    """Score by the deterministic rubric."""
    identity = digest(["key_points", RULES_VERSION, PRECHECK_VERSION, SCALE])
    judge_id = f"key_points:{identity[:16]}"
    for one in asked:
        key, points = item_key(identity, one.item), one.item.key_points
        if one.is_no_answer:
            yield Verdict(judge_id, key, 0.0, JudgeCause.NO_ANSWER, NO_ANSWER_REASON, ())
        elif not points:
            yield Verdict(judge_id, key, None, JudgeCause.NO_KEY_POINTS, "", ())
        else:
            found = judge_key_points(one.item.answer, points, question=one.item.question, reference=one.item.reference)
            body = found.account(points)
            account = RawReply(attempt=1, stop_reason=None, model=None, request_id=None, body=body, input_tokens=0, output_tokens=0)
            yield Verdict(judge_id, key, found.score, JudgeCause.SCORED, found.reasoning(points), (account,))


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


def look_up(store: VerdictStore, keys: Iterable[str], budget: Budget, *, max_replies: int) -> Survey:
    """Survey what the store holds of some items, reading one item at a time."""
    return survey(((key, store.replies(key)) for key in keys), budget, max_replies=max_replies)


def fill_store(
    store: VerdictStore, items: Mapping[str, int], asked: Sequence[Asked], params: JudgeParams, *, max_replies: int, identity: str
) -> tuple[dict[str, str], str | None]:
    """Ask Claude for the replies that the store lacks. `items`: key to place in `asked`.

    Returns causes of items without a reply, and why the run stopped early, if it did.
    """
    # Imported here: the other backends need no SDK (0.7 s).
    from plumbline.judging.claude import JudgeStopped, api_key, ask_directly, limits_from_environment
    from plumbline.judging.claude_batches import ask_in_batches

    assert params.model is not None, "checked by JudgeParams"
    try:
        secret = api_key()
        limits = limits_from_environment()
    except JudgeStopped as stop:
        raise SystemExit(str(stop)) from None
    in_batch = params.mode == "batch"
    model = params.model
    budget = Budget(model, params.max_cost_usd)

    def next_request(key: str) -> dict[str, Any] | None:
        where = standing(store.replies(key), max_replies=max_replies)
        budget.release(key)
        if where.verdict is not None:
            return None
        request = request_for(asked[items[key]].item, params, token_factor=where.token_factor)
        size = len(SYSTEM) + len(request["messages"][0]["content"])
        try:
            budget.reserve(key, num_characters=size, max_tokens=request["max_tokens"], batch=in_batch)
        except OverBudgetError as over:
            raise JudgeStopped(str(over)) from None
        return request

    def settle(key: str, reply: RawReply) -> None:
        budget.release(key)
        budget.count(usage_of(reply))
        if budget.spent_usd is not None:
            progress.set_postfix_str(f"{budget.spent_usd:.3f} USD", refresh=False)

    def keep(key: str, body: bytes, request_id: str | None) -> None:
        reply = reply_from_body(body, attempt=store.num_replies(key) + 1, request_id=request_id)
        store.add(key, reply)
        settle(key, reply)

    def keep_of_batch(batch_id: str, bodies: Sequence[tuple[str, bytes]]) -> None:
        # A kill while collecting leaves a part of a batch in the store: its results come again.
        replies = [
            (key, reply_from_body(body, attempt=store.num_replies(key) + 1, request_id=batch_id))
            for key, body in bodies
            if all(known.request_id != batch_id for known in store.replies(key))
        ]
        store.add_all(replies)
        for key, reply in replies:
            settle(key, reply)
        progress.update(len(replies))

    def weigh_trial() -> None:
        found = look_up(store, items, Budget(model, None), max_replies=max_replies)
        if found.distrust:
            raise JudgeStopped(found.distrust)
        announce(found, items, asked, params, budget, in_batch=True)

    with store.sole_asker(identity):
        found = look_up(store, items, budget, max_replies=max_replies)
        missing = found.missing
        if not missing:
            return {}, None
        if in_batch and found.distrust:
            return {}, found.distrust
        announce(found, items, asked, params, budget, in_batch=in_batch)
        with tqdm(total=len(missing), unit="answer", desc="judge", disable=None) as progress:
            # In direct mode too: what an earlier run submitted is paid for, and is collected rather than asked again.
            none_in_batch, stopped = ask_in_batches(
                secret,
                limits,
                missing,
                api_version=API_VERSION,
                journal_path=store.path.with_name(f"{identity[:16]}.batches"),
                next_request=next_request,
                keep=keep_of_batch,
                leave_below=SMALLEST_BATCH if in_batch else None,
                trial=TRIAL_BATCH if found.num_asked == 0 and len(missing) >= TRIAL_FROM else 0,
                after_trial=weigh_trial,
            )
            problems = {key: problem.cause for key, problem in none_in_batch.items()}
            budget.release_all()
            in_batch = False
            if stopped is None:
                missing = [key for key in missing if standing(store.replies(key), max_replies=max_replies).verdict is None]
                missing = [key for key in missing if problems.get(key) != JudgeCause.REJECTED_REQUEST]
                found_directly, stopped = ask_directly(
                    secret, limits, missing, api_version=API_VERSION, next_request=next_request, keep=keep, settled=progress.update
                )
                problems |= {key: problem.cause for key, problem in found_directly.items()}
    return problems, stopped


def announce(
    found: Survey, items: Mapping[str, int], asked: Sequence[Asked], params: JudgeParams, budget: Budget, *, in_batch: bool
) -> None:
    """Say what is about to be spent, before it is."""
    assert params.model is not None and params.max_tokens is not None, "checked by JudgeParams"
    sizes = (len(SYSTEM) + len(render_item(asked[items[key]].item)) for key in found.missing)
    projection = project(found, params.model, num_characters=sizes, max_tokens=params.max_tokens, batch=in_batch)
    if projection is None or budget.spent_usd is None:
        log.info("%d of %d items to ask %s about; its price is unknown", len(found.missing), len(items), params.model)
        return
    log.info(
        "%d of %d items to ask %s about: likely %.2f USD (%s), at most %.2f USD if every reply fills its %d tokens; %.4f USD spent so far, cap %s",
        len(found.missing), len(items), params.model, projection.likely_usd, projection.basis, projection.most_usd, params.max_tokens,
        budget.spent_usd, params.max_cost_usd,
    )  # fmt: skip
    if params.max_cost_usd is not None and budget.spent_usd + projection.likely_usd > params.max_cost_usd:
        log.warning(
            "judge.max_cost_usd of %g USD is likely to stop this before its end; raise it now or then, nothing is paid twice",
            params.max_cost_usd,
        )


def warn_of_end(model: str) -> None:
    """Say in the log when a model's end is near: the store may be full today, and the next answers have no judge."""
    # Imported here: the other backends need no SDK (0.7 s).
    from plumbline.judging.models import end_of_life

    end = end_of_life(model)
    if (told := end_warning(model, end=end, today=today())) is not None:
        log.warning("%s", told)
    elif end is not None:
        log.info("the judge %s stops answering on %s", model, end)


def judge_by_claude(asked: Sequence[Asked], params: JudgeParams) -> tuple[Iterator[Verdict], str | None]:
    """Ask for what the store lacks, then read every verdict from it, one at a time. Returns also why the run stopped early, if it did."""
    assert params.model is not None and params.max_tokens is not None and params.max_replies is not None, "checked by JudgeParams"
    warn_of_end(params.model)
    max_replies = params.max_replies
    identity = asking_identity(model=params.model, max_tokens=params.max_tokens, effort=params.effort, epoch=params.epoch)
    keys: list[str] = []
    items: dict[str, int] = {}
    for number, one in enumerate(asked):
        keys.append(item_key(identity, one.item, asking=one.asking))
        if not one.is_no_answer:
            items.setdefault(keys[-1], number)
    store = VerdictStore(judge_cache_folder())
    problems: dict[str, str] = {}
    stopped: str | None = None
    total = look_up(store, items, Budget(params.model, None), max_replies=max_replies)
    if total.missing:
        problems, stopped = fill_store(store, items, asked, params, max_replies=max_replies, identity=identity)
        total = look_up(store, items, Budget(params.model, None), max_replies=max_replies)
    cost = "of unknown cost" if total.budget.spent_usd is None else f"cost {total.budget.spent_usd:.4f} USD"
    log.info("%s: %d replies to %d items, %s, earlier runs included", params.model, total.num_replies, len(items), cost)

    models = sorted(total.models)
    if len(models) > 1:
        stopped = stopped or (
            f"the API answered as {' and as '.join(models)} to requests for {params.model}: two judges, not comparable. "
            "Raise judge.epoch to have all answers judged by the present one."
        )

    def judge_id(returned: str | None) -> str:
        return f"claude:{digest([identity, returned, PARSER_VERSION, PRECHECK_VERSION])[:16]}"

    common = judge_id(models[0] if models else None)

    def verdict(key: str) -> Verdict:
        if key not in items:
            return Verdict(common, key, 0.0, JudgeCause.NO_ANSWER, NO_ANSWER_REASON, ())
        replies = store.replies(key)
        final = standing(replies, max_replies=max_replies).verdict
        returned = next((reply.model for reply in reversed(replies) if reply.model is not None), None)
        name = judge_id(returned) if returned else common
        if final is None:
            return Verdict(name, key, None, problems.get(key, JudgeCause.NOT_ASKED), "", replies)
        return Verdict(name, key, final.score, final.cause, final.reasoning, replies)

    return map(verdict, keys), stopped


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


def retested(due: DueAnswers, *, fraction: float) -> list[int]:
    """Numbers of the answers that are asked about a second time."""
    return [
        number
        for number in range(len(due))
        if is_retested((answer := due.answer(number)).id, answer.arm, fraction=fraction) and not Asked(due.item(number)).is_no_answer
    ]


def main(params: JudgeParams, *, questions: Path, base: Path, tuned: Path, judged: Path, checks: Path | None = None) -> None:
    """Judge both arms' explanations and, where `checks` says where to, probe the judge. Writes what there is; exits non-zero if a further run may add to it."""
    benchmark = RowsOnDisk(questions, Question)
    due = DueAnswers(benchmark, RowsOnDisk(base, Answer), RowsOnDisk(tuned, Answer))
    probes = canaries(benchmark, num_questions=params.num_canary_questions) if params.backend != "none" and checks else []
    again = retested(due, fraction=params.retest_fraction or 0) if params.backend == "claude" and checks else []
    everything = AskedItems(due, probes, again)
    stopped: str | None = None
    if params.backend == "none":
        verdicts = judge_by_nobody(everything)
    elif params.backend == "key_points":
        verdicts = judge_by_key_points(everything)
    else:
        verdicts, stopped = judge_by_claude(everything, params)

    # Rows are written as they are read from the store: 10^5 raw replies are half a gigabyte.
    causes, passed, num_open = Counter[str](), dict[Probe, Counter[bool | None]](), 0
    first_scores: dict[int, float | None] = dict.fromkeys(again)

    def judgements() -> Iterator[Judgement]:
        for number, verdict in enumerate(islice(verdicts, len(due))):
            causes[str(verdict.cause)] += 1
            if number in first_scores:
                first_scores[number] = verdict.score
            yield judgement(due.answer(number), verdict)

    def probed() -> Iterator[JudgeCheck]:
        for probe, verdict in zip(probes, islice(verdicts, len(probes)), strict=True):
            yield check(probe.probe, probe.question.id, verdict, least=probe.least, most=probe.most)
        for number, verdict in zip(again, verdicts, strict=True):
            if (first := first_scores[number]) is not None:
                yield check("retest", due.answer(number).id, verdict, least=first, most=first)

    def counted(rows: Iterable[JudgeCheck]) -> Iterator[JudgeCheck]:
        nonlocal num_open
        for row in rows:
            passed.setdefault(row.probe, Counter())[row.is_passed] += 1
            num_open += row.cause in RETRYABLE
            yield row

    num_judged = write_jsonl(judged, judgements())
    assert num_judged == len(due) == causes.total(), "one verdict per answer"
    if checks:
        write_jsonl(checks, counted(probed()))

    num_scored = causes[JudgeCause.SCORED] + causes[JudgeCause.NO_ANSWER]
    log.info("%d explanations, %d scored by %s %s", num_judged, num_scored, params.backend, dict(causes))
    for probe in sorted(passed):
        log.info("probe %s: %d of %d passed", probe, passed[probe][True], passed[probe].total())
    num_open += sum(causes[cause] for cause in RETRYABLE)
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
