"""A service over a small store, and callers of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from driftguard.history import open_store
from driftguard.history.store import SqlStore
from driftguard.model import Finding, ResourceKey, Severity
from driftguard.model.remediation import ActionKind, Cure, Plan, Step
from driftguard.rules.shipped import all_frameworks, load_all
from driftguard.service import health
from driftguard.service.access.roles import Principal, holding
from driftguard.service.access.sessions import COOKIE, CSRF_COOKIE, Sessions
from driftguard.service.access.tokens import create_token
from driftguard.service.app import create_app
from driftguard.service.calling import key_id
from driftguard.service.scanning import Scans
from driftguard.service.services import Services
from driftguard.service.web.pages import routers
from driftguard.settings import Settings
from tests.history_values import ACCOUNT, finding, full_report, resource, snapshot

BASE = "http://127.0.0.1:8420"
OTHER = "999999999999"
CATALOGUE = load_all()


def plan_of(findings: Sequence[Finding], author: str) -> Plan:
    """A plan with one step for each finding."""
    now = datetime.now(UTC)
    steps = tuple(
        Step(
            id=f"s{number}",
            finding=one.fingerprint,
            title=f"Put {one.key.identifier} back",
            key=one.key,
            severity=Severity.HIGH,
            cure=Cure.REVERT,
            action=ActionKind.SSM_AUTOMATION,
            target="AWS-ConfigureS3BucketVersioning",
            parameters={"BucketName": [one.key.identifier]},
        )
        for number, one in enumerate(findings)
    )
    return Plan(
        id=f"p-{findings[0].fingerprint[:8]}-{author}",
        created_at=now,
        expires_at=now + timedelta(hours=8),
        author=author,
        digest="d" * 64,
        steps=steps,
    )


@dataclass
class House:
    """The service under test, and what the tests ask it for."""

    app: FastAPI
    store: SqlStore
    services: Services
    full: bool = True

    def anybody(self) -> TestClient:
        return TestClient(self.app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False)

    def person(self, role: str, name: str = "kim", accounts: Iterable[str] = ()) -> TestClient:
        """A signed-in browser."""
        client = self.anybody()
        sessions = Sessions(self.store, self.services.settings.web)
        cookie, csrf = sessions.open(name, [holding(role, accounts)], "test")
        client.cookies.set(COOKIE, cookie)
        client.cookies.set(CSRF_COOKIE, csrf)
        client.headers["origin"] = BASE
        client.csrf = csrf  # type: ignore[attr-defined]  # the tests put it into forms
        return client

    def session(self, client: TestClient) -> Principal:
        """Whom the session cookie of ``client`` stands for."""
        found = Sessions(self.store, self.services.settings.web).principal(client.cookies[COOKIE])
        assert found is not None
        return found

    def machine(self, *scopes: str, accounts: Iterable[str] = ()) -> TestClient:
        """A caller with a token."""
        client = self.anybody()
        token = create_token(self.store, name="ci", scopes=scopes, accounts=accounts, actor="test")
        client.headers["authorization"] = f"Bearer {token}"
        return client

    def routes(self) -> list[tuple[str, str, str]]:
        """(method, template, a real address) of every page and endpoint, as the application knows them."""
        found = self.finding() if self.full else finding("none")
        plan = plan_of([found], "lee")
        if self.full:
            self.store.put_plan(plan)
        values = {
            "fingerprint": found.fingerprint,
            "resource_id": key_id(found.key),
            "run_id": "r0",
            "plan_id": plan.id,
            "waiver_id": "w-1",
            "policy_id": "INCOMING_SSH_DISABLED",
            "framework_id": "ISMS-P",
            "name": "ISMS-P",
            "control_id": "1.1.1",
            "cause_id": "0" * 16,
            "channel": "ops",
        }
        pages = [*health.router.routes, *(route for router in routers() for route in router.routes)]
        known = [
            (method, route.path)
            for route in pages
            if isinstance(route, APIRoute)
            for method in sorted(route.methods)
        ]
        known += [
            (method.upper(), path) for path, item in self.app.openapi()["paths"].items() for method in item
        ]
        return [(method, path, path.format(**values)) for method, path in known]

    def finding(self) -> Finding:
        """The open finding of the account that most callers read."""
        return next(one for one in self.store.live_findings() if one.open and one.key.account == ACCOUNT)


CHANNELS = {
    "channels": [{"name": "ops", "kind": "webhook", "url": "https://x.example/", "secret_env": "KEY"}],
    "routes": [{"channels": ["ops"], "quiet_hours": {"from_time": "22:00", "to_time": "07:00"}}],
}


def house(folder: Path, *, data: bool = True, channels: bool = False, **web: object) -> House:
    """A service whose store saw one night of one account; nothing yet without ``data``."""
    given = {"store": {"url": f"sqlite:///{folder}/t.db"}, "web": web, "notify": CHANNELS if channels else {}}
    settings = Settings.model_validate(given)
    store = open_store(settings.store.url)
    assert isinstance(store, SqlStore)
    report = full_report(0)
    hidden = ResourceKey(account=OTHER, region="us-east-1", type="AWS::S3::Bucket", identifier="hidden")
    other = replace(finding("hidden"), key=hidden, fingerprint="f" * 32, title="hidden differs")
    report = replace(report, findings=(*report.findings, other))
    seen = snapshot(0, resource("archive"), resource("plain"), resource("hidden", key=hidden))
    if data:
        store.record(report, seen)

    def plan(findings: Sequence[Finding], author: str) -> Plan:
        made = plan_of(findings, author)
        store.put_plan(made)
        return made

    def no_job(**_: object) -> None:
        raise AssertionError("no test scans")

    services = Services(
        settings=settings,
        store=store,
        catalogue=CATALOGUE,
        frameworks=all_frameworks(),
        scans=Scans(no_job, store),  # type: ignore[arg-type]  # never called: there is no AWS here
        planner=plan,
    )
    return House(create_app(services), store, services, data)


__all__ = ["ACCOUNT", "BASE", "OTHER", "House", "house", "plan_of"]
