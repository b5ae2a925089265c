"""Policy files to policies.  One bad file is one error with file, line and fix; the others still load."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from driftguard.errors import PolicyError, Where
from driftguard.rules.compile import Expression, ExpressionError, parse
from driftguard.rules.paths import check_pointer, schema_of
from driftguard.rules.policy import Policy, coerce, places
from driftguard.rules.policyfile import Case, PolicyFile
from driftguard.rules.source import Document, read
from driftguard.schema import registry

ANY_TYPE = "*"
"""Every resource type, those that the registry does not know included."""
_SUFFIXES = (".yaml", ".yml")


def policy_files(folders: Iterable[Path]) -> Iterator[Path]:
    """Every policy file below ``folders``, in a stable order; a folder may also be one file."""
    for folder in folders:
        if folder.is_file():
            yield folder
        else:
            yield from sorted(
                path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file()
            )


def load_policy(path: Path) -> Policy:
    """One file.  Raises `PolicyError` that names file, line and fix."""
    return policy_of(read(path))


def policy_of(document: Document) -> Policy:
    """The policy in a parsed file.  Raises `PolicyError`."""
    if not isinstance(document.data, dict):
        raise PolicyError("a policy is a map of fields.", where=document.where(), fix="Start with `id:`.")
    try:
        given = PolicyFile.model_validate(document.data)
    except ValidationError as error:
        raise _explain(error, document) from None
    for number, name in enumerate(given.resource_types):
        if name != ANY_TYPE and schema_of(name) is None:
            near = difflib.get_close_matches(name, registry().types(), n=1, cutoff=0.7)
            fix = (
                f"Did you mean {near[0]}?" if near else "Type names are those of the CloudFormation registry."
            )
            raise PolicyError(
                f"there is no resource type {name}.", where=document.where("resource_types", number), fix=fix
            )
    _check_defaults(given, document)
    asserts = _expression(given, given.asserts, "assert", document)
    applies = _expression(given, given.applies_when, "applies_when", document) if given.applies_when else None
    problem = check_pointer(given.path, given.resource_types)
    if problem is not None:
        raise PolicyError(problem.message, where=document.where("path"), fix=problem.fix)
    _check_korean(given, document)
    _check_cases(given, document)
    frameworks = given.frameworks if isinstance(given.frameworks, dict) else {}
    return Policy(
        id=given.id,
        title=given.title,
        severity=given.severity,
        resource_types=given.resource_types,
        asserts=asserts,
        applies_when=applies,
        message=given.message,
        source=given.source,
        where=document.where("id"),
        aliases=given.aliases,
        suppressed_by=given.suppressed_by,
        title_ko=given.title_ko,
        message_ko=given.message_ko,
        description=given.description.strip(),
        description_ko=given.description_ko.strip(),
        path=given.path,
        judges=given.judges,
        parameters=given.parameters,
        frameworks=frameworks,
        custom=given.frameworks == "custom",
        remedy=given.remedy,
        cases=given.cases,
    )


def _expression(given: PolicyFile, text: str, field: str, document: Document) -> Expression:
    try:
        expression = parse(text, given.resource_types)
        expression.verify({name: spec.default for name, spec in given.parameters.items()})
    except ExpressionError as error:
        raise PolicyError(f"`{field}`: {error}", where=document.where(field), fix=error.fix) from None
    return expression


def _check_defaults(given: PolicyFile, document: Document) -> None:
    for name, spec in given.parameters.items():
        try:
            coerce(name, spec, spec.default)
        except PolicyError as error:
            where = document.where("parameters", name, "default")
            raise PolicyError(error.message, where=where, fix=error.fix) from None


def _check_korean(given: PolicyFile, document: Document) -> None:
    strange = sorted(set(places(given.message_ko)) - set(places(given.message)))
    if strange:
        raise PolicyError(
            f"`message_ko` names {{{strange[0]}}}, which `message` does not.",
            where=document.where("message_ko"),
            fix="Write the same {name}s in both.",
        )


def _check_cases(given: PolicyFile, document: Document) -> None:
    for number, case in enumerate(given.cases):
        problem = _case_problem(given, case)
        if problem:
            raise PolicyError(
                f"case `{case.name}`: {problem}",
                where=document.where("cases", number),
                fix="Correct the case.",
            )


def _case_problem(given: PolicyFile, case: Case) -> str:
    if case.type is not None and case.type not in given.resource_types:
        return f"{case.type} is not among the policy's resource types."
    unknown = [name for name in case.parameters if name not in given.parameters]
    if unknown:
        return f"the policy has no parameter `{unknown[0]}`."
    schema = schema_of(case.type or given.resource_types[0])
    for name in case.properties:
        if f"unlisted('{name}')" in given.asserts:
            continue
        if schema is not None and not schema.known(f"/{name}"):
            return f"the resource type has no property `{name}`."
    return ""


def _explain(error: ValidationError, document: Document) -> PolicyError:
    first = error.errors()[0]
    path = tuple(first["loc"])
    where = document.where(*path)
    field = ".".join(str(step) for step in path)
    if first["type"] == "extra_forbidden":
        fields = [spec.alias or name for name, spec in _fields(path).items()]
        near = difflib.get_close_matches(str(path[-1]), fields, n=1)
        fix = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(fields)}."
        return PolicyError(f"there is no field `{field}`.", where=where, fix=fix)
    if first["type"] == "missing":
        return PolicyError(f"`{field}` is missing.", where=where, fix="Add it.")
    said = first["msg"][0].lower() + first["msg"][1:]
    return PolicyError(f"`{field}`: {said}.", where=where, fix="docs/policies.md describes the fields.")


def _fields(path: tuple[Any, ...]) -> dict[str, Any]:
    from driftguard.rules.policyfile import Parameter, RelatedResource

    model: Any = PolicyFile
    if path[0] == "parameters":
        model = Parameter
    elif path[0] == "cases":
        model = RelatedResource if "related" in path and len(path) > 4 else Case
    found: dict[str, Any] = model.model_fields
    return found


def duplicate(policy: Policy, name: str, first: Policy) -> PolicyError:
    """The error of a second policy that takes a name."""
    where = Where(policy.where.file, policy.where.line)
    return PolicyError(
        f"the name {name} is taken by {first.where}.", where=where, fix="Give it another id or alias."
    )
