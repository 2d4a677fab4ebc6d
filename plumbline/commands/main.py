"""The console script `plumbline <command>`: its page of all commands. A command's module is loaded when that command is called."""

import sys

import click

from plumbline.screen import assume_a_size

COMMANDS: dict[str, dict[str, str]] = {
    "Look at the data": {
        "check-benchmark": "Check a benchmark file, and show what is read from it.",
        "data-diff": "Show which cleaned rows changed between two revisions.",
    },
    "Plan and run": {
        "run": "Run what changed, and say what came out.",
        "plan": "Say what a run will take, before anything is spent.",
        "profile": "Run the pipeline with the overrides of a profile.",
        "real": "Run the whole pipeline with a real instruct model.",
        "smoke": "Run a dry run of 5 steps next to the workspace.",
        "fetch-model": "Fetch the small instruct model that `make real` uses.",
        "clear-arms": "Clear what removed arms left behind.",
        "verify": "Run the commit from nothing in a clone, and compare.",
        "checkpoints": "List what trainings left behind, or remove it.",
    },
    "Compare": {
        "compare": "Compare runs question by question, as a table and a page.",
        "compare-logs": "Compare logs of other tools question by question.",
        "final-part": "Record which arms were scored on the final part.",
        "inspect-log": "Write the evaluation as Inspect logs, one per arm.",
    },
    "Grade and judge": {
        "regrade": "Grade and report again, without a model.",
        "grade": "Grade answers of other tools with the same rules.",
        "label-sheet": "Let people score explanations, and check the judge.",
        "judge-bridge": "Compare two judges on the same answers.",
        "fill-judge-store": "Fill the judge's store from the replies of a revision.",
    },
    "Use the model": {
        "ask": "Ask base and tuned one question.",
        "merge": "Write base and adapter as one model.",
        "serve-models": "Serve base and tuned by one vLLM server.",
        "serve-check": "Compare a server with what was measured.",
    },
    "Keep and publish": {
        "backup": "Back up a run, and prove that a clone can restore it.",
        "export": "Write rows, answers or results for other tools.",
        "gate": "Say whether the tuned model may be published.",
        "publish": "Publish adapter, card and evaluation on the Hub.",
    },
    "Work on Plumbline": {
        "readme": "Write the numbers of README.md and the page of commands.",
    },
}
"""Group -> command -> the first line of its help; a test compares these lines with the commands."""
NAMES = [name for group in COMMANDS.values() for name in group]
EXTRAS = {
    **dict.fromkeys(("dvc", "dvc_data"), "pipeline"),
    **dict.fromkeys(("jinja2", "markupsafe", "pandas", "pyarrow"), "logs"),
    "matplotlib": "report",
    **dict.fromkeys(("anthropic", "httpx2"), "judge"),
    **dict.fromkeys(("accelerate", "bitsandbytes", "datasets", "gguf", "huggingface_hub", "peft"), "train"),
    **dict.fromkeys(("psutil", "safetensors", "tokenizers", "torch", "transformers", "trl"), "train"),
}
"""Package as it is imported -> the extra of pyproject.toml that installs it; a test compares both."""


def load(name: str) -> click.Command:
    """Import the one command that is asked for."""
    match name:
        case "ask":
            from plumbline.commands.ask import command
        case "backup":
            from plumbline.commands.backup import command
        case "check-benchmark":
            from plumbline.commands.check_benchmark import command
        case "checkpoints":
            from plumbline.commands.checkpoints import command
        case "clear-arms":
            from plumbline.commands.clear_arms import command
        case "compare":
            from plumbline.commands.compare import command
        case "compare-logs":
            from plumbline.commands.compare_logs import command
        case "data-diff":
            from plumbline.commands.data_diff import command
        case "export":
            from plumbline.commands.export import command
        case "fetch-model":
            from plumbline.commands.fetch_model import command
        case "fill-judge-store":
            from plumbline.commands.fill_judge_store import command
        case "final-part":
            from plumbline.commands.final_part import command
        case "gate":
            from plumbline.commands.gate import command
        case "grade":
            from plumbline.commands.grade import command
        case "inspect-log":
            from plumbline.commands.inspect_log import command
        case "judge-bridge":
            from plumbline.commands.judge_bridge import command
        case "label-sheet":
            from plumbline.commands.label_sheet import command
        case "merge":
            from plumbline.commands.merge import command
        case "plan":
            from plumbline.commands.plan import command
        case "profile":
            from plumbline.commands.profile import command
        case "publish":
            from plumbline.commands.publish import command
        case "readme":
            from plumbline.commands.readme import command
        case "real":
            from plumbline.commands.real import command
        case "regrade":
            from plumbline.commands.regrade import command
        case "run":
            from plumbline.commands.run import command
        case "serve-check":
            from plumbline.commands.serve_check import command
        case "serve-models":
            from plumbline.commands.serve_models import command
        case "verify":
            from plumbline.commands.verify import command
        case "smoke":
            from plumbline.commands.smoke import command
        case _:
            raise AssertionError(f"{name} is listed but cannot be loaded")
    return command


class Commands(click.Group):
    """All commands, by group; none is imported to show the page."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return NAMES

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load(cmd_name) if cmd_name in NAMES else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in NAMES and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=NAMES, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, NAMES))
        for group, commands in COMMANDS.items():
            with formatter.section(group):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])


@click.command(cls=Commands, context_settings={"max_content_width": 100})
def plumbline() -> None:
    """The commands of Plumbline. The pipeline itself runs with `plumbline run` or `dvc repro`.

    Run a command in the folder of your clone. `plumbline COMMAND --help` shows its options; docs/commands.md has them all.
    """


def main() -> None:
    """Run the command line; if a package is missing, name the extra that installs it and exit with 2."""
    assume_a_size()
    try:
        plumbline(prog_name="plumbline")
    except ModuleNotFoundError as missing:
        package = (missing.name or "").split(".")[0]
        if package not in EXTRAS:
            raise
        sys.stderr.write(f"plumbline: the package {package} is not installed. Run: pip install 'plumbline[{EXTRAS[package]}]'\n")
        sys.exit(2)
