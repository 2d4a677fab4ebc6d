"""Publishing against a Hub on the loopback: one commit, checked hash by hash, never over someone else's commit, never twice, and never a run that is not a result."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from huggingface_hub import ModelCard, constants
from huggingface_hub._eval_results import parse_eval_result_entries
from huggingface_hub.errors import HfHubHTTPError
from ruamel.yaml import YAML

from plumbline.commands.publish import RECEIPT, NotPublished, command, main, token_of
from plumbline.keeping.model_card import render_card
from plumbline.model.local_models import SMOLLM2
from plumbline.pipeline.files import sha256_of, write_json
from plumbline.rows.manifest import Manifest
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.rows.training_record import CheckpointChoice, TrainingRecord
from stages.report import main as report
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, make_world, write_world
from tests.fakes.hub_server import FakeHub, serving_hub
from tests.pipeline.test_backup import dvc, run

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
REPO = "lab/physics-lora"
TOKEN = "hf_" + "k" * 34
RECORD = TrainingRecord(
    complete=True,
    stop_reason="planned_end",
    num_planned_steps=120,
    num_done_steps=120,
    best_step=90,
    base_fingerprint="ab" * 32,
    template_sha256="cd" * 32,
    train_sha256="ef" * 32,
    validation_sha256="01" * 32,
    replay_sha256="0" * 64,
    lora=LoraParams(r=16, alpha=32, dropout=0.0, target_modules="all-linear", use_rslora=False),
    train=TrainParams(
        epochs=2.0,
        max_steps=None,
        learning_rate=0.003,
        warmup_fraction=0.05,
        lr_schedule="cosine",
        tokens_per_step=1024,
        max_length=512,
        packing=True,
        max_grad_norm=1.0,
        evaluations_per_epoch=4,
        early_stop_patience=None,
        replay_fraction=0.0,
        seed=42,
    ),
)


def write_models(root: Path, *, record: TrainingRecord = RECORD, hub: bool = False) -> None:
    base, adapter = root / "models/base", root / "models/adapter"
    for folder in (base, adapter):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        if not (hub and name == "model.safetensors"):
            (base / name).write_bytes(name.encode() * 50)
    files = {path.name: sha256_of(path) for path in base.iterdir()}
    manifest = Manifest(
        source="hub" if hub else "embedded",
        repo="mistralai/Mistral-7B-Instruct-v0.3" if hub else None,
        revision="9" * 40 if hub else None,
        dtype="bfloat16" if hub else "float32",
        quantization="none",
        files=files,
        hub_files={"model.safetensors": "7" * 64} if hub else {},
    )
    write_json(base / "manifest.json", manifest.model_dump())
    write_json(adapter / "adapter_config.json", {"base_model_name_or_path": "models/base", "peft_type": "LORA", "r": 16, "revision": None})
    (adapter / "adapter_model.safetensors").write_bytes(b"weights" * 3000)
    write_json(adapter / "training.json", record.model_dump())


def commit_run(root: Path) -> None:
    dvc(root, "add", "-q", "models/base", "models/adapter")
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-q", "-m", "run")


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with real numbers of the report stage, in git and DVC."""
    root = tmp_path_factory.mktemp("published") / "repo"
    world = make_world(num_mcq=24, num_numeric=24, num_explanation=16, num_clusters=8)
    report(PARAMS, ANSWERING, JUDGING, world.compared, write_world(world, root))
    shutil.rmtree(root / "data")
    write_json(root / "metrics/data.json", {"lines": 4400, "kept": 4377, "quarantined": 20, "blank": 3})
    (root / "params.yaml").write_text(
        "clean:\n  source: data/raw/physics.jsonl\npublish:\n  against: null\n  require: {}\n"
        + f"answer: {json.dumps(ANSWERING.model_dump())}\n"
    )
    run(root, "git", "init", "-q", "-b", "main")
    dvc(root, "init", "-q")
    write_models(root)
    commit_run(root)
    return root


@pytest.fixture
def root(finished_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished_run, tmp_path / "repo", symlinks=True)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serving_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("PLUMBLINE_HUB_BACKOFF_SECONDS", "0")
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub._commit_api.is_xet_available", lambda: False)
        yield server


def publish(root: Path, **changes: Any) -> str:
    return main(root, REPO, **({"private": True, "license": None, "dataset": None, "onto": None} | changes))


def test_all_arrives_in_one_private_commit_with_a_receipt(root: Path, hub: FakeHub, capfd: pytest.CaptureFixture[str]) -> None:
    told = publish(root)
    assert "in one commit" in told and "new, private" in told
    assert hub.private[REPO] is True
    assert len(hub.commits[REPO]) == 2, "the repository's own first commit, and ours"
    files = hub.files(REPO)
    assert set(files) == {
        ".gitattributes", "README.md", "adapter_config.json", "adapter_model.safetensors", "training.json", "tokenizer.json",
        *(f"evaluation/{name}.json" for name in ("evaluation", "scores", "train", "data", "preflight")),
        "config.json", "model.safetensors", "base/manifest.json", "exam.json",
    }  # fmt: skip
    assert files["adapter_model.safetensors"] == (root / "models/adapter/adapter_model.safetensors").read_bytes()
    assert json.loads(files["adapter_config.json"])["base_model_name_or_path"] == REPO
    receipt = json.loads((root / RECEIPT).read_text())
    assert receipt["commit"] == hub.head(REPO)
    assert receipt["project_revision"] == run(root, "git", "rev-parse", "HEAD").strip()
    assert {name: entry["sha256"] for name, entry in receipt["files"].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != ".gitattributes"
    }
    out, err = capfd.readouterr()
    # A presigned upload carries no token: storage is another host.
    assert hub.tokens == {f"Bearer {TOKEN}", ""}
    assert TOKEN not in told + out + err + (root / RECEIPT).read_text()
    assert not any(TOKEN.encode() in content for content in files.values())


def test_the_card_reads_back_and_its_numbers_are_those_of_the_run(root: Path, hub: FakeHub) -> None:
    publish(root)
    text = hub.files(REPO)["README.md"].decode()
    evaluation = json.loads((root / "metrics/evaluation.json").read_text())
    data: Any = ModelCard(text).data
    assert (data.library_name, data.pipeline_tag, data.license) == ("peft", "text-generation", "apache-2.0")
    by_kind = {result.dataset_config: result for result in data.eval_results}
    for kind, ledger in evaluation["kinds"].items():
        tuned = ledger["arms"]["tuned"]["score"]
        assert by_kind[kind].metric_value == tuned["value"]
        assert by_kind[kind].metric_args["n"] == tuned["n"] and by_kind[kind].metric_args["ci95"] == tuned["ci95"]
        assert f"{tuned['value']:.2f} [{tuned['ci95'][0]:.2f}, {tuned['ci95'][1]:.2f}]" in text
    assert evaluation["verdict"] in text
    for part in ("Results", "Data", "Licence", "Base model", "How to load it", "How it was trained", "Limits"):
        assert f"\n## {part}\n" in text
    assert "4377 training rows of `physics.jsonl`" in text and "120 of 120 planned steps" in text


def test_the_results_are_sent_in_the_form_of_the_hub_if_the_benchmark_is_named(root: Path, hub: FakeHub) -> None:
    publish(root, benchmark="lab/physics-exam")
    name = ".eval_results/plumbline.yaml"
    entries = parse_eval_result_entries(YAML(typ="safe").load(hub.files(REPO)[name]))
    card: Any = ModelCard(hub.files(REPO)["README.md"].decode()).data
    values = {result.dataset_config: result.metric_value for result in card.eval_results}
    assert {entry.task_id: entry.value for entry in entries} == values and {entry.dataset_id for entry in entries} == {"lab/physics-exam"}
    write_models(root, record=RECORD.model_copy(update={"best_step": 60}))
    commit_run(root)
    publish(root)
    assert name not in hub.files(REPO), "no old results stay next to new ones"


def card_of(root: Path) -> str:
    return render_card(root, repo=REPO, license="apache-2.0", dataset=None, revision="0" * 40)


def test_the_card_says_what_was_measured_outside_the_benchmark(root: Path) -> None:
    limits = card_of(root).split("## Limits")[1]
    assert "100 general prompts are for the tuned model (+0.03 nats a token compared with base" in limits
    assert "forgetting of other skills" not in limits


def test_the_card_says_what_chose_the_checkpoint(root: Path) -> None:
    assert "the weights of step 90 (lowest validation loss)" in card_of(root)
    choice = CheckpointChoice(question_ids=("a", "b"), num_evaluations=9, score=0.75, lowest_loss_step=60, score_at_lowest_loss=0.5)
    write_models(root, record=RECORD.model_copy(update={"choice": choice}))
    told = " ".join(card_of(root).split())
    assert "the weights of step 90 (best score on 2 questions of the benchmark's development part, 0.75 of 1, of 9 evaluations; " in told
    assert "the lowest validation loss was at step 60, with a score of 0.50)" in told
    path = root / "metrics/evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["part"] |= {"name": "development", "chose_checkpoint": {"num_reported": 2, "num_evaluations": 9}}
    write_json(path, evaluation)
    assert "2 questions of the development part also chose the checkpoint, the best of 9 evaluations" in card_of(root)


def test_explanations_that_nobody_judged_are_not_called_judged_by_none(root: Path) -> None:
    assert "Explanations were judged by key_points (`" in card_of(root)
    path = root / "metrics/evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["judge"] |= {"backend": "none", "judge_id": "none"}
    write_json(path, evaluation)
    assert "Explanations were not judged." in card_of(root) and "judged by" not in card_of(root)
    del evaluation["kinds"]["explanation"]
    write_json(path, evaluation)
    assert "Explanations were" not in card_of(root), "there are none in this benchmark"


def test_a_base_of_the_hub_is_named_by_revision_and_not_sent(root: Path, hub: FakeHub) -> None:
    write_models(root, hub=True)
    commit_run(root)
    with pytest.raises(NotPublished, match="--license"):
        publish(root)
    publish(root, license="mit", dataset="lab/physics")
    files = hub.files(REPO)
    assert not any(name.startswith("base/") for name in files) and not {"config.json", "model.safetensors"} & set(files)
    assert json.loads(files["adapter_config.json"])["revision"] == "9" * 40
    data: Any = ModelCard(files["README.md"].decode()).data
    assert (data.base_model, data.base_model_relation, data.datasets) == ("mistralai/Mistral-7B-Instruct-v0.3", "adapter", ["lab/physics"])


def test_a_base_that_was_made_here_travels_with_the_adapter(root: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    write_models(root, hub=True)
    snapshot = root / ".cache/hub" / SMOLLM2.repo / SMOLLM2.revision
    snapshot.mkdir(parents=True)
    contents = {"model.safetensors": b"weights", "config.json": b"config.json" * 50, "LICENSE.txt": b"Apache", "source.json": b"{}"}
    for name, content in contents.items():
        (snapshot / name).write_bytes(content)
    path = root / "models/base/manifest.json"
    named = {
        "repo": SMOLLM2.repo,
        "revision": SMOLLM2.revision,
        "hub_files": {"model.safetensors": sha256_of(snapshot / "model.safetensors")},
    }
    write_json(path, json.loads(path.read_text()) | named)
    (root / ".gitignore").write_text("/.cache/\n")
    commit_run(root)
    monkeypatch.setenv("DVC_ROOT", str(root))
    publish(root, license="apache-2.0")
    files = hub.files(REPO)
    assert {name for name in files if name.startswith("base/")} == {
        f"base/{name}" for name in ("manifest.json", "LICENSE.txt", "source.json")
    }
    assert files["model.safetensors"] == b"weights" and files["config.json"] == (root / "models/base/config.json").read_bytes()
    config = json.loads(files["adapter_config.json"])
    assert (config["base_model_name_or_path"], config["revision"]) == (REPO, None)
    card = files["README.md"].decode()
    data: Any = ModelCard(card).data
    assert data.base_model is None and SMOLLM2.repo not in card
    assert (
        f"https://huggingface.co/{SMOLLM2.upstream}" in card
        and f"Nothing was measured with the weights of {SMOLLM2.upstream} itself." in card
    )


@pytest.mark.parametrize("what", ["adapter", "scores", "evaluation"])
def test_an_incomplete_or_invalid_run_is_refused_before_anything_is_sent(root: Path, hub: FakeHub, what: str) -> None:
    if what == "adapter":
        write_models(root, record=RECORD.model_copy(update={"complete": False, "num_done_steps": 5, "stop_reason": "max_steps"}))
    else:
        path = root / f"metrics/{what}.json"
        write_json(path, json.loads(path.read_text()) | {"complete": what != "scores", "valid": what == "scores"})
    commit_run(root)
    expected = {"adapter": "5 of 120 steps", "scores": "complete: false", "evaluation": "valid: false"}[what]
    with pytest.raises(NotPublished, match=expected):
        publish(root)
    assert hub.requests == []


def test_a_run_that_does_not_show_what_is_required_is_refused_before_anything_is_sent(root: Path, hub: FakeHub) -> None:
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("require: {}", "require: {mcq: better}").replace("against: null", "against: base"))
    commit_run(root)
    with pytest.raises(NotPublished, match=r"has not seen this publish\.require\. Run `dvc repro report`"):
        publish(root)
    path = root / "metrics/evaluation.json"
    text = "On multiple choice tuned is worse than base: by 4 points."
    requirement = {"name": "mcq", "ok": False, "text": text}
    recorded = {"required": {"against": "base", "require": {"mcq": "better"}}, "arm": "tuned", "ok": False, "requirements": [requirement]}
    write_json(path, json.loads(path.read_text()) | {"publish": recorded})
    commit_run(root)
    with pytest.raises(
        NotPublished, match=r"does not show what publish.require in params.yaml asks for:\n  On multiple choice .* by 4 points"
    ):
        publish(root)
    assert hub.requests == []
    write_json(path, json.loads(path.read_text()) | {"publish": recorded | {"ok": True, "requirements": [requirement | {"ok": True}]}})
    commit_run(root)
    publish(root)
    assert f"- {text}" in hub.files(REPO)["README.md"].decode().split("## What was required before publishing")[1]


def test_a_pickle_a_key_and_a_run_that_git_does_not_hold_are_refused(root: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "models/adapter/adapter_config.json").write_text("{}")
    with pytest.raises(NotPublished, match="not the run"):
        publish(root)
    write_models(root)
    (root / "models/adapter/optimizer.pt").write_bytes(b"\x80\x04.")
    commit_run(root)
    with pytest.raises(NotPublished, match=r"optimizer\.pt: only .* no pickles"):
        publish(root)
    (root / "models/adapter/optimizer.pt").unlink()
    (root / "models/adapter/note.txt").write_text("sk-ant-" + "x" * 40)
    commit_run(root)
    with pytest.raises(NotPublished, match="looks like a key") as refused:
        publish(root)
    assert "xxxx" not in str(refused.value)
    write_models(root)
    commit_run(root)
    write_json(root / "metrics/preflight.json", {"ready": True, "edited": 1})
    with pytest.raises(NotPublished, match=r"Commit first"):
        publish(root)
    assert hub.requests == []
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(NotPublished, match="HF_TOKEN is not set"):
        publish(root)


def test_again_sends_nothing_and_a_new_run_makes_one_more_commit(root: Path, hub: FakeHub) -> None:
    publish(root)
    assert "already there, nothing sent" in publish(root)
    assert len(hub.commits[REPO]) == 2
    write_models(root, record=RECORD.model_copy(update={"best_step": 60}))
    commit_run(root)
    publish(root)
    assert len(hub.commits[REPO]) == 3
    assert json.loads(hub.files(REPO)["training.json"])["best_step"] == 60


def test_a_commit_of_somebody_else_is_never_built_on_unasked(root: Path, hub: FakeHub) -> None:
    publish(root)
    hub.commit(REPO, {"README.md": b"edited on the website"})
    with pytest.raises(NotPublished, match="a commit that this project did not make"):
        publish(root)
    assert hub.files(REPO)["README.md"] == b"edited on the website"
    publish(root, onto=hub.head(REPO))
    assert hub.files(REPO)["README.md"].startswith(b"---\n")


def test_a_repository_that_holds_other_things_is_refused(root: Path, hub: FakeHub) -> None:
    hub.private[REPO] = False
    hub.commit(REPO, {"model.safetensors": b"another model"})
    with pytest.raises(NotPublished, match=r"it holds model\.safetensors"):
        publish(root)
    assert len(hub.commits[REPO]) == 1


@pytest.mark.parametrize(("faults", "num_commits"), [(["500"], 2), (["500", "500"], 2), (["cut_after"], 2)])
def test_passing_faults_end_in_exactly_one_commit(root: Path, hub: FakeHub, faults: list[str], num_commits: int) -> None:
    hub.faults = [*faults]
    assert "in one commit" in publish(root)
    assert len(hub.commits[REPO]) == num_commits
    assert json.loads((root / RECEIPT).read_text())["commit"] == hub.head(REPO)


@pytest.mark.parametrize(("fault", "holds"), [("409", None), ("move_first", b"somebody was here")])
def test_a_race_is_lost_without_a_trace(root: Path, hub: FakeHub, fault: str, holds: bytes | None) -> None:
    hub.faults = [fault]
    with pytest.raises(NotPublished, match="another commit meanwhile"):
        publish(root)
    assert "adapter_model.safetensors" not in hub.files(REPO)
    assert hub.files(REPO).get("NOTES.md") == holds
    assert not (root / RECEIPT).exists()


def test_a_service_that_stays_down_is_said_and_the_next_run_completes(root: Path, hub: FakeHub) -> None:
    hub.faults = ["500"] * 4
    with pytest.raises(NotPublished, match="answered 500 4 times"):
        publish(root)
    assert len(hub.commits[REPO]) == 1
    publish(root)
    assert len(hub.commits[REPO]) == 2


@pytest.mark.parametrize("path", ["adapter_model.safetensors", "README.md"])
def test_a_hub_that_names_another_hash_is_not_believed(root: Path, hub: FakeHub, path: str) -> None:
    hub.lie_about = path
    with pytest.raises(NotPublished, match=f"other bytes than were sent for {path}"):
        publish(root)
    assert not (root / RECEIPT).exists()


@pytest.mark.parametrize("token", ["hf_a b", "hf_\nb", "hf_\u043a\u043b\u044e\u0447"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(NotPublished, match=r"^HF_TOKEN holds a blank or a letter that no token has\. Copy the token again") as refused:
        token_of({"HF_TOKEN": token})
    assert token not in str(refused.value)


def test_the_end_of_line_of_a_file_of_secrets_is_no_part_of_the_token() -> None:
    assert token_of({"HF_TOKEN": "hf_abc\n"}) == "hf_abc"


@pytest.mark.parametrize(
    "words",
    [["foo"], ["a b/c"], ["a/b/c"], ["lab/a--b"], ["lab/a.git"], ["lab/x", "--dataset", "foo"], ["lab/x", "--benchmark", "a/b/c"]],
    ids=" ".join,
)
def test_a_name_that_the_hub_cannot_have_is_refused_in_a_sentence(
    root: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(root)
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 1 and "Give organisation/name as on the Hub, such as lab/my-adapter" in done.stderr, done.exception
    assert not hub.requests


def test_a_hub_that_cannot_be_reached_is_said_in_a_sentence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    done = CliRunner().invoke(command, [REPO])
    assert done.exit_code == 1 and "no connection to the Hub (ConnectError). Look at the network" in done.stderr, done.exception


def test_a_repository_name_that_is_none_is_refused(root: Path, hub: FakeHub) -> None:
    for name in ("../../etc", "a/b/c", "lab/phy sics"):
        with pytest.raises((ValueError, HfHubHTTPError)):
            main(root, name, private=True, license=None, dataset=None, onto=None)
    assert not hub.commits
