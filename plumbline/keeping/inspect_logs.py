"""The evaluation of a run as Inspect logs. Needs inspect-ai; reads data/, metrics/ and params.yaml, and writes the logs."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inspect_ai.log import (  # pyright: ignore[reportMissingImports]
    EvalConfig,
    EvalDataset,
    EvalError,
    EvalLog,
    EvalMetric,
    EvalResults,
    EvalRevision,
    EvalSample,
    EvalScore,
    EvalSpec,
    write_eval_log,
)
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelOutput  # pyright: ignore[reportMissingImports]
from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, Score  # pyright: ignore[reportMissingImports]

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.rows.answer import Answer
from plumbline.rows.context import Context, ContextTurn
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question

VALUES = {Outcome.CORRECT: CORRECT, Outcome.INCORRECT: INCORRECT, Outcome.UNPARSED: NOANSWER}


def identifier(*parts: str) -> str:
    """A name that is the same each time for the same evaluation."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:22]


def rule_score(grade: Grade) -> Score:
    """A verdict by rule."""
    metadata = {"outcome": str(grade.outcome), "reading": grade.reading, "tier": grade.tier, "flags": list(grade.flags), "span": grade.span}
    if grade.logprob_choice is not None:
        metadata |= {"likeliest_choice": grade.logprob_choice, "likeliest_outcome": str(grade.logprob_outcome)}
    said = "no readable answer" if grade.outcome is Outcome.UNPARSED else f"read {grade.extracted} ({grade.tier})"
    value = VALUES[grade.outcome] if grade.score is None else grade.score
    return Score(value=value, answer=grade.extracted, explanation=said, metadata=metadata)


def judge_score(judgement: Judgement) -> Score | None:
    """The judge's verdict; None if there is no score, so that Inspect counts the sample as unscored and not as 0."""
    if judgement.score is None:
        return None
    metadata: dict[str, Any] = {"outcome": str(judgement.outcome), "cause": judgement.cause, "judge_id": judgement.judge_id}
    if judgement.points:
        metadata["key_points"] = [one.model_dump(mode="json") for one in judgement.points]
    return Score(value=judgement.score, explanation=judgement.reasoning, metadata=metadata)


def sample_of(
    question: Question, answer: Answer, verdict: Grade | Judgement | None, instructions: Mapping[str, str], context: Context | None
) -> EvalSample:
    """One question as the arm was asked it, with its answer and verdict; `context`: what stood before it."""
    user = exam_prompt(question, instructions, context.passages if context is not None else ())
    turns = context.turns if context is not None else ()
    output = ModelOutput.from_content(answer.arm, answer.response, "stop" if answer.stopped == "eos" else "max_tokens")
    score = rule_score(verdict) if isinstance(verdict, Grade) else judge_score(verdict) if verdict else None
    unscored = {"unjudged_because": verdict.cause} if isinstance(verdict, Judgement) and score is None else {}
    return EvalSample(
        id=question.id,
        epoch=answer.sample or 1,
        uuid=identifier(question.id, answer.arm, answer.response, *numbered(answer)),
        input=user,
        choices=list(question.choices.values()) or None,
        target=question.target,
        messages=[
            *(message for place, turn in enumerate(turns) for message in turn_messages(place, turn, answer.arm)),
            ChatMessageUser(id=identifier("user", user), content=user),
            ChatMessageAssistant(
                id=identifier(answer.arm, question.id, *numbered(answer)), content=answer.response, model=answer.arm, source="generate"
            ),
        ],
        output=output,
        scores={question.kind: score} if score else None,
        metadata={
            "kind": question.kind,
            "cluster": question.cluster,
            "unit": question.unit,
            "key_points": list(question.key_points),
            "complete": answer.complete,
            "num_tokens": answer.num_tokens,
            "choice_logprobs": answer.choice_logprobs,
            **unscored,
        },
    )


def numbered(answer: Answer) -> list[str]:
    """The part of an id that tells the samples of a question apart."""
    return [] if answer.sample is None else [str(answer.sample)]


def turn_messages(place: int, turn: ContextTurn, arm: str) -> list[ChatMessageUser | ChatMessageAssistant]:
    """An example, as the exchange that the model saw."""
    return [
        ChatMessageUser(id=identifier("example", str(place), turn.user), content=turn.user),
        ChatMessageAssistant(id=identifier("example", str(place), arm, turn.assistant), content=turn.assistant, source="input"),
    ]


def results_of(evaluation: Mapping[str, Any], arm: str, num_samples: int) -> EvalResults:
    """The report's own numbers of an arm, a scorer per kind."""
    scores = []
    for kind, ledger in evaluation["kinds"].items():
        counts = ledger["arms"][arm]
        estimate = counts["score"]
        metrics = {"unparsed_rate": counts["unparsed_rate"]}
        if estimate and estimate["value"] is not None:
            low, high = estimate["ci95"]
            metrics |= {"mean" if kind == "explanation" else "accuracy": estimate["value"], "ci95_low": low, "ci95_high": high}
        scores.append(
            EvalScore(
                name=kind,
                scorer=kind,
                scored_samples=counts.get("num_answers", counts["n"]) - counts["unjudged"],
                unscored_samples=counts["unjudged"],
                metrics={name: EvalMetric(name=name, value=value) for name, value in sorted(metrics.items()) if value is not None},
            )
        )
    return EvalResults(total_samples=num_samples, completed_samples=num_samples, scores=scores)


def log_of(root: Path, arm: str, *, created: str, commit: str | None) -> EvalLog:
    """The whole log of an arm. ValueError if an answer or a verdict is missing."""
    params = read_yaml(root / "params.yaml")
    instructions = params["answer"]["instructions"]
    evaluation = json.loads((root / "metrics/evaluation.json").read_text(encoding="utf-8"))
    questions = list(read_jsonl(root / "data/split/benchmark.jsonl", Question))
    answers = list(read_jsonl(root / f"data/answers/{arm}.jsonl", Answer))
    verdicts: dict[tuple[str, int | None], Grade | Judgement] = {
        (row.id, row.sample): row
        for path, kind in (("graded", Grade), ("judged", Judgement))
        for row in read_jsonl(root / f"data/grades/{path}.jsonl", kind)
        if row.arm == arm
    }
    path = root / params["arms"][arm]["context"]
    contexts = {row.id: row for row in read_jsonl(path, Context)} if path.is_file() else {}
    asked = {question.id: question for question in questions}
    missing = [id for id in asked if id not in {answer.id for answer in answers}]
    if missing:
        raise ValueError(f"data/answers/{arm}.jsonl: no answer to {len(missing)} questions (first: {missing[0]}). Run `dvc repro`.")
    samples = [
        sample_of(asked[answer.id], answer, verdicts.get((answer.id, answer.sample)), instructions, contexts.get(answer.id))
        for answer in answers
    ]
    epochs = max(answer.sample or 1 for answer in answers)
    is_complete = all(answer.complete for answer in answers)
    run = identifier(json.dumps(evaluation["sha256"], sort_keys=True), arm)
    invalid = "; ".join(evaluation["invalid_because"])
    return EvalLog(
        # An incomplete or invalid run must not look like a finished one in the viewer's list either.
        status="error" if not evaluation["valid"] else "success" if is_complete else "cancelled",
        error=None if evaluation["valid"] else EvalError(message=f"not valid: {invalid}", traceback="", traceback_ansi=""),
        eval=EvalSpec(
            created=created,
            eval_id=run,
            run_id=run,
            task=f"benchmark-{arm}",
            task_id=identifier("benchmark", arm),
            dataset=EvalDataset(name="benchmark", samples=len(questions), sample_ids=[question.id for question in questions]),
            tags=None if is_complete else ["incomplete"],
            model=f"plumbline/{arm}",
            # An epoch of Inspect is one sample of every question, and a question's score is the mean of its samples.
            config=EvalConfig(epochs=epochs, epochs_reducer=["mean"]) if epochs > 1 else EvalConfig(),
            revision=EvalRevision(type="git", origin="", commit=commit) if commit else None,
            metadata={"arm": arm, "part": evaluation["part"], "judge": evaluation["judge"]["judge_id"], "verdict": evaluation["verdict"]},
        ),
        results=results_of(evaluation, arm, len(samples)),
        samples=samples,
    )


def write_logs(root: Path, out: Path, *, created: str, commit: str | None) -> str:
    """Write a log per arm, whole or not at all, and return the lines to print."""
    out.mkdir(parents=True, exist_ok=True)
    told = []
    for arm in read_yaml(root / "params.yaml")["arms"]:
        log = log_of(root, arm, created=created, commit=commit)
        path, partial = out / f"{arm}.eval", out / f"{arm}.partial.eval"
        try:
            write_eval_log(log, str(partial), format="eval")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        told.append(f"{path}: {len(log.samples or [])} samples, {log.status}")
    return "\n".join([*told, f"look: .venv/inspect/bin/inspect view --log-dir {out}"])
