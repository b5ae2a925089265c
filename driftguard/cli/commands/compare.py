"""Compare declared with live properties from a file; no AWS, no store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from driftguard.compare import CompareContext, Comparison


@click.command("compare", help=__doc__)
@click.option(
    "--cases",
    "file",
    metavar="FILE",
    required=True,
    help="One JSON object a line (`-`: standard input): id, resource_type, declared, live, context.",
)
def command(file: str) -> int:
    """Answer one line for each line read, in order; a line that cannot be read gets the status ERROR.

    2 when not one of them could be compared: that is no file of cases.
    """
    import sys

    import orjson

    read = wrong = 0
    for line in _lines(file):
        if line.strip():
            told = answer(line)
            read, wrong = read + 1, wrong + (told["status"] == "ERROR")
            sys.stdout.write(orjson.dumps(told, default=str).decode() + "\n")
            if file == "-":
                # Whoever feeds the pipe may wait for this answer before the next question.
                sys.stdout.flush()
    if wrong:
        click.echo(f"{wrong} of {read} cases could not be compared: see `error` in their answers.", err=True)
    return 2 if wrong and wrong == read else 0


def _lines(file: str) -> Iterator[bytes]:
    import sys
    from pathlib import Path

    from driftguard.errors import InputError

    if file == "-":
        yield from sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as stream:
            yield from stream
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.", fix="Name a readable file.") from error


def answer(line: bytes) -> dict[str, Any]:
    """The answer to one line, or an ERROR with its reason."""
    import orjson

    from driftguard.errors import InputError

    case: Any = None
    try:
        case = orjson.loads(line)
        return {"id": _identity(case), **_compared(case)}
    except (orjson.JSONDecodeError, InputError) as error:
        return {"id": _identity(case), "status": "ERROR", "error": str(error)}
    except Exception as error:  # noqa: BLE001 - one bad case must not take the others with it
        return {"id": _identity(case), "status": "ERROR", "error": f"{type(error).__name__}: {error}"}


def _identity(case: Any) -> Any:
    return case.get("id") if isinstance(case, dict) else None


def _compared(case: Any) -> dict[str, Any]:
    from driftguard.compare import compare
    from driftguard.errors import InputError
    from driftguard.schema import registry

    if not isinstance(case, dict):
        raise InputError("A case is a JSON object.")
    for member in ("declared", "live"):
        if not isinstance(case.get(member), dict):
            raise InputError(f"The case has no object {member!r}.")
    name = case.get("resource_type")
    if not isinstance(name, str) or not name:
        raise InputError("The case has no resource_type.")
    found = compare(case["declared"], case["live"], registry().get(name), _context(case), resource_type=name)
    return as_json(found)


def _context(case: Mapping[str, Any]) -> CompareContext:
    from driftguard.compare import CompareContext

    given = case.get("context") or {}
    coverage = given.get("coverage")
    return CompareContext(
        account_id=str(given.get("account_id") or ""),
        region=str(given.get("region") or ""),
        partition=str(given.get("partition") or "aws"),
        kms_aliases=given.get("kms_aliases") or {},
        role_ids=given.get("role_ids") or {},
        oai_ids=given.get("oai_ids") or {},
        stack_tags=given.get("stack_tags") or {},
        stack_name=str(given.get("stack_name") or ""),
        logical_id=str(case.get("logical_id") or ""),
        physical_id=str(case.get("physical_id") or ""),
        coverage=None if coverage is None else frozenset(coverage),
    )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The outward form of a comparison."""
    return {
        "status": str(comparison.status),
        "differences": [
            {
                "PropertyPath": one.path,
                "ExpectedValue": one.expected,
                "ActualValue": one.actual,
                "DifferenceType": str(one.type),
            }
            for one in comparison.differences
        ],
        "reordered": list(comparison.reordered),
        "undeclared": [{"path": one.path, "value": one.value} for one in comparison.undeclared],
        "not_checked": [{"path": one.path, "reason": str(one.reason)} for one in comparison.not_checked],
        "folded": [{"path": one.path, "rule": one.rule} for one in comparison.folded],
    }
