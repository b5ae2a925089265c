"""What the port promises, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from driftguard.errors import InputError, StoreError
from driftguard.history.port import Query, Version
from driftguard.history.store import SqlStore
from driftguard.model import (
    ComplianceType,
    DriftStatus,
    FindingStatus,
    Gap,
    GapReason,
    RunStatus,
    Scope,
    Severity,
)
from tests.history_values import (
    ACCOUNT,
    STACK_ID,
    drift,
    evaluation,
    finding,
    full_report,
    key,
    night,
    report,
    resource,
    run,
    snapshot,
)


def test_a_report_comes_back_as_it_was_recorded(store: SqlStore, reopen: Callable[[], SqlStore]) -> None:
    original = full_report(0)
    store.begin_run(replace(original.run, finished_at=None))
    store.record(original, snapshot(0, resource("archive"), resource("plain")))
    store.close()
    back = reopen().report()
    assert back is not None
    run_back = replace(original.run, status=RunStatus.SUCCEEDED, outcome=original.outcome)
    # IN_SYNC rows carry no times; a drifted row's are the run's.
    assert {d.key: d for d in back.drifts} == {d.key: d for d in original.drifts}
    assert {e.judge for e in back.evaluations} == {"driftguard", "AWS Config"}
    assert sorted(map(str, back.evaluations)) == sorted(map(str, original.evaluations))
    everything_else = {"drifts": (), "evaluations": (), "run": run_back}
    assert replace(back, **everything_else) == replace(original, **everything_else)


def test_a_run_that_never_ended_leaves_a_trace(store: SqlStore) -> None:
    store.begin_run(run(0))
    store.begin_run(run(1))
    store.fail_run("r0", "FAILED", "the network went away")
    states = {r.id: (r.status, r.error) for r in store.runs(Query()).items}
    assert states == {"r0": (RunStatus.FAILED, "the network went away"), "r1": (RunStatus.RUNNING, "")}
    assert store.report() is None


def test_a_run_is_recorded_once(store: SqlStore) -> None:
    store.record(report(0), snapshot(0))
    with pytest.raises(StoreError, match="recorded already"):
        store.record(report(0), snapshot(0))


def test_a_refused_record_changes_nothing(store: SqlStore) -> None:
    store.record(report(0), snapshot(0, resource("a")))
    before = store.state_hashes()
    with pytest.raises(TypeError):
        store.record(report(1), snapshot(1, resource("b"), resource("c", {"x": object()})))
    assert store.state_hashes() == before
    assert [r.id for r in store.runs(Query()).items] == ["r0"]


def test_two_scans_of_an_unchanged_estate_add_no_version(store: SqlStore) -> None:
    first = store.record(report(0), snapshot(0, resource("a"), resource("b")))
    second = store.record(report(1), snapshot(1, resource("a"), resource("b")))
    assert (first.added, second.unchanged, second.added, second.changed) == (2, 2, 0, 0)
    assert len(list(store.versions(key("a")))) == 1


def test_absence_closes_nothing_but_a_reported_deletion_does(store: SqlStore) -> None:
    store.record(report(0), snapshot(0, resource("a"), resource("b")))
    store.record(report(1), snapshot(1))
    assert store.resource(key("a")) is not None
    counts = store.record(report(2), snapshot(2, deleted=(key("a"), key("never-seen"))))
    assert counts.removed == 1
    assert store.resource(key("a")) is None
    assert store.resource(key("a"), night(1.5)) is not None
    assert store.resource(key("b")) is not None
    store.record(report(3), snapshot(3, resource("a", {"BucketName": "a", "again": True})))
    assert [(v.deleted, v.valid_to) for v in store.versions(key("a"))] == [
        (False, None),
        (True, night(3)),
        (False, night(2)),
    ]


def test_the_past_is_answered_as_it_was(store: SqlStore) -> None:
    for number in range(8):
        properties = {"BucketName": "a", "N": number // 2, "Pad": "x" * 400}
        store.record(report(number), snapshot(number, resource("a", properties), resource("b")))
    for number in range(8):
        at = night(number) + timedelta(hours=1)
        found = store.resource(key("a"), at)
        assert found is not None and found.properties["N"] == number // 2
        assert {r.key.identifier for r in store.resources(Query(at=at)).items} == {"a", "b"}
    assert store.resource(key("a"), night(-1)) is None
    versions = list(store.versions(key("a")))
    assert [v.properties["N"] for v in versions if v.properties] == [3, 2, 1, 0]
    assert [(v.valid_from, v.valid_to) for v in versions][::-1] == [
        (night(0), night(2)),
        (night(2), night(4)),
        (night(4), night(6)),
        (night(6), None),
    ]


def test_flapping_content_of_one_config_item_is_no_change(store: SqlStore) -> None:
    item = {"state_id": "1700000000000", "captured_at": night(-1)}
    store.record(report(0), snapshot(0, resource("a", {"Order": [1, 2]}, **item)))
    counts = store.record(report(1), snapshot(1, resource("a", {"Order": [2, 1]}, **item)))
    assert (counts.unchanged, counts.changed) == (1, 0)
    moved = item | {"state_id": "1700000000001", "captured_at": night(1.5)}
    assert store.record(report(2), snapshot(2, resource("a", {"Order": [2, 1]}, **moved))).changed == 1
    assert next(store.versions(key("a"))).valid_from == night(1.5)


def _states() -> list[Version]:
    contents = [1, 1, 2, 1, 3, None, 3]
    return [
        Version(
            key=key("a"),
            valid_from=night(number),
            valid_to=None,
            state_hash="",
            deleted=value is None,
            source="CONFIG_FILE",
            properties=None if value is None else {"BucketName": "a", "N": value},
        )
        for number, value in enumerate(contents)
    ]


@pytest.mark.parametrize("order", [(6, 5, 4, 3, 2, 1, 0), (3, 0, 6, 1, 5, 2, 4), (0, 2, 4, 6, 1, 3, 5)])
def test_importing_out_of_order_gives_the_same_history(store: SqlStore, order: tuple[int, ...]) -> None:
    states = _states()
    for number in order:
        store.import_states([states[number]])
    history = [
        (v.valid_from, v.valid_to, v.deleted, (v.properties or {}).get("N")) for v in store.versions(key("a"))
    ]
    assert history[::-1] == [
        (night(0), night(2), False, 1),
        (night(2), night(3), False, 2),
        (night(3), night(4), False, 1),
        (night(4), night(5), False, 3),
        (night(5), night(6), True, None),
        (night(6), None, False, 3),
    ]


def test_importing_twice_changes_nothing(store: SqlStore) -> None:
    states = _states()
    first = store.import_states(states)
    assert (first.items, first.added, first.changed, first.removed, first.unchanged) == (7, 1, 4, 1, 1)
    history = list(store.versions(key("a")))
    second = store.import_states(reversed(states))
    assert (second.unchanged, second.added, second.changed, second.removed) == (7, 0, 0, 0)
    assert list(store.versions(key("a"))) == history


def test_one_instant_with_two_contents_is_one_state_whatever_the_order(
    store: SqlStore, reopen: Callable[[], SqlStore]
) -> None:
    one, two = (replace(_states()[0], properties={"N": value}) for value in (1, 2))
    store.import_states([replace(one, key=key("x")), replace(two, key=key("x"))])
    store.import_states([replace(two, key=key("y")), replace(one, key=key("y"))])
    assert next(store.versions(key("x"))).properties == next(store.versions(key("y"))).properties
    assert len(list(store.versions(key("x")))) == 1


def test_a_late_import_fills_the_past_of_a_scanned_resource(store: SqlStore) -> None:
    store.record(report(5), snapshot(5, resource("a", {"BucketName": "a", "N": 9})))
    store.import_states(_states()[:3])
    assert [(v.properties or {}).get("N") for v in store.versions(key("a"))] == [9, 2, 1]
    assert store.state_hashes() == {key("a"): next(store.versions(key("a"))).state_hash}


def test_drifts_keep_their_beginning_and_close_when_their_stack_no_longer_has_them(store: SqlStore) -> None:
    stacks = full_report(0).stacks
    store.record(report(0, drifts=(drift("a"), drift("b")), stacks=stacks), snapshot(0))
    changed = drift("a", differences=(*drift("a").differences, *drift("a", differences=()).differences))
    store.record(report(1, drifts=(replace(changed, reordered=("/X",)),), stacks=stacks), snapshot(1))
    [item] = store.drifts(Query(statuses=("drifted",))).items
    assert (item.key, item.first_seen, item.last_seen) == (key("a"), night(0), night(1))
    assert store.drifts(Query(at=night(0.5))).total == 2
    early = store.report("r0")
    assert early is not None and {d.key.identifier for d in early.drifts} == {"a", "b"}


def test_under_a_gap_or_outside_the_scope_nothing_is_closed(store: SqlStore) -> None:
    verdicts = (evaluation("a", ComplianceType.NON_COMPLIANT),)
    stacks = full_report(0).stacks
    store.record(
        report(0, drifts=(drift("a"),), evaluations=verdicts, stacks=stacks), snapshot(0, resource("a"))
    )
    gap = Gap(reason=GapReason.THROTTLED, account=ACCOUNT, region="us-east-1", detail="slow")
    store.record(report(1, gaps=(gap,)), snapshot(1, resource("b")))
    narrow = run(2, scope=Scope(stacks=("other",)))
    store.record(report(2, run=narrow), snapshot(2, resource("c")))
    named = Gap(reason=GapReason.IN_PROGRESS, account=ACCOUNT, region="us-east-1", detail="", stack="shop")
    store.record(report(3, gaps=(named,), stacks=stacks), snapshot(3))
    assert store.drifts(Query()).total == 1
    store.record(report(4), snapshot(4, resource("b")))
    assert store.evaluations(Query()).total == 0


def test_findings_live_and_are_found(store: SqlStore) -> None:
    one, two = finding("a"), finding("b", severity=Severity.LOW)
    store.record(report(0, findings=(one, two), new=frozenset({one.fingerprint})), snapshot(0))
    store.mark_notified([one.fingerprint, "unknown"])
    assert store.finding(one.fingerprint) == replace(one, status=FindingStatus.NOTIFIED)
    over = replace(one, status=FindingStatus.RESOLVED, resolved_at=night(1), last_run="r1")
    seen = replace(two, last_seen=night(1), last_run="r1")
    store.record(report(1, findings=(seen,), resolved=(over,)), snapshot(1))
    assert [f.key.identifier for f in store.findings(Query(statuses=("open",))).items] == ["b"]
    assert [f.status for f in store.findings(Query(at=night(0.5), order="resource")).items] == ["NEW", "NEW"]
    assert store.finding_counts(Query(statuses=("open",))) == {"LOW": 1}
    assert {f.fingerprint for f in store.live_findings()} == {one.fingerprint, two.fingerprint}
    early, late = store.report("r0"), store.report("r1")
    assert early is not None and late is not None
    assert [f.status for f in early.findings] == ["NEW", "NEW"]
    assert [f.fingerprint for f in late.resolved] == [one.fingerprint]


def test_lists_are_paged_filtered_and_ordered(store: SqlStore) -> None:
    names = [f"b-{number:02}" for number in range(25)]
    resources = [resource(n, tags={"team": "x" if n < "b-10" else "y"}, name=f"Name {n}") for n in names]
    store.record(report(0), snapshot(0, *resources))
    seen: list[str] = []
    query = Query(limit=10, order="-resource")
    while True:
        page = store.resources(query)
        seen += [r.key.identifier for r in page.items]
        if page.cursor is None:
            break
        query = replace(query, cursor=page.cursor)
    assert seen == names[::-1]
    assert store.resources(Query(limit=1)).total == 25
    assert store.resources(Query(tags={"team": "x"})).total == 10
    assert store.resources(Query(text="NAME B-1")).total == 10
    assert store.resources(Query(types=("AWS::S3::*",), identifiers=("b-0?",))).total == 10
    assert store.resources(Query(accounts=("999999999999",))).total == 0
    assert store.resources(Query(text="100%_!")).total == 0
    assert store.find_keys("b-03") == [key("b-03")]
    assert len(store.find_keys("Name b-2")) == 5
    with pytest.raises(InputError, match="order"):
        store.resources(Query(order="colour"))
    with pytest.raises(InputError, match="cursor"):
        store.resources(Query(cursor="nonsense"))


@pytest.mark.parametrize("order", ["type", "changed"])
def test_a_cursor_that_was_made_up_is_refused(store: SqlStore, order: str) -> None:
    store.record(report(0), snapshot(0, *(resource(name) for name in ("a", "b", "c"))))
    cursor = store.resources(Query(order=order, limit=1)).cursor
    assert cursor is not None
    name, value, number = orjson.loads(base64.urlsafe_b64decode(cursor + "=="))
    other = "x" if isinstance(value, int) else 5
    for made_up in ([name, other, number], [name, value, "x"], [name, value, None], [name, value, True]):
        text = base64.urlsafe_b64encode(orjson.dumps(made_up)).decode()
        with pytest.raises(InputError, match="cursor"):
            store.resources(Query(order=order, limit=1, cursor=text))
    assert len(store.resources(Query(order=order, limit=5, cursor=cursor)).items) == 2


def test_text_of_any_kind_survives(store: SqlStore) -> None:
    odd = {"이름": "값 'quoted' \"double\" ? % _ \\ \u2028 🙂", "n": 2**60, "f": 1.5, "deep": [[{}], []]}
    store.record(report(0), snapshot(0, resource("odd 이름?%s", odd, tags={"a'b": "c?d%"})))
    [found] = store.resources(Query()).items
    assert found.properties == odd and found.tags == {"a'b": "c?d%"}
    assert store.find_keys("odd 이름?%s") == [found.key]


def test_witnesses_are_the_latest_accepted_states(store: SqlStore) -> None:
    store.record(report(0), snapshot(0, resource("a")))
    store.put_witnesses({key("a"): {"X": 1}, key("b"): {"X": 2}}, actor="kim", reason="deployed")
    store.put_witnesses({key("a"): {"X": 3}}, actor="kim", reason="accepted")
    found = store.witnesses([key("a"), key("b"), key("c")])
    assert {which: dict(witness.properties) for which, witness in found.items()} == {
        key("a"): {"X": 3},
        key("b"): {"X": 2},
    }
    assert (found[key("a")].actor, found[key("a")].reason) == ("kim", "accepted")
    assert datetime.now(UTC) - found[key("a")].accepted_at < timedelta(minutes=5)


def test_many_writers_at_once_lose_nothing(reopen: Callable[[], SqlStore]) -> None:
    stores = [reopen() for _ in range(3)]
    errors: list[BaseException] = []

    def work(store: SqlStore, number: int) -> None:
        try:
            for turn in range(10):
                store.audit(f"w{number}", "test", str(turn), {"n": turn})
                name = f"r{number}-{turn}"
                store.record(report(run=run(number, id=name)), snapshot(turn, resource(f"b{number}-{turn}")))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(store, n)) for n, store in enumerate(stores * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors
    assert stores[0].runs(Query(limit=500)).total == 60
    assert len(stores[0].state_hashes()) == 60
    assert stores[0].verify() == []


def test_statuses_in_the_store_speak_of_drift_alone(store: SqlStore) -> None:
    unmanaged = drift("u", DriftStatus.UNMANAGED, stack="", stack_id="", logical_id="")
    store.record(report(0, drifts=(drift("a"), drift("b", DriftStatus.IN_SYNC), unmanaged)), snapshot(0))
    assert [d.key.identifier for d in store.drifts(Query(statuses=("drifted",))).items] == ["a"]
    assert store.drifts(Query(statuses=("UNMANAGED", "IN_SYNC"))).total == 2
    assert store.drifts(Query(stacks=("sh*",), order="logical_id")).items[0].stack_id == STACK_ID


def test_a_key_as_it_is_printed_names_its_resource(store: SqlStore) -> None:
    role = key("path/to/role", "AWS::IAM::Role")
    store.record(report(0), snapshot(0, resource("x", key=role), resource("path/to/role-2")))
    assert store.find_keys(str(role)) == [role]
