"""Is everything there that a scan needs?  Each fault is named with its fix, per account and region."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path

from driftguard.aws import Aws, Place, Target
from driftguard.declared.baseline import load_baseline
from driftguard.errors import AccessDeniedError, AwsError, CredentialsError, DriftguardError, EndpointError
from driftguard.live.inventory import unrecorded
from driftguard.model import Gap
from driftguard.notify import check_channels
from driftguard.rules import Catalogue
from driftguard.rules.waivers import load_waivers
from driftguard.settings import Settings


class Health(StrEnum):
    OK = "OK"
    WARNING = "WARNING"
    """A scan runs, but sees less."""
    FAULT = "FAULT"
    """A scan does not run, or not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One answer of the doctor.

    ``place`` is ``ACCOUNT/REGION``, or empty for what concerns all; ``action`` the IAM action that is missing.
    """

    name: str
    health: Health
    detail: str
    fix: str = ""
    place: str = ""
    action: str = ""


def examine(aws: Aws, open_store: Callable[[], object]) -> Iterator[Check]:
    """Check store, credentials and every account and region, cheapest first."""
    yield _attempt("store", lambda: (open_store(), "opens and is up to date")[1])
    try:
        identity = aws.identity()
    except DriftguardError as error:
        yield _fault("credentials", error)
        return
    yield Check(name="credentials", health=Health.OK, detail=f"{identity.arn}")
    if ":user/" in identity.arn:
        yield Check(
            name="credentials",
            health=Health.WARNING,
            detail="long-lived user keys are in use.",
            fix="Prefer a role: IAM Identity Center, an instance profile or OIDC.",
        )
    try:
        targets = aws.targets()
    except DriftguardError as error:
        yield _fault("scope", error)
        return
    yield Check(name="scope", health=Health.OK, detail=f"{len(targets)} account and region pairs")
    with ThreadPoolExecutor(max_workers=8) as pool:
        for checks in pool.map(lambda target: list(_examine_place(aws, target)), targets):
            yield from checks


def configured(settings: Settings, catalogue: Callable[[], Catalogue]) -> Iterator[Check]:
    """What the settings name: files and folders that are not there, and policies that there are not."""
    faults = [*missing_files(settings), *_policies(catalogue), *_files(settings), *_channels(settings)]
    yield from faults
    if not faults:
        yield Check(name="settings", health=Health.OK, detail="every file and policy they name is there")


def missing_files(settings: Settings) -> Iterator[Check]:
    """Each file and folder that the settings name and that is not there: what it holds would silently not count."""
    scan, policies, remediation = settings.scan, settings.policies, settings.remediation
    named: dict[str, tuple[str | None, ...]] = {
        "policies.folders": policies.folders,
        "policies.waivers": policies.waivers,
        "scan.baselines": scan.baselines,
        "scan.declared": (scan.declared,),
        "scan.schemas": (scan.schemas,),
        "remediation.folders": remediation.folders,
    }
    for field, names in named.items():
        for name in names:
            if name and not Path(name).exists():
                yield Check(
                    name="settings",
                    health=Health.FAULT,
                    detail=f"`{field}` names {name}, and there is no such file or folder.",
                    fix=f"Correct `{field}`.",
                )


def _policies(catalogue: Callable[[], Catalogue]) -> Iterator[Check]:
    try:
        wrong = catalogue().errors
    except DriftguardError as error:
        yield _fault("policies", error)
        return
    yield from (_fault("policies", one) for one in wrong)


def _channels(settings: Settings) -> Iterator[Check]:
    """A channel that cannot send: a scan runs all the same, and nobody hears of it."""
    try:
        check_channels(settings.notify.channels)
    except DriftguardError as error:
        yield replace(_fault("notify", error), health=Health.WARNING)


def _files(settings: Settings) -> Iterator[Check]:
    """Waiver and baseline files that are there, but wrong."""
    there = [path for path in map(Path, settings.policies.waivers) if path.exists()]
    for wrong in load_waivers(there)[1]:
        yield _fault("waivers", wrong)
    for path in map(Path, settings.scan.baselines):
        if path.exists():
            try:
                load_baseline(path)
            except DriftguardError as error:
                yield _fault("baselines", error)


def _examine_place(aws: Aws, target: Target) -> Iterator[Check]:
    where = f"{target.account}/{target.region}"
    try:
        place = aws.enter(target)
    except DriftguardError as error:
        yield _fault("access", error, where)
        return
    if isinstance(place, Gap):
        yield Check(
            name="access",
            health=Health.FAULT,
            detail=place.detail,
            fix=f"Grant {place.action}." if place.action else "",
            place=where,
            action=place.action or "",
        )
        return
    yield Check(name="access", health=Health.OK, detail="entered", place=where)
    yield from _recorder(place, where)
    for name, probe in _PROBES.items():
        yield _attempt(name, lambda probe=probe: probe(place), where)  # type: ignore[misc]  # bound per loop


def _recorder(place: Place, where: str) -> Iterator[Check]:
    """What AWS Config does not record is seen by Cloud Control where it is declared, and nowhere else."""
    try:
        recorder = place.config.recorder_status()
    except AwsError as error:
        yield _fault("recorder", error, where)
        return
    blind = list(unrecorded(place, recorder, lambda _: True))
    for gap in blind:
        yield Check(name="recorder", health=Health.WARNING, detail=gap.detail, place=where)
    if not blind:
        yield Check(name="recorder", health=Health.OK, detail="records all supported types", place=where)


def _stacks(place: Place) -> str:
    return f"{sum(1 for _ in islice(place.cloudformation.stacks(), 100))} stacks on the first pages"


def _drift(place: Place) -> str:
    """A detection id that does not exist: allowed callers get a validation error, others a denial."""
    try:
        place.cloudformation.drift_status("00000000-0000-0000-0000-000000000000")
    except (AccessDeniedError, CredentialsError, EndpointError):
        raise
    except AwsError:
        pass
    return "native drift results may be read"


def _models(place: Place) -> str:
    next(iter(place.cloud_control.list("AWS::SSM::Parameter")), None)
    return "Cloud Control answers"


def _trail(place: Place) -> str:
    next(iter(place.cloudtrail.lookup()), None)
    return "CloudTrail answers"


_PROBES: dict[str, Callable[[Place], str]] = {
    "stacks": _stacks,
    "native drift": _drift,
    "models": _models,
    "attribution": _trail,
}


def _attempt(name: str, probe: Callable[[], str], where: str = "") -> Check:
    try:
        return Check(name=name, health=Health.OK, detail=probe(), place=where)
    except DriftguardError as error:
        return _fault(name, error, where)


def _fault(name: str, error: DriftguardError, where: str = "") -> Check:
    fix = error.fix or (f"Grant {error.action}." if isinstance(error, AwsError) and error.action else "")
    action = error.action if isinstance(error, AccessDeniedError) else ""
    detail = f"{error.where}: {error.message}" if error.where else error.message
    return Check(name=name, health=Health.FAULT, detail=detail, fix=fix, place=where, action=action)
