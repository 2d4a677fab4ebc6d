"""The questions that --benchmark names, read as check-benchmark reads them. Reads the file that is named."""

import shlex
from pathlib import Path

from plumbline.commands.benchmark_words import in_words_of_commands
from plumbline.comparing.spreadsheets import refuse_spreadsheet
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from plumbline.splitting.benchmark import read_questions
from plumbline.splitting.question_faults import refuse_faults
from plumbline.splitting.recognition import AUTO


def known_questions(path: Path) -> dict[str, Question]:
    """The questions by id. Refused if the shape of the file is not recognised, or if two questions have the same id."""
    refuse_spreadsheet(path)
    try:
        found = read_questions(path, format_name=AUTO)
        refuse_faults(found.unread)
    except Refused as error:
        raise Refused(
            in_words_of_commands(
                str(error),
                "Write it in Plumbline's own shape: `plumbline check-benchmark FILE --column "
                "question=COLUMN --column target=COLUMN --column id=COLUMN --out mine.jsonl` "
                "(with `--column kind=numeric` if no choices are named), and give mine.jsonl here.",
                f"write it in Plumbline's own shape with `plumbline check-benchmark {shlex.quote(str(path))} {{}} --out mine.jsonl`, and give "
                "mine.jsonl here.",
            )
        ) from None
    known: dict[str, Question] = {}
    places: dict[str, str] = {}
    for question, place in zip(found.questions, found.places, strict=True):
        if question.id in known:
            raise Refused(f"{place}: the id {question.id!r} is also at {places[question.id]}. Give each question its own id.")
        known[question.id], places[question.id] = question, place
    return known
