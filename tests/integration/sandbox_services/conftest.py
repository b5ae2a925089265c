"""An account with a running recorder, and a helper that waits for executions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

REGION = "ap-northeast-2"
HERE = {"LocationConstraint": REGION}


def start_recorder(session: Any, group: dict[str, Any] | None = None) -> Any:
    """The config client of an account whose recorder runs and delivers into the bucket `config-logs-...`."""
    account = session.client("sts").get_caller_identity()["Account"]
    bucket = f"config-logs-{account}"
    session.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=HERE)
    config = session.client("config")
    config.put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default",
            "roleARN": f"arn:aws:iam::{account}:role/config",
            "recordingGroup": group or {"allSupported": True, "includeGlobalResourceTypes": True},
        }
    )
    config.put_delivery_channel(
        DeliveryChannel={"name": "default", "s3BucketName": bucket, "s3KeyPrefix": "p"}
    )
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    return config


@pytest.fixture
def config(sandbox: Any) -> Any:
    """The config client of the first account, recorder running."""
    return start_recorder(sandbox.session())


@pytest.fixture
def finished(sandbox: Any) -> Callable[..., dict[str, Any]]:
    """Waits for an execution to leave the statuses given and returns it."""

    def wait(ssm: Any, id: str, *, until: tuple[str, ...] = (), at_most: float = 20.0) -> dict[str, Any]:
        due = time.monotonic() + at_most
        while True:
            found = ssm.get_automation_execution(AutomationExecutionId=id)["AutomationExecution"]
            status = found["AutomationExecutionStatus"]
            if status in until or (not until and status not in {"Pending", "InProgress", "Waiting"}):
                return dict(found)
            assert time.monotonic() < due, f"still {status}: {found['StepExecutions']}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def automation_role(sandbox: Any) -> str:
    """The ARN of a role that Automation may assume."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ssm.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam = sandbox.session().client("iam")
    role = iam.create_role(RoleName="automation", AssumeRolePolicyDocument=json.dumps(trust))
    return str(role["Role"]["Arn"])
