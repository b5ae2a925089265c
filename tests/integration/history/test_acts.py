"""Who changed what, on SQLite and on a real PostgreSQL: what is asked about, what is kept, what a timeline says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from driftguard.history.migrate import migrate
from driftguard.history.port import Version
from driftguard.history.store import SqlStore
from driftguard.history.tables.identities import Identities
from driftguard.history.tables.texts import Texts
from driftguard.history.timeline import acts_of, timeline
from driftguard.model import Act, ChangedBy, ResourceKey
from tests.history_values import finding, key, night, open_database, report, resource, snapshot

OLD_ROWS = [
    ("a", "", "CreateBucket", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ("a", "/Tags", "PutBucketTagging", "not-a-uuid"),
    ("b", "/Tags", "PutBucketTagging", ""),
]


def by(who: str, at: float) -> ChangedBy:
    return ChangedBy(
        principal=f"arn:aws:iam::1:user/{who}", event="PutBucket", time=night(at), source="CLI", event_id=who
    )


def three_nights(store: SqlStore) -> None:
    """``a`` changes in the second and third night, ``b`` goes, ``c`` comes, ``d`` stays as it is."""
    store.record(report(0), snapshot(0, resource("a", {"N": 1}), resource("b"), resource("d")))
    store.record(report(1), snapshot(1, resource("a", {"N": 2}), resource("d"), deleted=(key("b"),)))
    store.record(report(2), snapshot(2, resource("a", {"N": 3}), resource("c"), resource("d")))


def test_what_moved_is_known_with_the_state_before_and_what_the_first_run_found_is_no_move(
    store: SqlStore,
) -> None:
    three_nights(store)
    moves = {(move.key.identifier, move.at): (move.before, move.after) for move in store.moves(night(0))}
    assert moves == {
        ("a", night(1)): ({"N": 1}, {"N": 2}),
        ("a", night(2)): ({"N": 2}, {"N": 3}),
        ("b", night(1)): ({"BucketName": "b"}, None),
        ("c", night(2)): (None, {"BucketName": "c"}),
    }
    assert {move.key.identifier for move in store.moves(night(1.5))} == {"a", "c"}
    [newest] = store.moves(night(0), limit=1)
    assert newest.at == night(2) and newest.until is not None and newest.until >= newest.at


def test_a_move_that_somebody_is_named_for_is_not_asked_about_again(store: SqlStore) -> None:
    three_nights(store)
    kim = Act(key=key("a"), at=night(1), subject="/N", by=by("kim", 0.9))
    store.put_acts([kim])
    store.put_acts([kim, Act(key=key("a"), at=night(1), subject="/N", by=by("lee", 0.95))])
    assert list(store.acts(key("a"))) == [kim]
    assert store.acts(key("d")) == [] and store.acts(key("never-seen")) == []
    left = {(move.key.identifier, move.at) for move in store.moves(night(0))}
    assert left == {("a", night(2)), ("b", night(1)), ("c", night(2))}


def named(store: SqlStore, which: ResourceKey) -> list[tuple[str, dict[str, str]]]:
    entries = timeline(store.versions(which), acts_of(store, which))
    return [
        (entry.kind, {path: act.principal.rpartition("/")[2] for path, act in entry.acts.items()})
        for entry in entries
    ]


def test_a_timeline_says_who_made_each_change(store: SqlStore) -> None:
    three_nights(store)
    store.put_acts(
        [
            Act(key=key("a"), at=night(1), subject="/N", by=by("kim", 0.9)),
            Act(key=key("a"), at=night(2), subject="/Other", by=by("lee", 1.9)),
            Act(key=key("b"), at=night(1), subject="", by=by("park", 0.5)),
            Act(key=key("c"), at=night(2), subject="", by=by("choi", 1.5)),
        ]
    )
    assert named(store, key("a")) == [("CHANGED", {}), ("CHANGED", {"/N": "kim"}), ("CREATED", {})]
    assert named(store, key("b")) == [("DELETED", {"": "park"}), ("CREATED", {})]
    assert named(store, key("c")) == [("CREATED", {"": "choi"})]


def test_the_name_of_a_finding_stands_in_the_timeline(store: SqlStore) -> None:
    store.record(report(0), snapshot(0, resource("a", {"L": [1, 2]})))
    found = finding("a", "/L/*", first_seen=night(1), changed_by=by("kim", 0.9))
    store.record(report(1, findings=(found,)), snapshot(1, resource("a", {"L": [1, 2, 3]})))
    assert named(store, key("a"))[0] == ("CHANGED", {"/L/2": "kim"})


def test_a_state_that_aws_config_remembers_between_two_scans_takes_its_name_along(store: SqlStore) -> None:
    three_nights(store)
    store.put_acts([Act(key=key("a"), at=night(1), subject="/N", by=by("kim", 0.4))])
    between = Version(
        key=key("a"),
        valid_from=night(0.5),
        valid_to=None,
        state_hash="",
        source="CONFIG",
        properties={"N": 2},
        captured_at=night(0.5),
    )
    store.import_states([between])
    told = timeline(store.versions(key("a")), acts_of(store, key("a")))
    assert [(entry.at, dict(entry.acts)) for entry in told if entry.acts] == [
        (night(0.5), {"/N": by("kim", 0.4)})
    ]


def test_retention_forgets_an_act_with_its_version_and_no_other(store: SqlStore) -> None:
    three_nights(store)
    store.put_acts(
        Act(key=key("a"), at=night(number), subject="/N", by=by("kim", number - 0.1)) for number in (1, 2)
    )
    store.retain(night(2) + timedelta(hours=1))
    assert [act.at for act in store.acts(key("a"))] == [night(2)]


def test_the_acts_of_a_store_that_an_earlier_version_wrote_are_kept_by_the_upgrade(store_url: str) -> None:
    """Schema 11 held each word of an act in its row."""
    store = SqlStore(open_database(store_url))
    migrate(store.database, 11)
    with store.database.write() as connection:
        number = Identities(connection)
        rows = [
            (number.get(key(name)), 7, subject, 5, Texts(connection).id("unused"), event, event_id, "HIGH")
            for name, subject, event, event_id in OLD_ROWS
        ]
        number.flush()
        connection.run(
            "INSERT INTO texts (id, digest, value) VALUES (1, ?, ?)", (b"0" * 16, '["kim","s","console"]')
        )
        connection.many(
            "INSERT INTO acts (resource_id, at, subject, time, who_id, event, event_id, confidence) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    migrate(store.database)
    kept = [
        (name, act.subject, act.by.event, act.by.event_id)
        for name in ("a", "b")
        for act in store.acts(key(name))
    ]
    assert kept == OLD_ROWS
    [act, _] = store.acts(key("a"))
    assert (act.by.principal, act.by.session, act.by.source, act.by.confidence) == (
        "kim",
        "s",
        "console",
        "HIGH",
    )
    store.put_acts([act])
    assert len(store.acts(key("a"))) == 2, "a name that is known is not written twice"
    store.close()


def test_an_event_keeps_its_id_whatever_it_looks_like(store: SqlStore) -> None:
    ids = ["", "plan-7", "sixteen-letters!", str(uuid4()), str(uuid4()).upper(), "이벤트", "0" * 32]
    store.put_acts(
        Act(key=key("a"), at=night(number), subject="/N", by=replace(by("kim", 0), event_id=event_id))
        for number, event_id in enumerate(ids)
    )
    assert [act.by.event_id for act in reversed(store.acts(key("a")))] == ids
