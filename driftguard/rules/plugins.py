"""Policies in Python, for what no expression can say: only from installed packages, and only where that is allowed.

A package names them in its metadata, under the entry point group ``driftguard.policies``::

    [project.entry-points."driftguard.policies"]
    naming = "our_policies.naming:POLICY"

The value is a `PythonPolicy` or an iterable of them.  Nothing is imported unless ``policies.allow_plugins`` is set.
https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from driftguard.errors import PolicyError, Where
from driftguard.model import Json, Resource, Severity, Unknown
from driftguard.rules.compile import Compiled, Expression, Judge
from driftguard.rules.load import ANY_TYPE
from driftguard.rules.paths import schema_of
from driftguard.rules.policy import Policy
from driftguard.rules.relations import Judged
from driftguard.rules.values import first_hole, reason

GROUP = "driftguard.policies"
Question = Callable[[Mapping[str, Json], Resource], bool]
"""(properties, resource) -> whether it holds.  What raises is INSUFFICIENT_DATA, and the other policies still run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonPolicy:
    """One policy of a package.

    ``reads`` are the top-level properties that ``judge`` looks at; where one of them is not known it is not
    asked, and the verdict is INSUFFICIENT_DATA.  Where ``applies`` is false the verdict is NOT_APPLICABLE.
    """

    id: str
    title: str
    severity: Severity
    resource_types: tuple[str, ...]
    reads: tuple[str, ...]
    judge: Question
    message: str
    source: str
    applies: Question | None = None
    aliases: tuple[str, ...] = ()
    title_ko: str = ""
    message_ko: str = ""
    description: str = ""
    description_ko: str = ""
    path: str = ""
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remedy: str | None = None


def load_plugins() -> tuple[list[Policy], list[PolicyError]]:
    """The policies of all installed packages; one that cannot be loaded is an error, and the others still count."""
    found: list[Policy] = []
    errors: list[PolicyError] = []
    for point in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        where = Where(f"plug-in {point.dist.name if point.dist else '?'}:{point.name}")
        try:
            found.extend(_policy(one, where) for one in _given(point))
        except PolicyError as error:
            errors.append(error)
        except Exception as error:  # noqa: BLE001 - somebody else's code must not stop ours
            said = (
                f"the plug-in cannot be loaded: {type(error).__name__}: {' '.join(str(error).split())[:200]}."
            )
            errors.append(PolicyError(said, where=where, fix="Correct the package, or uninstall it."))
    return found, errors


def _given(point: EntryPoint) -> Iterator[Any]:
    value = point.load()
    yield from [value] if isinstance(value, PythonPolicy) or not isinstance(value, Iterable) else value


def _policy(given: Any, where: Where) -> Policy:
    if not isinstance(given, PythonPolicy):
        raise PolicyError(
            f"the plug-in gives a {type(given).__name__}.", where=where, fix="Give a `PythonPolicy`."
        )
    for name in given.resource_types:
        if name != ANY_TYPE and schema_of(name) is None:
            raise PolicyError(f"there is no resource type {name}.", where=where, fix="Correct the type.")
    return Policy(
        id=given.id,
        title=given.title,
        severity=Severity(given.severity),
        resource_types=tuple(given.resource_types),
        asserts=_expression(given, given.judge),
        applies_when=_expression(given, given.applies) if given.applies is not None else None,
        message=given.message,
        source=given.source,
        where=where,
        aliases=tuple(given.aliases),
        title_ko=given.title_ko,
        message_ko=given.message_ko,
        description=given.description,
        description_ko=given.description_ko,
        path=given.path,
        frameworks=dict(given.frameworks),
        custom=not given.frameworks,
        remedy=given.remedy,
        python=True,
    )


def _expression(given: PythonPolicy, question: Question) -> Expression:
    name = f"{getattr(question, '__module__', '')}.{getattr(question, '__qualname__', '')}".strip(".")
    return _Python(
        text=f"python: {name}",
        tree={"type": "literal", "value": None},
        reads=frozenset(given.reads),
        context=True,
        question=question,
    )


@dataclass(frozen=True, slots=True)
class _Python(Expression):
    question: Question

    def compiled(self, parameters: Mapping[str, Any]) -> Compiled:
        return _Asked(self, parameters)


class _Asked(Compiled):
    """A question in the form of a compiled expression."""

    def __init__(self, expression: _Python, parameters: Mapping[str, Any]) -> None:
        super().__init__(expression.tree, parameters, context=True)
        self._expression = expression

    @cached_property
    def careful(self) -> Judge:
        question, reads = self._expression.question, self._expression.reads or frozenset()

        def ask(properties: Mapping[str, Json], judged: Judged) -> Any:
            hole = first_hole({name: properties.get(name) for name in reads})
            if hole is not None:
                return Unknown(reason(hole))
            return bool(question(properties, judged.resource))

        return ask
