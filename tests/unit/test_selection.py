"""The questions that choose the checkpoint: which they are, when they are refused, and that nothing else changes their file."""

import json
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plumbline.selecting.run as selecting
from plumbline.grading.tolerance import Tolerance
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.reporting.benchmark_parts import in_development, questions_of
from plumbline.reporting.params import ReportParams
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms
from plumbline.rows.context import Context, ContextPassage
from plumbline.rows.question import Kind, Question
from plumbline.rows.selection import SelectionFile
from plumbline.rows.training_params import TrainParams
from plumbline.selecting.choice import chosen_questions
from plumbline.selecting.opening import opened_task
from plumbline.selecting.run import SelectionFiles
from plumbline.training.checkpoint_choice import Evaluated
from stages.selection import main
from tests.conftest import ROOT
from tests.fakes.selection_world import ANSWERING, ARMS, asking, params


def question(number: int, kind: Kind = "numeric", *, cluster: str | None = None, target: str = "12") -> Question:
    return Question(
        id=f"{kind}-{number}",
        kind=kind,
        question=f"What is the force number {number}?",
        choices={"A": "12 N", "B": "13 N"} if kind == "mcq" else {},
        target="A" if kind == "mcq" else target,
        unit="N" if kind == "numeric" else None,
        key_points=("It grows.",) if kind == "explanation" else (),
        cluster=cluster or f"{kind} {number}",
    )


def report(part: str = "final", fraction: float = 0.5) -> ReportParams:
    return ReportParams.model_validate(
        {
            "seed": 1, "num_resamples": 10, "part": part, "development_fraction": fraction, "overlap_score": 0.6, "max_forgetting_nats": 0.1,
        }
    )  # fmt: skip


BENCHMARK = [question(number, kind) for kind in ("mcq", "numeric", "explanation") for number in range(30)]


@pytest.fixture
def files(tmp_path: Path) -> SelectionFiles:
    (tmp_path / "none.jsonl").write_text("")
    write_jsonl(tmp_path / "benchmark.jsonl", BENCHMARK)
    return SelectionFiles(
        benchmark=tmp_path / "benchmark.jsonl", contexts={"none": tmp_path / "none.jsonl"}, selection=tmp_path / "selection.json"
    )


def written(files: SelectionFiles) -> SelectionFile:
    return SelectionFile.model_validate_json(files.selection.read_text())


# Which questions


@settings(deadline=None)
@given(
    sizes=st.lists(st.tuples(st.sampled_from(["mcq", "numeric", "explanation"]), st.integers(1, 6)), max_size=8),
    num=st.integers(1, 20),
    taken_out=st.integers(0, 40),
)
def test_as_many_as_asked_of_each_kind_evenly_and_one_question_more_moves_one_other(
    sizes: list[tuple[Kind, int]], num: int, taken_out: int
) -> None:
    development = [
        question(100 * cluster + place, kind, cluster=f"c{cluster}") for cluster, (kind, size) in enumerate(sizes) for place in range(size)
    ]
    found = chosen_questions(development, num=num)
    available, counts = Counter(one.kind for one in development), Counter(one.kind for one in found)
    assert counts["explanation"] == 0 and len(found) == min(num, available["mcq"] + available["numeric"])
    for kind, other in (("mcq", "numeric"), ("numeric", "mcq")):
        assert counts[kind] >= counts[other] - 1 or counts[kind] == available[kind], "no kind has more while another one has some left"
    assert found == [one for one in development if one in found], "in the order of the benchmark"
    if development:
        fewer = [one for place, one in enumerate(development) if place != taken_out % len(development)]
        kept = {one.id for one in chosen_questions(fewer, num=num)}
        assert len(kept - {one.id for one in found}) <= 1


def test_every_cluster_is_asked_before_any_is_asked_twice() -> None:
    development = [question(10 * cluster + place, cluster=f"c{cluster}") for cluster in range(6) for place in range(5)]
    clusters = Counter(one.cluster for one in chosen_questions(development, num=9))
    assert len(clusters) == 6 and set(clusters.values()) == {1, 2}


def test_the_questions_are_of_the_development_part_and_none_is_in_the_final_part(files: SelectionFiles) -> None:
    for part in ("development", "final"):
        main(params(), report(part), asking(), files)
        selection = written(files).selection
        assert selection is not None
        asked = {one.question.id for one in selection.questions}
        parts = {
            name: {one.id for one in questions_of(BENCHMARK, part=name, development_fraction=0.5)} for name in ("development", "final")
        }
        assert asked < parts["development"] and not asked & parts["final"] and len(asked) == 8
        assert Counter(one.question.kind for one in selection.questions) == {"mcq": 4, "numeric": 4}


# What makes another file of them: nothing that does not change a score


def test_where_the_loss_chooses_nothing_makes_another_file(files: SelectionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """`train` depends on it, and not on the benchmark or the graders."""
    main(params(select_by="validation_loss"), report("all"), asking(), files)
    before = files.selection.read_bytes()
    write_jsonl(files.benchmark, BENCHMARK[3:])
    monkeypatch.setattr(selecting, "code_hashes", lambda: {"plumbline/grading": "another"})
    changed = asking(tolerance=Tolerance(relative=0.2, absolute=1.0), answering=ANSWERING.model_copy(update={"max_new_tokens": 7}))
    main(params(select_by="validation_loss", num_selection_questions=3), report("final", 0.9), changed, files)
    assert files.selection.read_bytes() == before == b'{\n  "select_by": "validation_loss",\n  "selection": null\n}\n'


@pytest.mark.parametrize(
    ("changes", "is_another"),
    [
        ({"part": "development"}, False),
        ({"answering": {"engine": "vllm"}}, False),
        ({"answering": {"choice_scoring": "letter", "choice_prefix": "So:"}}, False),
        *[({"answering": {"temperature": 0.7} | one}, False) for one in ({}, {"num_samples": 5}, {"seed": 99})],
        ({"answering": {"seed": 99}}, False),
        ({"train": {"learning_rate": 0.1}}, False),
        ({"answering": {"max_new_tokens": 7}}, True),
        ({"tolerance": Tolerance(relative=0.2, absolute=None)}, True),
        ({"train": {"num_selection_questions": 5}}, True),
        ({"fraction": 0.8}, True),
        ({"code": {"plumbline/grading": "another"}}, True),
    ],
    ids=lambda value: str(value),
)
def test_only_what_can_change_a_score_makes_another_file(
    files: SelectionFiles, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], is_another: bool
) -> None:
    main(params(), report(), asking(), files)
    before = files.selection.read_bytes()
    if "code" in changes:
        monkeypatch.setattr(selecting, "code_hashes", lambda: changes["code"])
    main(
        params(**changes.get("train", {})),
        report(changes.get("part", "final"), changes.get("fraction", 0.5)),
        asking(
            answering=AnswerParams.model_validate(ANSWERING.model_dump() | changes.get("answering", {})),
            tolerance=changes.get("tolerance", Tolerance(relative=0.05, absolute=None)),
        ),
        files,
    )
    assert (files.selection.read_bytes() != before) is is_another


def test_the_questions_stand_in_the_context_of_the_first_arm_with_the_adapter(files: SelectionFiles, tmp_path: Path) -> None:
    passages = tmp_path / "passages.jsonl"
    rows = [
        Context(id=one.id, turns=(), passages=(ContextPassage(id="n:1", score=1.0, text=f"About {one.id}."),), recall=None)
        for one in BENCHMARK
    ]
    write_jsonl(passages, rows)
    found = {"tuned_passages": {"weights": "models/adapter", "context": "data/context/passages.jsonl"}}
    with_passages = SelectionFiles(benchmark=files.benchmark, contexts={**files.contexts, "passages": passages}, selection=files.selection)
    main(params(), report(), asking(arms=Arms.model_validate(found)), with_passages)
    selection = written(files).selection
    assert selection is not None and selection.arm == "tuned_passages"
    assert all(f"About {one.question.id}." in one.user for one in selection.questions)
    both = ARMS.model_dump() | found
    main(params(), report(), asking(arms=Arms.model_validate(both)), with_passages)
    selection = written(files).selection
    assert selection is not None and selection.arm == "tuned" and not any("About" in one.user for one in selection.questions)
    assert {one.user.splitlines()[-1] for one in selection.questions if one.question.kind == "mcq"} == {"Answer with a letter."}


# Refusals, each with a remedy


def test_the_questions_of_a_claim_never_choose(files: SelectionFiles) -> None:
    with pytest.raises(Refused, match=r"report\.part is all, .* Set report\.part=final .* train\.select_by=validation_loss"):
        main(params(), report("all"), asking(), files)
    assert not files.selection.exists()


@pytest.mark.parametrize(
    ("benchmark", "fraction"),
    [(BENCHMARK, 0.0), ([one for one in BENCHMARK if one.kind == "explanation"], 0.9)],
    ids=["no cluster", "only what needs a judge"],
)
def test_a_development_part_without_such_questions_is_refused(files: SelectionFiles, benchmark: list[Question], fraction: float) -> None:
    write_jsonl(files.benchmark, benchmark)
    with pytest.raises(Refused, match=r"none of \d+ questions of the development part .* Raise report\.development_fraction"):
        main(params(), report("final", fraction), asking(), files)


def test_a_target_that_no_tolerance_bounds_is_refused_before_a_step_is_spent(files: SelectionFiles) -> None:
    write_jsonl(files.benchmark, [question(0, target="0")])
    with pytest.raises(Refused, match=r"Set grade\.absolute_tolerance"):
        main(params(), report("final", 1.0), asking(), files)


def test_a_file_of_other_parameters_or_other_code_is_refused(files: SelectionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    main(params(select_by="validation_loss"), report(), asking(), files)
    with pytest.raises(Refused, match=r"written for validation_loss\. Run `dvc repro selection`"):
        opened_task(params(), files.selection)
    main(params(), report(), asking(), files)
    assert opened_task(params(), files.selection) is not None
    with pytest.raises(Refused, match="written for development_score"):
        opened_task(params(select_by="validation_loss"), files.selection)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(Refused, match="Set PLUMBLINE_LAUNCH to a number of processes"):
        opened_task(params(), files.selection)
    monkeypatch.delenv("RANK")
    content = json.loads(files.selection.read_text())
    content["selection"]["code"]["plumbline/grading"] = "another"
    files.selection.write_text(json.dumps(content))
    with pytest.raises(Refused, match=r"plumbline/grading: this code .* Run `dvc repro selection`"):
        opened_task(params(), files.selection)


# What the default loads, and what is better


def test_a_training_whose_checkpoint_the_loss_chooses_loads_no_code_that_answers_or_grades(files: SelectionFiles) -> None:
    """Its run is named by the code that is loaded: a new grader must not make another run of it."""
    main(params(select_by="validation_loss"), report("all"), asking(), files)
    script = (
        "import sys; from pathlib import Path; import stages.train; from plumbline.selecting.opening import opened_task;"
        "from tests.fakes.tiny_training import TRAIN; from plumbline.training.run import *;"
        f"assert opened_task(TRAIN, Path({str(files.selection)!r})) is None;"
        "print(*sorted(name for name in sys.modules if name.startswith(('plumbline.answering', 'plumbline.grading', 'plumbline.selecting'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["plumbline.selecting", "plumbline.selecting.opening"]


@pytest.mark.parametrize(
    ("found", "other", "is_better"),
    [
        (Evaluated(2, 1.0), Evaluated(1, 2.0), True),
        (Evaluated(2, 1.0), Evaluated(1, 1.0), False),
        (Evaluated(2, 3.0, 0.5), Evaluated(1, 1.0, 0.25), True),
        (Evaluated(2, 1.0, 0.25), Evaluated(1, 3.0, 0.5), False),
        (Evaluated(2, 1.0, 0.5), Evaluated(1, 3.0, 0.5), True),
        (Evaluated(2, 1.0, 0.5), Evaluated(1, 1.0, 0.5), False),
    ],
    ids=["lower loss", "same loss", "higher score, higher loss", "lower score, lower loss", "same score, lower loss", "the same"],
)
def test_the_score_goes_before_the_loss(found: Evaluated, other: Evaluated, is_better: bool) -> None:
    assert found.is_better_than(other) is is_better


def test_a_record_of_a_run_without_the_choice_is_read_and_written_as_it_was() -> None:
    content = params(select_by="validation_loss").model_dump()
    assert "select_by" not in content and TrainParams.model_validate(content).select_by == "validation_loss"
    assert TrainParams.model_validate(params().model_dump()) == params()


def test_one_function_decides_the_parts() -> None:
    """`selection` asks what `report` asks."""
    inside = partial(in_development, fraction=0.3)
    assert [one for one in BENCHMARK if inside(one.cluster)] == questions_of(BENCHMARK, part="development", development_fraction=0.3)
