"""Two engines, one contract: the same models give the same answers with either; a server's fault is reported, not scored."""

import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import plumbline.answering.vllm_engine as vllm_engine
from plumbline.answering.engine import Engine
from plumbline.answering.engine_choice import open_engine, served
from plumbline.answering.sampling import sample_seed
from plumbline.answering.vllm_engine import ServerRefused
from plumbline.answering.vllm_server import Served, serve_command
from plumbline.commands.serve_models import command as serve_models
from plumbline.model.tokenization import template_sha256
from plumbline.model.weights import load_tokenizer
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams, Instructions
from tests.fakes.answering import answer_arm
from tests.fakes.tiny_models import questions, save_models
from tests.fakes.vllm_server import VERSION, FakeVllm, Fault, serving_vllm

ROOT = Path(__file__).resolve().parents[2]
PARAMS = AnswerParams(
    engine="transformers",
    max_new_tokens=24,
    batch_size=4,
    num_samples=1,
    temperature=0.0,
    seed=17,
    choice_scoring="text",
    choice_prefix="Answer:",
    instructions=Instructions(mcq="Answer with the right choice.", numeric="", explanation=""),
)
VLLM = PARAMS.model_copy(update={"engine": "vllm"})
COUNT = len(questions())


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_models(folder)
    write_jsonl(folder / "benchmark.jsonl", questions())
    return folder


@pytest.fixture(scope="module")
def wanted(models: Path) -> Served:
    return served(models / "base", models / "adapter", template=template_sha256(load_tokenizer(models / "base")))


@pytest.fixture(scope="module")
def shared_server(models: Path, wanted: Served) -> FakeVllm:
    """Loaded once; each test serves it with another script."""
    assert wanted.tuned_name is not None
    return FakeVllm(models / "base", base_name=wanted.base_name, adapters={wanted.tuned_name: models / "adapter"})


@pytest.fixture
def fake(shared_server: FakeVllm, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVllm]:
    shared_server.fault = lambda path, ordinal: None
    shared_server.requests.clear()
    shared_server.asked.clear()
    shared_server.key = None
    monkeypatch.setattr(vllm_engine, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setenv("PLUMBLINE_VLLM_CONCURRENCY", "4")
    with serving_vllm(shared_server) as fake:
        monkeypatch.setenv("PLUMBLINE_VLLM_URL", fake.url)
        yield fake


def answers(models: Path, root: Path, arm: str, params: AnswerParams, monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """Run the stage; `root` holds its store of answers."""
    monkeypatch.setenv("DVC_ROOT", str(root))
    out, inputs = root / f"{arm}.jsonl", {"benchmark": models / "benchmark.jsonl", "base": models / "base"}
    answer_arm(params, **inputs, adapter=None if arm == "base" else models / "adapter", answers=out)
    return list(read_jsonl(out, Answer))


@pytest.mark.parametrize("arm", ["base", "tuned"])
def test_both_engines_give_the_same_records(
    arm: str, models: Path, fake: FakeVllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = answers(models, tmp_path / "here", arm, PARAMS, monkeypatch)
    there = answers(models, tmp_path / "there", arm, VLLM, monkeypatch)
    assert {answer.engine for answer in here} == {"transformers"} and {answer.engine for answer in there} == {f"vllm {VERSION}"}
    assert {answer.stopped for answer in here} == {"eos", "max_new_tokens"}, "the models must show both ends"
    assert len({answer.response for answer in here}) > COUNT / 2, "the models must not say one thing to all"
    for mine, other in zip(here, there, strict=True):
        assert mine.model_dump(exclude={"engine", "choice_logprobs"}) == other.model_dump(exclude={"engine", "choice_logprobs"})
        assert mine.choice_logprobs == pytest.approx(other.choice_logprobs, abs=2e-4)
    assert all(set(answer.choice_logprobs) == set(question.choices) for answer, question in zip(there, questions(), strict=True))
    assert {request["model"] for request in fake.requests} == {name for name in fake.models if name.startswith(arm)}


def test_each_sample_is_asked_with_its_own_seed_and_its_choices_once(
    models: Path, fake: FakeVllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = VLLM.model_copy(update={"num_samples": 3, "temperature": 0.7, "seed": 5})
    first = answers(models, tmp_path / "first", "base", sampled, monkeypatch)
    asked = [request for request in fake.requests if request.get("logprobs") is None]
    assert {request["temperature"] for request in asked} == {0.7}
    assert {request["temperature"] for request in fake.requests if request.get("logprobs") is not None} == {0.0}, "nothing is drawn there"
    assert {request["seed"] for request in asked} == {sample_seed(5, one.id, sample) for one in questions() for sample in (1, 2, 3)}
    assert len(asked) == len(first) == 3 * COUNT and [row.sample for row in first[:4]] == [1, 2, 3, 1]
    with_choices = {one.id for one in questions() if one.choices}
    assert with_choices == {row.id for row in first if row.choice_logprobs} and {row.sample for row in first if row.choice_logprobs} == {1}
    assert len({row.response for row in first}) > 2 * COUNT, "samples differ"
    monkeypatch.setenv("PLUMBLINE_VLLM_CONCURRENCY", "1")
    assert answers(models, tmp_path / "again", "base", sampled, monkeypatch) == first, "whatever the order of the requests"


def test_the_arms_differ(models: Path, fake: FakeVllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, tuned = (answers(models, tmp_path / arm, arm, VLLM, monkeypatch) for arm in ("base", "tuned"))
    assert sum(one.response != other.response for one, other in zip(base, tuned, strict=True)) > COUNT / 2


@pytest.mark.parametrize("trouble", ["loading", "error", "reset", "cut"])
def test_what_heals_is_asked_again(trouble: str, models: Path, fake: FakeVllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = answers(models, tmp_path / "calm", "base", VLLM, monkeypatch)
    fake.asked.clear()
    # One at a time, so that no question meets every third request several times over.
    monkeypatch.setenv("PLUMBLINE_VLLM_CONCURRENCY", "1")
    fake.fault = lambda path, ordinal: trouble if ordinal % 3 == 0 else None
    assert answers(models, tmp_path / "troubled", "base", VLLM, monkeypatch) == calm


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("other_model", "somebody answered"),
        ("other_prompt", "changed the prompt"),
        ("aborted", "ended by 'abort'"),
        ("old", "token_ids"),
        ("error", "status 500"),
    ],
)
def test_what_does_not_heal_stops_the_stage_and_keeps_what_was_answered(
    trouble: str, message: str, models: Path, fake: FakeVllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUMBLINE_VLLM_CONCURRENCY", "1")
    fake.fault = lambda path, ordinal: trouble if path == "/v1/completions" and ordinal >= 12 else None
    with pytest.raises(ServerRefused, match=message):
        answers(models, tmp_path, "base", VLLM, monkeypatch)
    assert not (tmp_path / "base.jsonl").exists()
    num_before = len(fake.requests)
    fake.fault = lambda path, ordinal: None
    resumed = answers(models, tmp_path, "base", VLLM, monkeypatch)
    asked_again = len(fake.requests) - num_before
    fake.requests.clear()
    assert resumed == answers(models, tmp_path / "fresh", "base", VLLM, monkeypatch)
    assert asked_again < len(fake.requests), "answered questions must not be asked again"


def test_a_server_of_other_weights_is_refused_with_the_command_for_ours(
    models: Path, fake: FakeVllm, wanted: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wanted.tuned_name is not None
    hidden = fake.models.pop(wanted.tuned_name)
    try:
        with pytest.raises(ServerRefused, match=r"but not tuned-.*vllm serve .*--max-lora-rank 32 --lora-modules tuned-"):
            answers(models, tmp_path, "tuned", VLLM, monkeypatch)
    finally:
        fake.models[wanted.tuned_name] = hidden


def test_no_server_is_told_at_once(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_engine, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setenv("PLUMBLINE_VLLM_URL", "http://127.0.0.1:9")
    with pytest.raises(ServerRefused, match=r"127.0.0.1:9/v1/models: no usable answer .*refused"):
        answers(models, tmp_path, "base", VLLM, monkeypatch)
    monkeypatch.setenv("PLUMBLINE_VLLM_URL", "localhost:8000")
    with pytest.raises(ValueError, match="Set it to http://host:port"):
        answers(models, tmp_path, "base", VLLM, monkeypatch)
    monkeypatch.delenv("PLUMBLINE_VLLM_URL")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerRefused, match="no `vllm` command and PLUMBLINE_VLLM_URL is not set"):
        answers(models, tmp_path, "base", VLLM, monkeypatch)


def test_the_key_is_sent_and_never_shown(models: Path, fake: FakeVllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.key = "vllm-canary-77aa"
    with pytest.raises(ServerRefused, match="status 401") as refused:
        answers(models, tmp_path, "base", VLLM, monkeypatch)
    assert fake.key not in str(refused.value)
    monkeypatch.setenv("PLUMBLINE_VLLM_API_KEY", fake.key)
    assert len(answers(models, tmp_path, "base", VLLM, monkeypatch)) == COUNT
    assert not any(fake.key in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_quantised_bases_and_ranks_that_vllm_cannot_serve_are_refused(
    tmp_path: Path, wanted: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_models(tmp_path, quantization="nf4")
    with pytest.raises(ValueError, match=r"base.quantization is nf4"):
        served(tmp_path / "base", None, template="")
    with pytest.raises(ValueError, match=r"lora.r is 600"):
        serve_command(wanted._replace(rank=600), port=1)
    monkeypatch.setenv("PLUMBLINE_VLLM_ARGS", "--gpu-memory-utilization 0.3")
    assert serve_command(wanted, port=1)[-2:] == ["--gpu-memory-utilization", "0.3"]
    monkeypatch.delenv("PLUMBLINE_VLLM_ARGS")


def test_the_verb_names_both_models(models: Path, wanted: Served) -> None:
    done = CliRunner().invoke(serve_models, ["--print", "--base", str(models / "base"), "--adapter", str(models / "adapter")])
    assert done.output == shlex.join(serve_command(wanted, port=8000)) + "\n"


@pytest.fixture
def vllm_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `vllm` on the path that is our server; it notes its process id."""
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    note = tmp_path / "pid"
    program.write_text(f'#!/bin/sh\necho $$ > {note}\ncd {ROOT} && exec {sys.executable} -m tests.fakes.vllm_server "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("PLUMBLINE_VLLM_URL", raising=False)
    return note


def has_ended(pid: int, *, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_a_stage_starts_the_server_itself_and_ends_it(
    models: Path, vllm_command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = answers(models, tmp_path / "here", "tuned", PARAMS, monkeypatch)
    there = answers(models, tmp_path / "there", "tuned", VLLM, monkeypatch)
    assert [answer.response for answer in there] == [answer.response for answer in here]
    assert has_ended(int(vllm_command.read_text()), within_seconds=1)


@pytest.mark.slow
def test_a_server_that_cannot_start_says_why(models: Path, vllm_command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.answering.vllm_server.LORA_RANKS", (16, 512))
    monkeypatch.setattr(
        "plumbline.answering.vllm_server.serve_command", lambda wanted, port: [*serve_command(wanted, port=port), "--max-lora-rank", "8"]
    )
    with pytest.raises(
        ServerRefused, match=r"(?s)ended with status 1 before it was ready.*LoRA rank 24 is greater than max_lora_rank 8"
    ) as refused:
        answers(models, tmp_path, "tuned", VLLM, monkeypatch)
    assert "vllm.log" in str(refused.value)


@pytest.mark.slow
def test_a_server_too_slow_to_start_is_ended(models: Path, vllm_command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_VLLM_START_SECONDS", "0.5")
    with pytest.raises(ServerRefused, match=r"not ready within 0.5 s\. Raise PLUMBLINE_VLLM_START_SECONDS"):
        answers(models, tmp_path, "base", VLLM, monkeypatch)
    assert has_ended(int(vllm_command.read_text()), within_seconds=1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_the_server_dies_with_a_killed_stage(models: Path, vllm_command: Path, tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from tests.pipeline.test_engines import VLLM, open_engine, load_tokenizer
base = Path({str(models / "base")!r})
with open_engine(VLLM, load_tokenizer(base), base=base, adapter=None) as engine:
    print("up", flush=True)
    import time; time.sleep(600)
"""
    stage = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"DVC_ROOT": str(tmp_path)}
    )
    assert stage.stdout is not None and stage.stdout.readline() == "up\n"
    stage.send_signal(signal.SIGKILL)
    stage.wait()
    assert has_ended(int(vllm_command.read_text()), within_seconds=20)


def test_a_loading_server_is_waited_for(models: Path, fake: FakeVllm, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.fault = lambda path, ordinal: "loading" if path == "/health" and ordinal < 3 else None
    tokenizer = load_tokenizer(models / "base")
    with open_engine(VLLM, tokenizer, base=models / "base", adapter=None) as engine:
        opened: Engine = engine
        assert opened.name == f"vllm {VERSION}"
    assert fake.asked["/health"] == 4
    monkeypatch.setenv("PLUMBLINE_VLLM_START_SECONDS", "0.3")
    never: Fault = lambda path, ordinal: "loading"  # noqa: E731
    fake.fault = never
    with (
        pytest.raises(ServerRefused, match=r"not ready within 0.3 s"),
        open_engine(VLLM, tokenizer, base=models / "base", adapter=None),
    ):
        pass
