"""Make the logs in ../inspect: PYTHON make_inspect.py, in an environment with inspect_ai 0.3.285."""

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import choice, includes, match
from inspect_ai.solver import generate, multiple_choice
from questions import CHOICES, LETTERS, NUMBERS, TEXTS, TWICE


def output(model: str, text: str) -> ModelOutput:
    made = ModelOutput.from_content(model, text)
    made.usage = ModelUsage(input_tokens=10, output_tokens=5, total_tokens=15)
    return made


def run(task: Task, model: str, texts: list[str], folder: str) -> None:
    name = f"mockllm/{model}"
    mock = get_model(name, custom_outputs=[output(name, text) for text in texts])
    eval(task, model=mock, log_dir=f"../inspect/{folder}", display="none", max_connections=1, max_samples=1)


choices = MemoryDataset(
    [
        Sample(id=f"c{place}", input=question, choices=texts, target=target, metadata={"topic": topic})
        for place, (question, texts, target, topic) in enumerate(CHOICES, start=1)
    ]
)
numbers = MemoryDataset(
    [
        Sample(id=f"n{place}", input=question, target=target, metadata={"topic": topic})
        for place, (question, target, topic) in enumerate(NUMBERS, start=1)
    ]
)
for model in ("first", "second"):
    letters = [f"ANSWER: {letter}" for letter in LETTERS[model]]
    run(Task(dataset=choices, name="physics_choices", solver=multiple_choice(), scorer=choice()), model, letters, model)
    scorers = [match(numeric=True), includes()]
    run(Task(dataset=numbers, name="physics_numbers", solver=generate(), scorer=scorers), model, TEXTS[model], model)
scorers = [match(numeric=True), includes()]
run(Task(dataset=numbers, name="physics_numbers", solver=generate(), scorer=scorers, epochs=2), "twice", TWICE, "twice")
# One answer is missing: the run ends with an error.
run(Task(dataset=numbers, name="physics_numbers", solver=generate(), scorer=scorers), "failed", TEXTS["first"][:3], "failed")
