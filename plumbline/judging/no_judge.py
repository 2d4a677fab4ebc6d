"""Backend `none`: every explanation stays unjudged. Pure."""

from collections.abc import Sequence

from plumbline.judging.causes import JudgeCause
from plumbline.judging.items import Asked
from plumbline.judging.judge import Judging, Verdict
from plumbline.judging.prompt import item_key

JUDGE_ID = "none"


class NoJudge:
    """Gives no scores."""

    is_probed = False
    is_retested = False

    def judge(self, asked: Sequence[Asked]) -> Judging:
        """Leave every item unjudged."""
        return Judging(Verdict(JUDGE_ID, item_key(JUDGE_ID, one.item), None, JudgeCause.JUDGE_OFF, "", ()) for one in asked)
