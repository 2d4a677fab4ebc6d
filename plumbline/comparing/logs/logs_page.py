"""The page of a comparison of logs: what the report's template names. Touches nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.comparing.answers_ledger import scored_rows
from plumbline.comparing.counted import counted
from plumbline.comparing.graded_answers import GradedAnswer
from plumbline.comparing.logs.log_grades import FAILED, GradedLogs
from plumbline.comparing.logs.logged_answer import LogArm, LoggedAnswer
from plumbline.reporting.care import unread_clause
from plumbline.reporting.entries import page_entries
from plumbline.reporting.ledger import KIND_NAMES, KindLedger
from plumbline.reporting.tables import comparison_rows, kind_card, pair_words, score_rows, topic_rows
from plumbline.reporting.words import arm_words, by_direction, headline_words, sentences_of, verdict_words
from plumbline.rows.answer import ELSEWHERE, Answer
from plumbline.rows.arms import ArmParams, Arms, Pair
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Reading
from plumbline.rows.question import KINDS, Kind
from plumbline.statistics import Direction

NO_INSTRUCTIONS: Mapping[str, str] = dict.fromkeys(KINDS, "")
"""No instruction is added: the log holds the prompts as they were asked."""


def logs_entries(graded: GradedLogs, arms: Sequence[str], pairs: Sequence[Pair]) -> dict[str, Any]:
    """The questions that all arms answered, with the answers, as the script of the page reads them."""
    shown = answered_by_all(graded, len(arms))
    questions = [question for question in graded.found.questions if (question.kind, question.id) in shown]
    rows = [row for row in graded.found.graded if (row.kind, row.id) in shown]
    logged = graded.answers
    entries = page_entries(
        questions,
        [answer_row(row, logged[row.arm, row.kind, row.id]) for row in rows],
        [one for one in scored_rows(graded.found, graded.cut) if (one.kind, one.id) in shown],
        [grade_row(row, len(logged[row.arm, row.kind, row.id])) for row in rows if row.kind != "explanation"],
        [judged_row(row, logged[row.arm, row.kind, row.id]) for row in rows if row.kind == "explanation"],
        # Names of models may not be valid names of arms, but nothing here makes a file name of them.
        arms=Arms.model_construct(root={arm: ArmParams(weights="logged.jsonl", context="data/context/none.jsonl") for arm in arms}),
        pairs=pairs,
        contexts={},
        instructions=NO_INSTRUCTIONS,
        overlapping=(),
    )
    labels: Any = entries["arms"]
    for label, arm in zip(labels, arms, strict=True):
        label |= {"label": arm_words(arm), "name": arm_words(arm)}
    left = len(graded.found.questions) - len(questions)
    return entries | {"left_out": [f"Not answered by all arms, and not shown: {counted(left, 'question')}."] if left else []}


def answered_by_all(graded: GradedLogs, num_arms: int) -> set[tuple[Kind, str]]:
    """The questions that every arm answered: kind and id."""
    counts: Counter[tuple[Kind, str]] = Counter((row.kind, row.id) for row in graded.found.graded)
    return {key for key, count in counts.items() if count == num_arms}


def answer_row(row: GradedAnswer, given: Sequence[LoggedAnswer]) -> Answer:
    """What an arm said, with several samples one below the other."""
    texts = [answer.response or (f"(no answer: {answer.failure})" if answer.failure else "") for answer in given]
    said = texts[0] if len(texts) == 1 else "\n\n".join(f"[sample {place}] {text}" for place, text in enumerate(texts, start=1))
    cut = any(answer.is_cut for answer in given)
    return Answer(
        id=row.id, arm=row.arm, engine=ELSEWHERE, response=said, num_tokens=None, stopped="max_new_tokens" if cut else "eos",
        choice_logprobs={}, complete=True,
    )  # fmt: skip


def grade_row(row: GradedAnswer, num_samples: int) -> Grade:
    """The verdict on a letter or a number."""
    assert row.kind != "explanation"
    reading = next((one for one in Reading if one == row.reading), Reading.NONE if row.reading == FAILED else Reading.VALUE)
    return Grade(
        id=row.id, arm=row.arm, kind=row.kind, outcome=row.outcome, extracted=row.extracted, span=row.span if num_samples == 1 else None,
        tier=row.tier or row.reading, reading=reading, flags=row.flags, logprob_choice=None, logprob_outcome=None, complete=True,
    )  # fmt: skip


def judged_row(row: GradedAnswer, given: Sequence[LoggedAnswer]) -> Judgement:
    """The verdict on a text, with what the tool's scorer said about it."""
    said = [score.explanation for answer in given for score in answer.scores.values() if score.explanation]
    return Judgement(
        id=row.id, arm=row.arm, judge_id="logged", outcome=row.outcome, score=row.score, cause=row.reading, reasoning="\n\n".join(said),
        replies=(), key="", complete=True,
    )  # fmt: skip


def logs_context(
    graded: GradedLogs,
    by_kind: Mapping[Kind, KindLedger],
    arms: Sequence[LogArm],
    pairs: Sequence[Pair],
    entries: Mapping[str, Any],
    *,
    banners: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """All values that the template names. `banners`: title -> sentences."""
    first, second = pairs[0]
    groups = by_direction(by_kind)
    better, worse = bool(groups[Direction.BETTER]), bool(groups[Direction.WORSE])
    found = [ledger.headline.comparison for ledger in by_kind.values() if ledger.headline is not None]
    compared = [comparison for comparison in found if comparison is not None]
    rows, shown, num_questions = scored_rows(graded.found), answered_by_all(graded, len(arms)), len(graded.found.questions)
    return {
        "eyebrow": f"{len(arms)} logs on {counted(num_questions, 'question')}; the reference is {arm_words(first)}",
        "headline": headline_words(by_kind),
        "verdict": sentences_of(" ".join(filter(None, (verdict_words(by_kind), unread_clause(by_kind))))),
        "part": "",
        "direction": Direction.BETTER if better and not worse else Direction.WORSE if worse and not better else Direction.NONE,
        "banners": [
            {"level": "warning", "title": title, "texts": [f"{text[0].upper()}{text[1:]}." for text in texts]}
            for title, texts in banners.items()
            if texts
        ],
        "arms": entries["arms"],
        "arm_notes": [{"name": arm_words(arm.name), "note": ", ".join(sorted(arm.tools)), "style": "w-file c-none"} for arm in arms],
        "styles": {arm_words(arm.name): "w-file c-none" for arm in arms},
        "pairs": [pair_words(pair) for pair in pairs],
        "num_pairs_drawn": 0,
        "first": arm_words(first),
        "second": arm_words(second),
        "runs": [],
        "gained_by": f"by {arm_words(second)} against {arm_words(first)}",
        "worst_first": f"what {arm_words(first)} could answer and {arm_words(second)} cannot",
        "cards": [kind_card(by_kind[kind]) for kind in KINDS if kind in by_kind],
        "scores": score_rows(by_kind),
        "comparisons": comparison_rows(by_kind) if len(pairs) > 1 else [],
        "num_gained": sum(comparison.num_second_only for comparison in compared),
        "num_lost": sum(comparison.num_first_only for comparison in compared),
        "topics": topic_rows([row for row in rows if (row.kind, row.id) in shown], pairs[0]) if graded.found.has_clusters else [],
        "left_out": entries["left_out"],
        "provenance": [{"title": arm.name, "facts": facts_of(arm)} for arm in arms],
        "kinds": [{"kind": kind, "name": KIND_NAMES[kind]} for kind in KINDS if kind in by_kind],
        # Only a run of the pipeline has these.
        **dict.fromkeys(("contrasts", "context_rows", "prompt_rows", "confusions", "overlaps", "sections", "gates", "preflight"), ()),
        **dict.fromkeys(("has_context", "has_logprob"), False),
        "judge": {"title": "", "rows": [], "notes": []},
        "forgetting": "",
    }


def facts_of(arm: LogArm) -> list[tuple[str, str]]:
    """Where the answers of an arm come from, and what the log says about the run."""
    files = [("file", path) for path in arm.paths]
    return [*files, ("answers", str(len(arm.answers))), *((name, value[:200]) for name, value in arm.settings.items())]
