"""A training of seconds: the tiny base with its manifest, a few rows, and `train.main` as another process would call it."""

import json
import multiprocessing
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plumbline.model.base_files import write_manifest
from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import InstructionRow, Origin
from plumbline.rows.manifest import Manifest
from plumbline.rows.training_params import LoraParams, TrainParams
from tests.fakes.tiny_base import TEMPLATE, save_tiny_model

LORA = LoraParams(r=4, alpha=8, dropout=0.0, target_modules="all-linear", use_rslora=False)
TRAIN = TrainParams(
    epochs=2.0,
    max_steps=None,
    learning_rate=5e-3,
    warmup_fraction=0.05,
    lr_schedule="cosine",
    tokens_per_step=256,
    max_length=128,
    packing=True,
    max_grad_norm=1.0,
    evaluations_per_epoch=4,
    early_stop_patience=None,
    replay_fraction=0.0,
    seed=1,
)

PRELOADED = [
    "tests.fakes.tiny_training",
    "stages.train",
    "plumbline.model.weights",
    *(f"plumbline.training.{name}" for name in ("device_readiness", "likelihoods", "trainer")),
]
"""For a fork server: the stage, and what it loads after reading its inputs. So the trainings of a test do not load it again."""

PUBLISHED = ("adapter/adapter_config.json", "adapter/adapter_model.safetensors", "adapter/training.json", "train.json", "loss.csv")
"""What a finished run leaves, as `train` below names it."""


def published(root: Path) -> dict[str, str]:
    """Name -> sha256 of each file that exists: equal if two runs ended in the same bytes, empty if nothing was published."""
    return {name: sha256_of(root / name) for name in PUBLISHED if (root / name).exists()}


def rows(num: int, name: str) -> list[InstructionRow]:
    return [
        InstructionRow(
            id=f"{name}-{i}",
            instruction=f"What force gives {i % 9 + 2} kg an acceleration of {i % 7 + 2} m/s^2?",
            input="",
            output=f"Explanation: F = m a = {i % 9 + 2} x {i % 7 + 2} = {(i % 9 + 2) * (i % 7 + 2)} N",
            origin=Origin(file="made", line=i + 1),
            repairs=(),
            flags=(),
        )
        for i in range(num)
    ]


def general_answers(num: int) -> list[GeneralAnswer]:
    """Half of them measured, half for replay, all whole."""
    return [
        GeneralAnswer(
            id=f"g-{i}",
            prompt=f"Say {i} twice.",
            response=f"{i} energy {i} momentum",
            num_tokens=12,
            stopped="eos",
            part="measured" if i % 2 else "replay",
        )
        for i in range(num)
    ]


def save_tiny_base(base: Path, *, template: str = TEMPLATE, dtype: str = "float32", quantization: str = "none") -> None:
    """A complete models/base: weights, tokenizer, manifest."""
    base.mkdir(parents=True)
    save_tiny_model(base, template=template)
    write_manifest(
        base,
        Manifest(
            source="embedded",
            repo=None,
            revision=None,
            dtype=dtype,  # type: ignore[arg-type]
            quantization=quantization,  # type: ignore[arg-type]
            files={path.name: sha256_of(path) for path in sorted(base.iterdir())},
            hub_files={},
        ),
    )


def prepare(folder: Path, *, dtype: str = "float32", quantization: str = "none") -> None:
    """Write everything that `train` reads."""
    save_tiny_base(folder / "base", dtype=dtype, quantization=quantization)
    write_jsonl(folder / "train.jsonl", rows(60, "t"))
    write_jsonl(folder / "validation.jsonl", rows(8, "v"))
    write_jsonl(folder / "general.jsonl", general_answers(12))
    (folder / "ready.json").write_text('{"ready": true}')


def as_rank(rank: int, num_ranks: int, port: int) -> None:
    """Make this process one of several, as a launcher would."""
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(num_ranks),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "PLUMBLINE_THREADS": "1",
    }


def write_nothing_below(root: Path, *, but_folders: bool) -> None:
    """End this process when it opens a file below `root` for writing, or makes, moves or removes one.

    `but_folders`: accelerate's FSDP makes the checkpoint's folder on every rank, and writes into it on the first.
    """
    changes = {"os.rename", "os.remove", "os.rmdir"} | (set() if but_folders else {"os.mkdir"})

    def look(event: str, args: tuple[object, ...]) -> None:
        writing = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (writing or event in changes) and str(args[0]).startswith(str(root)):
            os.write(2, f"{event} {args[0]}\n".encode())
            os._exit(99)

    sys.addaudithook(look)


def ask_no_one() -> None:
    """End this process when it looks up the address of another machine. CI is unset, because with it libraries do not report trainings."""
    os.environ.pop("CI", None)

    def look(event: str, args: tuple[object, ...]) -> None:
        if event == "socket.getaddrinfo" and args[0] not in (None, "", "localhost", "127.0.0.1", "::1", socket.gethostname()):
            os.write(2, f"looks up {args[0]}\n".encode())
            os._exit(98)

    sys.addaudithook(look)


def spread_weights() -> None:
    """FSDP2 as in launch/fsdp2.yaml, between processors: accelerate needs GPUs for it, so it is made to take these for GPUs."""
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType

    import plumbline.training.device_readiness as readiness
    from plumbline.training.launch import read_configuration

    os.environ |= read_configuration(str(Path(__file__).resolve().parents[2] / "launch/fsdp2.yaml")).environment
    os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    PartialState._prepare_backend = lambda self, *_, **__: ("gloo", DistributedType.MULTI_GPU)  # type: ignore[method-assign]
    readiness.refuse_unfit_ranks = lambda manifest, device: None


def train_as_rank(folder: Path, root: Path, rank: int, num_ranks: int, port: int, *, sharded: bool = False, **kwargs: Any) -> None:
    """Run the stage as one of several processes; only the first may write."""
    as_rank(rank, num_ranks, port)
    if sharded:
        spread_weights()
    if rank > 0:
        write_nothing_below(root, but_folders=sharded)
    train(folder, root, **kwargs)


def train(
    folder: Path,
    root: Path,
    *,
    params: TrainParams = TRAIN,
    lora: LoraParams = LORA,
    at_checkpoint_write: int | None = None,
    at_step: int | None = None,
    number: signal.Signals = signal.SIGKILL,
    max_file_bytes: int | None = None,
    trackers: tuple[str, str] | None = None,
    rigged: dict[int, float] | None = None,
    steps_noted: bool = False,
) -> None:
    """Run the stage, `rigged` with these scores at these steps, `steps_noted` with what each step left in steps.json and answers.json, with files limited to `max_file_bytes` as on a full disk; send this process a signal in the given checkpoint write, or after the given step: kill -9, as a power cut would, unless told otherwise."""
    os.environ["DVC_ROOT"] = str(root)
    if multiprocessing.parent_process() is not None:  # a hook stays: in the process of the tests it would end any later test
        ask_no_one()
    if trackers is not None:
        sys.path.insert(0, trackers[0])
        os.environ["PLUMBLINE_TRACKERS"] = trackers[1]
    if max_file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
    import plumbline.training.trainer as training
    from plumbline.training.run import TrainFiles
    from plumbline.training.watch import Watch
    from stages.train import main

    def killing(function: Callable[..., object], when: int, *, before: bool) -> Callable[..., object]:
        calls = 0

        def wrapped(*args: object, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if before and calls == when:
                os.kill(os.getpid(), number)
            result = function(*args, **kwargs)
            if not before and calls == when:
                os.kill(os.getpid(), number)
            return result

        return wrapped

    if at_checkpoint_write is not None:
        # Every write of a checkpoint passes through here; odd numbers die before the seal, even ones after it.
        training.seal = killing(training.seal, (at_checkpoint_write + 1) // 2, before=at_checkpoint_write % 2 == 1)  # type: ignore[assignment]
    if at_step is not None:
        Watch.on_step_end = killing(Watch.on_step_end, at_step, before=False)  # type: ignore[method-assign]
    if rigged is not None:
        rig_scores(rigged)
    if steps_noted:
        note_weights(root / "steps.json")
        note_answers(root / "answers.json")
    main(
        lora,
        params,
        TrainFiles(
            train=folder / "train.jsonl",
            validation=folder / "validation.jsonl",
            general=folder / "general.jsonl",
            ready=folder / "ready.json",
            base=folder / "base",
            adapter=root / "adapter",
            record=root / "record.json",
            metrics=root / "train.json",
            loss=root / "loss.csv",
            selection=folder / "selection.json" if params.selects_by_score else None,
        ),
    )


def rig_scores(rigged: dict[int, float]) -> None:
    """Have the questions answered and graded as usual, but replace the scores. `rigged`: step -> score; 0 at other steps."""
    from plumbline.selecting.task_scorer import QuestionScorer
    from plumbline.training.checkpoint_choice import TaskScore

    ask = QuestionScorer.__call__

    def scored(self: QuestionScorer, model: Any, *, say: Any) -> TaskScore:
        found = ask(self, model, say=say)
        return found._replace(score=rigged.get(say.__self__.done, 0.0))

    QuestionScorer.__call__ = scored  # type: ignore[method-assign]


def note_weights(path: Path) -> None:
    """Add the adapter's hash after every step to a file of step -> hash."""
    import hashlib

    from peft import get_peft_model_state_dict

    from plumbline.training.watch import Watch

    end, found = Watch.on_step_end, dict[int, str]()

    def noted(self: Watch, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        end(self, args, state, control, **kwargs)
        digest = hashlib.sha256()
        for name, tensor in sorted(get_peft_model_state_dict(kwargs["model"], save_embedding_layers=False).items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
        found[state.global_step] = digest.hexdigest()
        path.write_text(json.dumps(found))

    Watch.on_step_end = noted  # type: ignore[method-assign]


def note_answers(path: Path) -> None:
    """Add the answers of every evaluation to a file of step -> question -> answer."""
    from plumbline.selecting.task_scorer import QuestionScorer

    answers, found = QuestionScorer.answers, dict[int, dict[str, str]]()

    def noted(self: QuestionScorer, model: Any, *, say: Any) -> dict[str, str]:
        given = answers(self, model, say=say)
        found[say.__self__.done] = given
        path.write_text(json.dumps(found))
        return given

    QuestionScorer.answers = noted  # type: ignore[method-assign]
