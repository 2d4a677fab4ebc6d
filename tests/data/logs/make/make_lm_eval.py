"""Make the logs in ../lm_eval, in an environment with lm_eval 0.4.13. For MODEL in first, second:

HF_HUB_OFFLINE=1 PYTHON make_lm_eval.py run --model scripted --model_args who=MODEL --tasks physics_choices,physics_numbers \
    --include_path . --log_samples --output_path ../lm_eval/MODEL
"""

import json
from pathlib import Path

from lm_eval.__main__ import cli_evaluate
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model
from questions import CHOICES, NUMBERS, said

DOCS = {
    "choices.jsonl": [{"question": q, "choices": c, "answer": "ABCD".index(t), "topic": topic} for q, c, t, topic in CHOICES],
    "numbers.jsonl": [{"question": q, "answer": t, "topic": topic} for q, t, topic in NUMBERS],
}


@register_model("scripted")
class Scripted(LM):
    def __init__(self, who: str = "first") -> None:
        super().__init__()
        self.who = who

    @classmethod
    def create_from_arg_obj(cls, arg_dict, additional_config=None):
        return cls(arg_dict["who"])

    def loglikelihood(self, requests, disable_tqdm=False):
        found = []
        for request in requests:
            prompt, text = request.args
            letter = said(self.who, prompt)
            chosen = next(c["ABCD".index(letter)] for q, c, *_ in CHOICES if q in prompt)
            found.append((-1.0, True) if text.strip() == chosen else (-3.0 - 0.1 * len(text), False))
        return found

    def generate_until(self, requests, disable_tqdm=False):
        return [said(self.who, request.args[0]) for request in requests]

    def loglikelihood_rolling(self, requests, disable_tqdm=False):
        raise NotImplementedError


for name, rows in DOCS.items():
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
cli_evaluate()
