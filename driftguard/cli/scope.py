"""What a scan is narrowed to, held against what there is: a scan of nothing must not read as "all was looked at"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from driftguard.cli.vocabulary import known_types, refuse_types, unknown
from driftguard.errors import AwsError, ConfigError, StoreError

if TYPE_CHECKING:
    from driftguard.aws import Aws, Target
    from driftguard.wiring import Wiring

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """The names that were typed: wildcards are allowed in those of stacks and types."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    offline: tuple[str, ...] = ()


def refuse_unknown(wiring: Wiring, typed: Narrowing) -> None:
    """Raises `InputError` for an account, region, stack or type in which a scan would see nothing, and `ConfigError`
    for a file that the settings name and that is not there.

    The settings' own stacks may be gone one by one; that none of them is there is a mistake as well.
    """
    from driftguard.doctor import missing_files

    for fault in missing_files(wiring.settings):
        raise ConfigError(fault.detail, fix=fault.fix)
    refuse_types(wiring.settings.scope.types, known_types(wiring.settings), lambda name: _seen(wiring, name))
    if typed.offline:
        _refuse_places(_delivered(typed), typed)
        return
    if not (typed.accounts or typed.regions or wiring.settings.scope.stacks):
        return
    targets = wiring.aws.targets()
    _refuse_places([(target.account, target.region) for target in targets], typed)
    chosen = [
        target
        for target in targets
        if (not typed.accounts or target.account in typed.accounts)
        and (not typed.regions or target.region in typed.regions)
    ]
    _refuse_stacks(wiring, chosen, typed.stacks)


def _refuse_places(places: Iterable[tuple[str, str]], typed: Narrowing) -> None:
    there = list(places)
    if not there:
        return
    accounts = list(dict.fromkeys(account for account, _ in there))
    for name in typed.accounts:
        if name not in accounts:
            raise unknown("account", f"{name} in scope", accounts, f"In scope: {_few(accounts)}.", like=name)
    regions = list(
        dict.fromkeys(region for account, region in there if not typed.accounts or account in typed.accounts)
    )
    for name in typed.regions:
        if name not in regions:
            raise unknown("region", f"{name} in scope", regions, f"In scope: {_few(regions)}.", like=name)


def _refuse_stacks(wiring: Wiring, targets: Sequence[Target], typed: Sequence[str]) -> None:
    wanted = wiring.settings.scope.stacks
    if not wanted:
        return
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        listed = list(pool.map(lambda target: _stacks(wiring.aws, target), targets))
    if any(names is None for names in listed):
        return  # Where stacks cannot be listed nothing is known of their names; the scan tells it as a gap.
    there = {name for names in listed for name in names or ()}
    missing = [name for name in wanted if not any(fnmatchcase(one, name) for one in there)]
    if missing and (typed or len(missing) == len(wanted)):
        names = sorted(name for name in there if not name.startswith("arn:"))
        raise unknown(
            "stack", f"{missing[0]} in scope", names, f"In scope: {_few(names) or 'none'}.", like=missing[0]
        )


def _stacks(aws: Aws, target: Target) -> tuple[str, ...] | None:
    """Names and ids of the stacks of a place; None where they cannot be listed."""
    from driftguard.aws import Place

    place = aws.enter(target)
    if not isinstance(place, Place):
        return None
    try:
        return tuple(
            name
            for stack in place.cloudformation.stacks()
            for name in (str(stack["StackName"]), str(stack["StackId"]))
        )
    except AwsError:
        return None


def _delivered(typed: Narrowing) -> Iterator[tuple[str, str]]:
    """The places of the files, if they are narrowed at all.  What cannot be read is a gap of the scan."""
    if not typed.accounts and not typed.regions:
        return
    from driftguard.errors import InputError
    from driftguard.live.config_files import Rejected, files_in, read_file

    for path in files_in(list(map(Path, typed.offline))):
        try:
            for item in read_file(path):
                if not isinstance(item, Rejected):
                    yield item.account, item.region
        except InputError:
            continue


def _seen(wiring: Wiring, name: str) -> bool:
    """Whether the store, if there is one already, has a resource of the type."""
    from driftguard.history.open import refuse_missing
    from driftguard.history.port import Query

    try:
        refuse_missing(wiring.settings.store.url)
    except StoreError:
        return False
    return bool(wiring.store.resources(Query(types=(name,), limit=1)).items)


def _few(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
