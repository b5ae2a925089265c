"""The composition root: settings in, working objects out.

Nothing else in the house builds what it uses; it is handed it.  Every part is made on first use, so that a
command pays only for what it needs.
"""

from __future__ import annotations

import getpass
import importlib.resources
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftguard.settings import Settings

if TYPE_CHECKING:
    from driftguard.aws import Aws
    from driftguard.declared.template import Template
    from driftguard.history.port import Store
    from driftguard.history.redact import Redactor
    from driftguard.model import Report, Snapshot
    from driftguard.model.notice import Delivery
    from driftguard.notify import Composer, Tools
    from driftguard.rules import Catalogue
    from driftguard.scan import Job

Clock = Callable[[], datetime]


class Wiring:
    """Everything that one set of settings makes.  Close it, or use it as a context manager."""

    def __init__(
        self,
        settings: Settings,
        *,
        session_factory: Callable[[], Any] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self._session_factory = session_factory
        self.clock = clock or (lambda: datetime.now(UTC))

    def __enter__(self) -> Wiring:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def store(self) -> Store:
        """The history store, migrated.  Raises `StoreError`."""
        from driftguard.history import open_store

        return open_store(self.settings.store.url, redactor=self.redactor)

    @cached_property
    def redactor(self) -> Redactor:
        """The door through which everything passes before it is stored or shown."""
        from driftguard.history.key import key_path, load_key
        from driftguard.history.redact import Redactor

        return Redactor(load_key(key_path(self.settings.store.url, self.settings.store.key_file)))

    @cached_property
    def aws(self) -> Aws:
        """AWS as the settings name it.  Nothing is called before something is asked."""
        from driftguard.aws import Aws

        return Aws(self.settings.aws, self.settings.scope, session_factory=self._session_factory)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Our policies and the user's own, with the settings' selection and overrides."""
        from driftguard.rules import load_catalogue

        folders = [policies_folder() / "rules", *(Path(f) for f in self.settings.policies.folders)]
        found = load_catalogue(folders)
        chosen = self.settings.policies
        return found.select(include=chosen.include, exclude=chosen.exclude, overrides=chosen.overrides)

    @property
    def actor(self) -> str:
        """Who works here, for the audit log: the operating system's user, or what the settings name."""
        return os.environ.get("DRIFTGUARD_ACTOR") or getpass.getuser()

    def job(self, *, trigger: str, accounts: tuple[str, ...] = (), regions: tuple[str, ...] = ()) -> Job:
        """A scan, ready to run."""
        from driftguard.scan import Job

        return Job(
            aws=self.aws,
            store=self.store,
            redactor=self.redactor,
            catalogue=self.catalogue,
            settings=self.settings,
            trigger=trigger,
            accounts=accounts,
            regions=regions,
            clock=self.clock,
            sources=self.sources,
            notices=self._notices,
        )

    @cached_property
    def sources(self) -> Mapping[str, Template]:
        """The repository's templates by stack name, where the settings name a folder of them."""
        if not self.settings.scan.declared:
            return {}
        from driftguard.declared.template import find_templates, load_template

        return {path.stem: load_template(path) for path in find_templates([self.settings.scan.declared])}

    def deliver(self) -> int:
        """Send what waits in the outbox, missed and failed slots included; answers how many messages went out."""
        notify = self.settings.notify
        if not notify.channels:
            return 0
        from driftguard.notify import send_due

        now = self.store.clock(self.clock())
        self.store.tell_slots(lambda slot: self.composer.of_slot(slot, now), now)
        return send_due(self.store, notify, self.tools, self.clock)

    @cached_property
    def composer(self) -> Composer:
        """What is said to whom of a report."""
        from driftguard.history import causes
        from driftguard.notify import Composer
        from driftguard.report.formats import asff

        def titles(report: Report) -> dict[str, str]:
            groups = causes.group(report.findings, report.drifts)
            return {name: group.title for group in groups for name in group.fingerprints}

        return Composer(
            settings=self.settings.notify,
            causes=titles,
            document=lambda finding, report: asff.document(finding, report, report.run.started_at),
        )

    @cached_property
    def tools(self) -> Tools:
        """What channels send with."""
        from driftguard.notify import Tools

        return Tools(aws=self.aws, link=self.settings.notify.link)

    def _notices(self, report: Report, snapshot: Snapshot) -> tuple[Delivery, ...]:
        if not self.settings.notify.routes:
            return ()
        return self.composer.deliveries(report, snapshot, self.store.clock(self.clock()))

    def close(self) -> None:
        """Let go of the store's connection."""
        if "store" in self.__dict__:
            self.store.close()


def policies_folder() -> Path:
    """The ``policies/`` that travels with the code: inside the wheel, or beside the package in a checkout."""
    packaged = Path(str(importlib.resources.files("driftguard"))) / "_policies"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "policies"
