"""How many answers the judge will be asked about. Reads the files of the arms that answered elsewhere."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plumbline.answering.elsewhere import read_elsewhere
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms
from plumbline.rows.question import Question


@dataclass(frozen=True, kw_only=True)
class JudgedAnswers:
    """The number of answers of all arms, before any of them exists."""

    num_arms: int
    num_samples: int
    elsewhere: Mapping[str, Mapping[str, int] | None] = field(default_factory=dict[str, Mapping[str, int] | None])
    """Arm that answered elsewhere -> question -> number of its answers; None if its file cannot be read as answers."""

    def to(self, question: Question) -> int:
        """To one question."""
        here = self.num_samples * (self.num_arms - len(self.elsewhere))
        return here + sum(self.num_samples if found is None else found[question.id] for found in self.elsewhere.values())

    def words(self, questions: Sequence[Question]) -> str:
        """How many to these questions, and from whom. A file counts with what it holds; if it cannot be read, it counts like any other arm."""
        total = sum(self.to(question) for question in questions)
        samples = f" with {self.num_samples} samples" if self.num_samples > 1 else ""
        parts = [f"{total} answers of {self.num_arms} arms{samples}"]
        for arm, found in self.elsewhere.items():
            if found is None:
                parts.append(f"as if {arm} had as many, because its file cannot be read as answers to these questions")
            elif (mine := sum(found[question.id] for question in questions)) != self.num_samples * len(questions):
                parts.append(f"{mine} of them in the file of {arm}")
        return ", ".join(parts)


def judged_answers(root: Path, arms: Arms, questions: Sequence[Question], answering: AnswerParams) -> JudgedAnswers:
    """Count them: our own from the parameters, those made elsewhere from their files."""
    files = {name: root / arm.weights for name, arm in arms.root.items() if arm.weights_kind == "file"}
    return JudgedAnswers(
        num_arms=len(arms.root),
        num_samples=answering.num_samples,
        elsewhere={name: in_file(path, questions, arm=name) for name, path in files.items()},
    )


def in_file(path: Path, questions: Sequence[Question], *, arm: str) -> Mapping[str, int] | None:
    """Question -> number of answers; None if the arm would be refused."""
    try:
        return Counter(answer.id for answer in read_elsewhere(path, questions, arm=arm))
    except (Refused, OSError, UnicodeDecodeError):
        return None
