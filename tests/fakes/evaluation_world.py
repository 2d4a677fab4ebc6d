"""A small evaluation with known numbers, as files: everything that `report` reads, made without a model."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.pipeline.record import Record
from plumbline.reporting.gather import ReportFiles
from plumbline.reporting.params import JudgeSettings, ReportParams
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams, Instructions
from plumbline.rows.arms import ArmParams, Arms, Compared, Pair
from plumbline.rows.finding import Finding, PointFinding
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement, RawReply
from plumbline.rows.outcome import Outcome, Reading
from plumbline.rows.question import Question
from plumbline.splitting.overlap import OverlapSummary, QuestionOverlap

ROOT = Path(__file__).resolve().parents[2]
TOPICS = ("kinematics", "energy", "momentum", "rotation", "gravitation", "fluids", "heat", "waves", "circuits", "optics")
CHOICES = {"A": "It doubles.", "B": "It halves.", "C": "It stays the same.", "D": "It becomes zero."}
ANSWERING = AnswerParams(
    engine="transformers",
    max_new_tokens=96,
    batch_size=64,
    num_samples=1,
    temperature=0.0,
    seed=17,
    choice_scoring="letter",
    choice_prefix="Answer:",
    instructions=Instructions(mcq="Answer with the letter.", numeric="Give the number with its unit.", explanation=""),
)
PARAMS = ReportParams(seed=11, num_resamples=500, part="all", development_fraction=0.3, overlap_score=0.6, max_forgetting_nats=0.1)
FORGETTING = {
    "num_prompts": 100,
    "num_tokens": 2400,
    "num_cut": 0,
    "num_empty": 0,
    "base_nll": 0.4,
    "tuned_nll": 0.43,
    "increase": 0.03,
    "increase_low": 0.01,
    "increase_high": 0.05,
}
JUDGING = JudgeSettings(backend="key_points", model=None, max_cost_usd=None)
SHARE_RIGHT: dict[tuple[str, str], float] = {
    ("mcq", "base"): 0.45,
    ("mcq", "tuned"): 0.82,
    ("numeric", "base"): 0.30,
    ("numeric", "tuned"): 0.66,
    ("explanation", "base"): 0.45,
    ("explanation", "tuned"): 0.50,
}
OTHER_SHARE_RIGHT = {"mcq": 0.6, "numeric": 0.45, "explanation": 0.5}
"""Of arms besides base and tuned."""


def arm(weights: str, context: str = "none") -> ArmParams:
    return ArmParams(weights=weights, context=f"data/context/{context}.jsonl")


TWO = {"base": arm("models/base"), "tuned": arm("models/adapter")}
FIVE = {
    "base": arm("models/base"),
    "base_examples": arm("models/base", "examples"),
    "base_passages": arm("models/base", "passages"),
    "tuned": arm("models/adapter"),
    "tuned_passages": arm("models/adapter", "passages"),
}
SEVEN = FIVE | {"base_shuffled": arm("models/base", "shuffled"), "api_model": arm("examples/api_answers.jsonl")}
TWO_COMPARED: tuple[Pair, ...] = (("base", "tuned"),)
PAIRS_OF_FIVE: tuple[Pair, ...] = (
    ("base", "tuned"),
    ("base_examples", "tuned"),
    ("base_passages", "tuned"),
    ("base", "base_examples"),
    ("base", "base_passages"),
    ("tuned", "tuned_passages"),
)


@dataclass
class World:
    """All rows. A test may change them before they are written."""

    arms: dict[str, ArmParams]
    comparisons: tuple[Pair, ...]

    questions: list[Question]
    answers: dict[str, list[Answer]]
    grades: list[Grade]
    judgements: list[Judgement]
    overlapping: list[str]
    training: dict[str, object]

    @property
    def compared(self) -> Compared:
        return Compared(Arms(self.arms), self.comparisons)


def rule_answer(question: Question, arm: str, *, right: bool, unparsed: bool) -> tuple[Answer, Grade]:
    """An mcq or numeric answer with a known verdict."""
    wrong = "B" if question.target != "B" else "C"
    said = (question.target if right else wrong) if question.kind == "mcq" else question.target if right else "17.5"
    unit = f" {question.unit}" if question.unit else ""
    before = "Since the net force is constant, the speed grows evenly. The answer is " if arm == "tuned" else "Answer: "
    text = "Physics is the study of nature, of which this is a part." if unparsed else f"{before}{said}{unit}."
    start = None if unparsed else len(before)
    outcome = Outcome.UNPARSED if unparsed else Outcome.CORRECT if right else Outcome.INCORRECT
    mcq = question.kind == "mcq"
    letters = {letter: -0.2 if letter == (question.target if right else wrong) else -3.0 for letter in question.choices}
    answer = Answer(
        id=question.id, arm=arm, response=text, num_tokens=12, stopped="eos", choice_logprobs=letters if mcq else {}, complete=True
    )
    grade = Grade(
        id=question.id,
        arm=arm,
        kind="mcq" if mcq else "numeric",
        outcome=outcome,
        extracted=None if unparsed else said,
        span=None if start is None else (start, start + len(said)),
        tier=None if unparsed else "anchored",
        reading=Reading.NONE if unparsed else Reading.VALUE,
        flags=() if mcq or unparsed or right else ("unit_missing",),
        logprob_choice=(question.target if right else wrong) if mcq else None,
        logprob_outcome=(Outcome.CORRECT if right else Outcome.INCORRECT) if mcq else None,
        complete=True,
    )
    return answer, grade


def _found(point: str, quote: str | None) -> PointFinding:
    return PointFinding(point=point, finding=Finding.STATED if quote else Finding.MISSING, quote=quote)


def explanation(question: Question, arm: str, score: float | None, *, cause: str = "scored") -> tuple[Answer, Judgement]:
    """An explanation with its score, or without one."""
    text = "Momentum is conserved because no outer force acts on the pair." if score else "It is so."
    answer = Answer(id=question.id, arm=arm, response=text, num_tokens=14, stopped="eos", choice_logprobs={}, complete=True)
    outcome = Outcome.UNJUDGED if score is None else Outcome.CORRECT if score >= 0.75 else Outcome.INCORRECT
    body = '{"met": ["no outer force"], "missing": []}'
    reply = RawReply(attempt=1, stop_reason=None, model=None, request_id=None, body=body, input_tokens=0, output_tokens=0)
    judgement = Judgement(
        id=question.id,
        arm=arm,
        judge_id="key_points:0123456789abcdef",
        outcome=outcome,
        score=score,
        cause=cause,
        reasoning="" if score is None else "Names the conserved quantity." if score else "No key point is met.",
        points=() if score is None else tuple(_found(point, text if score else None) for point in question.key_points),
        replies=(reply,),
        key=f"{question.id}-{arm}",
        complete=True,
    )
    return answer, judgement


def make_question(kind: str, number: int, *, num_clusters: int) -> Question:
    """One of many alike."""
    topic = f"{TOPICS[number % len(TOPICS)]}-{number % num_clusters}" if num_clusters > len(TOPICS) else TOPICS[number % num_clusters]
    base = {"id": f"{kind}-{number:04d}", "choices": {}, "unit": None, "key_points": (), "cluster": f"{kind}/{topic}"}
    if kind == "mcq":
        text = f"A cart of {number + 2} kg moves at constant speed. What happens to its momentum when its mass doubles at the same speed?"
        return Question(**{**base, "choices": CHOICES}, kind="mcq", question=text, target="ABCD"[number % 4])
    if kind == "numeric":
        text = f"A stone falls from rest for {number + 1} s. How fast is it then? Take g = 9.81 m/s^2."
        return Question(**{**base, "unit": "m/s"}, kind="numeric", question=text, target=f"{9.81 * (number + 1):.4g}")
    points = ("the total momentum is conserved", "no outer force acts")
    text = f"Why do two skaters who push each other off move apart? (variant {number})"
    return Question(
        **{**base, "key_points": points}, kind="explanation", question=text, target="Momentum is conserved: no outer force acts."
    )


def make_world(
    *,
    num_mcq: int = 60,
    num_numeric: int = 60,
    num_explanation: int = 40,
    num_clusters: int = 10,
    seed: int = 5,
    arms: dict[str, ArmParams] | None = None,
    comparisons: tuple[Pair, ...] = TWO_COMPARED,
) -> World:
    """A finished evaluation in which tuned is better on mcq and numeric, and no different on explanations.

    Base and tuned give the same answers, whatever other arms there are.
    """
    arms = arms or TWO
    others = {name: random.Random(f"{seed} {name}") for name in arms if name not in TWO}
    generator = random.Random(seed)
    counts = {"mcq": num_mcq, "numeric": num_numeric, "explanation": num_explanation}
    questions = [make_question(kind, number, num_clusters=num_clusters) for kind, count in counts.items() for number in range(count)]
    world = World(
        questions=questions,
        arms=arms,
        comparisons=comparisons,
        answers={name: [] for name in arms},
        grades=[],
        judgements=[],
        overlapping=[question.id for question in questions[::9]],
        training={
            "complete": True,
            "stop_reason": "planned_end",
            "num_planned_steps": 120,
            "num_done_steps": 120,
            "best_step": 100,
            "forgetting": FORGETTING,
        },
    )
    for question in questions:
        for name in arms:
            drawn = others.get(name, generator)
            right = drawn.random() < SHARE_RIGHT.get((question.kind, name), OTHER_SHARE_RIGHT[question.kind])
            if question.kind == "explanation":
                score = drawn.choice([0.5, 0.75, 1.0]) if right else drawn.choice([0.0, 0.25])
                answer, judgement = explanation(question, name, score)
                world.judgements.append(judgement)
            else:
                unparsed = drawn.random() < (0.25 if name == "base" else 0.03)
                answer, grade = rule_answer(question, name, right=right, unparsed=unparsed)
                world.grades.append(grade)
            world.answers[name].append(answer)
    return world


def write_lines(path: Path, rows: Iterable[Record]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(row.model_dump_json() + "\n" for row in rows), encoding="utf-8")


def write_object(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def loss_table(num_steps: int) -> str:
    lines = ["step,train_loss,validation_loss", "0,,3.1"]
    for step in range(1, num_steps + 1):
        validation = f"{0.6 + 2.5 * 0.96**step:.4f}" if step % 20 == 0 else ""
        lines.append(f"{step},{0.5 + 2.6 * 0.955**step:.4f},{validation}")
    return "\n".join(lines) + "\n"


def write_world(world: World, folder: Path) -> ReportFiles:
    """Write everything that `report` reads; return where it is and where the outputs belong."""
    files = ReportFiles(
        benchmark=folder / "data/split/benchmark.jsonl",
        overlap=folder / "data/split/overlap.jsonl",
        answers={name: folder / f"data/answers/{name}.jsonl" for name in world.arms},
        graded=folder / "data/grades/graded.jsonl",
        judged=folder / "data/grades/judged.jsonl",
        data=folder / "metrics/data.json",
        preflight=folder / "metrics/preflight.json",
        training=folder / "metrics/train.json",
        loss=folder / "metrics/loss.csv",
        manifest=folder / "models/base/manifest.json",
        adapter=folder / "data/training/record.json",
        template=ROOT / "plumbline/pages/templates/report.html.j2",
        style=ROOT / "plumbline/pages/templates/report.css",
        script=ROOT / "plumbline/pages/templates/report.js",
        scores=folder / "metrics/scores.json",
        context=folder / "metrics/context.json",
        evaluation=folder / "metrics/evaluation.json",
        scores_by_kind=folder / "metrics/scores_by_kind.csv",
        mcq_confusion=folder / "metrics/mcq_confusion.csv",
        page=folder / "metrics/report.html",
    )
    write_lines(files.benchmark, world.questions)
    summary = OverlapSummary(num_rows=4400, num_removed=3, removed_by_rule={"normalised_exact": 3}, num_questions_touched=2)
    overlaps = [
        QuestionOverlap(
            question_id=question.id, score=0.8 if question.id in world.overlapping else 0.1, nearest_row_id="row", num_removed=0
        )
        for question in world.questions
    ]
    write_lines(files.overlap, [summary, *overlaps])
    for name, path in files.answers.items():
        write_lines(path, world.answers[name])
    write_lines(files.graded, world.grades)
    write_lines(files.judged, world.judgements)
    kept = {
        "num_lines": 4400,
        "num_kept": 3990,
        "num_quarantined": 410,
        "quarantined": {"duplicate": 240, "empty_output": 90, "needs_figure": 80},
    }
    write_object(files.data, kept)
    write_object(
        files.preflight,
        {"ready": True, "num_failed": 0, "checks": {"one_bos": "pass: 0 of 9 rows", "heat": "warn: scale 16 x learning rate 0.01"}},
    )
    write_object(files.training, world.training)
    files.loss.write_text(loss_table(120), encoding="utf-8")
    write_object(files.manifest, {"source": "embedded", "repo": None, "revision": None, "dtype": "float32", "quantization": "none"})
    write_object(files.adapter, {"complete": True, "base_fingerprint": "ab12" * 16, "lora": {"r": 16, "alpha": 32}})
    return files


def read_outputs(files: ReportFiles, names: Sequence[str] = ("scores", "evaluation")) -> tuple[dict[str, object], ...]:
    """The JSON documents that report wrote."""
    return tuple(json.loads(getattr(files, name).read_text(encoding="utf-8")) for name in names)
