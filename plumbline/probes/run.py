"""Base and tuned answer the probes, and the answers are checked. Touches the files of the stage and the model."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.answering.plain_prompts import answer_prompts
from plumbline.answering.run import is_trained_to_its_end
from plumbline.model.base_files import read_manifest
from plumbline.pipeline.files import write_json
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.probes.checking import check_answer
from plumbline.probes.making import make_probes
from plumbline.probes.params import ProbesParams
from plumbline.probes.probe import Probe
from plumbline.probes.results import results_of
from plumbline.rows.answer import Answer
from plumbline.rows.probe_results import ProbedAnswer, ProbeResults

log = logging.getLogger("probe")


@dataclass(frozen=True, kw_only=True)
class ProbeFiles:
    """What the stage reads and writes."""

    base: Path
    adapter: Path
    probes: Path
    answers: Path
    results: Path


def probe(params: ProbesParams, files: ProbeFiles) -> ProbeResults:
    """Write the probes, both answers to each with the findings, and the results."""
    probes = make_probes(num_per_capability=params.num_per_capability, seed=params.seed)
    rows: list[ProbedAnswer] = []
    if probes:
        complete = is_trained_to_its_end(files.adapter)
        read_manifest(files.base)  # refused before a library of models is loaded
        base = answers_of(probes, params, files, adapter=None, complete=True)
        tuned = answers_of(probes, params, files, adapter=files.adapter, complete=complete)
        rows = [probed(one, base[one.id], tuned[one.id]) for one in probes]
    found = results_of(rows, seed=params.seed)
    write_jsonl(files.probes, probes)
    write_jsonl(files.answers, rows)
    write_json(files.results, found.model_dump(mode="json"))
    return found


def answers_of(
    probes: Sequence[Probe], params: ProbesParams, files: ProbeFiles, *, adapter: Path | None, complete: bool
) -> dict[str, Answer]:
    """Probe -> the answer of base or tuned."""
    prompts: dict[int, dict[str, str]] = {}
    for one in probes:
        prompts.setdefault(params.limit(one.capability), {})[one.id] = one.prompt
    arm = "base" if adapter is None else "tuned"
    log.info("asking %s %d probes", arm, len(probes))
    answered = answer_prompts(
        prompts, base=files.base, adapter=adapter, arm=f"{arm} (probes)", complete=complete, batch_size=params.batch_size
    )
    return {answer.id: answer for answer in answered}


def probed(probe: Probe, base: Answer, tuned: Answer) -> ProbedAnswer:
    """Both answers to a probe, checked."""
    before, after = check_answer(base.response, probe.check), check_answer(tuned.response, probe.check)
    return ProbedAnswer(
        id=probe.id,
        capability=probe.capability,
        cluster=probe.cluster,
        prompt=probe.prompt,
        expected=probe.reference,
        base_response=base.response,
        base_outcome=before.outcome,
        base_why=before.why,
        tuned_response=tuned.response,
        tuned_outcome=after.outcome,
        tuned_why=after.why,
        num_cut=sum(answer.stopped != "eos" for answer in (base, tuned)),
    )
