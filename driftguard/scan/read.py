"""The first paragraph: everything that a scan looks at, place by place, in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from driftguard.aws import Aws, Place, Target
from driftguard.declared import deployment as stack_reader
from driftguard.declared.native import NativeDrift, detect
from driftguard.declared.ownership import with_tolerances
from driftguard.declared.siblings import merge_siblings
from driftguard.declared.stacks import Declared, declare, live_attribute
from driftguard.declared.template import Template
from driftguard.errors import AwsError, CredentialsError
from driftguard.live import Deletion, ReadOptions, read_account, read_place
from driftguard.live.gaps import gap_of
from driftguard.model import (
    DeclaredResource,
    Gap,
    GapReason,
    Resource,
    ResourceKey,
    Snapshot,
    StackState,
)
from driftguard.scan.identify import identified
from driftguard.scan.progress import Progress
from driftguard.scan.readings import Readings
from driftguard.settings import Settings

_PLACES_AT_ONCE = 8
_DETECTIONS_AT_ONCE = 5
"""AWS throttles drift detection by the reads it makes itself (coverage-roadmap issue 801): keep it gentle."""


@dataclass(slots=True)
class PlaceReading:
    """What one account and region gave."""

    declared: Declared = field(default_factory=Declared)
    resources: dict[ResourceKey, Resource] = field(default_factory=dict)
    deleted: set[ResourceKey] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)
    native: list[NativeDrift] = field(default_factory=list)
    deployed_at: dict[ResourceKey, datetime] = field(default_factory=dict)
    kms_aliases: Mapping[str, str] = field(default_factory=dict)
    entered: bool = False


def read(
    aws: Aws,
    targets: Sequence[Target],
    settings: Settings,
    *,
    now: datetime,
    progress: Progress,
    cancelled: Callable[[], bool],
    sources: Mapping[str, Template] | None = None,
) -> Readings:
    """Read every target.  Raises `CredentialsError` when our own credentials are no good (any more)."""

    def one(target: Target) -> PlaceReading:
        return _PlaceJob(aws, target, settings, progress, cancelled, sources or {}).run()

    with ThreadPoolExecutor(_PLACES_AT_ONCE, thread_name_prefix="place") as pool:
        readings = list(pool.map(one, targets))
    return _merged(targets, readings, now, complete=settings.scope.complete and not settings.scope.stacks)


class _PlaceJob:
    def __init__(
        self,
        aws: Aws,
        target: Target,
        settings: Settings,
        progress: Progress,
        cancelled: Callable[[], bool],
        sources: Mapping[str, Template],
    ) -> None:
        self._aws = aws
        self._target = target
        self._settings = settings
        self._progress = progress
        self._cancelled = cancelled
        self._sources = sources
        self._name = f"{target.account}/{target.region}"
        self._found = PlaceReading()

    def run(self) -> PlaceReading:
        self._progress.start(self._name)
        place = self._aws.enter(self._target)
        if isinstance(place, Gap):
            self._found.gaps.append(place)
        elif self._cancelled():
            self._interrupted()
        else:
            self._found.entered = True
            self._read(place)
        self._progress.finish(self._name)
        return self._found

    def _read(self, place: Place) -> None:
        found = self._found
        deployment = self._deployment(place)
        first = declare(deployment, sources=self._sources)
        self._progress.advance(self._name, "stacks", len(first.stacks))
        with ThreadPoolExecutor(1, thread_name_prefix="native") as pool:
            native = pool.submit(self._native, place, first.stacks)
            self._live(place, _solid(first), whole=True)
            second = declare(
                deployment, attribute=live_attribute(first.resources, found.resources), sources=self._sources
            )
            found.declared = replace(second, resources=identified(_solid(second), found.resources))
            self._live(place, self._newly_known(first.resources), whole=False)
            found.native = native.result()
        known = {
            (one.type, one.physical_id) for one in found.declared.resources if one.key in found.resources
        }
        found.gaps = [
            gap
            for gap in found.gaps
            if gap.reason is not GapReason.UNRESOLVED or (gap.type, gap.identifier) not in known
        ]
        found.gaps += found.declared.gaps
        found.deployed_at = _deployed_at(deployment, found.declared.resources)
        self._facts(place)

    def _deployment(self, place: Place) -> stack_reader.Deployment:
        return stack_reader.read(
            place.cloudformation,
            account=place.account,
            region=place.region,
            partition=place.partition,
            names=self._settings.scope.stacks,
            zones=place.ec2,
            parameters=place.ssm,
        )

    def _live(self, place: Place, wanted: Sequence[DeclaredResource], *, whole: bool) -> None:
        if not whole and not wanted:
            return
        options = ReadOptions.of(self._settings)
        if not whole or self._settings.scope.stacks:
            options = replace(options, unmanaged=False)
        for seen in read_place(place, wanted, options=options, cancelled=self._cancelled):
            if isinstance(seen, Resource):
                self._found.resources[seen.key] = seen
                self._progress.advance(self._name, "resources")
            elif isinstance(seen, Deletion):
                self._found.deleted.add(seen.key)
            else:
                self._found.gaps.append(seen)
                self._progress.advance(self._name, "gaps")

    def _newly_known(self, first: Iterable[DeclaredResource]) -> list[DeclaredResource]:
        """Resources whose identifier could only be told once the attributes of others were known."""
        known = {(one.stack_id, one.logical_id, one.identifier) for one in first}
        return [
            one
            for one in self._found.declared.resources
            if one.identifier is not None and (one.stack_id, one.logical_id, one.identifier) not in known
        ]

    def _native(self, place: Place, stacks: Sequence[StackState]) -> list[NativeDrift]:
        if not self._settings.scan.native_drift:
            return []

        def one(stack: StackState) -> list[NativeDrift]:
            if self._cancelled() or stack.status not in stack_reader.COMPARABLE:
                return []
            try:
                return list(
                    detect(
                        place.cloudformation,
                        stack.stack_id,
                        timeout_seconds=self._settings.scan.native_drift_timeout_seconds,
                    )
                )
            except CredentialsError:
                raise
            except AwsError as error:
                detail = gap_of(error, place.account, place.region, stack=stack.name)
                self._found.gaps.append(detail)
                return []

        with ThreadPoolExecutor(_DETECTIONS_AT_ONCE, thread_name_prefix="detect") as pool:
            return [drift for drifts in pool.map(one, stacks) for drift in drifts]

    def _facts(self, place: Place) -> None:
        """Aliases of keys, and the account's own settings."""
        try:
            self._found.kms_aliases = place.kms.aliases()
        except CredentialsError:
            raise
        except AwsError as error:
            self._found.gaps.append(gap_of(error, place.account, place.region))
        for fact in read_account(place):
            if isinstance(fact, Gap):
                self._found.gaps.append(fact)
            else:
                self._found.resources[fact.key] = fact

    def _interrupted(self) -> None:
        self._found.gaps.append(
            Gap(
                reason=GapReason.INTERRUPTED,
                account=self._target.account,
                region=self._target.region,
                detail="The scan was interrupted before this account and region was read.",
            )
        )


_HOLLOW = (
    "AWS::CDK::Metadata",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFormation::WaitConditionHandle",
)


def _solid(declared: Declared) -> tuple[DeclaredResource, ...]:
    """Without the resources that stand for nothing in AWS: there is nothing there that could drift."""
    return tuple(one for one in declared.resources if one.type not in _HOLLOW)


def _deployed_at(
    deployment: stack_reader.Deployment, declared: Iterable[DeclaredResource]
) -> dict[ResourceKey, datetime]:
    """When CloudFormation last touched each declared resource (ListStackResources)."""
    touched = {
        (stack.stack_id, str(item["LogicalResourceId"])): item.get("LastUpdatedTimestamp")
        for stack in deployment.stacks
        for item in stack.resources
    }
    found = {}
    for one in declared:
        moment = touched.get((one.stack_id or "", one.logical_id))
        if one.key is not None and isinstance(moment, datetime):
            found[one.key] = moment
    return found


def _merged(
    targets: Sequence[Target], readings: Sequence[PlaceReading], now: datetime, *, complete: bool
) -> Readings:
    pairs = list(zip(targets, readings, strict=True))
    resources: dict[ResourceKey, Resource] = {}
    deleted: set[ResourceKey] = set()
    for reading in readings:
        # What lives once per partition is seen from every region: the first sight that shows all is kept.
        for key, resource in reading.resources.items():
            known = resources.get(key)
            if known is None or (known.coverage is not None and resource.coverage is None):
                resources[key] = resource
        deleted |= reading.deleted
    whole = {
        target.account: complete
        and all(reading.entered for other, reading in pairs if other.account == target.account)
        for target in targets
    }
    return Readings(
        declared=_with_owners(readings, whole),
        snapshot=Snapshot(
            taken_at=now,
            resources=resources,
            deleted=frozenset(deleted - resources.keys()),
            gaps=tuple(_distinct(gap for reading in readings for gap in reading.gaps)),
        ),
        stacks=[stack for reading in readings for stack in reading.declared.stacks],
        native=[native for reading in readings for native in reading.native],
        deployed_at={key: at for reading in readings for key, at in reading.deployed_at.items()},
        kms_aliases={(t.account, t.region): reading.kms_aliases for t, reading in pairs},
        environments={target.account: target.environment for target in targets if target.environment},
        covered=frozenset((t.account, t.region) for t, reading in pairs if reading.entered),
        unlisted=frozenset((t.account, t.region) for t, reading in pairs if _unlisted(reading)),
    )


def _unlisted(reading: PlaceReading) -> bool:
    """Whether a gap concerns all that is declared in a place, and not one stack or resource."""
    return any(
        gap.stack is None and gap.type is None and gap.identifier is None and gap.path is None
        for gap in reading.declared.gaps
    )


def _with_owners(readings: Sequence[PlaceReading], whole: Mapping[str, bool]) -> list[DeclaredResource]:
    """Each resource with what its siblings write into it, and with the values that others own.

    That nobody declares a child can only be told where every stack of the account was read (``whole``).
    """
    by_account: dict[str, list[DeclaredResource]] = {}
    broken = {
        gap.account
        for reading in readings
        for gap in reading.declared.gaps
        if gap.reason is not GapReason.UNSUPPORTED
    }
    for reading in readings:
        for one in reading.declared.resources:
            by_account.setdefault(one.account, []).append(one)
    declared: list[DeclaredResource] = []
    for account, members in by_account.items():
        complete = whole.get(account, False) and account not in broken
        declared += with_tolerances(merge_siblings(members, complete=complete))
    return declared


def _distinct(gaps: Iterable[Gap]) -> Iterator[Gap]:
    seen: set[Gap] = set()
    for gap in gaps:
        if gap not in seen:
            seen.add(gap)
            yield gap
