"""Backend `openai_compatible`: ask a local or hosted server for the replies that the store does not have, then read all verdicts there."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_direct import ask_directly
from plumbline.judging.claude_limits import limits_from_environment
from plumbline.judging.items import Asked
from plumbline.judging.judge import Judging, Verdict
from plumbline.judging.no_reply import JudgeStopped
from plumbline.judging.openai_client import FIRST, ChatServer, Endpoint, server_from_environment
from plumbline.judging.openai_replies import asking_identity, request_body
from plumbline.judging.prompt import JudgeItem, item_key
from plumbline.judging.replies import Standing, reply_from_body, standing
from plumbline.judging.stored_verdicts import judge_id, stored_verdicts
from plumbline.judging.verdict_store import VerdictStore, judge_cache_folder
from plumbline.pipeline.heartbeat import Progress

log = logging.getLogger("judge")


class OpenAIJudge:
    """One judge of recorded identity, with its store of replies. Judges one sequence of items."""

    is_probed = True
    is_retested = True

    def __init__(self, *, model: str, max_tokens: int, epoch: int, max_replies: int, endpoint: Endpoint = FIRST) -> None:
        """Open the store; nothing is asked yet. `endpoint`: how the environment names the server, which is not part of the identity."""
        self._endpoint = endpoint
        self._model, self._max_tokens, self._max_replies = model, max_tokens, max_replies
        self._identity = asking_identity(model=model, max_tokens=max_tokens, epoch=epoch)
        self._store = VerdictStore(judge_cache_folder())
        self._asked: Sequence[Asked] = ()
        self._items: dict[str, int] = {}
        """Key -> place in `_asked`, for every item that needs a judge. Equal items share a key."""
        self._problems: dict[str, JudgeCause] = {}
        """Key -> why the item got no reply."""

    def judge(self, asked: Sequence[Asked]) -> Judging:
        """Ask for the replies that the store does not have, then read every verdict from it, one at a time."""
        self._asked, keys = asked, list[str]()
        for number, one in enumerate(asked):
            keys.append(item_key(self._identity, one.item, asking=one.asking))
            if not one.is_no_answer:
                self._items.setdefault(keys[-1], number)
        stopped = self._fill_store() if self._missing() else None
        replies = [reply for key in self._items for reply in self._store.replies(key)]
        models = sorted({reply.model for reply in replies if reply.model is not None})
        tokens = sum(reply.input_tokens for reply in replies), sum(reply.output_tokens for reply in replies)
        log.info(
            "%s: %d replies to %d items, %d tokens in and %d out, earlier runs included",
            self._model,
            len(replies),
            len(self._items),
            *tokens,
        )
        if len(models) > 1:
            stopped = stopped or (
                f"the server answered as {' and as '.join(models)} to requests for {self._model}: two judges, so scores do not compare. "
                f"Raise {self._endpoint.section}.epoch to have all answers judged by the present one."
            )
        return Judging(self._verdicts(keys, models[0] if models else None), stopped)

    def _missing(self) -> list[str]:
        return [key for key in self._items if self._standing(key).verdict is None]

    def _standing(self, key: str) -> Standing:
        return standing(self._store.replies(key), self._item(key), max_replies=self._max_replies)

    def _item(self, key: str) -> JudgeItem:
        return self._asked[self._items[key]].item

    def _fill_store(self) -> str | None:
        """Ask for the replies that the store does not have. Return why the run stopped early; None if it did not."""
        try:
            (url, secret), limits = server_from_environment(self._endpoint), limits_from_environment()
        except JudgeStopped as stop:
            raise SystemExit(str(stop)) from None
        with self._store.sole_asker(self._identity):
            missing = self._missing()
            log.info("asking %s at %s about %d of %d items", self._model, url, len(missing), len(self._items))
            with Progress("judge", total=len(missing), unit="answer") as progress:
                problems, stopped = ask_directly(
                    lambda trusted: ChatServer(url, secret, limits, trusted, endpoint=self._endpoint),
                    limits,
                    missing,
                    next_request=self._next_request,
                    keep=self._keep,
                    settled=progress.update,
                )
            self._problems = {key: problem.cause for key, problem in problems.items()}
            return stopped

    def _next_request(self, key: str) -> dict[str, Any] | None:
        """The next request about an item; None if it has its verdict."""
        where = self._standing(key)
        if where.verdict is not None:
            return None
        return request_body(self._item(key), model=self._model, max_tokens=self._max_tokens * where.token_factor)

    def _keep(self, key: str, body: bytes, request_id: str | None) -> None:
        """Put a reply into the store."""
        self._store.add(key, reply_from_body(body, attempt=self._store.num_replies(key) + 1, request_id=request_id))

    def _judge_id(self, returned: str | None) -> str:
        """The name of the judge that answered as model `returned`."""
        return judge_id("openai_compatible", self._identity, returned)

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
