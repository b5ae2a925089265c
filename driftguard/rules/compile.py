"""Expressions compiled: parsed once, checked against the schemas, turned into two Python functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from jmespath import parser
from jmespath.exceptions import JMESPathError

from driftguard.rules.emit import EmitError, Emitter
from driftguard.rules.paths import PathChecker
from driftguard.rules.runtime import GLOBALS

MAX_LENGTH = 8000
MAX_DEPTH = 40


class ExpressionError(Exception):
    """An expression is wrong; the text is one sentence for its author, ``fix`` what to do about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


Judge = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed and checked expression, before parameters are known.

    ``reads`` are the top-level properties that it looks at; None means the whole resource.
    ``context`` says that it asks for more than the properties, so that only the careful form is right.
    """

    text: str
    tree: Mapping[str, Any]
    reads: frozenset[str] | None
    context: bool

    def compiled(self, parameters: Mapping[str, Any]) -> Compiled:
        """Both forms with ``parameters`` put in."""
        return Compiled(self.tree, parameters, self.context)

    def verify(self, parameters: Mapping[str, Any]) -> None:
        """Raise `ExpressionError` unless the expression can be translated."""
        try:
            Emitter(careful=False, parameters=parameters).source(self.tree)
        except EmitError as error:
            raise ExpressionError(str(error)) from None


class Compiled:
    """An expression with its parameters, translated when it is first needed.

    ``plain`` is for a resource without holes, ``careful`` for one with holes, or when ``context`` is set.
    """

    def __init__(self, tree: Mapping[str, Any], parameters: Mapping[str, Any], context: bool) -> None:
        self._tree = tree
        self._parameters = parameters
        self.context = context

    @cached_property
    def plain(self) -> Judge:
        return self.careful if self.context else _build(self._tree, self._parameters, careful=False)

    @cached_property
    def careful(self) -> Judge:
        return _build(self._tree, self._parameters, careful=True)


def parse(text: str, types: Sequence[str]) -> Expression:
    """Parse ``text`` and check every path of it on the schemas of ``types``.  Raises `ExpressionError`."""
    tree = _tree(text.strip())
    checker = PathChecker(types)
    checker.check(tree)
    if checker.problems:
        problem = checker.problems[0]
        raise ExpressionError(problem.message, problem.fix)
    return Expression(text.strip(), tree, checker.reads, checker.makes_holes)


@lru_cache(maxsize=4096)
def _tree(text: str) -> Mapping[str, Any]:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters.")
    try:
        tree: Mapping[str, Any] = parser.Parser().parse(text).parsed
    except (JMESPathError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise ExpressionError(f"the expression does not parse: {said}.") from None
    if _depth(tree) > MAX_DEPTH * 4:
        raise ExpressionError("the expression is nested too deeply.")
    return tree


def _depth(tree: Mapping[str, Any]) -> int:
    deepest, todo = 0, [(tree, 1)]
    while todo:
        node, depth = todo.pop()
        deepest = max(deepest, depth)
        todo.extend((child, depth + 1) for child in node.get("children", ()) if isinstance(child, dict))
    return deepest


def fused(
    applies: Mapping[str, Any] | None, asserts: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Judge:
    """One plain function of a whole policy: None where ``applies`` is not true, else a boolean."""
    emitter = Emitter(careful=False, parameters=parameters)
    return _load(emitter, emitter.verdict(applies, asserts))


def _build(tree: Mapping[str, Any], parameters: Mapping[str, Any], *, careful: bool) -> Judge:
    emitter = Emitter(careful=careful, parameters=parameters)
    return _load(emitter, emitter.source(tree))


def _load(emitter: Emitter, source: str) -> Judge:
    names: dict[str, Any] = {**GLOBALS, **emitter.constants}
    try:
        # The source consists of what `Emitter` writes: names are literals, values are constants.
        exec(compile(source, "<policy>", "exec"), names)  # noqa: S102
    except (SyntaxError, RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deeply.") from None
    judge: Judge = names["judge"]
    return judge
