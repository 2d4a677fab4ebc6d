"""Say whether the run shows what publish.require asks for. Reads params.yaml and metrics/evaluation.json; touches git."""

import sys

import click

from plumbline.commands.refusing import refusing, repository
from plumbline.keeping.publish_requirement import CannotTell, GateResult, gate_result, required_of


def told(result: GateResult) -> str:
    """Each requirement with what was found, in a line."""
    lines = [*(f"met      {text}" for text in result.met), *(f"not met  {text}" for text in result.unmet)]
    return "\n".join([*lines, "publish: all that is required is shown" if result.ok else "publish: refused"])


@click.command()
def command() -> None:
    """Say whether the tuned model may be published.

    Compares the report with publish.require of params.yaml: for each kind `better`, or `not_worse_than` a margin. Each line is a verdict of the report:
    better, not worse, worse, or not enough evidence. `plumbline publish` refuses what this refuses.

    Exit 0 if all is shown, 1 if something is not, 2 if it cannot be decided: nothing is required, or the report belongs to another state.
    """
    root = repository()
    with refusing(2, CannotTell, ValueError, OSError):
        if not required_of(root).require:
            raise CannotTell(
                "publish.require in params.yaml is empty, so there is nothing to check. Set it before the run, such as "
                "{mcq: better, general: {not_worse_than: 0.1}}, and publish.against to the arm to beat, such as base."
            )
        result = gate_result(root)
    click.echo(told(result))
    if result.late is not None:
        click.echo(f"note: {result.late}", err=True)
    sys.exit(0 if result.ok else 1)
