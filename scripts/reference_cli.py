"""The command-line page, from click's own description of the commands."""

from __future__ import annotations

import click

from driftguard.cli.root import cli


def page() -> str:
    """Every command with its usage and options, as ``--help`` prints it at 100 columns."""
    lines = ["# Command line", "", "Generated from `driftguard/cli`; do not edit.", ""]
    root = click.Context(cli, info_name="driftguard", max_content_width=100, terminal_width=100)
    _command(cli, root, lines)
    return "\n".join(lines).rstrip() + "\n"


def _command(command: click.Command, context: click.Context, lines: list[str]) -> None:
    lines += [f"## {context.command_path}", "", "```text", command.get_help(context).rstrip(), "```", ""]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                sub = click.Context(
                    below, info_name=name, parent=context, max_content_width=100, terminal_width=100
                )
                _command(below, sub, lines)
