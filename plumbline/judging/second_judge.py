"""Let a second judge judge a share of the explanation questions. Reads questions and answers, writes judgements that change no score."""

import logging
from collections.abc import Iterable
from itertools import islice

from plumbline.judging.backends import make_judge
from plumbline.judging.items import AskedItems, DueAnswers
from plumbline.judging.params import JudgeParams
from plumbline.judging.rows_on_disk import RowsOnDisk
from plumbline.judging.run import Judged, JudgeFiles, judgement_of
from plumbline.judging.second_draw import is_judged_twice
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Question

log = logging.getLogger("judge")


def judge_share(params: JudgeParams, files: JudgeFiles) -> Judged | None:
    """Let the second judge judge the drawn questions. If there is none, write an empty file and return None."""
    own, second = params.second, params.of_second()
    if own is None or second is None:
        if files.second is not None:
            write_jsonl(files.second, ())
        return None
    assert files.second is not None, "the caller names this file if there is a second judge"
    judge = make_judge(second, is_second=True)
    drawn = [
        question
        for question in RowsOnDisk(files.questions, Question)
        if question.kind == "explanation" and is_judged_twice(question.id, share=own.share)
    ]
    if not drawn:
        log.warning("the second judge gets no question: none falls into judge.second.share=%g; raise it", own.share)
    due = DueAnswers(drawn, {arm: RowsOnDisk(path, Answer) for arm, path in files.answers.items()})
    judging = judge.judge(AskedItems(due, (), ()))
    judged = Judged(len(due), judging.stopped)

    def rows() -> Iterable[Judgement]:
        for number, verdict in enumerate(islice(judging.verdicts, len(due))):
            judged.causes[str(verdict.cause)] += 1
            yield judgement_of(due.answer(number), verdict)

    with working("judge: verdicts of the second judge"):
        write_jsonl(files.second, rows())
    return judged
