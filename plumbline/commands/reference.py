"""The text of docs/commands.md: the help of every command, at a fixed width. Imports every command, and touches no file."""

import click

from plumbline.commands.main import COMMANDS, load, plumbline

COMMANDS_PAGE = "docs/commands.md"
WIDTH = 100
INTRODUCTION = """\
# Commands

`plumbline readme` writes this page from the help of the commands. Do not edit it by hand.
[Commands you will use](using.md) shows the daily ones with what they print. Both belong to the manual of [Plumbline](../README.md).

Run `plumbline COMMAND` in the folder of your clone. `make` installs it as `.venv/bin/plumbline`; after `. .venv/bin/activate` it is on the path.
`python -m plumbline COMMAND` does the same with any Python that has the packages.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    page = click.Context(plumbline, info_name="plumbline", terminal_width=WIDTH, max_content_width=WIDTH)
    parts = [INTRODUCTION, block(page)]
    for group, names in COMMANDS.items():
        parts.append(f"## {group}\n")
        parts += [section(name, load(name), page) for name in names]
    return "\n".join(parts)


def section(name: str, command: click.Command, parent: click.Context) -> str:
    """A command, followed by its subcommands."""
    context = click.Context(command, parent=parent, info_name=name)
    parts = [f"### {context.command_path}\n", block(context)]
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            child = command.get_command(context, inner)
            assert child is not None
            below = click.Context(child, parent=context, info_name=inner)
            parts += [f"#### {below.command_path}\n", block(below)]
    return "\n".join(parts)


def block(context: click.Context) -> str:
    """The help of a command as it is printed."""
    return f"```text\n{context.get_help()}\n```\n"
