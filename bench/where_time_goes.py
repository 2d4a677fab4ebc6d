"""Where the wall time of `make` goes: the embedded pipeline from nothing, phase by phase.

    python -m bench.where_time_goes                                    as long as `make` in a fresh clone
    python -m bench.where_time_goes --picture docs/where_time_goes.png
    python -m bench.where_time_goes --target split                     up to one stage
    python -m bench.where_time_goes --pretrain 0.05                     with 0.05 of the steps of pretraining, the others counted at their rate

Runs `dvc repro` on the commit at hand in a temporary clone with an empty cache; only the commands in its dvc.yaml are replaced, by
ones that keep time (bench/timed_stage.py). What lies outside the stages' processes is DVC: its start, hashing, cache and lock.
"""

import argparse
import json
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bench.cut_pretraining import NUM_BLOCKS, Rest
from bench.measurements import Table, add_json_flag, tabled, write_measured
from plumbline.commands.verify import LOCK, locked_outs
from plumbline.pipeline.params import read_yaml

PROCESS_END, DVC = "end of process", "DVC"
PHASES = {
    "training": "#2b6cb0",
    "generation": "#63b3ed",
    "model load": "#dd6b20",
    "imports": "#f6ad55",
    "own work": "#2f855a",
    "checks": "#68d391",
    "rendering and packing": "#9ae6b4",
    "figures and page": "#b794f4",
    "writing": "#805ad5",
    "parameters and drift guard": "#a0aec0",
    PROCESS_END: "#718096",
    DVC: "#4a5568",
}
"""Phase -> colour, in the order of the picture."""
WORK = ("training", "generation")
WEIGHTS = "model.safetensors"
GOAL_SHARE = 0.6


class Account(NamedTuple):
    """What one run took."""

    stages: dict[str, dict[str, float]]
    """Stage -> phase -> seconds, in the order in which they ran."""
    before_first_input: dict[str, float]
    processor_seconds: dict[str, dict[str, float]]
    """As `stages`, of all threads: what other work on the machine stretches little."""
    packages: dict[str, dict[str, float]]
    """Stage -> package -> seconds of its own modules' loading."""
    wall_seconds: float
    """Of the whole run, with what was counted and not run; so are the seconds above and below."""
    all_processor_seconds: float
    """Of the whole run, DVC's included."""
    rest: Rest | None
    """What was counted: a part of pretraining."""

    @property
    def totals(self) -> dict[str, float]:
        """Phase -> seconds over all stages, DVC included: together the wall time."""
        found: defaultdict[str, float] = defaultdict(float)
        for phases in self.stages.values():
            for phase, seconds in phases.items():
                found[phase] += seconds
        found[DVC] = self.wall_seconds - sum(found.values())
        return {phase: found[phase] for phase in PHASES}

    @property
    def share_of_work(self) -> float:
        """Training and generation as a share of the wall time, 0-1."""
        return sum(self.totals[phase] for phase in WORK) / self.wall_seconds

    @property
    def share_of_processors(self) -> float:
        """The same of the processor seconds."""
        return sum(phases.get(phase, 0.0) for phases in self.processor_seconds.values() for phase in WORK) / self.all_processor_seconds


def timed_pipeline(text: str, folder: Path, *, pretrain: float = 1.0, base: Path | None = None) -> str:
    """A dvc.yaml whose stages are started with the time written down before and after; `pretrain` below 1 takes the weights from `base`."""

    def commands(match: re.Match[str]) -> str:
        indent, stage = match.groups()
        cut = f" {pretrain:g} {shlex.quote(str(base / WEIGHTS))}" if stage == "base" and base is not None else ""
        lines = [
            f"date +%s.%N > {folder}/{stage}.begin",
            f"python -m bench.timed_stage {stage} {folder}{cut}",
            f"date +%s.%N > {folder}/{stage}.end",
        ]
        return f"{indent}cmd:\n" + "\n".join(f"{indent}  - {line}" for line in lines)

    return re.sub(r"^( *)cmd: python -m stages\.(\w+)$", commands, text, flags=re.MULTILINE)


def run_from_nothing(root: Path, target: str | None, *, pretrain: float = 1.0) -> Account:
    """Clone, run, and read what the stages wrote down."""
    base = root / "models" / "base" if pretrain < 1 else None
    if base is not None and not (base / WEIGHTS).is_file():
        sys.exit(f"{base / WEIGHTS} is missing, whose weights a run with --pretrain takes: run `make`, or `dvc checkout models/base`.")
    with tempfile.TemporaryDirectory(prefix="where-time-goes-") as name:
        clone, folder = Path(name) / "clone", Path(name) / "times"
        folder.mkdir()
        subprocess.run(["git", "clone", "-q", str(root), str(clone)], check=True)
        committed = locked_outs(read_yaml(clone / LOCK))
        # Without what the commit says of its run, DVC has nothing to skip.
        (clone / LOCK).unlink()
        pipeline = clone / "dvc.yaml"
        pipeline.write_text(timed_pipeline(pipeline.read_text(encoding="utf-8"), folder, pretrain=pretrain, base=base), encoding="utf-8")
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        environment.pop("DVC_ROOT", None)
        began, used = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "repro", *([target] if target else [])],
            cwd=clone,
            env=environment,
            stdout=sys.stderr,
            check=False,
        )
        wall_seconds, after = time.time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"dvc repro ended with {done.returncode}; its last lines say why.")
        made = locked_outs(read_yaml(clone / LOCK))
        same = sum(committed.get(path) == digest for path, digest in made.items())
        print(f"{same} of {len(made)} outputs are those of the commit, to the byte")
        return read_account(folder, wall_seconds, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime)


def read_account(folder: Path, wall_seconds: float, all_processor_seconds: float) -> Account:
    """Put together what the stages wrote into a folder."""
    stages: dict[str, dict[str, float]] = {}
    before: dict[str, float] = {}
    processors: dict[str, dict[str, float]] = {}
    packages: dict[str, dict[str, float]] = {}
    rest: Rest | None = None
    for file in sorted(folder.glob("*.begin"), key=lambda one: float(one.read_text(encoding="utf-8"))):
        found = json.loads((folder / f"{file.stem}.json").read_text(encoding="utf-8"))
        end = float((folder / f"{file.stem}.end").read_text(encoding="utf-8"))
        stages[file.stem] = found["seconds"] | {PROCESS_END: end - found["ended"]}
        if found["before_first_input"] is not None:
            before[file.stem] = found["before_first_input"]
        processors[file.stem] = found["processor_seconds"]
        packages[file.stem] = found["imports_by_package"]
        if found["rest"] is not None:
            rest = Rest(**found["rest"])
            stages[file.stem]["training"] += rest.seconds
            processors[file.stem]["training"] += rest.processor_seconds
            wall_seconds += rest.seconds
            all_processor_seconds += rest.processor_seconds
    return Account(stages, before, processors, packages, wall_seconds, all_processor_seconds, rest)


def draw(account: Account, picture: Path) -> None:
    """A bar per stage and one for the whole run, in seconds."""
    from matplotlib.figure import Figure

    totals = account.totals
    names = [*account.stages, DVC]
    rows: list[Mapping[str, float]] = [*account.stages.values(), {DVC: totals[DVC]}]
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    whole, each = figure.subplots(2, 1, height_ratios=[1, 7])
    left = 0.0
    for phase, colour in PHASES.items():
        whole.barh([0], [totals[phase]], left=left, color=colour, edgecolor="white", linewidth=0.8)
        if totals[phase] >= 0.045 * account.wall_seconds:
            share = f"{totals[phase] / account.wall_seconds:.0%}"
            plate = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}  # legible on hatching
            whole.text(left + totals[phase] / 2, 0, share, ha="center", va="center", color="white", bbox=plate)
        left += totals[phase]
    counted = account.rest.seconds if account.rest else 0.0
    # The first phase of the picture is training, and `base` the only stage of which a part is counted.
    hatched = {"hatch": "///", "facecolor": "none", "edgecolor": "white", "linewidth": 0.0}
    if counted:
        whole.barh([0], [counted], left=totals["training"] - counted, **hatched)
        row = names.index("base")
        each.barh([row], [counted], left=rows[row]["training"] - counted, zorder=3, **hatched)
    whole.set_xlim(0, account.wall_seconds)
    whole.set_yticks([0], ["whole run"])
    whole.set_title(
        f"{account.wall_seconds:.0f} s from nothing: {account.share_of_work:.0%} of it trains and answers", loc="left", fontsize=12, pad=8
    )
    for row, phases in enumerate(rows):
        left = 0.0
        for phase, colour in PHASES.items():
            each.barh([row], [phases.get(phase, 0.0)], left=left, color=colour, edgecolor="white", linewidth=0.5)
            left += phases.get(phase, 0.0)
        each.text(left, row, f" {left:.1f} s", va="center", fontsize=9)
    each.set_yticks(range(len(names)), names)
    each.invert_yaxis()
    each.set_xlim(0, max(sum(phases.values()) for phases in rows) * 1.1)
    each.set_xlabel("wall seconds")
    shown = [phase for phase in PHASES if totals[phase] >= 0.05]
    each.legend(
        [each.barh([0], [0], color=PHASES[phase])[0] for phase in shown],
        [
            f"{phase}, {totals[phase]:.1f} s" + (f", {counted:.0f} of them (hatched) counted" * (phase == "training" and counted > 0))
            for phase in shown
        ],
        loc="lower right",
        frameon=False,
        fontsize=9,
    )
    for axes in (whole, each):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=150)


def as_table(account: Account) -> Table:
    """A row per stage, the whole run last."""
    columns = [
        "stage",
        "s",
        "processor s",
        "training, generation",
        "before its first input",
        "imports",
        "of them torch",
        "model load",
        "writing",
        "the rest",
    ]
    named = ("imports", "model load", "writing")

    def row(name: str, phases: Mapping[str, float], busy: float | None, before: float | None, torch: float | None) -> list[str]:
        work = sum(phases.get(phase, 0.0) for phase in WORK)
        imports, *rest = (phases.get(phase, 0.0) for phase in named)
        total = sum(phases.values())
        cells = [total, busy, work, before, imports, torch, *rest, total - work - imports - sum(rest)]
        return [name, *("" if cell is None else f"{cell:.1f}" for cell in cells)]

    torch = {stage: packages.get("torch") for stage, packages in account.packages.items()}
    rows = [
        row(stage, phases, sum(account.processor_seconds[stage].values()), account.before_first_input.get(stage), torch[stage])
        for stage, phases in account.stages.items()
    ]
    whole = sum(seconds for seconds in torch.values() if seconds is not None)
    rows.append(row("DVC", {DVC: account.totals[DVC]}, None, None, None))
    rows.append(row("**whole run**", account.totals, account.all_processor_seconds, None, whole))
    return Table(columns=columns, rows=rows)


def told(account: Account) -> str:
    """What was run and what share of it trains and answers, in a sentence or two."""
    text = (
        f"`dvc repro` from nothing, n = 1: training and generation are {100 * account.share_of_work:.0f} % of {account.wall_seconds:.0f} wall seconds "
        f"and {100 * account.share_of_processors:.0f} % of {account.all_processor_seconds:.0f} processor seconds."
    )
    if account.rest is None:
        return text
    rest = account.rest
    median, least, most = rest.tokens_per_second
    return (
        f"{text} {rest.seconds:.0f} s ({rest.processor_seconds:.0f} processor s) of these were counted, not run: of pretraining's steps, all of one "
        f"shape, {100 * rest.share_trained:.0f} % were trained, {median:,.0f} tokens/s [{least:,.0f}, {most:,.0f}] in {NUM_BLOCKS} blocks, and the others taken at the median."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", help="run up to this stage only")
    parser.add_argument("--picture", type=Path)
    parser.add_argument(
        "--pretrain", type=float, default=1.0, metavar="SHARE", help="of pretraining's steps that are run, above 0 and up to 1"
    )
    add_json_flag(parser)
    chosen = parser.parse_args()
    if not 0 < chosen.pretrain <= 1:
        parser.error(f"--pretrain {chosen.pretrain:g}: give a share above 0 and up to 1.")
    account = run_from_nothing(Path.cwd(), chosen.target, pretrain=chosen.pretrain)
    table = as_table(account)
    print("\t".join(table.columns))
    print("\n".join("\t".join(row) for row in table.rows))
    print(
        f"training and generation: {account.share_of_work:.1%} of {account.wall_seconds:.1f} s (goal {GOAL_SHARE:.0%}), "
        f"{account.share_of_processors:.1%} of {account.all_processor_seconds:.1f} processor seconds"
    )
    for stage, packages in account.packages.items():
        if sum(packages.values()) > 2:
            print(f"{stage} imports: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in packages.items()))
    if chosen.picture:
        draw(account, chosen.picture)
    write_measured(
        chosen.json,
        tabled(
            name="where_time_goes",
            title="Where the time of `make` goes",
            what=told(account),
            table=table,
        ),
    )


if __name__ == "__main__":
    main()
