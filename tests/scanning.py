"""The command line as people run it: another process, another folder, and nothing set but what is passed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from driftguard.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
REGION = "ap-northeast-2"
STACK = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 40}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "orders"}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
    }
}


def variables(sandbox: Sandbox) -> dict[str, str]:
    """The four standard variables, and no other."""
    given = sandbox.environment(region=REGION)
    return {
        "AWS_ENDPOINT_URL": given["AWS_ENDPOINT_URL"],
        "AWS_ACCESS_KEY_ID": given["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": given["AWS_SECRET_ACCESS_KEY"],
        "AWS_REGION": REGION,
    }


def start(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    """`driftguard ARGUMENTS` in ``folder`` with a home and an environment of its own."""
    bare = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "driftguard", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=bare, stdout=pipe, stderr=pipe, text=True)


def run(folder: Path, environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `driftguard ARGUMENTS`."""
    with start(folder, environment, *arguments) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def small_stack(sandbox: Sandbox) -> None:
    """A stack of three resources in the management account, and a recorder that sees them."""
    session: Any = sandbox.session(region=REGION)
    session.client("cloudformation").create_stack(StackName="small", TemplateBody=json.dumps(STACK))
    config = session.client("config")
    role = f"arn:aws:iam::{sandbox.accounts[0]}:role/config"
    config.put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default",
            "roleARN": role,
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        }
    )
    session.client("s3").create_bucket(
        Bucket="config-files", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-files"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")


def change_the_queue(sandbox: Sandbox, seconds: int = 99) -> None:
    """Somebody changes the queue's visibility time-out by hand."""
    sqs: Any = sandbox.session(region=REGION, principal="kim").client("sqs")
    (url,) = sqs.list_queues()["QueueUrls"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
