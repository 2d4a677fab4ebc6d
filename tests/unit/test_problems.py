"""A value that a model refuses is named in plain words, with what would be accepted."""

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, field_validator

from plumbline.pipeline.problems import problems_of


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    ngram_words: int = Field(default=8, ge=1)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    similarity: float = Field(default=0.5, gt=0, lt=1)
    method: Literal["bm25", "dense"] = "bm25"
    overlap: Inner = Inner()
    others: dict[str, Inner] = {}
    several: list[Inner] | None = None
    name: str = Field(default="a", min_length=1)

    @field_validator("name")
    @classmethod
    def _is_plain(cls, name: str) -> str:
        if " " in name:
            raise ValueError(f"{name!r} holds a blank; write it without.")
        return name


class Needed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    r: int


class Named(RootModel[dict[str, Needed]]):
    model_config = ConfigDict(strict=True)


@pytest.mark.parametrize(
    ("model", "value", "words"),
    [
        (Section, {"similarty": 0.5}, "split.similarty is not a known key; did you mean similarity?"),
        (Section, {"SIMILARITY": 0.5}, "split.SIMILARITY is not a known key; did you mean similarity?"),
        (Section, {"x": 1}, "split.x is not a known key; known keys: method, name, others, overlap, several, similarity"),
        (Section, {"overlap": {"ngram_word": 1}}, "split.overlap.ngram_word is not a known key; did you mean ngram_words?"),
        (Section, {"others": {"a": {"ngram_word": 1}}}, "split.others.a.ngram_word is not a known key; did you mean ngram_words?"),
        (Section, {"several": [{"ngram_word": 1}]}, "split.several.0.ngram_word is not a known key; did you mean ngram_words?"),
        (Section, {"similarity": "two"}, "split.similarity is 'two'; give a valid number"),
        (Section, {"similarity": 2}, "split.similarity is 2; give a number less than 1"),
        (Section, {"similarity": {"a": 1}}, "split.similarity is a mapping; give a valid number"),
        (Section, {"method": "bm52"}, "split.method is 'bm52'; give 'bm25' or 'dense'"),
        (Section, {"overlap": {"ngram_words": 1.5}}, "split.overlap.ngram_words is 1.5; give a valid integer"),
        (Section, {"name": ""}, "split.name is ''; give a text that should have at least 1 character"),
        (Section, {"name": "a b"}, "split.name: 'a b' holds a blank; write it without"),
        (Needed, {}, "split.r is missing"),
        (Named, {"a": {"R": 1}}, "split.a.r is missing; split.a.R is not a known key; did you mean r?"),
    ],
)
def test_each_problem_says_what_is_wrong_and_what_to_give(model: type[BaseModel], value: object, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(value)
    assert problems_of(refused.value, model, place="split") == words


def test_a_long_value_does_not_hide_what_is_said_of_it() -> None:
    with pytest.raises(ValidationError) as refused:
        Section.model_validate({"similarity": "x" * 2000})
    assert len(problems_of(refused.value, Section)) < 200
