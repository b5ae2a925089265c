"""What the service works with: one value, made from the wiring and handed to the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from driftguard.history.port import Store
from driftguard.model import Finding, PolicySummary
from driftguard.model.remediation import Plan
from driftguard.rules import Catalogue
from driftguard.rules.frameworks import Frameworks, load_frameworks
from driftguard.service.desk import Desk, Planned, upcoming
from driftguard.service.scanning import Scans
from driftguard.settings import Settings

if TYPE_CHECKING:
    from driftguard.wiring import Wiring

Planner = Callable[[Sequence[Finding], str], Plan]
"""Makes (and stores) the plan that answers findings, by its author.  Raises `RefusedError`."""
Applier = Callable[[Plan, str], None]
"""Starts an approved plan.  Raises `RefusedError`."""


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
    policies: Mapping[str, PolicySummary] = field(default_factory=dict)
    """The summaries of the catalogue, for titles in the reader's language."""
    upcoming: Callable[[], Sequence[Planned]] = field(default=tuple)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


def services(wiring: Wiring) -> Services:
    """The services of one set of settings."""
    from driftguard.rules.packaged import packaged_policies

    own = [Path(folder) / "frameworks" for folder in wiring.settings.policies.folders]
    folders = [packaged_policies() / "frameworks", *(folder for folder in own if folder.is_dir())]
    desk = Desk(wiring)
    return Services(
        settings=wiring.settings,
        store=wiring.store,
        catalogue=wiring.catalogue,
        frameworks=load_frameworks(folders),
        scans=Scans(wiring.job, wiring.store),
        planner=desk.plan,
        applier=desk.apply,
        policies=wiring.catalogue.summaries(),
        upcoming=lambda: upcoming(wiring),
        clock=wiring.clock,
    )
