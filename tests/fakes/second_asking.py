"""The answers when the made-up evaluation is asked again, with any number of changed answers."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plumbline.answering.engine import Generated, Prompt, by_length
from plumbline.answering.noise_plan import AGAIN, NoisePlan
from plumbline.reporting.gather import NoiseFiles, gather
from plumbline.reporting.noise_floor import NoiseFloor, noise_floor
from plumbline.reporting.scored import join_verdicts
from plumbline.reporting.second_asking import SecondAsking
from plumbline.rows.arms import Arms
from plumbline.rows.outcome import Outcome
from tests.fakes.evaluation_world import World, make_world, write_lines, write_object, write_world

PLAN = NoisePlan(
    weights="models/base",
    context="data/context/none.jsonl",
    engine="transformers",
    batch_size=32,
    num_asked=160,
    num_questions=160,
    reason=None,
)


def second_asking(world: World | None = None, *, changed: int = 0, judged: bool = True, plan: NoisePlan = PLAN) -> SecondAsking:
    """Base's answers when it is asked again: the first few multiple-choice answers are different, and right."""
    world = world or make_world()
    moved = {question.id for question in world.questions[:changed]}
    answers = [
        answer.model_copy(update={"arm": AGAIN, "response": f"{answer.response} Or not." if answer.id in moved else answer.response})
        for answer in world.answers["base"]
    ]
    grades = [
        grade.model_copy(update={"arm": AGAIN, "outcome": Outcome.CORRECT if grade.id in moved else grade.outcome})
        for grade in world.grades
        if grade.arm == "base"
    ]
    judgements = [one.model_copy(update={"arm": AGAIN}) for one in world.judgements if one.arm == "base"] if judged else []
    return SecondAsking(plan=plan, answers=answers, grades=grades, judgements=judgements)


def write_second(asking: SecondAsking, folder: Path) -> NoiseFiles:
    """Write the same answers as files."""
    files = NoiseFiles(**{name: folder / f"data/noise/{name}" for name in ("plan", "answers", "graded", "judged")})
    write_object(files.plan, asking.plan.model_dump())
    for path, rows in ((files.answers, asking.answers), (files.graded, asking.grades), (files.judged, asking.judgements)):
        write_lines(path, rows)
    return files


def asked_again(world: World | None = None, *, changed: int = 0, judged: bool = True, plan: NoisePlan = PLAN) -> NoiseFloor:
    """The floor of the made-up evaluation, from its files."""
    world = world or make_world()
    with tempfile.TemporaryDirectory() as folder:
        noise = write_second(second_asking(world, changed=changed, judged=judged, plan=plan), Path(folder))
        gathered = gather(replace(write_world(world, Path(folder)), noise=noise), Arms(world.arms), world.comparisons)
    scored = join_verdicts(gathered.questions, gathered.answers, gathered.grades, gathered.judgements)
    found = noise_floor(gathered, gathered.questions, scored, seed=1)
    assert found is not None
    return found


@dataclass
class SortingEngine:
    """Cuts batches by length, as for every arm, and answers nothing."""

    batch_size: int
    name: str = "sorting"

    @property
    def identity(self) -> Mapping[str, object]:
        return {"version": 1}

    def units(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        ordered = by_length(prompts)
        return [ordered[start : start + self.batch_size] for start in range(0, len(ordered), self.batch_size)]

    def answer(self, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        raise NotImplementedError
