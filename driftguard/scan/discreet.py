"""Verdicts without secrets: what a resource holds that is secret is secret wherever it is told of.  Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from driftguard.history.redact import Redactor
from driftguard.model import DeclaredResource, Drift, Resource, ResourceKey
from driftguard.scan.readings import Readings


def without_secrets(drifts: Sequence[Drift], readings: Readings, redactor: Redactor) -> tuple[Drift, ...]:
    """``drifts`` before anything is said of them: titles, messages, notices and plans are made from these."""
    telling = [drift for drift in drifts if drift.differences or drift.undeclared]
    wanted = {drift.key for drift in telling}
    live = {key: readings.snapshot.resources[key] for key in wanted & readings.snapshot.resources.keys()}
    declared = [one for one in readings.declared if one.key in wanted]
    known = known_secrets(live, declared, redactor)
    return tuple(redactor.drift(drift, known.get(drift.key, frozenset())) for drift in drifts)


def known_secrets(
    live: Mapping[ResourceKey, Resource], declared: Iterable[DeclaredResource], redactor: Redactor
) -> Mapping[ResourceKey, frozenset[str]]:
    """The secrets of each resource, as it is and as it is declared."""
    known: dict[ResourceKey, frozenset[str]] = defaultdict(frozenset)
    for key, resource in live.items():
        known[key] |= redactor.secrets_in(key.type, resource.properties)
    for one in declared:
        if one.key is not None:
            known[one.key] |= redactor.secrets_in(one.type, one.properties)
    return known
