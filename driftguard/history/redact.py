"""Redaction at the door: no secret reaches the store, a report or a log.

A secret becomes ``{"$redacted": TAG}``, inside a longer text ``[redacted:TAG]``.  The tag is an HMAC with the
installation's own key: the same secret has the same tag, so that a changed secret still shows as a change,
and without the key nothing can be guessed from it.  What is a secret is decided by where it stands (paths
by resource type), by the name beside it and by what it looks like; the tables are in ``data/secrets.yaml``.

Compare declared with live first and redact then: redaction keeps equality of equal values, but not equality
of two forms of one value.  A witness comes redacted out of the store, so it is compared with the redacted live
state.  Everything here is idempotent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

import orjson

from driftguard.history.codec import digest, text
from driftguard.history.port import Version
from driftguard.history.redact_values import MARK, Values
from driftguard.model import (
    Drift,
    Evaluation,
    Finding,
    Gap,
    Json,
    PropertyDifference,
    Report,
    Resource,
    ResourceKey,
    Snapshot,
    StackState,
    UndeclaredValue,
)

__all__ = ["MARK", "Redactor"]
T = TypeVar("T")
_CALLED = frozenset(
    (
        *("id", "fingerprint", "fingerprints", "digest", "token", "state_hash", "plan", "step", "run_id"),
        *("execution_id", "event_id", "stack_id", "finding", "findings", "waiver", "remedy", "subject"),
        *("schedule", "slot", "channel", "logical_id", "physical_id", "policy"),
    )
)
"""The fields that say what something is called by: they are looked up again, and hold nothing that was typed."""
_LISTS_OF_NAMES = frozenset(("secretKeys",))
_OWN_KEYS = {
    "session": ("csrf",),
    "token": ("hash",),
    "oidc-state": ("nonce", "verifier"),
    "idempotency": ("digest",),
}


class Redactor(Values):
    """Redaction with one installation's key, of JSON and of all that the model says."""

    def resource(self, resource: Resource) -> Resource:
        """A resource without secrets; its state hash is renewed where something was replaced, for a hash
        of a guessable secret is a secret."""
        clean = self.properties(resource.key.type, resource.properties)
        tags = self.tags(resource.tags)
        if clean == resource.properties:
            return resource if tags is resource.tags else replace(resource, tags=tags)
        return replace(resource, properties=clean, tags=tags, state_hash=digest(clean))

    def snapshot(self, snapshot: Snapshot) -> Snapshot:
        return replace(
            snapshot,
            resources={key: self.resource(resource) for key, resource in snapshot.resources.items()},
            gaps=tuple(self.gap(gap) for gap in snapshot.gaps),
        )

    def _difference(
        self, kind: str, item: PropertyDifference, known: Collection[str] = frozenset()
    ) -> PropertyDifference:
        return replace(
            item,
            expected=self.at(kind, item.path, item.expected, known),
            actual=self.at(kind, item.path, item.actual, known),
        )

    def drift(self, drift: Drift, known: Collection[str] = frozenset()) -> Drift:
        """A drift without secrets; ``known`` are those of its resource, live and declared (`secrets_in`)."""
        kind = drift.key.type

        def undeclared(item: UndeclaredValue) -> UndeclaredValue:
            value, was = (self.at(kind, item.path, part, known) for part in (item.value, item.was))
            return replace(item, value=value, was=was)

        return replace(
            drift,
            differences=tuple(self._difference(kind, item, known) for item in drift.differences),
            undeclared=tuple(undeclared(item) for item in drift.undeclared),
            not_checked=tuple(replace(item, detail=self.text(item.detail)) for item in drift.not_checked),
            disagreement=None if drift.disagreement is None else self.text(drift.disagreement),
            changed_by=self.said(drift.changed_by),
            acts={place: self.said(by) for place, by in drift.acts.items()},
        )

    def evaluation(self, evaluation: Evaluation) -> Evaluation:
        return replace(
            evaluation,
            message=self.text(evaluation.message),
            parameters=self._parameters(evaluation.parameters),
        )

    def _parameters(self, parameters: Mapping[str, Json]) -> Mapping[str, Json]:
        """The parameters of a policy; those that list names of secrets hold none."""
        others = {name: part for name, part in parameters.items() if name not in _LISTS_OF_NAMES}
        named = {name: self.texts(parameters[name]) for name in _LISTS_OF_NAMES if name in parameters}
        return {**self.properties("", others), **named}

    def finding(self, finding: Finding) -> Finding:
        """A finding; its detail is judged by the paths that it names."""
        detail = finding.detail
        if detail.startswith("{"):
            detail = text(self._detail(finding.key.type, orjson.loads(detail)))
        else:
            detail = self.text(detail)
        return replace(
            finding,
            title=self.text(finding.title),
            message=self.text(finding.message),
            owner=self.text(finding.owner),
            changed_by=self.said(finding.changed_by),
            detail=detail,
        )

    def _detail(self, kind: str, data: Mapping[str, Json]) -> Json:
        result = {name: part for name, part in data.items() if name in ("differences", "undeclared")}
        clean = {name: self.tree(part, "", (name,)) for name, part in data.items() if name not in result}
        if isinstance(data.get("parameters"), Mapping):
            clean["parameters"] = self._parameters(data["parameters"])
        for name, items in result.items():
            clean[name] = [
                {
                    field: self.at(kind, item.get("path", ""), part)
                    if field in ("expected", "actual", "value", "was")
                    else part
                    for field, part in item.items()
                }
                for item in items
            ]
        return clean

    def stack(self, stack: StackState) -> StackState:
        native = None if stack.native is None else self.properties("", stack.native)
        return replace(stack, native=native, tags=self.tags(stack.tags))

    def gap(self, gap: Gap) -> Gap:
        return replace(gap, detail=self.text(gap.detail))

    # -- all that people and services say
    def said(self, value: T) -> T:
        """A value of the model whose texts people or AWS wrote: a waiver, an execution, a message.

        Every text passes by what it looks like, and every map by its names as well; only what things are called
        by stays as it is, so that a field which the model gets one day is covered from the start.
        """
        clean: Any = self._said(value)
        return clean  # type: ignore[no-any-return]

    def _said(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | Enum):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Finding):
            return self.finding(value)
        if isinstance(value, tuple):
            return tuple(self._said(part) for part in value)
        if isinstance(value, Mapping):
            return self.properties("", value)
        if not is_dataclass(value) or isinstance(value, type | ResourceKey):
            return value
        changed = {
            field.name: clean
            for field in fields(value)
            if (field.name not in _CALLED or is_dataclass(getattr(value, field.name)))
            and (clean := self._said(now := getattr(value, field.name))) is not now
            and clean != now
        }
        return replace(value, **changed) if changed else value

    def version(self, version: Version) -> Version:
        """A delivered state; without its hash where something was replaced, as `resource` says."""
        tags = self.tags(version.tags)
        if version.properties is None:
            return version if tags is version.tags else replace(version, tags=tags)
        clean = self.properties(version.key.type, version.properties)
        if clean == version.properties:
            return version if tags is version.tags else replace(version, tags=tags)
        return replace(version, properties=clean, tags=tags, state_hash="")

    def document(self, kind: str, value: Mapping[str, Json]) -> Mapping[str, Json]:
        """A document of the service; what a session or a sign-in goes on with is made by us and stays."""
        own = {name: value[name] for name in _OWN_KEYS.get(kind, ()) if name in value}
        return {**self.properties("", value), **own}

    def report(self, report: Report) -> Report:
        """A whole report without secrets, before it is recorded, shown or sent."""
        return replace(
            report,
            run=self.said(report.run),
            drifts=tuple(self.drift(drift) for drift in report.drifts),
            evaluations=tuple(self.evaluation(evaluation) for evaluation in report.evaluations),
            findings=tuple(self.finding(finding) for finding in report.findings),
            resolved=tuple(self.finding(finding) for finding in report.resolved),
            gaps=tuple(self.gap(gap) for gap in report.gaps),
            stacks=tuple(self.stack(stack) for stack in report.stacks),
            three_way=tuple(
                replace(row, undeployed=tuple(self._difference(row.type, one) for one in row.undeployed))
                for row in report.three_way
            ),
            policies={name: self.said(policy) for name, policy in report.policies.items()},
            causes=self.said(report.causes),
            waivers=self.said(report.waivers),
            notes=self.said(report.notes),
        )

    def redact_event(
        self, logger: object, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """A structlog processor: put it after the exception is formatted and before the renderer."""
        for name, value in event.items():
            event[name] = self._logged(value, name)
        return event

    def _logged(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            return self.named(name, value)
        if value is None or isinstance(value, Mapping | list | tuple | bool | int | float):
            return self.tree(value, "", (name,))
        return self.text(str(value))
