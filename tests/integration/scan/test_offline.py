"""A scan of files that AWS Config delivered: no AWS, and nothing concluded from what they do not hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from driftguard.sandbox import Sandbox
from tests.scanning import REGION, STACK, change_the_queue, run, small_stack
from tests.shared_data import shared

NO_AWS = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


@pytest.fixture
def files(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A folder with a snapshot that was delivered after somebody changed the queue, and the template."""
    small_stack(sandbox)
    change_the_queue(sandbox)
    deliver(sandbox.session(region=REGION), tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "small.json").write_text(json.dumps(STACK), encoding="utf-8")
    return tmp_path


def deliver(session: Any, folder: Path) -> None:
    """The newest snapshot, and no other, into ``delivered``."""
    session.client("config").deliver_config_snapshot(deliveryChannelName="default")
    s3 = session.client("s3")
    listed = s3.list_objects_v2(Bucket="config-files")["Contents"]
    newest = max((one["LastModified"], one["Key"]) for one in listed if "Snapshot" in one["Key"])[1]
    (folder / "delivered").mkdir(exist_ok=True)
    body = s3.get_object(Bucket="config-files", Key=newest)["Body"].read()
    (folder / "delivered" / Path(newest).name).write_bytes(body)


def scanned(folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    code, out, err = run(folder, NO_AWS, "scan", "--offline", "delivered", "--output", "json", *more)
    assert out, err
    return code, json.loads(out)


def test_drift_is_found_without_aws(files: Path) -> None:
    code, told = scanned(files, "--declared", "templates")
    assert code == 1
    drifts = {one["logical_id"]: one for one in told["drifts"]}
    assert drifts["Queue"]["status"] == "MODIFIED"
    (difference,) = drifts["Queue"]["differences"]
    assert (difference["PropertyPath"], difference["ExpectedValue"], difference["ActualValue"]) == (
        "/VisibilityTimeout", 40, 99,
    )  # fmt: skip
    assert "Topic" not in drifts, "what is in sync is not listed"
    assert not [one for one in told["drifts"] if one["status"] in ("DELETED", "UNMANAGED")]
    # CloudWatch log groups are not recorded by AWS Config: not checked, and named so.
    assert drifts["Logs"]["status"] == "NOT_CHECKED"


def test_what_stands_for_nothing_in_aws_is_left_out_as_in_any_scan(sandbox: Sandbox, files: Path) -> None:
    """It is no thing that was not checked, either."""
    template = {
        "Resources": {
            "Logs": {"Type": "AWS::Logs::LogGroup"},
            "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
            "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:deflate64:x"}},
        }
    }
    session: Any = sandbox.session(region=REGION)
    session.client("cloudformation").create_stack(StackName="hollow", TemplateBody=json.dumps(template))
    deliver(session, files)
    (files / "templates" / "hollow.json").write_text(json.dumps(template), encoding="utf-8")
    _, told = scanned(files, "--declared", "templates")
    assert not [gap for gap in told["gaps"] if gap["stack"] == "hollow"]
    of_stack = {one["logical_id"]: one["status"] for one in told["drifts"] if one["stack"] == "hollow"}
    assert of_stack == {"Logs": "NOT_CHECKED"}


def test_without_templates_policies_are_judged_and_the_stack_is_a_gap(files: Path) -> None:
    _, told = scanned(files)
    assert [gap for gap in told["gaps"] if gap["stack"] == "small" and "--declared" in gap["detail"]]
    assert told["findings"] and {one["kind"] for one in told["findings"]} == {"COMPLIANCE"}


def test_a_second_look_resolves_nothing_that_the_files_do_not_hold(files: Path) -> None:
    scanned(files, "--declared", "templates")
    (files / "delivered" / "other.json").write_text('{"configurationItems": []}', encoding="utf-8")
    for path in (files / "delivered").glob("*.gz"):
        path.unlink()
    _, told = scanned(files, "--declared", "templates")
    assert told["resolved"] == []
    assert [gap for gap in told["gaps"] if "holds no configuration items" in gap["detail"]]


def test_real_items_of_others(tmp_path: Path) -> None:
    (tmp_path / "delivered").symlink_to(shared("data", "config-items", "aws-config-rdk"))
    _, told = scanned(tmp_path)
    assert told["outcome"] == "PARTIAL", "two of the items are broken"
    assert told["findings"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, NO_AWS, "scan", "--offline", "nowhere.json")
    assert (code, out) == (2, "") and "nowhere.json" in err
