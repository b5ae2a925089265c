"""The composition root: settings in, working objects out.

Nothing else in the house builds what it uses; it is handed it.  Every part is made on first use, so that a
command pays only for what it needs.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from driftguard.settings import Settings

if TYPE_CHECKING:
    from driftguard.aws import Aws
    from driftguard.declared.repository import Repository
    from driftguard.history.redact import Redactor
    from driftguard.history.store import SqlStore
    from driftguard.model import DeclaredResource
    from driftguard.model.trend import TrendPoint
    from driftguard.rules import Catalogue
    from driftguard.scan import Job

Clock = Callable[[], datetime]
DEFAULT_FRAMEWORK = "AWS-FSBP"
"""What a scan judges until the settings name something else: AWS's own baseline."""


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
    def store(self) -> SqlStore:
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
        from driftguard.rules.shipped import load_all, selected

        chosen = self.settings.policies
        nothing_named = not chosen.frameworks and not chosen.include
        return selected(
            load_all(chosen.folders), chosen, frameworks=(DEFAULT_FRAMEWORK,) if nothing_named else ()
        )

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
            repository=self.repository,
            baselines=self.baselines,
        )

    @cached_property
    def repository(self) -> Repository | None:
        """The repository's templates, where the settings name a folder of them."""
        if not self.settings.scan.declared:
            return None
        from pathlib import Path

        from driftguard.declared.repository import load_repository

        return load_repository(Path(self.settings.scan.declared), self.settings.scan.stacks)

    @cached_property
    def baselines(self) -> tuple[DeclaredResource, ...]:
        """The recorded states of the baseline files that the settings name."""
        from pathlib import Path

        from driftguard.declared.baseline import load_baseline

        return tuple(one for file in self.settings.scan.baselines for one in load_baseline(Path(file)))

    def trends(self) -> Sequence[TrendPoint]:
        """One point for each run, oldest first, for the pictures of a report."""
        return self.store.trends()

    def close(self) -> None:
        """Let go of the store's connection."""
        if "store" in self.__dict__:
            self.store.close()
