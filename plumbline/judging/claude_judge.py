"""Backend `claude`: ask for the replies that the store does not have, then read every verdict from the store."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from plumbline.judging.budget import Budget, OverBudgetError
from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_batches import ask_in_batches
from plumbline.judging.claude_client import Claude
from plumbline.judging.claude_direct import ask_directly
from plumbline.judging.claude_key import api_key
from plumbline.judging.claude_limits import limits_from_environment
from plumbline.judging.end import end_of_life, end_warning, today
from plumbline.judging.items import Asked
from plumbline.judging.judge import Judging, Verdict
from plumbline.judging.no_reply import JudgeStopped
from plumbline.judging.prompt import API_VERSION, JudgeItem, asking_identity, item_key, num_characters, request_body
from plumbline.judging.replies import Standing, reply_from_body, standing, usage_of
from plumbline.judging.stored_verdicts import judge_id, stored_verdicts
from plumbline.judging.survey import Survey, project, survey
from plumbline.judging.verdict_store import VerdictStore, judge_cache_folder
from plumbline.pipeline.heartbeat import Progress
from plumbline.rows.judgement import RawReply

log = logging.getLogger("judge")

SMALLEST_BATCH = 50
"""If fewer answers than this are open, they are asked directly: minutes instead of hours, for cents."""
TRIAL_BATCH = 500
"""Requests in a first batch that is awaited alone. It shows the cost of the rest, and whether its verdicts can be read."""
TRIAL_FROM = 2000
"""From this many open items on, a trial batch is worth the wait."""


class ClaudeJudge:
    """One judge of recorded identity, with its store of replies, its budget and its limits. Judges one sequence of items."""

    is_probed = True
    is_retested = True

    def __init__(
        self,
        *,
        model: str,
        max_tokens: int,
        effort: str | None,
        epoch: int,
        max_replies: int,
        max_cost_usd: float | None,
        in_batches: bool,
        section: str = "judge",
    ) -> None:
        """Open the store; nothing is asked yet. `section`: the section of params.yaml that messages name."""
        self._section = section
        self._model, self._max_tokens, self._effort = model, max_tokens, effort
        self._max_replies, self._max_cost_usd, self._in_batches = max_replies, max_cost_usd, in_batches
        self._identity = asking_identity(model=model, max_tokens=max_tokens, effort=effort, epoch=epoch)
        self._store = VerdictStore(judge_cache_folder())
        self._budget = Budget(model, max_cost_usd, section=section)
        self._asked: Sequence[Asked] = ()
        self._items: dict[str, int] = {}
        """Key -> place in `_asked`, for every item that needs a judge. Equal items share a key."""
        self._problems: dict[str, JudgeCause] = {}
        """Key -> why the item got no reply."""
        self._batch_is_next = False
        """Whether the next request goes into a batch, at half the price."""
        self._progress = Progress("judge", shown=False)

    def judge(self, asked: Sequence[Asked]) -> Judging:
        """Ask for the replies that the store does not have, then read every verdict from it, one at a time."""
        self._warn_of_end()
        self._asked, keys = asked, list[str]()
        for number, one in enumerate(asked):
            keys.append(item_key(self._identity, one.item, asking=one.asking))
            if not one.is_no_answer:
                self._items.setdefault(keys[-1], number)
        found, stopped = self._look_up(), None
        if found.missing:
            stopped = self._fill_store(found)
            found = self._look_up()
        spent = found.budget.spent_usd
        cost = "of unknown cost" if spent is None else f"cost {spent:.4f} USD"
        log.info("%s: %d replies to %d items, %s, earlier runs included", self._model, found.num_replies, len(self._items), cost)
        models = sorted(found.models)
        if len(models) > 1:
            stopped = stopped or (
                f"the API answered as {' and as '.join(models)} to requests for {self._model}: two judges, so scores do not compare. "
                f"Raise {self._section}.epoch to have all answers judged by the present one."
            )
        return Judging(self._verdicts(keys, models[0] if models else None), stopped)

    def _warn_of_end(self) -> None:
        """Log when the model's end is near: the store may be complete today, but the next answers would have no judge."""
        end = end_of_life(self._model)
        if (warning := end_warning(self._model, end=end, today=today())) is not None:
            log.warning("%s", warning)
        elif end is not None:
            log.info("the judge %s stops answering on %s", self._model, end)

    def _look_up(self) -> Survey:
        """Survey what the store holds for all items, reading one item at a time."""
        replies = ((key, self._item(key), self._store.replies(key)) for key in self._items)
        return survey(replies, Budget(self._model, self._max_cost_usd, section=self._section), max_replies=self._max_replies)

    def _standing(self, key: str) -> Standing:
        return standing(self._store.replies(key), self._item(key), max_replies=self._max_replies)

    def _item(self, key: str) -> JudgeItem:
        return self._asked[self._items[key]].item

    def _fill_store(self, found: Survey) -> str | None:
        """Ask for the replies that the store does not have. Return why the run stopped early; None if it did not."""
        try:
            secret, limits = api_key(self._section), limits_from_environment()
        except JudgeStopped as stop:
            raise SystemExit(str(stop)) from None
        with self._store.sole_asker(self._identity) as has_news:
            if has_news:  # another process has asked in the meantime
                found = self._look_up()
            if not found.missing:
                return None
            if self._in_batches and found.distrust:
                return found.distrust
            self._budget, self._batch_is_next = found.budget, self._in_batches
            self._announce(found)
            with Progress("judge", total=len(found.missing), unit="answer") as self._progress:
                # In direct mode too: what an earlier run submitted is paid for, so it is collected and not asked again.
                not_in_batch, stopped = ask_in_batches(
                    secret,
                    limits,
                    found.missing,
                    api_version=API_VERSION,
                    journal_path=self._store.path.with_name(f"{self._identity[:16]}.batches"),
                    next_request=self._next_request,
                    keep=self._keep_of_batch,
                    leave_below=SMALLEST_BATCH if self._in_batches else None,
                    trial=TRIAL_BATCH if found.num_asked == 0 and len(found.missing) >= TRIAL_FROM else 0,
                    after_trial=self._weigh_trial,
                )
                self._problems = {key: problem.cause for key, problem in not_in_batch.items()}
                self._budget.release_all()
                self._batch_is_next = False
                if stopped is not None:
                    return stopped
                open_ones = [key for key in found.missing if self._standing(key).verdict is None]
                open_ones = [key for key in open_ones if self._problems.get(key) is not JudgeCause.REJECTED_REQUEST]
                not_directly, stopped = ask_directly(
                    lambda trusted: Claude(secret, limits, API_VERSION, trusted),
                    limits,
                    open_ones,
                    next_request=self._next_request,
                    keep=self._keep,
                    settled=self._progress.update,
                )
                self._problems |= {key: problem.cause for key, problem in not_directly.items()}
                return stopped

    def _next_request(self, key: str) -> dict[str, Any] | None:
        """The next request about an item; None if it has its verdict. JudgeStopped if the budget has no room."""
        where = self._standing(key)
        self._budget.release(key)
        if where.verdict is not None:
            return None
        item, max_tokens = self._item(key), self._max_tokens * where.token_factor
        request = request_body(item, model=self._model, max_tokens=max_tokens, effort=self._effort)
        try:
            self._budget.reserve(key, num_characters=num_characters(item), max_tokens=max_tokens, batch=self._batch_is_next)
        except OverBudgetError as over:
            raise JudgeStopped(str(over)) from None
        return request

    def _keep(self, key: str, body: bytes, request_id: str | None) -> None:
        """Put a reply into the store."""
        reply = reply_from_body(body, attempt=self._store.num_replies(key) + 1, request_id=request_id)
        self._store.add(key, reply)
        self._settle(key, reply)

    def _keep_of_batch(self, batch_id: str, bodies: Sequence[tuple[str, bytes]]) -> None:
        """Put the replies of a batch into the store. If a kill left only some of them there, add the others."""
        replies = [
            (key, reply_from_body(body, attempt=self._store.num_replies(key) + 1, request_id=batch_id))
            for key, body in bodies
            if all(known.request_id != batch_id for known in self._store.replies(key))
        ]
        self._store.add_all(replies)
        for key, reply in replies:
            self._settle(key, reply)
        self._progress.update(len(replies))

    def _settle(self, key: str, reply: RawReply) -> None:
        """Add the cost of a reply to the budget."""
        self._budget.release(key)
        self._budget.count(usage_of(reply))
        if self._budget.spent_usd is not None:
            self._progress.say(f"{self._budget.spent_usd:.3f} USD")

    def _weigh_trial(self) -> None:
        """Log what the rest will cost, measured on the first replies. JudgeStopped if most of these are of no use."""
        found = self._look_up()
        if found.distrust:
            raise JudgeStopped(found.distrust)
        self._announce(found)

    def _announce(self, found: Survey) -> None:
        """Log the cost before it is spent."""
        items = (self._item(key) for key in found.missing)
        projection = project(found, self._model, items, max_tokens=self._max_tokens, batch=self._batch_is_next)
        spent, cap = self._budget.spent_usd, self._max_cost_usd
        if projection is None or spent is None:
            log.info("asking %s about %d of %d items; its price is unknown", self._model, len(found.missing), len(self._items))
            return
        log.info(
            "asking %s about %d of %d items: likely %.2f USD (%s), at most %.2f USD if every reply fills its %d tokens; %.4f USD spent so far, cap %s",
            self._model, len(found.missing), len(self._items), projection.likely_usd, projection.basis, projection.most_usd, self._max_tokens,
            spent, cap,
        )  # fmt: skip
        if cap is not None and spent + projection.likely_usd > cap:
            log.warning(
                "%s.max_cost_usd of %g USD is likely to stop this early; raise it now or later, nothing is paid twice",
                self._section,
                cap,
            )

    def _judge_id(self, returned: str | None) -> str:
        """The name of the judge that answered as model `returned`."""
        return judge_id("claude", self._identity, returned)

    def _verdicts(self, keys: Sequence[str], model: str | None) -> Iterator[Verdict]:
        return stored_verdicts(
            keys,
            self._store,
            item_of=lambda key: self._item(key) if key in self._items else None,
            max_replies=self._max_replies,
            judge_id_of=self._judge_id,
            model=model,
            problems=self._problems,
        )
