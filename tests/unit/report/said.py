"""The sentences that the code can say of a gap, a disagreement or an acceptance, out of its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import driftguard

ROOT = Path(driftguard.__file__).parent
GAPS = ("scan", "live", "declared", "aws")
"""The rooms that make gaps."""
WHOLE = ("declared/native.py", "scan/acceptances.py", "remediation/ending.py", "remediation/rollback.py")
"""Modules whose every sentence is for a report or a page."""


def sentences() -> Iterator[tuple[str, str]]:
    """(file:line, the sentence with ``1`` for each thing that varies)."""
    for name in GAPS:
        for path in sorted((ROOT / name).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _makes_a_gap(node))
            for call in calls:
                for given in (*call.args, *(word.value for word in call.keywords if word.arg == "detail")):
                    yield from _text(path, given)
    for file in WHOLE:
        path = ROOT / file
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {
            id(node.body[0].value)  # type: ignore[attr-defined]
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
        }
        parts = {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
        }
        # Field descriptions and messages of the log are for nobody who reads a report.
        texts |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts |= {
            id(one)
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and _aside(call)
            for one in ast.walk(call)
        }
        for node in ast.walk(tree):
            inner = id(node) in parts and not isinstance(node, ast.JoinedStr)
            if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in texts and not inner:
                yield from _text(path, node)


def _makes_a_gap(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name.lower().lstrip("_") in ("gap", "unreadable", "unresolved")


def _aside(call: ast.Call) -> bool:
    """Whether the call logs, or makes an error, which the command line tells in English."""
    if isinstance(call.func, ast.Attribute):
        return isinstance(call.func.value, ast.Name) and call.func.value.id == "log"
    return isinstance(call.func, ast.Name) and call.func.id.endswith("Error")


def _text(path: Path, node: ast.expr) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(map(_part, node.values))
    else:
        return
    # What an earlier sentence said stands before, and is told by itself.
    text = (
        text.strip().removeprefix("1 ")
        if text.strip().endswith(".") and text[2:3].isupper()
        else text.strip()
    )
    if (" " in text and text[-1] in ".)") or text.count(" ") > 2:
        yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    inner = part.value if isinstance(part, ast.FormattedValue) else part
    name = inner.func.id if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) else ""
    if isinstance(inner, ast.Name) and inner.id == "faults":
        return "2 findings"
    # The moment of CloudFormation's answer is not always known.
    return "" if name == "_when" else "1"
