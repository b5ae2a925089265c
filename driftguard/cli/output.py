"""How answers are printed: data to stdout, progress and logs to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson

from driftguard.errors import InputError

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


def refuse_unwritable(file: str | Path) -> None:
    """Raises `InputError` when ``file`` can certainly not be written: asked before long work, nothing is made."""
    target = Path(file)
    above = next(folder for folder in target.absolute().parents if folder.exists())
    if not above.is_dir():
        raise InputError(f"{file} cannot be written: {above} is no folder.", fix="Name another file.")
    if target.is_dir():
        raise InputError(f"{file} cannot be written: it is a folder.", fix="Name a file in it.")
    if not os.access(target if target.exists() else above, os.W_OK):
        raise InputError(f"{file} cannot be written: permission denied.", fix="Name another file.")


def write_file(file: str | Path, data: bytes) -> None:
    """Write ``data``, its folder made where it is missing.  Raises `InputError` when that cannot be."""
    refuse_unwritable(file)
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_bytes(data)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}.", fix="Name another file.") from None
