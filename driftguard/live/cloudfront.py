"""CloudFront's API wraps every list as ``{quantity, items}``; CloudFormation has plain lists."""

from __future__ import annotations

from collections.abc import Mapping

from driftguard.live.folding import get, rows
from driftguard.model import Json

# CloudFormation kept the wrapper for these.
_WRAPPED = frozenset({"origingroups", "statuscodes", "members"})
_SWITCHED = frozenset({"trustedsigners", "trustedkeygroups"})


def unwrap(value: Json, name: str = "") -> Json:
    """``value`` with the wrapped lists as plain lists, below any property."""
    if isinstance(value, list):
        return [unwrap(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    if "quantity" in value:
        items = value.get("items")
        members = [unwrap(part) for part in items] if isinstance(items, list) else []
        if name in _WRAPPED:
            return {"Quantity": value["quantity"], "Items": members} if value["quantity"] else None
        rest = set(value) - {"quantity", "items", "enabled"}
        if not rest or name in _SWITCHED:
            return members
        return {**{key: unwrap(value[key], key.lower()) for key in rest}, "items": members}
    return {key: unwrap(part, key.lower()) for key, part in value.items()}


def distribution(config: Json) -> Json:
    """A DistributionConfig as CloudFormation writes it."""
    if not isinstance(config, Mapping):
        return None
    result = dict(unwrap(config))
    result["IPV6Enabled"] = result.pop("isIPV6Enabled", None)
    result["DefaultCacheBehavior"] = _behavior(result.pop("defaultCacheBehavior", None))
    result["CacheBehaviors"] = [_behavior(row) for row in rows(result.pop("cacheBehaviors", None))]
    result["Origins"] = [_origin(row) for row in rows(result.pop("origins", None))]
    if not get(config, "logging", "bucket"):
        result.pop("logging", None)
    geography = get(config, "restrictions", "geoRestriction")
    if geography:
        result["Restrictions"] = {
            "GeoRestriction": {
                "RestrictionType": get(geography, "restrictionType"),
                "Locations": get(geography, "items"),
            }
        }
        result.pop("restrictions", None)
    for name in ("webACLId", "defaultRootObject"):
        if result.get(name) == "":
            del result[name]
    return result


def _behavior(found: Json) -> Json:
    if not isinstance(found, Mapping):
        return None
    result = dict(found)
    methods = result.pop("allowedMethods", None)
    if isinstance(methods, Mapping):
        result["AllowedMethods"] = methods.get("items")
        result["CachedMethods"] = methods.get("cachedMethods")
    elif methods:
        result["AllowedMethods"] = methods
    for name in ("fieldLevelEncryptionId", "cachePolicyId", "originRequestPolicyId"):
        if result.get(name) == "":
            del result[name]
    return result


def _origin(found: Mapping[str, Json]) -> dict[str, Json]:
    result = dict(found)
    result["OriginCustomHeaders"] = result.pop("customHeaders", None)
    if result.get("originAccessControlId") == "":
        del result["originAccessControlId"]
    shield = result.get("originShield")
    if isinstance(shield, Mapping) and not shield.get("enabled"):
        del result["originShield"]
    return result
