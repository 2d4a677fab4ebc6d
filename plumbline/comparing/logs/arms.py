"""The arms of a comparison of logs: who answered, in which logs, and under which name. Reads the files that are named."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from plumbline.comparing.counted import counted
from plumbline.comparing.logs.logged_answer import Log, LogArm, LoggedAnswer, Tool
from plumbline.comparing.logs.matching import normal
from plumbline.comparing.logs.recognise import read_logs
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question

ONCE = (Tool.TABLE, Tool.BATCH)
"""Logs in which a second answer to one question is a mistake; the other tools log several samples per question."""


def arms_of(given: Sequence[str], scores: Collection[str] = ()) -> list[LogArm]:
    """Read each file or folder that was named, `NAME=PATH` to give it a name. `scores`: columns of tables that are scores.

    Refused if two arms could not be told apart.
    """
    groups: list[tuple[str, str, list[Log]]] = []
    """Name wanted, name to fall back to, logs."""
    for text in given:
        name, path = named_path(text)
        by_model: dict[str, list[Log]] = {}
        for log in read_logs(path, scores):
            by_model.setdefault(log.model, []).append(log)
        if name is not None and len(by_model) > 1:
            raise Refused(f"{text}: {path} holds answers of {', '.join(by_model)}. Give it without a name, or name a file of one of them.")
        apart = len(by_model) > 1
        groups += [(name or model, name or (f"{path.stem}:{model}" if apart else path.stem), logs) for model, logs in by_model.items()]
    wanted = [name for name, _, _ in groups]
    names = [name if wanted.count(name) == 1 else other for name, other, _ in groups]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Refused(f"two logs would both be called {twice}. Name them: first=PATH second=PATH.")
    return [arm_of(name, logs) for name, (_, _, logs) in zip(names, groups, strict=True)]


def named_path(text: str) -> tuple[str | None, Path]:
    """`NAME=PATH`, or a path that may hold an equals sign itself."""
    name, equals, path = text.partition("=")
    if equals and name and path and not Path(text).exists():
        return name, Path(path)
    return None, Path(text)


def arm_of(name: str, logs: Sequence[Log]) -> LogArm:
    """Logs of one model as one arm. Refused if two of them answer the same question."""
    homes: dict[tuple[str, str], LoggedAnswer] = {}
    for log in logs:
        mine: set[tuple[str, str, str]] = set()
        for answer in log.answers:
            key = (answer.task, answer.id)
            before, again = homes.get(key), (*key, answer.repeat)
            if before is not None and (not any(one[:2] == key for one in mine) or (log.tool in ONCE and again in mine)):
                raise Refused(
                    f"{answer.where}: this is a second answer of {name} to {answer.id[:60]!r}; the first is at {before.where}. "
                    "Give the log of one run, or the two runs as two logs."
                )
            homes.setdefault(key, answer)
            mine.add(again)
    return LogArm(
        name=name,
        answers=tuple(answer for log in logs for answer in log.answers),
        tools=frozenset(log.tool for log in logs),
        settings={key: value for log in logs for key, value in log.settings.items()},
        warnings=tuple(text for log in logs for text in log.warnings),
        paths=tuple(str(log.path) for log in logs),
    )


def differing_settings(arms: Sequence[LogArm]) -> list[str]:
    """What besides the model differs between the logs, a sentence each; one sentence for all that only one of two tools logs."""
    told: list[str] = []
    num_of_one_tool = 0
    for name in dict.fromkeys(key for arm in arms for key in arm.settings):
        values = [(arm, arm.settings.get(name)) for arm in arms if any(task_of(key) == task_of(name) for key in arm.settings)]
        have = {tool for arm, value in values if value is not None for tool in arm.tools}
        num_of_one_tool += any(value is None and arm.tools.isdisjoint(have) for arm, value in values)
        compared = {arm.name: value for arm, value in values if value is not None or not arm.tools.isdisjoint(have)}
        if len(set(compared.values())) > 1:
            told.append(f"{name} differs: " + ", ".join(f"{arm} {shown(value)}" for arm, value in compared.items()))
    if num_of_one_tool:
        tools = " and ".join(sorted({tool for arm in arms for tool in arm.tools}))
        told.append(f"{tools} log different settings: {counted(num_of_one_tool, 'setting')} of one of them could not be compared")
    return told


def task_of(setting: str) -> str:
    """The task that a setting is of."""
    return setting.partition(":")[0]


def shown(value: str | None) -> str:
    """A setting in a sentence."""
    return "has none" if value is None else value if len(value) <= 80 else f"{value[:77]}..."


def same_text(logged: str, known: str) -> bool:
    """Whether a log asks what a benchmark asks: a prompt holds the question among other words, and a log may hold only its beginning."""
    ours, theirs = normal(known), normal(logged)
    return ours in theirs or theirs in ours


def with_questions(answers: Iterable[LoggedAnswer], benchmark: Mapping[str, Question]) -> tuple[LoggedAnswer, ...]:
    """Answers with what a benchmark says about their questions. Refused if it lacks an id, or if a log holds another question."""
    found: list[LoggedAnswer] = []
    for answer in answers:
        question = benchmark.get(answer.id)
        if question is None:
            raise Refused(
                f"{answer.where}: {answer.id!r} is not a question of the benchmark. Its ids look like {', '.join(list(benchmark)[:3])}. "
                "Give the benchmark that was asked, or leave the line out."
            )
        if answer.question and not same_text(answer.question, question.question):
            raise Refused(
                f"{answer.where}: {answer.id!r} asks {answer.question[:80]!r}, but the benchmark asks {question.question[:80]!r} under this id. "
                "Give the benchmark that was asked, or leave --benchmark out: the log holds its questions."
            )
        found.append(
            replace(
                answer,
                task="",
                question=question.question,
                choices=question.choices,
                target=question.target,
                unit=question.unit,
                key_points=question.key_points,
                kind=question.kind,
                known=question,
                fields={**answer.fields, "cluster": question.cluster},
                # The benchmark says what was asked, whatever each log says about it.
                fingerprint="",
            )
        )
    return tuple(found)
