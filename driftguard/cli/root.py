"""The ``driftguard`` command group, its global options and its exit codes."""

from __future__ import annotations

import ast
import difflib
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from driftguard import __version__
from driftguard.cli.app import App
from driftguard.cli.extras import advice
from driftguard.cli.terminal import guarded
from driftguard.errors import DriftguardError

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
_COMMANDS = Path(__file__).parent / "commands"


class LazyGroup(click.Group):
    """A group whose commands are the modules of ``cli/commands``, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(
            path.stem.replace("_", "-") for path in _COMMANDS.glob("*.py") if not path.stem.startswith("_")
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"driftguard.cli.commands.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean `{near[0]}`?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._short_help(name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    @staticmethod
    def _short_help(name: str) -> str:
        source = (_COMMANDS / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
        return (ast.get_docstring(ast.parse(source)) or "").split("\n", 1)[0]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="driftguard")
@click.option(
    "--config", "config_file", metavar="FILE", help="Configuration file (default: ./config.yaml if there)."
)
@click.option("-v", "--verbose", count=True, help="Log more to stderr; twice for debugging.")
@click.pass_context
def cli(ctx: click.Context, config_file: str | None, verbose: int) -> None:
    """Configuration management and drift detection for AWS."""
    ctx.obj = App(config_file=config_file, verbose=verbose)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with the exit code that `contract` promises."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1, 2, 3 or 130."""
    with guarded():
        return _run(arguments)


def _run(arguments: list[str] | None) -> int:
    try:
        outcome: Any = cli.main(args=arguments, prog_name="driftguard", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("driftguard: interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return EXIT_ERROR
    except DriftguardError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        told = advice(error)
        return _fail(told) if told else _bug(error)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): no error of ours, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last stop before the terminal
        return _bug(error)
    return outcome if isinstance(outcome, int) else 0


def _fail(message: str) -> int:
    click.echo(f"driftguard: {message}", err=True)
    return EXIT_ERROR


def _bug(error: Exception) -> int:
    if os.environ.get("DRIFTGUARD_DEBUG"):
        raise error
    return _fail(
        f"this is a bug in driftguard: {type(error).__name__}: {error}. "
        "Run again with DRIFTGUARD_DEBUG=1 and report what it prints."
    )
