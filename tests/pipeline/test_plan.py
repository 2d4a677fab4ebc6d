"""The plan counts what the run will do, names what it assumes, and changes nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from plumbline.commands.plan import chosen_overrides, in_brief, params_of, table
from plumbline.commands.plan_lines import WANTED, plan_lines
from plumbline.model.tokenization import render_example
from plumbline.model.weights import load_tokenizer
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.planning.context_tokens import tokens_before_a_question
from plumbline.planning.estimates import whole_line
from plumbline.planning.line import Line
from plumbline.planning.planned_params import NotPlanned, planned_params
from plumbline.planning.profiles import ProfileRefused, profile_overrides
from plumbline.planning.real_profile import PROFILE, one_by_one
from plumbline.retrieval.params import RetrieveParams
from plumbline.rows.arms import Arms
from plumbline.rows.question import Question
from plumbline.rows.training_params import TrainParams
from plumbline.training.packing import pack
from plumbline.training.prompt import training_prompt
from plumbline.training.schedule import plan_training
from tests.fakes import tiny_training
from tests.fakes.gated_hub import snapshots_hub
from tests.fakes.split_lock import lock_the_split
from tests.unit.test_model_size import MISTRAL, QWEN, SMOLLM2, write_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """params.yaml, profiles, rows, a benchmark and a tiny base model."""
    root = tmp_path_factory.mktemp("plan")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(ROOT / name, root / name)
    shutil.copytree(ROOT / "profiles", root / "profiles")
    tiny_training.save_tiny_base(root / "models/base")
    (root / "data/split").mkdir(parents=True)
    write_jsonl(root / "data/split/train.jsonl", tiny_training.rows(60, "t"))
    questions = [
        Question(
            id=f"q{i}",
            kind="explanation",
            question=f"Why {i}?",
            choices={},
            target="Because.",
            unit=None,
            key_points=("because",),
            cluster="c",
        )
        for i in range(5)
    ]
    write_jsonl(root / "data/split/benchmark.jsonl", questions)
    lock_the_split(root)
    return root


def plan(root: Path, overrides: Sequence[str], wanted: Sequence[float] = WANTED, *, files: Mapping[str, str] | None = None) -> list[Line]:
    """As the command plans: the parameters are checked first."""
    return plan_lines(root, params_of(root, overrides, files or {}), wanted)


def line(lines: list[Line], what: str) -> Line:
    return next(one for one in lines if one.what == what)


def test_what_is_asked_again_is_counted(project: Path) -> None:
    def again(*overrides: str) -> list[str]:
        return [one.value for one in plan(project, list(overrides)) if "again" in one.value]

    assert again() == ["and 5 questions again on transformers, 32 at a time: as much as 100% of an arm"]
    assert again("answer.engine=vllm") == ["and 5 questions again on vllm: as much as 100% of an arm"]
    assert again("noise_floor.fraction=0") == ["no question is asked again, so there is no noise floor"]
    assert again("noise_floor.weights=answers.jsonl") == ["no question is asked again, so there is no noise floor"]


OWN = {"clean.source": "data/raw/mine.jsonl", "split.benchmark": "data/raw/my_benchmark.jsonl"}


def test_the_profile_of_make_real_gives_way_to_the_files_of_params_yaml(project: Path, tmp_path: Path) -> None:
    """As README has it: rows and questions are named in params.yaml, and planned with the profile, which names the embedded ones."""
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    params = (tmp_path / "params.yaml").read_text()
    assert chosen_overrides(tmp_path, PROFILE, {}, [])[2] is False, "params.yaml names the embedded files"
    for name in ("train", "benchmark"):
        params = params.replace(f"data/raw/embedded/{name}.jsonl", OWN["clean.source" if name == "train" else "split.benchmark"])
    (tmp_path / "params.yaml").write_text(params)
    (tmp_path / "data/raw").mkdir()
    shutil.copyfile(ROOT / "examples/messy_rows.jsonl", tmp_path / OWN["clean.source"])
    shutil.copyfile(ROOT / "examples/benchmark.jsonl", tmp_path / OWN["split.benchmark"])
    overrides, files, has_own = chosen_overrides(tmp_path, PROFILE, {}, [])
    assert has_own and files == OWN
    planned = plan(tmp_path, overrides, files=files)
    assert "rows of data/raw/mine.jsonl, cleaned and split for this plan" in line(planned, "rows").value
    assert line(planned, "answers").value.startswith("3 arms")
    other = "my rows, {new}=1.jsonl"
    shutil.copyfile(ROOT / "examples/messy_rows.jsonl", tmp_path / other)
    given = OWN | {"clean.source": other, "retrieve.corpus": "notes.md"}
    overrides, files, _ = chosen_overrides(tmp_path, PROFILE, given, ["train.epochs=2.0"])
    assert params_of(tmp_path, overrides, files)["clean"]["source"] == other and "base_passages" in " ".join(overrides)
    assert f"rows of {other}, cleaned and split for this plan" in line(plan(tmp_path, overrides, files=files), "rows").value


@pytest.mark.parametrize("given", [{}, OWN])
def test_an_override_wins_over_the_user_s_files(project: Path, tmp_path: Path, given: dict[str, str]) -> None:
    """As in `plumbline real`, whether the files stand in params.yaml or were given."""
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    params = (tmp_path / "params.yaml").read_text()
    for name, key in (("train", "clean.source"), ("benchmark", "split.benchmark")):
        params = params.replace(f"data/raw/embedded/{name}.jsonl", OWN[key])
    (tmp_path / "params.yaml").write_text(params)
    overrides, files, has_own = chosen_overrides(tmp_path, PROFILE, given, ["clean.source=other.jsonl"])
    planned = params_of(tmp_path, overrides, files)
    assert (planned["clean"]["source"], planned["split"]["benchmark"], has_own) == ("other.jsonl", OWN["split.benchmark"], True)


def test_a_column_name_with_spaces_reaches_params_yaml(project: Path) -> None:
    given = one_by_one(["clean.columns={instruction: Pupil asks, output: Teacher says} train.epochs=2.0"])
    params = planned_params(project, given)
    assert params["clean"]["columns"] == {"instruction": "Pupil asks", "output": "Teacher says"} and params["train"]["epochs"] == 2.0


def test_steps_are_those_that_train_plans(project: Path) -> None:
    overrides = ["train.tokens_per_step=256", "train.max_length=128"]
    tokenizer = load_tokenizer(project / "models/base")
    examples = [render_example(tokenizer, training_prompt(row.instruction, row.input), row.output) for row in tiny_training.rows(60, "t")]
    params = TrainParams.model_validate(planned_params(project, overrides)["train"])
    packed = pack(examples, max_length=128, packing=True, seed=params.seed)
    schedule = plan_training(num_rows=len(packed), num_tokens=sum(len(one.ids) for one in examples), params=params)
    lines = plan(project, overrides)
    assert line(lines, "steps").value.startswith(f"{schedule.num_steps:,},")
    assert "counted" in line(lines, "steps").known
    assert line(lines, "training").known.startswith("measured: 6 real steps")
    assert line(lines, "model").known == "counted from the config.json of models/base"
    assert line(lines, "judge").value == "10 answers of 2 arms, no cost"


def test_the_second_judge_s_calls_are_counted_apart(project: Path) -> None:
    second = "judge.second={{backend:{0},model:{1},share:1.0}}"
    lines = plan(project, [second.format("openai_compatible", "mine")])
    assert line(lines, "judge").value == "10 answers of 2 arms, no cost"
    assert line(lines, "second judge").value == "10 answers of 2 arms to mine"
    lines = plan(project, [second.format("claude", "claude-sonnet-5-5"), "judge.max_cost_usd=3"])
    assert line(lines, "second judge").value.startswith("10 calls to claude-sonnet-5-5: about 0.")
    assert any("judge.second.max_cost_usd stops it at 3 USD" in one.known for one in lines)
    lines = plan(project, [second.format("claude", "claude-sonnet-5-5").replace("share:1.0", "share:0.000001")])
    assert line(lines, "second judge").value.startswith("0 calls"), "none of five questions falls into such a share"


def test_answers_made_elsewhere_go_to_the_judge_as_often_as_their_file_has_them(project: Path) -> None:
    overrides = ["+arms.api={weights:api.jsonl,context:data/context/none.jsonl}", "answer.num_samples=3", "answer.temperature=0.7"]
    num_arms = len(planned_params(project, overrides)["arms"])
    ours = (num_arms - 1) * 3 * 5
    file = project / "api.jsonl"

    def told(*more: str) -> list[str]:
        return [one.value for one in plan(project, [*overrides, *more]) if one.what.endswith("judge")]

    try:
        for numbers in ([None], [1, 2], [1, 2, 3]):
            lines = [json.dumps({"id": f"q{i}", "response": "So.", **({"sample": n} if n else {})}) for i in range(5) for n in numbers]
            file.write_text("\n".join(lines) + "\n")
            mine = 5 * len(numbers)
            of_file = f", {mine} of them in the file of api" if mine != 15 else ""
            assert told() == [f"{ours + mine} answers of {num_arms} arms with 3 samples{of_file}, no cost"]
        file.write_text(json.dumps({"id": "q0", "response": "So."}) + "\n")
        (unread,) = told()
        assert unread == (
            f"{ours + 15} answers of {num_arms} arms with 3 samples, as if api had as many, "
            "because its file cannot be read as answers to these questions, no cost"
        ), "four answers are missing"
        file.write_text("".join(json.dumps({"id": f"q{i}", "response": "So."}) + "\n" for i in range(5)))
        paid = told("judge.backend=claude", "judge.model=claude-sonnet-5-5", "judge.num_canary_questions=0", "judge.retest_fraction=0.0")
        assert paid[0].startswith(f"{ours + 5} calls"), "what is paid for"
    finally:
        file.unlink()


def test_what_the_benchmark_can_show_ends_the_plan(project: Path) -> None:
    lines = plan(project, ["publish.against=base", "+publish.require.explanation.not_worse_than=0.03"], (0.08,))
    place = next(place for place, one in enumerate(lines) if one.what == "explanation")
    assert [one.value.split(" takes")[0] for one in lines[place:]] == [
        "5 questions in 1 cluster are too few to show any difference",
        "a difference of 8 points",
        "not worse by 3 points, as publish.require asks,",
    ]


def a_snapshot(hub: Path, project: Path, profile: str, config: dict[str, Any]) -> Path:
    """Put the config.json, and nothing else, of the model that a profile names into a folder of snapshots."""
    named = dict(line.split("=", 1) for line in profile_overrides(project, profile) if line.startswith("base."))
    return write_config(hub / named["base.repo"] / named["base.revision"], config)


def test_a_profile_is_planned_from_a_config_without_weights(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (project / "params.yaml").read_bytes()
    folder = a_snapshot(tmp_path / "hub", project, "mistral_7b", MISTRAL)
    monkeypatch.setenv("PLUMBLINE_HUB_DIR", str(tmp_path / "hub"))
    lines = plan(project, profile_overrides(project, "mistral_7b"))
    told = table(lines)
    assert all(len(one) <= 110 for one in told.splitlines() if str(folder) not in one)
    told = " ".join(told.split())
    assert "7,248,023,552 weights; the adapter has 41,943,040 (counted from the config.json of" in told
    assert "estimated, 4 characters or one digit a token" in told
    assert "base 14.5 GB" in told
    assert "estimated: 45% of matrix products on cpu" in told
    assert line(lines, "").known.startswith("estimated: 25% of matrix products")
    assert "calls to claude-sonnet-5-5" in told and "at most" in told
    assert (project / "params.yaml").read_bytes() == before


def test_a_small_model_is_planned_small_on_a_machine_without_a_gpu(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Mistral's shape it took 42 GB and did not fit."""
    overrides = [*profile_overrides(project, "mistral_7b"), "base.dtype=float32", "train.max_length=512", "train.tokens_per_step=1024"]
    a_snapshot(tmp_path / ".cache/hub", project, "mistral_7b", SMOLLM2)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr("plumbline.planning.estimates.free_bytes", lambda device: int(8e9))
    lines = plan(project, overrides)
    assert line(lines, "model").value.startswith("134,515,008 weights; the adapter has 4,884,480")
    needed, free = line(lines, "memory").value.split(" of ")
    assert 1.0 < float(needed.removesuffix(" GB")) < 3.5 and free == "8.0 GB free on cpu: fits"


def test_a_plan_counts_the_arms_and_what_stands_before_their_questions(project: Path) -> None:
    def told(*overrides: str) -> str:
        return " ".join(table(plan(project, overrides)).split())

    two = told()
    assert "2 arms, " in two and "before a question" not in two
    arms = "++arms.{0}={{weights:models/base,context:data/context/{1}.jsonl}}"
    more = told(arms.format("few", "examples"), arms.format("looked_up", "passages"), "retrieve.k=2", "retrieve.chunk_tokens=100")
    assert (
        "4 arms, " in more
        and "looked_up 200 tokens before a question" in more
        and "few: read once a kind of question" in more
        and "reading takes at most" in more
    )
    elsewhere = told("++arms.other={weights:theirs.jsonl,context:data/context/none.jsonl}")
    assert "2 arms, " in elsewhere and "answers of 3 arms" in elsewhere, "what was answered elsewhere is judged, not asked"


def test_the_whole_run_takes_the_sum_of_its_parts(project: Path) -> None:
    def seconds(*overrides: str) -> dict[str, float]:
        lines = plan(project, list(overrides))
        num_stages = int(line(lines, "all of it").known.split(" stages;")[0].split()[-1])
        assert in_brief(lines) == whole_line(lines, num_stages=num_stages).value, "no other line adds time"
        assert num_stages > 15
        return {one.what or f"after {before.what}": one.seconds for before, one in pairwise(lines) if one.seconds}

    few = "++arms.few={weights:models/base,context:data/context/examples.jsonl}"
    looked_up = "++arms.looked_up={weights:models/base,context:data/context/passages.jsonl}"
    two, none_again, three, four = seconds(), seconds("noise_floor.fraction=0"), seconds(few), seconds(few, looked_up)
    arm = two["after answers"] / 2
    assert two["after "] == pytest.approx(arm), "all questions are asked again"
    assert "after " not in none_again and none_again["after answers"] == pytest.approx(2 * arm)
    assert three["after answers"] == pytest.approx(3 * arm) and "after contexts" not in three, "examples are read once a kind"
    assert four["after contexts"] > 0
    assert seconds("general.max_new_tokens=1")["general"] < two["general"]


def test_the_brief_plan_is_one_line(project: Path) -> None:
    (project / ".dvc").mkdir(exist_ok=True)
    words = [sys.executable, "-m", "plumbline", "plan", "--brief"]
    done = subprocess.run(words, cwd=project, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert re.fullmatch(r"about \S+ (s|min|h) if nothing else uses this machine\n", done.stdout), done


def test_a_plan_counts_the_answers_by_which_a_checkpoint_is_chosen(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "chosen")
    questions = [
        Question(id=f"n{i}", kind="numeric", question=f"How many {i}?", choices={}, target="6", unit=None, key_points=(), cluster=f"n{i}")
        for i in range(40)
    ]
    write_jsonl(tmp_path / "chosen/data/split/benchmark.jsonl", questions)
    lock_the_split(tmp_path / "chosen")
    wanted = [
        "train.select_by=development_score",
        "train.num_selection_questions=10",
        "report.part=final",
        "report.development_fraction=0.5",
    ]
    lines = plan(tmp_path / "chosen", wanted)
    told = line(lines, "selection")
    schedule = line(lines, "steps")
    assert told.value.startswith("10 questions of the development part, answered at ")
    num_steps, num = int(schedule.value.split(",")[0]), int(told.value.split()[-2])
    assert num > 4 and num <= num_steps + 1
    assert "of the training, in addition to its steps" in lines[lines.index(told) + 1].value
    assert not [one for one in plan(tmp_path / "chosen", wanted[1:]) if one.what == "selection"]
    assert "report.part is all" in line(plan(tmp_path / "chosen", wanted[:1]), "selection").value
    assert line(plan(project, [*wanted, "report.part=development"]), "selection").value.startswith("refused: no question")


def test_tokens_before_a_question_are_a_mean_over_the_kinds() -> None:
    arms = Arms.model_validate(
        {
            "base": {"weights": "models/base", "context": "data/context/none.jsonl"},
            "few": {"weights": "models/base", "context": "data/context/examples.jsonl"},
            "lost": {"weights": "models/adapter", "context": "data/context/shuffled.jsonl"},
        }
    )
    section = read_yaml(ROOT / "params.yaml")["retrieve"] | {"k": 3, "chunk_tokens": 128}
    section["examples"] = {"mcq": 4, "numeric": 2, "explanation": 0, "max_tokens": 100}
    retrieve = RetrieveParams.model_validate(section)
    assert tokens_before_a_question(arms, retrieve, {"mcq": 10, "numeric": 10, "explanation": 20}) == {"few": 150.0, "lost": 384.0}
    assert tokens_before_a_question(arms, retrieve, {}) == {"few": 0.0, "lost": 384.0}


def test_the_model_of_make_real_is_planned_before_its_weights_are_fetched(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new user plans first: in a fresh clone neither .cache/hub nor a network holds this model."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr("plumbline.planning.model_size.hub_answers", lambda: pytest.fail("nothing is asked for"))
    model = line(plan(project, profile_overrides(project, "smollm2_135m_local")), "model")
    assert model.value.startswith("134,515,008 weights")
    assert "plumbline fetch-model" in model.known
    monkeypatch.undo()
    with pytest.raises(NotPlanned, match="is made on this machine"):
        plan(project, [*profile_overrides(project, "smollm2_135m_local"), f"base.revision={'0' * 40}"])


def test_the_config_alone_is_fetched_from_the_hub(project: Path, tmp_path: Path) -> None:
    named = dict(line.split("=", 1) for line in profile_overrides(project, "mistral_7b") if line.startswith("base."))
    snapshot = write_config(tmp_path / "snapshot", QWEN)
    (snapshot / "model.safetensors").write_bytes(b"14.5 GB")
    code = (
        "from pathlib import Path\nfrom plumbline.commands.plan import NotPlanned, params_of, profile_overrides\n"
        "from plumbline.commands.plan_lines import plan_lines\n"
        f"root = Path({str(project)!r})\n"
        "try:\n    print(plan_lines(root, params_of(root, profile_overrides(root, 'mistral_7b'), {}))[0])\nexcept NotPlanned as error:\n    print(error)\n"
    )

    def planned(home: str, address: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PLUMBLINE_", "DVC_"))}
        kept |= {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / home), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
        ended = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=kept | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        return ended.stdout

    with snapshots_hub({named["base.repo"]: snapshot}, revision=named["base.revision"], accepted=None) as (address, sent):
        told = planned("home", address)
        assert "494,032,768 weights" in told and f"{named['base.repo']} on the hub" in told
        assert [name.rsplit("/", 1)[1] for name in sent] == ["config.json"]
    # The server is gone: what was fetched is enough, and without it the plan says what to do.
    assert "494,032,768 weights" in planned("home", address)
    refused = planned("empty", address)
    assert "its config.json, a few kilobytes, and this file cannot be read" in refused
    assert "the hub does not answer" in refused and "set PLUMBLINE_HUB_DIR to a folder that holds it" in refused


def test_a_dry_run_and_rows_that_do_not_fit_are_said(project: Path) -> None:
    told = " ".join(table(plan(project, ["train.max_steps=2", "train.max_length=52", "train.tokens_per_step=104"])).split())
    assert "a dry run of" in told and "longer than train.max_length 52" in told
    with pytest.raises(NotPlanned, match=r"all 60 rows are longer than train\.max_length, 16"):
        plan(project, ["train.max_length=16"])


def test_a_profile_that_is_not_there_names_those_that_are(project: Path) -> None:
    with pytest.raises(ProfileRefused, match="mistral_7b"):
        profile_overrides(project, "nonsense")


def test_a_section_that_no_stage_reads_is_not_planned(project: Path) -> None:
    with pytest.raises(NotPlanned, match=r"no stage reads section 'lorra' \(did you mean 'lora'\?\)"):
        plan(project, ["+lorra.alpha=128"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nonsense"], "there is no profiles/nonsense"),
        (["-S", "lora.alhpa=1"], "an override (-S, or SET of make) cannot be used"),
        (["-S", "+lorra.alpha=1"], "no stage reads section 'lorra'"),
        (["--rows", "mine.jsonl"], "--questions is missing"),
    ],
)
def test_a_plan_is_refused_before_torch_is_loaded(project: Path, words: list[str], told: str) -> None:
    (project / ".dvc").mkdir(exist_ok=True)
    code = "import sys; sys.argv[0] = 'plumbline'\nfrom plumbline.commands.main import plumbline\n"
    code += "try:\n    plumbline(prog_name='plumbline')\nfinally:\n    print('torch loaded' if 'torch' in sys.modules else 'light')"
    ended = subprocess.run(
        [sys.executable, "-c", code, "plan", *words],
        cwd=project, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 1 and told in ended.stderr, ended.stderr
    assert ended.stdout == "light\n"
