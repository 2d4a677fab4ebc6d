"""Base and tuned do small tasks from outside the domain, which a program checks: what was forgotten, by capability."""

import logging
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.model.orphans import die_with_parent
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.probes.params import ProbesParams
from plumbline.probes.run import ProbeFiles, probe

log = logging.getLogger("probe")


def main(params: ProbesParams, files: ProbeFiles) -> None:
    """Write the tasks, both answers to each, and per capability the paired difference with its verdict."""
    found = probe(params, files)
    for one in found.capabilities:
        log.info("%s: base %.2f, tuned %.2f. %s", one.capability, one.base.value, one.tuned.value, one.text)
    log.info("%s", found.text)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent()
    with inputs_unchanged():
        main(
            load_params("probes", ProbesParams),
            ProbeFiles(
                base=Path("models/base"),
                adapter=Path("models/adapter"),
                probes=Path("data/probes/probes.jsonl"),
                answers=Path("data/probes/answers.jsonl"),
                results=Path("metrics/probes.json"),
            ),
        )
