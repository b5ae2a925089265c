"""Whatever is written to a store passes redaction: each call of its port, each field that people or AWS fill."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from driftguard.errors import StoreError
from driftguard.history import open_store
from driftguard.history.bodies import Bodies
from driftguard.history.codec import encode
from driftguard.history.port import Attestation, Version
from driftguard.history.redact import Redactor
from driftguard.history.store import SqlStore
from driftguard.model import Act, ChangedBy, Finding, PolicySummary, Severity, Source, StackState, Waiver
from driftguard.model.notice import Delivery, DeliveryState, Message, Notice, Transition
from driftguard.model.remediation import Approval, Execution, ExecutionStatus, Plan
from driftguard.model.schedule import Slot, SlotState
from tests.history_values import (
    ACCOUNT,
    STACK_ID,
    finding,
    full_report,
    key,
    night,
    report,
    resource,
    run,
    snapshot,
)

KEY = b"k" * 32


class Secrets:
    """Sentinels, each known by the place that it was put."""

    def __init__(self) -> None:
        self.places: list[str] = []

    def bare(self, place: str) -> str:
        self.places.append(place)
        return f"S3ntinel-{len(self.places):03}-9xQ7w"

    def said(self, place: str) -> str:
        return f"mysql refused password={self.bare(place)} today"

    def found(self, data: bytes) -> set[str]:
        return {place for i, place in enumerate(self.places, 1) if f"S3ntinel-{i:03}-".encode() in data}


@pytest.fixture
def secret() -> Secrets:
    return Secrets()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 's.db'}", redactor=Redactor(KEY))
    yield opened
    opened.close()


def held(path: Path, store: SqlStore) -> bytes:
    """Every value of every table, and every body unpacked."""
    parts: list[bytes] = []
    with sqlite3.connect(path) as file:
        tables = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in file.execute(f"SELECT * FROM {table}"):
                parts += [
                    one.encode() if isinstance(one, str) else one
                    for one in row
                    if isinstance(one, str | bytes)
                ]
    with store.database.read() as connection:
        ids = [row[0] for row in connection.rows("SELECT id FROM bodies")]
        parts += list(Bodies(connection).unpack(ids).values())
    return b"\n".join(parts)


def waiver(secret: Secrets, name: str) -> Waiver:
    return Waiver(
        id=name,
        reason=secret.said(f"{name}: reason"),
        owner=secret.said(f"{name}: owner"),
        approver=secret.said(f"{name}: approver"),
        ticket=secret.said(f"{name}: ticket"),
        expires_at=night(9),
    )


def by(secret: Secrets, place: str) -> ChangedBy:
    return ChangedBy(
        principal="kim", event="Put", time=night(0), source="CLI", session=secret.said(f"{place}: session")
    )


def message(secret: Secrets, place: str, about: Finding) -> Message:
    return Message(
        title=secret.said(f"{place}: title"),
        title_ko=secret.said(f"{place}: title in Korean"),
        severity=Severity.LOW,
        text=secret.said(f"{place}: text"),
        cause=secret.said(f"{place}: cause"),
        notices=(
            Notice(
                transition=Transition.NEW,
                finding=replace(about, message=secret.said(f"{place}: finding")),
                title_ko=secret.said(f"{place}: notice in Korean"),
                document={
                    "Title": secret.said(f"{place}: document"),
                    "Details": {"password": [secret.bare(place)]},
                },
            ),
        ),
    )


def delivery(secret: Secrets, name: str) -> Delivery:
    return Delivery(id=name, channel="c", message=message(secret, name, finding("a")), not_before=night(0))


def test_a_run_leaves_no_secret(store: SqlStore, secret: Secrets, tmp_path: Path) -> None:
    base = full_report(0)
    opened = finding(
        "a",
        message=secret.said("finding: message"),
        title=secret.said("finding: title"),
        owner=secret.said("finding: owner"),
        detail=secret.said("finding: detail"),
        changed_by=by(secret, "finding"),
    )
    told = replace(
        base,
        run=replace(base.run, error=secret.said("run: error")),
        findings=(opened,),
        drifts=(
            replace(
                base.drifts[0], changed_by=by(secret, "drift"), acts={"/A": by(secret, "act of a drift")}
            ),
        ),
        waivers=(waiver(secret, "waiver of a file"),),
        notes=(secret.said("note"),),
        stacks=(
            StackState(
                account=ACCOUNT,
                region="us-east-1",
                stack_id=STACK_ID,
                name="shop",
                status="OK",
                tags={"DbPassword": secret.bare("stack tag"), "note": secret.said("stack note")},
                native={"x": {"passwords": [secret.bare("native")]}},
            ),
        ),
        policies={
            "P": PolicySummary(
                id="P",
                title="t",
                severity=Severity.LOW,
                resource_types=("x",),
                description=secret.said("policy: description"),
                message_ko=secret.said("policy: message in Korean"),
            )
        },
    )
    seen = snapshot(
        0,
        resource("a", {"Passwords": [secret.bare("list")]}, tags={"DbPassword": secret.bare("resource tag")}),
    )
    store.begin_run(replace(run(0), error=secret.said("begun run")))
    store.record(told, seen, deliveries=(delivery(secret, "recorded delivery"),))
    store.import_states(
        [
            Version(
                key=key("b"),
                valid_from=night(1),
                valid_to=None,
                state_hash="",
                source=Source.CONFIG_FILE,
                properties={"x": 1},
                tags={"DbPassword": secret.bare("imported tag")},
            )
        ]
    )
    store.put_acts([Act(key=key("a"), at=night(0), subject="/A", by=by(secret, "act"))])
    store.put_witnesses(
        {key("a"): {"Secrets": {"db": secret.bare("witness")}}}, actor="kim", reason=secret.said("reason")
    )
    assert secret.found(held(tmp_path / "s.db", store)) == set()
    assert {one.key.identifier for one in store.resources(_all()).items} == {"a", "b"}


def test_decisions_leave_no_secret(store: SqlStore, secret: Secrets, tmp_path: Path) -> None:
    store.put_waiver(waiver(secret, "waiver"), actor="kim")
    store.put_attestation(
        Attestation(
            id="A",
            framework="F",
            control="1",
            actor="kim",
            at=night(0),
            statement=secret.said("attestation"),
            reference=secret.said("attestation: reference"),
        )
    )
    plan = Plan(id="p", created_at=night(0), expires_at=night(1), author="kim", digest="d", steps=())
    store.put_plan(plan)
    store.approve_plan(
        "p",
        Approval(
            approver="lee",
            at=night(0),
            reason=secret.said("approval"),
            digest="d",
            ticket=secret.said("ticket"),
        ),
    )
    begun = Execution(
        plan="p", step="1", token="t", status=ExecutionStatus.STARTED, detail=secret.said("begun")
    )
    store.put_execution(begun)
    store.update_execution(replace(begun, status=ExecutionStatus.FAILED, detail=secret.said("failed")))
    store.audit(
        "kim", "act", secret.said("subject"), {"passwords": [secret.bare("audit")], "why": secret.said("why")}
    )
    assert secret.found(held(tmp_path / "s.db", store)) == set()
    assert [one.token for one in store.executions("p")] == ["t"], "what things are called by stays"


def test_a_plan_with_a_secret_is_refused(store: SqlStore, secret: Secrets) -> None:
    """What was sealed and is to be run cannot be changed, so it is not kept at all."""
    plan = Plan(id="p", created_at=night(0), expires_at=night(1), author="kim", digest="d", steps=())
    with pytest.raises(StoreError, match="holds a secret"):
        store.put_plan(replace(plan, author=secret.said("plan")))
    assert store.plan("p") is None


def test_what_the_service_keeps_has_no_secret(store: SqlStore, secret: Secrets, tmp_path: Path) -> None:
    own = {"csrf": "xOxb-9-" + "Ab3" * 9, "user": "kim"}
    store.put_document("session", "s", own)
    store.put_document(
        "plan-applied", "p", {"why": secret.said("document"), "password": secret.bare("field")}
    )
    store.add_document("idempotency", "i", {"digest": "d", "answer": {"token": secret.bare("answer")}})
    store.add_slot(
        Slot(schedule="n", key="1", due_at=night(0), state=SlotState.SKIPPED, reason=secret.said("slot")),
        night(0),
    )
    store.tell_slots(lambda slot: [delivery(secret, "told slot")], night(0))
    store.advance("m", night(0), lambda after, until: [])
    store.advance(
        "m",
        night(1),
        lambda after, until: [
            Slot(
                schedule="m",
                key="2",
                due_at=night(1),
                state=SlotState.SKIPPED,
                reason=secret.said("passed over"),
            )
        ],
    )
    store.add_slot(Slot(schedule="o", key="3", due_at=night(0), task={"note": secret.said("task")}), night(0))
    lease = store.claim("w", night(0), 60)
    assert lease is not None
    store.fail(lease, night(0), secret.said("unit"), 1)
    store.enqueue([delivery(secret, "sent")], night(0))
    taken = store.take_deliveries(night(2), 60)
    assert taken
    store.close_deliveries(
        taken, DeliveryState.FAILED, night(2), error=secret.said("error"), reference=secret.said("reference")
    )
    store.begin_run(run(0))
    store.fail_run("r0", "FAILED", secret.said("failed run"))
    assert secret.found(held(tmp_path / "s.db", store)) == set()
    kept = store.document("session", "s")
    assert kept is not None and dict(kept.value) == own, "a session goes on with what it was given"


def test_a_witness_of_an_older_store_equals_the_state_of_today(tmp_path: Path) -> None:
    """It was written before lists under a secret's name were redacted; that must not look like a change."""
    url, properties = f"sqlite:///{tmp_path / 's.db'}", {"Passwords": ["S3ntinel-9xQ7w"]}
    older = open_store(url)
    older.record(report(0), snapshot(0, resource("a", properties)))
    older.put_witnesses(
        {key("a"): properties}, actor="kim", reason="as deployed", at=night(0) + timedelta(hours=1)
    )
    older.close()
    store = open_store(url, redactor=Redactor(KEY))
    witness = store.witnesses([key("a")])[key("a")]
    store.close()
    assert witness.properties == Redactor(KEY).properties(key("a").type, properties)
    assert "S3ntinel" not in orjson.dumps(encode(witness)).decode()


def test_what_holds_no_secret_is_the_same_afterwards() -> None:
    redactor, whole = Redactor(KEY), full_report(0)
    assert redactor.report(whole) == whole
    assert redactor.said(whole.waivers) == whole.waivers


def _all() -> Any:
    from driftguard.history.port import Query

    return Query(limit=100)
