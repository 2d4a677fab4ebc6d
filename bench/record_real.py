"""Keep the numbers of `make real` for README.md and the manual: python -m bench.record_real [--seconds 2345].

Reads real/evaluation.json and real/train.json, and writes docs/runs/real.json, from which `plumbline readme` fills these pages. `--seconds`: how long the
run took on a machine that did nothing else; leave it out if the machine did other work.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from bench.measurements import this_machine
from plumbline.pipeline.files import write_json

RECORD = Path("docs/runs/real.json")


def score(counts: dict[str, Any]) -> dict[str, Any]:
    """What README and the manual show of an arm on a kind."""
    shown = {name: counts[name] for name in ("score", "n", "correct", "unparsed")}
    return shown | ({"logprob_accuracy": counts["logprob_accuracy"]} if counts.get("logprob_accuracy") else {})


def machine_words() -> str:
    """The machine, and the versions on which the texts depend."""
    here = this_machine()
    kept = {name: here.versions[name] for name in ("torch", "transformers", "peft") if name in here.versions}
    return here.model_copy(update={"versions": kept}).told()


def record(evaluation: dict[str, Any], training: dict[str, Any], *, seconds: float | None) -> dict[str, Any]:
    """The numbers that README and the docs quote. ValueError if the run is not a result."""
    if not (evaluation["valid"] and evaluation["complete"]):
        raise ValueError(f"real/evaluation.json is not a result: valid {evaluation['valid']}, complete {evaluation['complete']}.")
    return {
        "machine": machine_words(),
        "seconds": seconds,
        "verdict": evaluation["verdict"],
        "arms": evaluation["arms"],
        "choice_scoring": evaluation["decoding"]["choice_scoring"],
        "kinds": {
            kind: {
                "n": ledger["n"],
                "chance": ledger["chance"],
                "arms": {arm: score(counts) for arm, counts in ledger["arms"].items()},
                "comparisons": [{name: one[name] for name in ("reference", "arm", "p_holm", "delta")} for one in ledger["comparisons"]],
                "contrasts": ledger["contrasts"],
            }
            for kind, ledger in evaluation["kinds"].items()
        },
        **({"noise_floor": evaluation["noise_floor"]} if "noise_floor" in evaluation else {}),
        "probes": [
            {"capability": one["capability"], "verdict": one["verdict"], "difference": one["difference"]}
            for one in evaluation["probes"]["capabilities"]
        ],
        "contexts": evaluation["contexts"],
        "prompt_tokens": evaluation["prompt_tokens"],
        "validation_loss": training["validation_loss"],
        "num_steps": training["num_done_steps"],
        "forgetting": training["forgetting"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float)
    given = parser.parse_args()
    read = [json.loads(Path(f"real/{name}.json").read_text(encoding="utf-8")) for name in ("evaluation", "train")]
    write_json(RECORD, record(read[0], read[1], seconds=given.seconds))
    print(f"{RECORD}: written; now plumbline readme")


if __name__ == "__main__":
    main()
