"""What is published says how the answers were written: greedily, or drawn at a temperature."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from plumbline.keeping.model_card import answering_of, decoding_words
from plumbline.keeping.published_files import exam_of
from plumbline.keeping.result_exports import eval_result_rows
from plumbline.pipeline.params import read_yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("samples", "temperature", "words", "decoding"),
    [
        (1, 0.0, "greedily, one answer each", {"do_sample": False}),
        (3, 0.7, "3 samples of each question at temperature 0.7", {"do_sample": True, "temperature": 0.7, "num_samples": 3}),
    ],
)
def test_card_and_exam_say_how_answers_were_written(
    samples: int, temperature: float, words: str, decoding: dict[str, object], tmp_path: Path
) -> None:
    params = read_yaml(ROOT / "params.yaml")
    params["answer"] |= {"num_samples": samples, "temperature": temperature}
    YAML().dump(params, tmp_path / "params.yaml")
    assert decoding_words(answering_of(tmp_path)).startswith(words)
    assert exam_of(tmp_path)["decoding"] == decoding | {"max_new_tokens": params["answer"]["max_new_tokens"]}


def test_the_notes_of_a_result_say_that_it_is_a_mean_of_drawn_answers() -> None:
    score = {"value": 0.5, "ci95": [0.4, 0.6], "n": 40}
    kind = {"arms": {"tuned": {"score": score}}, "uncertainty": {"arms": {"tuned": {"num_samples": 3.0}}}}
    evaluation = {"kinds": {"mcq": kind}, "arms": ["tuned"], "part": {"name": "all"}}
    (row,) = eval_result_rows(evaluation, arm="tuned", reference=None, dataset="a/b", revision=None, source_url=None)
    assert row["notes"].endswith("the value is a mean over 3 drawn answers to each question")
