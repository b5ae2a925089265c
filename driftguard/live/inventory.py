"""What exists in one place: every current configuration item that AWS Config has there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from driftguard.aws import Place, Recorder
from driftguard.aws.gaps import gap_of
from driftguard.errors import AccessDeniedError, AwsError, CredentialsError, InputError
from driftguard.live.config_items import ConfigurationItem, parse_item
from driftguard.live.mapping import cloudformation_type, config_type
from driftguard.model import Gap, GapReason

COLUMNS = (
    "resourceId, resourceName, resourceType, arn, accountId, awsRegion, configurationItemCaptureTime, "
    "configurationItemStatus, configurationStateId, resourceCreationTime, tags, configuration, "
    "supplementaryConfiguration"
)
# Records about records: what another service concluded, not something that can be configured.
DERIVED = frozenset(
    {
        "AWS::Backup::RecoveryPoint",
        "AWS::Config::ConformancePackCompliance",
        "AWS::Config::ResourceCompliance",
        "AWS::SSM::AssociationCompliance",
        "AWS::SSM::FileData",
        "AWS::SSM::ManagedInstanceInventory",
        "AWS::SSM::PatchCompliance",
    }
)
_MAX_EXPRESSION = 4_096
"""The longest expression that SelectResourceConfig takes, in characters."""

Wants = Callable[[str], bool]


def type_filter(include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Wants:
    """Whether a CloudFormation type is in scope; ``*`` and ``?`` are wildcards, no ``include`` means all."""

    def wants(type_name: str) -> bool:
        taken = not include or any(fnmatchcase(type_name, pattern) for pattern in include)
        return taken and not any(fnmatchcase(type_name, pattern) for pattern in exclude)

    return wants


def expression(include: tuple[str, ...] = ()) -> str:
    """The advanced query for everything, or for the types of ``include`` when that fits into a query."""
    select = f"SELECT {COLUMNS}"
    plain = [name for name in include if name.replace(":", "").isalnum()]
    if not include or len(plain) < len(include):
        return select
    names = ", ".join(f"'{config_type(name)}'" for name in sorted(plain))
    narrowed = f"{select} WHERE resourceType IN ({names})"
    return narrowed if len(narrowed) <= _MAX_EXPRESSION else select


def recorder_of(place: Place) -> Recorder | Gap:
    """What AWS Config records in a place, or the gap that says why that cannot be told."""
    try:
        return place.config.recorder_status()
    except AwsError as error:
        return gap_of(error, place.account, place.region)


def unrecorded(place: Place, recorder: Recorder, wants: Wants) -> Iterator[Gap]:
    """The gaps that the recorder's settings leave in the inventory."""
    fix = "Turn AWS Config on for all supported types."
    if not recorder.recording:
        state = "is stopped" if recorder.name else "is not set up"
        yield _not_recorded(place, f"AWS Config {state} here: what no stack declares is not seen. {fix}")
    elif recorder.excluded:
        for name in sorted(map(cloudformation_type, recorder.excluded)):
            if wants(name):
                yield _not_recorded(place, f"AWS Config leaves out {name} here. {fix}", name)
    elif not recorder.all_supported:
        yield _not_recorded(
            place, f"AWS Config records only {len(recorder.types)} types here: no others are seen. {fix}"
        )


def items(place: Place, include: tuple[str, ...], wants: Wants) -> Iterator[ConfigurationItem | Gap]:
    """Every current item of the types in scope, as pages arrive.

    By advanced query; where that fails, by ListDiscoveredResources and BatchGetResourceConfig, type by
    type.  What neither shows is a `Gap`.
    """
    seen: set[tuple[str, str]] = set()
    try:
        for page in place.config.select(expression(include)):
            for row in page:
                item = _parsed(place, row)
                if isinstance(item, Gap):
                    yield item
                elif _relevant(item, wants):
                    seen.add((item.type, item.id))
                    yield item
        return
    except (AccessDeniedError, CredentialsError) as error:
        yield gap_of(error, place.account, place.region)
    except AwsError:
        # An advanced query can fail for the sake of one type alone; reading type by type finds out which.
        pass
    yield from _one_by_one(place, wants, seen)


def _one_by_one(place: Place, wants: Wants, seen: set[tuple[str, str]]) -> Iterator[ConfigurationItem | Gap]:
    try:
        types = sorted(place.config.counts())
    except AwsError as error:
        yield gap_of(error, place.account, place.region)
        return
    for name in types:
        if name in DERIVED or not wants(cloudformation_type(name)):
            continue
        try:
            keys = [(name, row["resourceId"]) for row in place.config.discovered(name)]
            for found, unprocessed in place.config.batch_get(key for key in keys if key not in seen):
                for raw in found:
                    item = _parsed(place, raw)
                    if isinstance(item, Gap) or _relevant(item, wants):
                        yield item
                for kind, identifier in unprocessed:
                    yield Gap(
                        reason=GapReason.UNREADABLE,
                        account=place.account,
                        region=place.region,
                        detail="AWS Config did not process the request for this item.",
                        type=cloudformation_type(kind),
                        identifier=identifier,
                    )
        except AwsError as error:
            yield gap_of(error, place.account, place.region, type_name=cloudformation_type(name))


def _parsed(place: Place, raw: object) -> ConfigurationItem | Gap:
    try:
        assert isinstance(raw, dict)
        return parse_item(raw, account=place.account, region=place.region, partition=place.partition)
    except InputError as error:
        return Gap(
            reason=GapReason.UNREADABLE, account=place.account, region=place.region, detail=error.message
        )


def _relevant(item: ConfigurationItem, wants: Wants) -> bool:
    return item.type not in DERIVED and not item.deleted and wants(cloudformation_type(item.type))


def _not_recorded(place: Place, detail: str, type_name: str | None = None) -> Gap:
    return Gap(
        reason=GapReason.NOT_RECORDED,
        account=place.account,
        region=place.region,
        detail=detail,
        type=type_name,
    )
