"""How answers are printed: data to stdout, progress and logs to stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import orjson

F = TypeVar("F", bound=Callable[..., Any])


def output_option(*formats: str, default: str = "text") -> Callable[[F], F]:
    """The ``--output`` option: ``text`` and ``json`` always, and what else the command offers."""
    choices = list(dict.fromkeys(["text", "json", *formats]))
    return click.option(
        "--output",
        "-o",
        type=click.Choice(choices),
        default=default,
        show_default=True,
        help="Form of the answer.",
    )


def print_json(value: Any) -> None:
    """Write ``value`` to stdout as one JSON document."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")


def print_json_line(value: Any) -> None:
    """Write ``value`` to stdout as one line of JSON."""
    sys.stdout.write(orjson.dumps(value, default=str).decode() + "\n")
