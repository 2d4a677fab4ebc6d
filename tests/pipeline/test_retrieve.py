"""The stage `retrieve`: what arms use is made and measured, the rest is empty, and no prompt is too long for the model."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.longest_prompt import longest_sequence
from plumbline.model.assistant_turn import render_ids
from plumbline.model.pinned_template import pin_template
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused
from plumbline.retrieval.base_tokenizer import BaseTokenizer
from plumbline.retrieval.params import RetrieveParams
from plumbline.retrieval.run import RetrieveFiles
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms
from plumbline.rows.context import Context
from stages.retrieve import main
from tests.fakes.chat_families import FAMILIES
from tests.fakes.small_project import SmallProject
from tests.fakes.tiny_base import tiny_tokenizer

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("none", "examples", "passages", "shuffled")
ANSWER = AnswerParams.model_validate(read_yaml(ROOT / "params.yaml")["answer"])
TOPICS = ("force", "lens", "heat", "wave")


def save_base(folder: Path, *, limit: int = 4096) -> None:
    """What the stage reads of models/base."""
    folder.mkdir(parents=True)
    tiny_tokenizer().save_pretrained(str(folder))
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": limit}), encoding="utf-8")


def questions() -> list[dict[str, Any]]:
    """Two questions of each kind, each in a separate cluster."""
    empty: dict[str, Any] = {"choices": {}, "unit": None, "key_points": []}
    found = []
    for number, topic in enumerate(TOPICS[:2]):
        choices = {"A": f"{topic} meter", "B": f"{topic} maker", "C": "lamp"}
        asked = f"Which device shows the {topic} in a lab?"
        found.append(
            empty | {"id": f"m{number}", "kind": "mcq", "question": asked, "choices": choices, "target": "A", "cluster": f"m{number}"}
        )
        asked = f"What is the {topic} of a crate on the {number + 3} m ladder?"
        found.append(
            empty | {"id": f"n{number}", "kind": "numeric", "question": asked, "target": "12", "unit": "N", "cluster": f"n{number}"}
        )
        points = [f"{topic} needs a source"]
        found.append(
            empty
            | {
                "id": f"e{number}",
                "kind": "explanation",
                "question": f"Why is there {topic}?",
                "target": "x",
                "key_points": points,
                "cluster": "e",
            }
        )
    return found


CORPUS = """# Lab

A force meter shows the force. The lens meter shows a lens.

Which device shows the lens in a lab? It is the lens meter.

# Sources

The force needs a source. A lens needs a source.

The force of a crate is 12 N.
"""


def row(number: int, instruction: str, output: str) -> dict[str, Any]:
    return {
        "id": f"r{number}", "instruction": instruction, "input": "", "output": output,
        "origin": {"file": "f", "line": number}, "repairs": [], "flags": [],
    }  # fmt: skip


ROWS = [
    row(1, "Choose a colour.\nA) red\nB) blue", "Answer: red"),
    row(2, "Pick an animal.\nA) cat\nB) dog", "Answer: cat"),
    row(3, "Convert 3 km to metres please.", "Answer: 3000 m"),
    row(4, "How long does a day last?", "It lasts 24 h"),
    row(5, "Tell me about the moon.", "The moon goes round the Earth in a month."),
]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    save_base(tmp_path / "models/base")
    for name, rows in {"data/split/benchmark.jsonl": questions(), "data/split/train.jsonl": ROWS}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/lab.md").write_text(CORPUS, encoding="utf-8")
    return tmp_path


def retrieve(world: Path, *used: str, answer: AnswerParams = ANSWER, **changes: Any) -> dict[str, list[Context]]:
    """Run the stage for arms with these contexts; return what it wrote, by name."""
    section = read_yaml(ROOT / "params.yaml")["retrieve"] | {"k": 2, "chunk_tokens": 120} | changes
    contexts = {name: world / f"data/context/{name}.jsonl" for name in NAMES}
    arms = {name: {"weights": "models/base", "context": str(contexts.get(name, name))} for name in used}
    main(
        RetrieveParams.model_validate(section),
        answer,
        Arms.model_validate(arms),
        RetrieveFiles(
            corpus=world / "corpus",
            train=world / "data/split/train.jsonl",
            benchmark=world / "data/split/benchmark.jsonl",
            base=world / "models/base",
            contexts=contexts,
            overlap=world / "data/context/overlap.jsonl",
            metrics=world / "metrics/retrieval.json",
            ready=world / "data/context/ready.json",
        ),
    )
    return {name: list(read_jsonl(path, Context)) for name, path in contexts.items()}


def numbers(world: Path) -> dict[str, Any]:
    return json.loads((world / "metrics/retrieval.json").read_text())


def test_a_context_that_no_arm_uses_is_empty_and_its_files_are_not_read(world: Path) -> None:
    (world / "corpus/lab.md").unlink()
    (world / "data/split/train.jsonl").unlink()
    found = retrieve(world, "none")
    assert found == {name: [] for name in NAMES}
    assert numbers(world)["contexts"].keys() == {"none"} and numbers(world)["contexts"]["none"]["n"] == 6
    assert (world / "data/context/ready.json").read_text() == '{\n  "ready": true\n}\n'


def test_examples_are_the_same_for_all_questions_of_a_kind_and_look_as_in_training(world: Path) -> None:
    found = retrieve(world, "none", "examples")["examples"]
    assert [context.id for context in found] == [question["id"] for question in questions()]
    kinds = {question["id"]: question["kind"] for question in questions()}
    for kind in ("mcq", "numeric", "explanation"):
        assert len({context.turns for context in found if kinds[context.id] == kind}) == 1
    shown = {(turn.user, turn.assistant) for turn in found[1].turns}
    assert shown == {("Convert 3 km to metres please.", "Answer: 3000 m"), ("How long does a day last?", "It lasts 24 h")}
    assert all(context.passages == () and context.recall is None for context in found)


def test_passages_come_best_first_with_place_and_recall_and_a_leak_is_dropped(world: Path) -> None:
    found = {context.id: context for context in retrieve(world, "none", "passages", chunk_tokens=60)["passages"]}
    best = found["m0"].passages[0]
    assert best.text.startswith("Lab\nA force meter shows the force.") and best.id == "lab.md:3" and found["m0"].recall == 1.0
    assert found["e0"].recall == 1.0 and found["n0"].recall == 1.0 and found["n1"].recall in (0.0, 1.0)
    assert all(one.passages[0].score >= one.passages[-1].score for one in found.values())
    lines = [json.loads(line) for line in (world / "data/context/overlap.jsonl").read_text().splitlines()]
    assert lines[0]["dropped"] == {"asks_the_question": 1}
    assert [(line["passage_id"], line["question_id"]) for line in lines if line["record"] == "leaked_passage"] == [("lab.md:5", "m1")]
    assert [line["question_id"] for line in lines if line["record"] == "question"] == [question["id"] for question in questions()]
    measured = numbers(world)["contexts"]["passages"]
    assert measured["n"] == 6 and measured["recall"]["mcq"]["n"] == 2 and measured["recall"]["mcq"]["at"].keys() == {"1", "2"}
    assert numbers(world)["corpus"]["dropped"] == {"asks_the_question": 1}


def test_shuffled_passages_are_those_of_another_question_of_the_kind(world: Path) -> None:
    found = retrieve(world, "passages", "shuffled")
    right, lent = ({context.id: context.passages for context in found[name]} for name in ("passages", "shuffled"))
    assert {id: lent[id] for id in ("m0", "n0", "e0")} == {"m0": right["m1"], "n0": right["n1"], "e0": right["e1"]}


def test_the_same_inputs_give_the_same_bytes(world: Path) -> None:
    def written() -> list[bytes]:
        retrieve(world, *NAMES)
        return [path.read_bytes() for path in [*sorted((world / "data/context").iterdir()), world / "metrics/retrieval.json"]]

    assert written() == written()


def test_a_prompt_that_does_not_fit_is_refused_before_anything_is_written(world: Path) -> None:
    (world / "models/base/config.json").write_text('{"max_position_embeddings": 250}', encoding="utf-8")
    retrieve(world, "none")
    ready = world / "data/context/ready.json"
    with pytest.raises(
        Refused,
        match=r"context passages: \d of 6 prompts do not fit .* question \w\d, has \d+ tokens, and its answer 96; .* takes 250\. Lower retrieve\.k",
    ):
        retrieve(world, "none", "passages", chunk_tokens=200, k=5)
    assert not ready.exists()
    with pytest.raises(Refused, match=r"context none: .*Lower answer\.max_new_tokens"):
        retrieve(world, "none", answer=ANSWER.model_copy(update={"max_new_tokens": 250}))
    with pytest.raises(Refused, match=r"context examples: .*Lower retrieve\.examples or answer\.max_new_tokens"):
        retrieve(world, "examples", answer=ANSWER.model_copy(update={"max_new_tokens": 200}))


def test_an_arm_with_a_context_of_another_name_is_refused(world: Path) -> None:
    with pytest.raises(Refused, match=r"arms\.notes\.context is 'notes'. Name one of .*none\.jsonl"):
        retrieve(world, "notes")


def test_a_corpus_of_which_nothing_is_left_is_refused(world: Path) -> None:
    (world / "corpus/lab.md").write_text("Which device shows the lens in a lab? It is the lens meter.", encoding="utf-8")
    with pytest.raises(Refused, match=r"all 1 passages give benchmark questions away.*retrieve\.corpus"):
        retrieve(world, "passages")


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_prompt_is_measured_as_the_model_gets_it(family: str, tmp_path: Path) -> None:
    tokenizer = FAMILIES[family].tokenizer()
    pin_template(tokenizer, today=date(2026, 11, 1), thinking=False)
    tokenizer.save_pretrained(str(tmp_path))
    base = BaseTokenizer(tmp_path)
    turns = [("user", "What is 3 m x 4?"), ("assistant", "Answer: 12 m"), ("user", "What is the unit of force?")]
    for messages in (turns[-1:], turns):
        as_rendered = render_ids(tokenizer, [{"role": role, "content": said} for role, said in messages], add_generation_prompt=True)
        assert base.count(base.conversation(messages)) == len(as_rendered)


def test_the_limit_of_a_model_is_found_in_its_config_or_tokenizer() -> None:
    assert longest_sequence({"max_position_embeddings": 512}, {"model_max_length": 8192}) == 512
    assert longest_sequence({"text_config": {"max_position_embeddings": 512}}, {}) == 512
    assert longest_sequence({}, {"model_max_length": 8192}) == 8192
    assert longest_sequence({}, {"model_max_length": 1000000000000000019884624838656}) is None


@pytest.mark.slow
def test_another_k_runs_retrieve_and_what_reads_its_passages_and_nothing_else(world: Path) -> None:
    project = SmallProject(world)
    stages = read_yaml(ROOT / "dvc.yaml")["stages"]
    stage = stages["retrieve"]
    assert "data/context/ready.json" in stages["preflight"]["deps"], "before anything is trained"
    stage["outs"] = [next(iter(out)) for out in stage["outs"]]
    reads = {"after_ready": "ready.json", "without": "none.jsonl", "with_passages": "passages.jsonl"}
    others = {
        name: {"cmd": f"cp data/context/{file} {name}", "deps": [f"data/context/{file}"], "outs": [name]} for name, file in reads.items()
    }
    params = read_yaml(ROOT / "params.yaml")
    params = {name: params[name] for name in ("retrieve", "answer", "arms")}
    params["retrieve"] |= {"corpus": "corpus", "k": 1, "chunk_tokens": 60}
    params["arms"]["base_passages"] = {"weights": "models/base", "context": "data/context/passages.jsonl"}
    project.write_stages({"retrieve": stage, **others}, params, ignored="/data/context/")
    project.dvc("repro")
    project.commit("a run")
    told = project.dvc("exp", "run", "-S", "retrieve.k=2")
    ran = {name for name in ("retrieve", *reads) if f"Running stage '{name}'" in told}
    assert ran == {"retrieve", "with_passages"}, told
