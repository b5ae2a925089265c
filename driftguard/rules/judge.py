"""One policy on one resource: the verdict, and never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from driftguard.model import ComplianceType, DeclaredResource, Json, Resource, ResourceKey, Source
from driftguard.rules.paths import schema_of
from driftguard.rules.policy import Variant
from driftguard.rules.relations import JudgeContext, Judged
from driftguard.rules.values import Names, Unseen, plain, reason, survey, truth, with_holes

Verdict = tuple[ComplianceType, str]

_COMPLIANT: Verdict = (ComplianceType.COMPLIANT, "")
_NOT_APPLICABLE: Verdict = (ComplianceType.NOT_APPLICABLE, "")


@dataclass(slots=True)
class Prepared:
    """A resource made ready once for all policies of its type.

    ``hidden`` maps the top-level properties that its source does not show to the reason.
    """

    resource: Resource
    properties: dict[str, Any]
    holes: bool
    judged: Judged
    hidden: dict[str, str]
    hides_rest: bool
    """Properties beside `properties` and `hidden` may exist without being shown."""


def prepare(resource: Resource, context: JudgeContext) -> Prepared:
    """Make a resource ready to be judged."""
    holes, odd = survey(resource.properties, deep=resource.source is Source.TEMPLATE)
    properties = plain(resource.properties) if odd else cast("dict[str, Any]", resource.properties)
    hidden: dict[str, str] = {}
    if resource.source is not Source.TEMPLATE:
        for name in _write_only(resource.type):
            if name not in properties:
                hidden[name] = "is write-only: AWS never shows it"
    return Prepared(
        resource=resource,
        properties=properties,
        holes=holes,
        judged=Judged(resource, context),
        hidden=hidden,
        hides_rest=resource.coverage is not None,
    )


@lru_cache(maxsize=4096)
def _write_only(type_name: str) -> tuple[str, ...]:
    schema = schema_of(type_name)
    return tuple(path[0] for path in schema.write_only if len(path) == 1) if schema is not None else ()


def judge(variant: Variant, prepared: Prepared) -> Verdict:
    """The verdict of one policy: a hole, a missing source or an exception is INSUFFICIENT_DATA."""
    if (
        prepared.holes
        or variant.context
        or prepared.hides_rest
        or (prepared.hidden and _reads_hidden(variant, prepared))
    ):
        return _judge_carefully(variant, prepared)
    try:
        said = variant.quick(prepared.properties, prepared.judged)
    except Exception as error:  # noqa: BLE001 - a policy that raises must never pass, nor stop the others
        return _failed(error)
    if said is True:
        return _COMPLIANT
    return _NOT_APPLICABLE if said is None else variant.fault


def _judge_carefully(variant: Variant, prepared: Prepared) -> Verdict:
    properties, careful = prepared.properties, prepared.holes
    if prepared.hides_rest or (prepared.hidden and _reads_hidden(variant, prepared)):
        missing = _missing(variant, prepared)
        if missing:
            properties, careful = {**properties, **missing}, True
    try:
        applies = variant.applies
        if applies is not None:
            run = applies.careful if careful else applies.plain
            said = truth(run(properties, prepared.judged))
            if said is False:
                return _NOT_APPLICABLE
            if said is not True:
                return _unknown(said)
        asserts = variant.asserts
        said = (asserts.careful if careful else asserts.plain)(properties, prepared.judged)
        said = truth(said)
    except Exception as error:  # noqa: BLE001 - as above
        return _failed(error)
    if said is True:
        return _COMPLIANT
    if said is False:
        return variant.fault
    return _unknown(said)


def _failed(error: Exception) -> Verdict:
    kind = "" if isinstance(error, ValueError | TypeError) else f"{type(error).__name__}: "
    text = " ".join(str(error).split())[:300]
    return ComplianceType.INSUFFICIENT_DATA, f"The policy could not be evaluated: {kind}{text}"


def _reads_hidden(variant: Variant, prepared: Prepared) -> bool:
    return variant.reads is None or not prepared.hidden.keys().isdisjoint(variant.reads)


def _unknown(hole: Any) -> Verdict:
    return ComplianceType.INSUFFICIENT_DATA, f"Cannot be told: {reason(hole)}."


def _missing(variant: Variant, prepared: Prepared) -> dict[str, Unseen]:
    """The properties that the policy reads and the source does not show, each as an `Unseen`."""
    coverage = prepared.resource.coverage
    out = {}
    for name in prepared.hidden if variant.reads is None else variant.reads:
        if name in prepared.properties:
            continue
        if name in prepared.hidden:
            out[name] = Unseen(f"{name} {prepared.hidden[name]}")
        elif coverage is not None and name not in coverage:
            out[name] = Unseen(f"{name} is not shown by {prepared.resource.source.value}")
    return out


def as_resource(
    declared: DeclaredResource,
    *,
    left: Mapping[str, Json] | None = None,
    names: Names | None = None,
) -> Resource:
    """A declared resource as one to judge: its logical id is its identifier.

    ``left`` holds, by pointer into the properties, the expressions that could not be resolved; together
    with ``names`` (the template's resources and parameters) they tell the identifiers of other
    resources, which are certainly there, from what is not known at all.
    """
    properties = with_holes(plain(declared.properties), names or {}, left or {})
    return Resource(
        key=ResourceKey(
            partition=declared.partition,
            account=declared.account,
            region=declared.region,
            type=declared.type,
            identifier=declared.logical_id,
        ),
        properties=properties,
        source=Source.TEMPLATE,
        name=declared.physical_id,
        tags={**declared.stack_tags, **tags_of(properties.get("Tags"))},
    )


def tags_of(tags: Any) -> dict[str, str]:
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    if not isinstance(tags, list):
        return {}
    return {
        str(one["Key"]): str(one.get("Value", "")) for one in tags if isinstance(one, dict) and "Key" in one
    }
