"""AWS Config's memory becomes ours: delivered files, and what was before and between two scans."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from driftguard.aws import Aws
from driftguard.cli.root import run
from driftguard.errors import InputError
from driftguard.history import open_store
from driftguard.history.store import SqlStore
from driftguard.history.timeline import timeline
from driftguard.live import ConfigurationItem, read_file, resource_of
from driftguard.model import Resource, ResourceKey, Snapshot, Source
from driftguard.scan.backfill import backfill, version_of
from driftguard.settings import Settings
from tests.history_values import report
from tests.shared_data import shared

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

REGION = "us-east-1"


def recorded() -> list[ConfigurationItem]:
    """Every item in other projects' recordings and in AWS's own documents."""
    items: list[ConfigurationItem] = []
    for path in sorted(shared("data/config-items").rglob("*.json")):
        if "resource-schema" in str(path):
            continue
        try:
            items += [item for item in read_file(path) if isinstance(item, ConfigurationItem)]
        except InputError:  # not every file holds items
            continue
    return items


def everything(store: SqlStore) -> dict[ResourceKey, list[tuple[Any, ...]]]:
    with store.database.read() as connection:
        rows = connection.rows("SELECT partition, account, region, type, identifier FROM resources")
    keys = [ResourceKey(partition=p, account=a, region=r, type=t, identifier=i) for p, a, r, t, i in rows]
    return {
        key: [(v.valid_from, v.valid_to, v.deleted, v.state_hash) for v in store.versions(key)]
        for key in keys
    }


def test_real_items_give_one_history_in_any_order_and_any_number_of_times(
    store: SqlStore, tmp_path: Path
) -> None:
    items = [item for item in recorded() if item.captured_at is not None]
    assert len(items) > 50
    versions = [version_of(item, Source.CONFIG_FILE) for item in items]
    first = store.import_states(versions)
    assert first.items == len(versions) and first.added > 0
    history = everything(store)
    again = store.import_states(versions)
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert everything(store) == history
    shuffled = list(versions)
    random.Random(3).shuffle(shuffled)
    other = open_store(f"sqlite:///{tmp_path}/other.db")
    for version in shuffled:
        other.import_states([version])
    assert everything(other) == history
    other.close()


def test_the_import_command_counts_a_second_time_as_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTGUARD_STORE", f"sqlite:///{tmp_path}/store.db")
    taken = datetime(2026, 11, 1, tzinfo=UTC)
    item = {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": taken.isoformat(),
        "configurationStateId": 7,
        "awsAccountId": "111111111111",
        "configurationItemStatus": "OK",
        "resourceId": "sg-1",
        "resourceName": "web",
        "resourceType": "AWS::EC2::SecurityGroup",
        "awsRegion": REGION,
        "configuration": {"groupId": "sg-1", "groupName": "web", "description": "one"},
    }
    flapped = {**item, "configuration": {**item["configuration"], "description": "two"}}  # type: ignore[dict-item]  # a dict above
    for name, content in (("1.json", item), ("2.json", flapped)):
        (tmp_path / name).write_text(json.dumps({"fileVersion": "1.0", "configurationItems": [content]}))
    counts = []
    for name in ("1.json", "1.json", "2.json"):
        assert run(["snapshot", "import", str(tmp_path / name), "--output", "json"]) == 0
        counts.append(json.loads(capsys.readouterr().out)["counts"])
    assert (counts[0]["added"], counts[0]["unchanged"]) == (1, 0)
    assert (counts[1]["added"], counts[1]["changed"], counts[1]["unchanged"]) == (0, 0, 1)
    assert counts[2]["changed"] in (0, 1), "one of the two contents stands for both"
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    [history] = everything(store).values()
    assert len(history) == 1, "the same state id and time is no change"
    store.close()


@pytest.fixture
def recording(sandbox: Sandbox) -> Iterator[tuple[Sandbox, Aws]]:
    config = sandbox.session(region=REGION).client("config")
    config.put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default",
            "roleARN": f"arn:aws:iam::{sandbox.accounts[0]}:role/config",
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        }
    )
    sandbox.session(region=REGION).client("s3").create_bucket(Bucket="deliver")
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "deliver"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    settings = Settings.model_validate({"aws": {"calls_per_second": 500}})
    yield sandbox, Aws(settings.aws, settings.scope, session_factory=lambda: sandbox.session(region=REGION))


def _item(sandbox: Sandbox, url: str) -> ConfigurationItem:
    from driftguard.live import parse_item

    config = sandbox.session(region=REGION).client("config")
    answer = config.get_resource_config_history(resourceType="AWS::SQS::Queue", resourceId=url)
    return parse_item(answer["configurationItems"][0], account=sandbox.accounts[0], region=REGION)


@pytest.mark.parametrize("source", [Source.CONFIG, Source.CLOUD_CONTROL])
def test_what_happened_between_two_scans_is_told(
    store: SqlStore, recording: tuple[Sandbox, Aws], source: Source
) -> None:
    sandbox, aws = recording
    sqs = sandbox.session(region=REGION).client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]

    def scan(number: int) -> Resource:
        item = _item(sandbox, url)
        seen = resource_of(item, source)
        if source is not Source.CONFIG:
            # Another source shows more than AWS Config, and says when nothing was captured.
            more = {**seen.properties, "OnlyHere": True}
            seen = Resource(key=seen.key, properties=more, source=source, name=seen.name, arn=seen.arn)
        at = sandbox.clock.now()
        store.record(report(number), Snapshot(taken_at=at, resources={seen.key: seen}))
        return seen

    for number, timeout in enumerate(("30", "60")):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": timeout})
        sandbox.clock.advance(60)
        seen = scan(number)
        sandbox.clock.advance(3600)
        if number == 0:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "45"})
            _item(sandbox, url)  # the local AWS records when it is asked
            sandbox.clock.advance(3600)
    before = list(store.versions(seen.key))
    assert [_timeout(v) for v in before] == [60, 30]
    backfill(aws, store, seen.key)
    told = list(store.versions(seen.key))
    assert [_timeout(v) for v in told][:3] == [60, 45, 30]
    assert all(c.path == "/VisibilityTimeout" for e in timeline(told) for c in e.changes), (
        "only the source differs"
    )
    assert backfill(aws, store, seen.key).changed == 0
    assert list(store.versions(seen.key)) == told
    assert store.verify() == []


def _timeout(version: Any) -> Any:
    return (version.properties or {}).get("VisibilityTimeout")
