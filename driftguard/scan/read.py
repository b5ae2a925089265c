"""The first paragraph: everything that a scan looks at, place by place, in parallel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from driftguard.aws import Aws, Place, Target
from driftguard.aws.gaps import gap_of
from driftguard.declared import deployment as stack_reader
from driftguard.declared.native import NativeDrift, detect
from driftguard.declared.out_of_band import CHILD_TYPES, ChildType
from driftguard.declared.repository import Repository
from driftguard.declared.stacks import Attribute, Declared, declare, declare_source, live_attribute
from driftguard.declared.template import Template
from driftguard.errors import AwsError, TemplateError
from driftguard.live import Deletion, ReadOptions, read_account, read_config_results, read_place
from driftguard.live.account import ACCOUNT_WIDE, BASIC
from driftguard.live.inventory import type_filter
from driftguard.model import (
    DeclaredResource,
    Gap,
    GapReason,
    Resource,
    StackState,
)
from driftguard.scan.children import asked, children
from driftguard.scan.deployed import deployed_at
from driftguard.scan.hollow import solid
from driftguard.scan.identify import identified
from driftguard.scan.merge import PlaceReading, merged, wholly_read
from driftguard.scan.progress import Progress
from driftguard.scan.readings import Readings, StackSource
from driftguard.schema import registry_of
from driftguard.settings import Settings

Takes = Callable[[str], bool]
_PLACES_AT_ONCE = 8
_DETECTIONS_AT_ONCE = 5
"""AWS throttles drift detection by the reads it makes itself (coverage-roadmap issue 801): keep it gentle."""


def read(
    aws: Aws,
    targets: Sequence[Target],
    settings: Settings,
    *,
    now: datetime,
    progress: Progress,
    cancelled: Callable[[], bool],
    repository: Repository | None = None,
    baselines: Sequence[DeclaredResource] = (),
    takes: Takes = lambda _: True,
    facts: Collection[str] | None = None,
    beside: Collection[str] = (),
) -> Readings:
    """Read every target.

    ``beside`` are the accounts that have regions in scope which are not among ``targets``.

    ``facts`` are the facts of an account that the chosen policies need (None: the cheap ones).
    ``repository`` holds templates to compare with what is deployed, ``baselines`` recorded states that are
    declared state as well; ``takes`` says of which policies AWS Config's own verdicts are wanted.  Raises
    `CredentialsError` when our own credentials are no good (any more).
    """
    recorded = _recorded(targets, baselines) if not settings.scope.stacks else {}

    first = {target.account: target for target in reversed(targets)}

    def one(target: Target) -> PlaceReading:
        more = recorded.get((target.account, target.region), ())
        wanted = frozenset(BASIC if facts is None else facts)
        if first[target.account] != target:
            wanted -= ACCOUNT_WIDE.keys()  # what is one for the whole account is asked once
        kinds = _kinds(settings, abroad=target.account not in beside)
        return _PlaceJob(
            aws, target, settings, progress, cancelled, repository, more, takes, wanted, kinds
        ).run()

    with ThreadPoolExecutor(_PLACES_AT_ONCE, thread_name_prefix="place") as pool:
        readings = list(pool.map(one, targets))
    units, gaps = _units(aws, settings)
    whole = replace(
        merged(targets, readings, now, whole=_whole(settings, targets, readings, beside), gaps=gaps),
        children=asked(settings),
        organizational_units=units,
        listed=_listed(targets, readings, settings),
        wants=type_filter(settings.scope.types, settings.scope.exclude_types),
    )
    return whole if repository is None else _beside(whole, readings, repository)


def _beside(whole: Readings, readings: Sequence[PlaceReading], repository: Repository) -> Readings:
    """With the repository's templates that belong to no stack, and those that cannot be read."""
    used = [template for reading in readings for template in reading.used]
    broken = tuple(
        Gap(reason=GapReason.UNREADABLE, account="", region="", detail=str(error))
        for error in repository.broken
    )
    return replace(
        whole,
        unmatched_templates=repository.unmatched(used),
        snapshot=replace(whole.snapshot, gaps=(*whole.snapshot.gaps, *broken)),
    )


def _units(aws: Aws, settings: Settings) -> tuple[Mapping[str, tuple[str, ...]], list[Gap]]:
    """The units above each account, asked for only where an override is for a unit."""
    if not any(override.organizational_units for override in settings.policies.overrides):
        return {}, []
    try:
        return aws.organizational_units(), []
    except AwsError as error:
        return {}, [gap_of(error, "*", "*", type_name="AWS::Organizations::OrganizationalUnit")]


def _listed(
    targets: Sequence[Target], readings: Sequence[PlaceReading], settings: Settings
) -> frozenset[tuple[str, str]]:
    if settings.scope.stacks or not settings.scan.unmanaged:
        return frozenset()
    pairs = zip(targets, readings, strict=True)
    return frozenset((target.account, target.region) for target, reading in pairs if reading.entered)


def _whole(
    settings: Settings, targets: Sequence[Target], readings: Sequence[PlaceReading], beside: Collection[str]
) -> frozenset[tuple[str, str]] | None:
    if not settings.scope.complete:
        return None
    return frozenset() if settings.scope.stacks else wholly_read(targets, readings, beside)


def _kinds(settings: Settings, *, abroad: bool) -> tuple[ChildType, ...]:
    """What is looked for on declared parents; told only where all that may be declared is read."""
    if settings.scope.stacks or not asked(settings):
        return ()
    wants = type_filter(settings.scope.types, settings.scope.exclude_types)
    return tuple(kind for kind in CHILD_TYPES if wants(kind.parent) and (abroad or not kind.abroad))


def _recorded(
    targets: Sequence[Target], baselines: Iterable[DeclaredResource]
) -> Mapping[tuple[str, str], list[DeclaredResource]]:
    """The baselines by the place that reads them; what lives once per partition is read in the first one."""
    places = [(target.account, target.region) for target in targets]
    found: dict[tuple[str, str], list[DeclaredResource]] = {}
    for one in baselines:
        place = (one.account, one.region)
        if one.region == "global":
            place = next((known for known in places if known[0] == one.account), place)
        if place in places:
            found.setdefault(place, []).append(one)
    return found


class _PlaceJob:
    def __init__(
        self,
        aws: Aws,
        target: Target,
        settings: Settings,
        progress: Progress,
        cancelled: Callable[[], bool],
        repository: Repository | None,
        baselines: Sequence[DeclaredResource],
        takes: Takes,
        facts: Collection[str],
        kinds: Sequence[ChildType],
    ) -> None:
        self._aws = aws
        self._target = target
        self._settings = settings
        self._progress = progress
        self._cancelled = cancelled
        self._repository = repository
        self._baselines = baselines
        self._takes = takes
        self._wanted_facts = facts
        self._kinds = kinds
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
        sources = self._repository.matched(deployment) if self._repository is not None else {}
        schema = registry_of(place.account, place.region).get
        first = self._with_baselines(declare(deployment, sources=sources, schema=schema))
        self._progress.advance(self._name, "stacks", len(first.stacks))
        with ThreadPoolExecutor(1, thread_name_prefix="native") as pool:
            native = pool.submit(self._native, place, first.stacks)
            self._live(place, solid(first.resources), whole=True)
            attribute = live_attribute(first.resources, found.resources)
            second = self._with_baselines(
                declare(deployment, attribute=attribute, sources=sources, schema=schema)
            )
            found.declared = replace(second, resources=identified(solid(second.resources), found.resources))
            self._live(place, self._newly_known(first.resources), whole=False)
            self._compare_sources(deployment, sources, attribute)
            self._children(place)
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
        found.deployed_at = deployed_at(deployment, found.declared.resources)
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

    def _with_baselines(self, declared: Declared) -> Declared:
        """The recorded states beside what stacks declare; where both speak of a resource, the stack counts."""
        if not self._baselines:
            return declared
        known = {one.key: one for one in declared.resources if one.key is not None}
        twice = [one for one in self._baselines if one.key in known]
        gaps = [
            Gap(
                reason=GapReason.UNSUPPORTED,
                account=one.account,
                region=one.region,
                detail="A stack declares it, so its recorded baseline was not compared.",
                type=one.type,
                identifier=one.identifier,
                stack=known[one.key].stack_name if one.key else None,
            )
            for one in twice
        ]
        more = [one for one in self._baselines if one.key not in known]
        return replace(declared, resources=(*declared.resources, *more), gaps=(*declared.gaps, *gaps))

    def _compare_sources(
        self,
        deployment: stack_reader.Deployment,
        sources: Mapping[str, Template],
        attribute: Attribute,
    ) -> None:
        """What the repository would declare in the place of each stack that it has a template for."""
        for stack in deployment.stacks:
            source = sources.get(stack.stack_id)
            if source is None:
                continue
            self._found.used.append(source)
            deployed = tuple(one for one in self._found.declared.resources if one.stack_id == stack.stack_id)
            if stack.status not in stack_reader.COMPARABLE or stack.template is None:
                continue  # the stack's own gap says why
            try:
                wanted = declare_source(deployment, stack.stack_id, source, attribute=attribute)
            except TemplateError as error:
                self._found.gaps.append(self._gap(f"The repository's template: {error}", stack.name))
                continue
            self._found.sources.append(
                StackSource(
                    account=deployment.account,
                    region=deployment.region,
                    stack=stack.name,
                    stack_id=stack.stack_id,
                    file=source.file,
                    repository=solid(wanted),
                    deployed=deployed,
                )
            )

    def _gap(self, detail: str, stack: str) -> Gap:
        return Gap(
            reason=GapReason.UNRESOLVED,
            account=self._target.account,
            region=self._target.region,
            detail=detail,
            stack=stack,
        )

    def _children(self, place: Place) -> None:
        """What lies on declared parents by hand."""
        for seen in children(place, self._kinds, self._found.declared.resources, self._cancelled):
            if isinstance(seen, Resource):
                self._found.resources.setdefault(seen.key, seen)
            else:
                self._found.gaps.append(seen)

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
        except AwsError as error:
            self._found.gaps.append(gap_of(error, place.account, place.region, type_name="AWS::KMS::Alias"))
        for fact in read_account(place, self._wanted_facts) if self._wanted_facts else ():
            if isinstance(fact, Gap):
                self._found.gaps.append(fact)
            else:
                self._found.resources[fact.key] = fact
        if self._settings.policies.aws_config_results and not self._cancelled():
            self._config_results(place)

    def _config_results(self, place: Place) -> None:
        scope = self._settings.scope
        self._found.config = read_config_results(
            place,
            self._found.resources.values(),
            takes=self._takes,
            wants=type_filter(scope.types, scope.exclude_types),
            strangers=not scope.stacks,
        )
        self._found.gaps += self._found.config.gaps

    def _interrupted(self) -> None:
        self._found.gaps.append(
            Gap(
                reason=GapReason.INTERRUPTED,
                account=self._target.account,
                region=self._target.region,
                detail="The scan was interrupted before this account and region was read.",
            )
        )
