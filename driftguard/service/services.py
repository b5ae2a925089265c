"""What the service works with: one value, made from the wiring and handed to the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from driftguard.errors import InputError
from driftguard.history.port import Store
from driftguard.model import Finding, PolicySummary
from driftguard.model.remediation import Plan
from driftguard.model.trend import TrendPoint
from driftguard.remediation import Remedies
from driftguard.rules import Catalogue
from driftguard.rules.frameworks import Framework, Frameworks, load_frameworks
from driftguard.service import whole
from driftguard.service.desk import Desk, Planned, upcoming
from driftguard.service.scanning import Scans
from driftguard.settings import Settings

if TYPE_CHECKING:
    from driftguard.wiring import Wiring

Planner = Callable[[Sequence[Finding], str], Plan]
"""Makes (and stores) the plan that answers findings, by its author.  Raises `RefusedError`."""
Applier = Callable[[Plan, str], None]
"""Starts an approved plan.  Raises `RefusedError`."""
Exporter = Callable[[Framework, Path, str], str]
"""Writes the evidence of a framework as of now to a file, for somebody; answers its seal.  Raises `StoreError`."""
Tester = Callable[[str, str], str]
"""Sends a test message to a channel, for somebody; answers its reference.  Raises `ConfigError`, `NotifyError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that pages and API need.  What is None is not installed, and is not offered."""

    settings: Settings
    store: Store
    catalogue: Catalogue
    frameworks: Frameworks
    scans: Scans
    planner: Planner | None = None
    applier: Applier | None = None
    applying: Callable[[str], bool] = lambda _: False
    """Whether a plan is being applied here at this moment."""
    exporter: Exporter | None = None
    tester: Tester | None = None
    policies: Mapping[str, PolicySummary] = field(default_factory=dict)
    """Every policy that was loaded, for titles and messages in the reader's language."""
    remedies: Callable[[], Remedies] = Remedies
    """The remedies, read when somebody looks at a plan in another language than English."""
    upcoming: Callable[[], Sequence[Planned]] = field(default=tuple)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def points(self, most: int) -> Sequence[TrendPoint]:
        """The numbers of the newest ``most`` runs over everything, the oldest first."""
        return whole.points(self.store, self.settings.scope, most)

    def attested(self, framework: str) -> frozenset[str]:
        """The controls of a framework for which a person's word holds now."""
        said, now = self.store.attestations(framework), self.clock()
        return frozenset(one.control for one in said if one.holds(now))


def services(wiring: Wiring) -> Services:
    """The services of one set of settings."""
    from driftguard.rules.packaged import packaged_policies

    own = [Path(folder) / "frameworks" for folder in wiring.settings.policies.folders]
    folders = [packaged_policies() / "frameworks", *(folder for folder in own if folder.is_dir())]
    scans = Scans(wiring.job, wiring.store)
    desk = Desk(wiring, scans)
    return Services(
        settings=wiring.settings,
        store=wiring.store,
        catalogue=wiring.catalogue,
        frameworks=load_frameworks(folders),
        scans=scans,
        planner=desk.plan,
        applier=desk.apply,
        applying=desk.applying,
        exporter=partial(_export, wiring),
        tester=partial(_test, wiring),
        policies=wiring.catalogue.words(),
        remedies=lambda: wiring.remedies,
        upcoming=lambda: upcoming(wiring),
        clock=wiring.clock,
    )


def _export(wiring: Wiring, framework: Framework, target: Path, actor: str) -> str:
    from driftguard.history.evidence import export
    from driftguard.history.key import key_path, load_key

    store = wiring.settings.store
    return export(
        wiring.store,
        framework.id,
        wiring.clock(),
        target,
        actor=actor,
        key=load_key(key_path(store.url, store.key_file)),
        listed=framework,
    )


def _test(wiring: Wiring, channel: str, actor: str) -> str:
    from driftguard.notify import send_test

    found = next((one for one in wiring.settings.notify.channels if one.name == channel), None)
    if found is None:
        raise InputError(f"there is no channel `{channel}`.", fix="The page lists those of the settings.")
    reference = send_test(found, wiring.tools, wiring.clock())
    wiring.store.audit(actor, "notify.test", channel, {"reference": reference})
    return reference
