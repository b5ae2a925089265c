"""Retention: what it takes, what it leaves whole, and that nobody takes what is gone for what never was."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from driftguard.errors import StoreError
from driftguard.history.evidence import export
from driftguard.history.migrate import migrate
from driftguard.history.port import Version
from driftguard.history.store import SqlStore
from driftguard.model import ComplianceType, PolicySummary, Report, Scope, Severity, Source
from tests.history_values import evaluation, key, night, open_database, report, resource, run, snapshot

POLICY = PolicySummary(
    id="VERSIONING",
    title="Buckets keep versions",
    severity=Severity.MEDIUM,
    resource_types=("AWS::S3::Bucket",),
    frameworks={"K-ISMS": ("2.9.3",)},
)
BAD, GOOD = ComplianceType.NON_COMPLIANT, ComplianceType.COMPLIANT


def judged(number: float, verdict: ComplianceType, *names: str, scope: Scope = Scope()) -> Report:
    which = run(number, scope=scope, finished_at=night(number) + timedelta(minutes=5))
    evaluations = tuple(evaluation(name, verdict) for name in names)
    return report(number, run=which, policies={"VERSIONING": POLICY}, evaluations=evaluations)


def exported(store: SqlStore, at: float, folder: Path) -> tuple[dict[str, int], list[object]]:
    """The counts of the one policy, and what the judged resources were."""
    target = folder / "e.zip"
    export(store, "K-ISMS", night(at), target, actor="kim")
    with zipfile.ZipFile(target) as archive:
        [control] = json.loads(archive.read("controls.json"))
        states = [json.loads(line) for line in archive.read("resources.jsonl").splitlines()]
    counts = control["policies"][0]["counts"]
    return {kind: count for kind, count in counts.items() if count}, [s.get("properties") for s in states]


@pytest.fixture
def years(store: SqlStore) -> SqlStore:
    """Two buckets that were bad on the first night, one of them on the fifth, none since the tenth."""
    store.record(judged(0, BAD, "a", "b"), snapshot(0, *(resource(n, {"N": 0}) for n in "ab")))
    store.record(judged(5, GOOD, "a", scope=Scope(stacks=("small",))), snapshot(5, resource("a", {"N": 5})))
    store.record(judged(10, GOOD, "a", "b"), snapshot(10, *(resource(n, {"N": 10}) for n in "ab")))
    return store


def test_evidence_that_was_exported_can_be_exported_again(years: SqlStore, tmp_path: Path) -> None:
    before = {at: exported(years, at, tmp_path) for at in (1, 6)}
    assert before[1] == ({"NON_COMPLIANT": 2}, [{"N": 0}, {"N": 0}])
    assert before[6] == ({"NON_COMPLIANT": 1, "COMPLIANT": 1}, [{"N": 5}, {"N": 0}])
    years.retain(night(20))
    assert {at: exported(years, at, tmp_path) for at in (1, 6)} == before
    assert years.verify() == []


def test_evidence_of_what_was_forgotten_is_refused(years: SqlStore, tmp_path: Path) -> None:
    gone = years.retain(night(20))
    assert gone.evaluations == 2 and gone.runs
    for at in (1, 6):
        with pytest.raises(StoreError, match="is forgotten"):
            exported(years, at, tmp_path)
    old = years.report("r0")
    assert old is not None and "Retention has forgotten" in old.notes[-1]
    today = ({"COMPLIANT": 2}, [{"N": 10}, {"N": 10}])
    assert exported(years, 11, tmp_path) == exported(years, 21, tmp_path) == today, "nothing of it ended"


def test_what_a_later_moment_rests_on_is_no_past(years: SqlStore, tmp_path: Path) -> None:
    """The run over everything is older than the limit, and still all that is known of most of the estate."""
    years.retain(night(6.5))
    assert exported(years, 7, tmp_path) == ({"NON_COMPLIANT": 1, "COMPLIANT": 1}, [{"N": 5}, {"N": 0}])
    with pytest.raises(StoreError, match="is forgotten"):
        exported(years, 1, tmp_path)
    years.retain(night(6.6))
    years.retain(night(30))
    assert exported(years, 7, tmp_path) == ({"NON_COMPLIANT": 1, "COMPLIANT": 1}, [{"N": 5}, {"N": 0}])


def test_what_an_older_version_forgot_is_refused_as_well(store_url: str, tmp_path: Path) -> None:
    database = open_database(store_url)
    migrate(database)
    store = SqlStore(database)
    store.record(judged(0, BAD, "a"), snapshot(0, resource("a")))
    with database.write() as connection:
        connection.run("DELETE FROM run_members WHERE kind = 'evaluation'")
        [script] = [text.split("-- What an earlier retention took")[1] for text in _migration(14)]
        connection.script([script.split("\n", 1)[1].rstrip().rstrip(";")])
    with pytest.raises(StoreError, match="is forgotten"):
        exported(store, 1, tmp_path)
    store.close()


def _migration(number: int) -> list[str]:
    from driftguard.history.migrate import available

    return [text for _, text in available("sqlite")[number]]


def seen(*states: tuple[float, int]) -> list[Version]:
    return [
        Version(
            key=key("a"),
            valid_from=night(at),
            valid_to=None,
            state_hash="",
            source=Source.CONFIG_FILE,
            properties={"x": value},
            captured_at=night(at),
        )
        for at, value in states
    ]


def told(store: SqlStore) -> list[tuple[int, object]]:
    """The history of the resource: on which night, what."""
    return [
        ((one.valid_from - night(0)).days, one.properties and one.properties["x"])
        for one in store.versions(key("a"))
    ]


def test_a_quiet_sighting_stands_for_the_version_that_went(store: SqlStore) -> None:
    store.import_states(seen((1, 1), (5, 1), (10, 2)))
    assert told(store) == [(10, 2), (1, 1)]
    store.retain(night(6))
    assert told(store) == [(10, 2), (5, 1)]
    state = store.resource(key("a"), night(7))
    assert state is not None and state.properties == {"x": 1}
    assert store.verify() == []


def test_the_present_state_is_told_even_if_it_is_quiet(store: SqlStore) -> None:
    store.import_states(seen((1, 1), (5, 1)))
    store.retain(night(6))
    assert told(store) == [(5, 1)]


def test_a_pinned_sighting_outlives_those_around_it_and_stays_as_long_as_it_was(store: SqlStore) -> None:
    store.import_states(seen((1, 1), (5, 1), (8, 3), (10, 2)))
    store.pin(night(6))
    store.retain(night(20))
    assert told(store) == [(10, 2), (5, 1)]
    assert store.verify() == []
    store.import_states(seen((30, 1)))
    assert told(store) == [(30, 1), (10, 2), (5, 1)]
    assert store.resource(key("a"), night(9)) is None, "what was there then is forgotten"
    pinned = store.resource(key("a"), night(6))
    assert pinned is not None and pinned.properties == {"x": 1}
    # The same state after a hole is news again, for nobody knows what was between.
    store.import_states(seen((9, 1)))
    assert told(store) == [(30, 1), (10, 2), (9, 1), (5, 1)]
