"""AWS Config's remediation configurations and exceptions, taken over as remedies and waivers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import yaml

from driftguard.aws import Aws
from driftguard.model import Gap, Json, Waiver
from driftguard.rules.globs import literal

Answer = Mapping[str, Json]
_DAYS = 90
"""How long an exception holds that AWS Config keeps without an end."""


@dataclass(slots=True)
class Found:
    """What AWS Config holds: rules, remediation configurations, exceptions as waivers; and what was closed."""

    rules: list[Answer] = field(default_factory=list)
    configurations: list[Answer] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def read(aws: Aws, now: datetime, *, exceptions: bool) -> Found:
    """Every account and region of the scope."""
    found = Found()
    for target in aws.targets():
        place = aws.enter(target)
        if isinstance(place, Gap):
            found.closed.append(f"{target.account}/{target.region}: {place.detail}")
            continue
        here = list(place.config.rules())
        mine = list(place.config.remediations([str(one["ConfigRuleName"]) for one in here]))
        found.rules += here
        found.configurations += mine
        for one in mine if exceptions else ():
            kept = place.config.remediation_exceptions(str(one["ConfigRuleName"]))
            found.waivers += waivers(kept, here, target.account, now)
    return found


def remedies_yaml(rules: Iterable[Answer], configurations: Iterable[Answer]) -> str:
    """A remedy file for the configurations of managed rules.

    ``RESOURCE_ID`` becomes the resource's identifier.  A rule of one's own is named by its name, so that a
    policy of that name or alias is answered.
    """
    known = {rule["ConfigRuleName"]: rule for rule in rules}
    rows = [_remedy(known.get(one["ConfigRuleName"], {}), one) for one in configurations]
    text: str = yaml.safe_dump({"remedies": rows}, sort_keys=False, width=110, allow_unicode=True)
    return "# Taken over from AWS Config.\n" + text


def _remedy(rule: Answer, configuration: Answer) -> dict[str, Json]:
    name, document = configuration["ConfigRuleName"], configuration["TargetId"]
    source = rule.get("Source", {})
    policy = source.get("SourceIdentifier", name) if source.get("Owner") == "AWS" else name
    scoped = rule.get("Scope", {}).get("ComplianceResourceTypes") or ["*"]
    types = [configuration["ResourceType"]] if configuration.get("ResourceType") else list(scoped)
    parameters: dict[str, Json] = {}
    for key, given in (configuration.get("Parameters") or {}).items():
        if key == "AutomationAssumeRole":
            continue
        if "ResourceValue" in given:
            parameters[key] = {"from": "identifier"}
        else:
            values = given.get("StaticValue", {}).get("Values", [])
            parameters[key] = values[0] if len(values) == 1 else list(values)
    return {
        "id": f"config-{name}".lower(),
        "title": f"Run {document}",
        "answers": [policy],
        "types": types,
        "document": document,
        "parameters": parameters,
        "effect": f"Whatever {document} does; AWS Config does not say it.",
        "why_safe": f"It is what the remediation of the AWS Config rule {name} did; read the document before you approve.",
    }


def waivers(
    exceptions: Iterable[Answer], rules: Iterable[Answer], account: str, now: datetime
) -> list[Waiver]:
    """A waiver for each exception; one without an end holds for 90 days from now."""
    known = {rule["ConfigRuleName"]: rule for rule in rules}
    found = []
    for one in exceptions:
        source = known.get(one["ConfigRuleName"], {}).get("Source", {})
        policy = source.get("SourceIdentifier") if source.get("Owner") == "AWS" else one["ConfigRuleName"]
        ends = one.get("ExpirationTime")
        end = ends.astimezone(UTC) if isinstance(ends, datetime) else now + timedelta(days=_DAYS)
        found.append(
            Waiver(
                id=f"w-config-{one['ConfigRuleName']}-{one['ResourceId']}",
                reason=str(one.get("Message") or "An exception of AWS Config without a message."),
                owner="AWS Config",
                approver="AWS Config",
                created_at=now,
                expires_at=end,
                policy=str(policy),
                account=account,
                type=str(one["ResourceType"]),
                resource=literal(str(one["ResourceId"])),
            )
        )
    return found
