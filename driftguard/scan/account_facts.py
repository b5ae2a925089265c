"""An account's facts, once: what is one for the whole account is not told again for each region.  Pure.

A reading holds one `AWS::::Account` for each region.  Here they become one with the region ``global`` for the
facts of the account, and one for each region with the facts of that region beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from driftguard.live import state_hash
from driftguard.model import Gap, Resource, ResourceKey
from driftguard.rules import ACCOUNT
from driftguard.rules.facts import account_schema
from driftguard.rules.policy import Policy

GLOBAL = "global"


def _is_global(fact: str) -> bool:
    known = account_schema().facts.get(fact)
    return known is not None and known.scope == "account"


def split(resources: Mapping[ResourceKey, Resource]) -> dict[ResourceKey, Resource]:
    """``resources`` with the accounts' facts divided."""
    out: dict[ResourceKey, Resource] = {}
    wholes: dict[ResourceKey, Resource] = {}
    for key, resource in resources.items():
        if key.type != ACCOUNT:
            out[key] = resource
            continue
        whole = replace(key, region=GLOBAL)
        wholes[whole] = _joined(wholes.get(whole), _part(resource, of_account=True, key=whole))
        out[key] = _part(resource, of_account=False, key=key)
    return out | wholes


def _part(resource: Resource, *, of_account: bool, key: ResourceKey) -> Resource:
    def inside(fact: str) -> bool:
        return _is_global(fact) is of_account

    properties = {name: value for name, value in resource.properties.items() if inside(name)}
    return replace(
        resource,
        key=key,
        properties=properties,
        coverage=frozenset(filter(inside, resource.coverage or resource.properties)),
        state_hash=state_hash(properties),
    )


def _joined(one: Resource | None, other: Resource) -> Resource:
    """The facts that any region could read."""
    if one is None:
        return other
    properties = {**other.properties, **one.properties}
    return replace(
        one,
        properties=properties,
        coverage=(one.coverage or frozenset()) | (other.coverage or frozenset()),
        state_hash=state_hash(properties),
    )


def around(key: ResourceKey, resources: Mapping[ResourceKey, Resource]) -> Mapping[str, object] | None:
    """All facts that hold where ``key`` is; None when none were read."""
    places = (key.region, GLOBAL)
    found = [resources.get(replace(key, type=ACCOUNT, identifier=key.account, region=one)) for one in places]
    read = [one for one in found if one is not None]
    return {name: value for one in reversed(read) for name, value in one.properties.items()} if read else None


def completed(resource: Resource, facts: Mapping[str, object]) -> Resource:
    """A region's account with the facts of the account beside its own; the account itself as it is."""
    if resource.key.region == GLOBAL:
        return resource
    return replace(resource, properties=facts, coverage=(resource.coverage or frozenset()) | facts.keys())


def asks_here(policy: Policy, key: ResourceKey) -> bool:
    """Whether a policy on the account is to be judged on the resource of this region: where its facts are."""
    regional = policy.reads is None or any(not _is_global(fact) for fact in policy.reads)
    return regional is (key.region != GLOBAL)


def once(gap: Gap) -> Gap:
    """A fact of the account that could not be read is missing once, not in each region."""
    if gap.type == ACCOUNT and gap.identifier is not None and _is_global(gap.identifier):
        return replace(gap, region=GLOBAL)
    return gap
