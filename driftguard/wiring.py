"""The composition root: settings in, working objects out.

Nothing else in the house builds what it uses; it is handed it.  Every part is made on first use, so that a
command pays only for what it needs.
"""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftguard.settings import Settings

if TYPE_CHECKING:
    from driftguard.aws import Aws, Place
    from driftguard.declared.repository import Repository
    from driftguard.history.redact import Redactor
    from driftguard.history.store import SqlStore
    from driftguard.model import DeclaredResource, Drift, Finding, Report, ResourceKey, Snapshot
    from driftguard.model.notice import Delivery
    from driftguard.model.remediation import Plan, Step
    from driftguard.model.trend import TrendPoint
    from driftguard.notify import Composer, Tools
    from driftguard.remediation import Remedies, Wishes
    from driftguard.remediation.results import Outcome
    from driftguard.remediation.runner import Runner
    from driftguard.rules import Catalogue
    from driftguard.scan import Job
    from driftguard.scan.explained import Explained

Clock = Callable[[], datetime]
DEFAULT_FRAMEWORK = "AWS-FSBP"
"""What a scan judges until the settings name something else: AWS's own baseline."""


@dataclass(frozen=True, slots=True)
class _Time:
    """The clock of a run: what time it is, and how to wait."""

    now: Clock
    sleep: Callable[[float], object]


class Wiring:
    """Everything that one set of settings makes.  Close it, or use it as a context manager."""

    def __init__(
        self,
        settings: Settings,
        *,
        session_factory: Callable[[], Any] | None = None,
        clock: Clock | None = None,
        existing: bool = False,
    ) -> None:
        """With ``existing`` a SQLite store that is not there yet is an error: to read is not to make one."""
        self.settings = settings
        self._existing = existing
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
        from driftguard.history.open import refuse_missing

        if self._existing:
            refuse_missing(self.settings.store.url)
        return open_store(self.settings.store.url, redactor=self.redactor)

    @cached_property
    def redactor(self) -> Redactor:
        """The door through which everything passes before it is stored or shown."""
        from driftguard.history.key import key_path, load_key
        from driftguard.history.redact import Redactor

        return Redactor(load_key(key_path(self.settings.store.url, self.settings.store.key_file)))

    @cached_property
    def aws(self) -> Aws:
        """AWS as the settings name it, and the schemas of its accounts.  Nothing is called yet."""
        from pathlib import Path

        from driftguard.aws import Aws
        from driftguard.schema import use_folder

        folder = self.settings.scan.schemas
        use_folder(Path(folder) if folder else None)
        return Aws(self.settings.aws, self.settings.scope, session_factory=self._session_factory)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Our policies and the user's own, with the settings' selection and overrides."""
        from driftguard.rules.shipped import load_all, selected

        chosen = self.settings.policies
        nothing_named = not chosen.frameworks and not chosen.include
        return selected(
            load_all(chosen.folders, plugins=chosen.allow_plugins),
            chosen,
            frameworks=(DEFAULT_FRAMEWORK,) if nothing_named else (),
        )

    @property
    def actor(self) -> str:
        """Who works here, for the audit log: the operating system's user, or what the settings name."""
        return os.environ.get("DRIFTGUARD_ACTOR") or getpass.getuser()

    def job(
        self,
        *,
        trigger: str,
        accounts: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
        offline: tuple[str, ...] = (),
    ) -> Job:
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
            notices=self._notices,
            offline=tuple(map(Path, offline)),
        )

    @cached_property
    def remedies(self) -> Remedies:
        """Our remedies and the user's own.  Raises `PolicyError`."""
        from driftguard.remediation import load_remedies
        from driftguard.rules.packaged import packaged_policies

        folders = [packaged_policies() / "remediations", *map(Path, self.settings.remediation.folders)]
        return load_remedies(folders)

    def plan(self, findings: Sequence[Finding], wishes: Wishes) -> Plan:
        """A remediation plan for findings, from a fresh reading of their accounts.  Changes nothing in AWS."""
        from driftguard.remediation import plan
        from driftguard.scan.again import Again

        again = Again(self.job(trigger="plan"), {finding.key.account for finding in findings})
        return plan(again.material(findings), self.remedies, self.settings.remediation, wishes)

    def runner(
        self,
        plan: Plan,
        *,
        patches: Path,
        needs_approval: bool = True,
        sleep: Callable[[float], object] = time.sleep,
        actor: str = "",
    ) -> Runner:
        """What applies a plan, or goes on with it.  The role that may change things is assumed only here.

        ``actor`` is who applies it: by default whoever runs this process.
        """
        from driftguard.remediation.control import AuditSwitch
        from driftguard.remediation.desk import PlanDesk
        from driftguard.remediation.hands import AwsHands
        from driftguard.remediation.runner import Runner
        from driftguard.scan.again import Again

        settings, writer = self.settings.remediation, self._writer()
        again = Again(self.job(trigger="apply"), {step.key.account for step in plan.steps})

        def text_of(step: Step) -> tuple[str, str]:
            found = again.template(step.stack_id)
            return (found.file, found.text) if found is not None else (step.target, "")

        return Runner(
            plan,
            settings=settings,
            ledger=self.store,
            eyes=again,
            hands=AwsHands(
                lambda key: writer.place(key.account, again.region_of(key)),
                self.remedies.documents,
                settings,
                sleep,
            ),
            desk=PlanDesk(plan, patches, text_of, self.store, self.clock, actor or self.actor),
            switch=AuditSwitch(self.store, plan.id),
            clock=_Time(self.clock, sleep),
            actor=actor or self.actor,
            needs_approval=needs_approval,
        )

    def apply(
        self,
        plan: Plan,
        *,
        patches: Path,
        needs_approval: bool = True,
        actor: str = "",
        sleep: Callable[[float], object] = time.sleep,
    ) -> Outcome:
        """Apply a plan to its end and pass the results on to Security Hub and OpsCenter, where asked."""
        from driftguard.remediation.tell import tell

        outcome = self.runner(
            plan, patches=patches, needs_approval=needs_approval, actor=actor, sleep=sleep
        ).run()
        settings, writer = self.settings.remediation, self._writer()
        if settings.security_hub or settings.ops_items:

            def place_of(key: ResourceKey) -> Place:
                return writer.place(key.account, "us-east-1" if key.region == "global" else key.region)

            for problem in tell(plan, outcome.executions, place_of, settings):
                self.store.audit(actor or self.actor, "plan.told", plan.id, {"problem": problem})
        return outcome

    def automatic(self, findings: Sequence[Finding], *, patches: Path) -> tuple[Plan | None, Outcome | None]:
        """What the rules of ``remediation.automatic`` say about findings: done, or only rehearsed.

        For the service, after a scan that was recorded.  Answers the plan that was applied and its outcome.
        """
        from driftguard.remediation import Wishes
        from driftguard.remediation.automatic import REHEARSED, changing_only, choose, record

        chosen = choose(findings, self.settings.remediation.automatic)
        if chosen.rehearse:
            rehearsed = changing_only(self.plan(chosen.rehearse, Wishes(author="driftguard")))
            self.store.audit("driftguard", REHEARSED, rehearsed.id, record(rehearsed))
        if not chosen.act:
            return None, None
        plan = changing_only(self.plan(chosen.act, Wishes(author="driftguard")))
        self.store.put_plan(plan)
        self.store.audit("driftguard", "plan.automatic", plan.id, {"digest": plan.digest})
        return plan, self.apply(plan, patches=patches, needs_approval=False)

    def _writer(self) -> Aws:
        """AWS with the role that may start automations and change sets."""
        from driftguard.aws import Aws

        aws = self.settings.aws.model_copy(update={"role_name": self.settings.remediation.role_name})
        accounts = tuple(one.model_copy(update={"role_arn": None}) for one in self.settings.scope.accounts)
        scope = self.settings.scope.model_copy(update={"accounts": accounts})
        return Aws(aws, scope, session_factory=self._session_factory)

    @cached_property
    def repository(self) -> Repository | None:
        """The repository's templates, where the settings name a folder of them."""
        if not self.settings.scan.declared:
            return None
        from driftguard.declared.repository import load_repository

        return load_repository(Path(self.settings.scan.declared), self.settings.scan.stacks)

    @cached_property
    def baselines(self) -> tuple[DeclaredResource, ...]:
        """The recorded states of the baseline files that the settings name."""
        from driftguard.declared.baseline import load_baseline

        return tuple(one for file in self.settings.scan.baselines for one in load_baseline(Path(file)))

    def explain(self, before: Drift) -> Explained:
        """What decides about each property of the resource of ``before``, read again now."""
        from driftguard.scan.explained import explain_again
        from driftguard.scan.job import rules_of

        return explain_again(
            self.aws,
            self.store,
            self.settings,
            self.redactor,
            before,
            rules=rules_of(self.settings),
            now=self.clock(),
            baselines=self.baselines,
        )

    def trends(self) -> Sequence[TrendPoint]:
        """One point for each run, oldest first, for the pictures of a report."""
        return self.store.trends()

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
        from driftguard.report.view import heading

        def titles(report: Report) -> dict[str, str]:
            groups = causes.group(report.findings)
            return {name: group.title for group in groups for name in group.fingerprints}

        return Composer(
            settings=self.settings.notify,
            causes=titles,
            document=lambda finding, report: asff.document(finding, report, report.run.started_at),
            title_ko=lambda finding, report: heading(finding, report.policies, "ko"),
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
