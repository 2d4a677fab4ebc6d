"""Backend `key_points`: a rule looks for each key point in the answer. Pure."""

from collections.abc import Sequence

from plumbline.judging.causes import JudgeCause
from plumbline.judging.items import Asked
from plumbline.judging.judge import Judging, Verdict, no_answer
from plumbline.judging.key_points import RULES_VERSION, judge_key_points
from plumbline.judging.precheck import PRECHECK_VERSION
from plumbline.judging.prompt import SCALE, digest, item_key
from plumbline.rows.finding import PointFinding
from plumbline.rows.judgement import RawReply


class KeyPointsJudge:
    """Scores by the deterministic rubric: free, offline, and the same every time."""

    is_probed = True
    is_retested = False

    def __init__(self) -> None:
        """Make the identity from everything that can change a score."""
        self._identity = digest(["key_points", RULES_VERSION, PRECHECK_VERSION, SCALE])
        self._judge_id = f"key_points:{self._identity[:16]}"

    def judge(self, asked: Sequence[Asked]) -> Judging:
        """Score every item."""
        return Judging(self._verdict(one) for one in asked)

    def _verdict(self, one: Asked) -> Verdict:
        key, points = item_key(self._identity, one.item), one.item.key_points
        if one.is_no_answer:
            return no_answer(self._judge_id, key)
        if not points:
            return Verdict(self._judge_id, key, None, JudgeCause.NO_KEY_POINTS, "", ())
        found = judge_key_points(one.item.answer, points, question=one.item.question, reference=one.item.reference)
        body = found.account(points)
        account = RawReply(attempt=1, stop_reason=None, model=None, request_id=None, body=body, input_tokens=0, output_tokens=0)
        findings = tuple(
            PointFinding(point=point, finding=finding, quote=quote)
            for point, finding, quote in zip(points, found.findings, found.quotes, strict=True)
        )
        return Verdict(self._judge_id, key, found.score, JudgeCause.SCORED, found.reasoning, (account,), findings)
