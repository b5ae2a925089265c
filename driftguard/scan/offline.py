"""A scan without AWS: live state and stacks out of files that AWS Config delivered, templates out of a repository.

A stack's item tells its parameters, outputs and resources; its template is in no file, so that the repository's
stands for it.  What the files do not hold was not looked at, and nothing is concluded from its absence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from driftguard.aws import Target
from driftguard.declared.deployment import COMPARABLE, DeployedStack, Deployment, in_order_of_parents
from driftguard.declared.repository import Repository
from driftguard.declared.stacks import declare, live_attribute
from driftguard.declared.template import Template
from driftguard.errors import InputError
from driftguard.live import ConfigurationItem, Rejected, files_in, read_file, resource_of
from driftguard.live.inventory import type_filter
from driftguard.model import Gap, GapReason, Json, Source
from driftguard.scan.children import asked
from driftguard.scan.hollow import solid
from driftguard.scan.identify import identified
from driftguard.scan.merge import PlaceReading, merged
from driftguard.scan.progress import Progress
from driftguard.scan.readings import Readings
from driftguard.schema import registry_of
from driftguard.settings import Settings

_STACK = "AWS::CloudFormation::Stack"
_GLOBAL_HOME = "us-east-1"
"""Where what AWS keeps once per partition is put when the files show no other region of its account."""
_DROPPED = ("CreationTime", "LastUpdatedTime", "LastUpdatedTimestamp", "LastCheckTimestamp")
"""Instants, whose form differs from DescribeStacks'; nothing that is decided here needs them."""


def read_offline(
    paths: Sequence[Path],
    settings: Settings,
    *,
    now: datetime,
    progress: Progress,
    repository: Repository | None = None,
    accounts: Iterable[str] = (),
    regions: Iterable[str] = (),
) -> Readings:
    """The readings of delivered files; of several items of a resource the newest counts.

    ``accounts`` and ``regions`` narrow them (empty: all).  A file or record that cannot
    be read is a gap.  Raises `InputError` for a path that does not exist.
    """
    latest, gaps = _latest(paths)
    chosen, narrowed = frozenset(accounts), frozenset(regions)
    environments = {account.id: account.environment for account in settings.scope.accounts}
    targets, readings = [], []
    for (account, region), items in sorted(_by_place(latest).items()):
        if (chosen and account not in chosen) or (narrowed and region not in narrowed):
            continue
        name = f"{account}/{region}"
        progress.start(name)
        reading = _place(account, region, items, settings, repository)
        progress.advance(name, "resources", len(reading.resources))
        progress.finish(name)
        targets.append(Target(account=account, region=region, environment=environments.get(account, "")))
        readings.append(reading)
    return replace(
        # A file need not hold all of a region's stacks.
        merged(targets, readings, now, whole=frozenset() if settings.scope.complete else None, gaps=gaps),
        children=asked(settings),
        wants=type_filter(settings.scope.types, settings.scope.exclude_types),
    )


def _latest(paths: Sequence[Path]) -> tuple[list[ConfigurationItem], list[Gap]]:
    found: dict[tuple[str, str, str, str], ConfigurationItem] = {}
    gaps: list[Gap] = []
    for path in files_in(paths):
        try:
            for item in read_file(path):
                if isinstance(item, Rejected):
                    gaps.append(
                        _gap("", "", GapReason.UNREADABLE, f"{path} item {item.number}: {item.error}")
                    )
                    continue
                key = (item.account, item.region, item.type, item.id)
                if key not in found or _age(item) >= _age(found[key]):
                    found[key] = item
        except InputError as error:
            gaps.append(_gap("", "", GapReason.UNREADABLE, str(error)))
    return list(found.values()), gaps


def _age(item: ConfigurationItem) -> datetime:
    return item.captured_at or datetime.min.replace(tzinfo=UTC)


def _by_place(items: Iterable[ConfigurationItem]) -> Mapping[tuple[str, str], list[ConfigurationItem]]:
    """The items by account and region; what is global goes with the first region of its account."""
    listed = list(items)
    home: dict[str, str] = {}
    for item in listed:
        if item.region != "global":
            home[item.account] = min(item.region, home.get(item.account, item.region))
    places: dict[tuple[str, str], list[ConfigurationItem]] = defaultdict(list)
    for item in listed:
        region = home.get(item.account, _GLOBAL_HOME) if item.region == "global" else item.region
        places[item.account, region].append(item)
    return places


def _place(
    account: str,
    region: str,
    items: Sequence[ConfigurationItem],
    settings: Settings,
    repository: Repository | None,
) -> PlaceReading:
    wants = type_filter(settings.scope.types, settings.scope.exclude_types)
    reading = PlaceReading()
    for item in items:
        resource = resource_of(item, Source.CONFIG_FILE)
        if not wants(resource.type):
            continue
        if item.deleted:
            reading.deleted.add(resource.key)
        elif item.recorded:
            reading.resources[resource.key] = resource
    deployment, sources = _deployment(account, region, items, repository)
    schema = registry_of(account, region).get
    first = declare(deployment, sources=sources, schema=schema)
    attribute = live_attribute(first.resources, reading.resources)
    second = declare(deployment, attribute=attribute, sources=sources, schema=schema)
    # That the files hold every stack is not known, so that nothing may be called unmanaged.
    found = identified(solid(second.resources), reading.resources)
    reading.declared = replace(second, resources=found, unlisted=True)
    detail = "Only what the files hold was looked at."
    reading.gaps = [_gap(account, region, GapReason.NOT_RECORDED, detail), *second.gaps]
    return reading


def _deployment(
    account: str, region: str, items: Iterable[ConfigurationItem], repository: Repository | None
) -> tuple[Deployment, Mapping[str, Template]]:
    stacks = [_stack(item) for item in items if item.type == _STACK and not item.deleted]
    by_id = {stack.stack_id: stack for stack in stacks}
    ordered = tuple(
        by_id[str(one["StackId"])] for one in in_order_of_parents([stack.description for stack in stacks])
    )
    bare = Deployment(account=account, region=region, stacks=ordered)
    sources = repository.matched(bare) if repository is not None else {}
    filled = tuple(
        replace(stack, template=sources[stack.stack_id].document) if stack.stack_id in sources else stack
        for stack in ordered
    )
    gaps = tuple(
        Gap(
            reason=GapReason.UNREADABLE,
            account=account,
            region=region,
            detail="No file holds its template; --declared names the folder of the repository's templates.",
            stack=stack.name,
        )
        for stack in filled
        if stack.template is None and stack.status in COMPARABLE
    )
    return replace(bare, stacks=filled, gaps=gaps), sources


def _stack(item: ConfigurationItem) -> DeployedStack:
    """A stack's item in the words of DescribeStacks and ListStackResources."""
    description = _described(item.configuration)
    tags = [{"Key": key, "Value": value} for key, value in (item.tags or {}).items()]
    description |= {
        "StackId": item.arn or item.id,
        "StackName": description.get("StackName") or item.name or item.id,
        "Tags": [tag for tag in tags if not tag["Key"].startswith("aws:")],
        # AWS Config writes booleans as text here.
        "EnableTerminationProtection": str(description.get("EnableTerminationProtection")).lower() == "true",
    }
    summaries = item.supplementary.get("StackResourceSummaries")
    listed = isinstance(summaries, list)
    return DeployedStack(
        description=description,
        resources=tuple(_described(row) for row in summaries or () if isinstance(row, Mapping)),
        listed=listed,
    )


def _described(value: Mapping[str, Json]) -> dict[str, Json]:
    return {name: part for name, part in _capital(value).items() if name not in _DROPPED}


def _capital(value: Json) -> Json:
    """Config's member names with CloudFormation's first letter."""
    if isinstance(value, Mapping):
        return {f"{str(key)[:1].upper()}{str(key)[1:]}": _capital(part) for key, part in value.items()}
    return [_capital(part) for part in value] if isinstance(value, list) else value


def _gap(account: str, region: str, reason: GapReason, detail: str) -> Gap:
    return Gap(reason=reason, account=account, region=region, detail=detail)
