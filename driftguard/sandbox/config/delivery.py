"""Delivered files: snapshots and history in the channel's bucket, gzipped JSON at AWS's keys.

Key layout: developer guide, "Delivery channel" (`prefix/AWSLogs/account/Config/region/year/month/day/kind/file`,
month and day without leading zeros).
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import uuid
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox.config.items import Item, document
from driftguard.sandbox.config.recorder import active_recorder, need_recorder, present, visible
from driftguard.sandbox.config.recorder_ops import channel, channels
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation

HISTORY_EVERY = dt.timedelta(hours=6)


@operation("config", "DeliverConfigSnapshot")
def deliver_snapshot(context: Context, request: Request) -> Response:
    """Write all present items to the bucket of a delivery channel."""
    found = channel(context, request["deliveryChannelName"])
    need_recorder(context)
    if active_recorder(context) is None:
        raise ApiError(
            "NoRunningConfigurationRecorderException",
            "There is no configuration recorder running.",
        )
    snapshot_id = str(uuid.uuid4())
    now = context.clock.now()
    body = {
        "fileVersion": "1.0",
        "configSnapshotId": snapshot_id,
        "configurationItems": [document(item) for item in present(context)],
    }
    name = f"{context.account}_Config_{context.region}_ConfigSnapshot_{_stamp(now)}_{snapshot_id}.json.gz"
    _put(context, found, "ConfigSnapshot", name, body)
    _note(context, found["name"], "snapshot", now)
    return {"configSnapshotId": snapshot_id}


@operation("config", "DescribeDeliveryChannelStatus")
def channel_status(context: Context, request: Request) -> Response:
    """When each kind of delivery last worked; the six-hourly history is delivered here where it is due."""
    out = []
    for name in request.get("DeliveryChannelNames") or list(channels(context)):
        channel(context, name)
        delivered = context.store("config.deliveries").setdefault(name, {})
        last = delivered.get("history", {}).get("lastSuccessfulTime")
        if active_recorder(context) and (last is None or context.clock.now() - last >= HISTORY_EVERY):
            deliver_history(context, name)
        out.append(
            {
                "name": name,
                "configSnapshotDeliveryInfo": delivered.get("snapshot", {}),
                "configHistoryDeliveryInfo": delivered.get("history", {}),
                "configStreamDeliveryInfo": {"lastStatus": "SUCCESS"},
            }
        )
    return {"DeliveryChannelsStatus": out}


def deliver_history(context: Context, name: str = "default") -> list[str]:
    """Write the items recorded since the last time, one file per resource type; the keys written.

    AWS does this every six hours; the sandbox when somebody asks for the channel's status after that time.
    """
    found = channel(context, name)
    now = context.clock.now()
    delivered = context.store("config.deliveries").setdefault(name, {})
    since: dt.datetime | None = delivered.get("history_until")
    by_type: dict[str, list[Item]] = {}
    for (kind, _), past in sorted(visible(context).items()):
        new = [item for item in past if since is None or item["configurationItemCaptureTime"] > since]
        if new:
            by_type.setdefault(kind, []).extend(new)
    keys = []
    for kind, items in by_type.items():
        times = [item["configurationItemCaptureTime"] for item in items]
        body = {"fileVersion": "1.0", "configurationItems": [document(item) for item in items]}
        file = (
            f"{context.account}_Config_{context.region}_ConfigHistory_{kind}_"
            f"{_stamp(min(times))}_{_stamp(max(times))}_1.json.gz"
        )
        keys.append(_put(context, found, "ConfigHistory", file, body))
    delivered["history_until"] = max(
        (item["configurationItemCaptureTime"] for items in by_type.values() for item in items),
        default=since or now,
    )
    _note(context, name, "history", now)
    return keys


def _stamp(moment: dt.datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _put(context: Context, found: dict[str, Any], kind: str, name: str, body: Any) -> str:
    now = context.clock.now()
    prefix = f"{found['s3KeyPrefix'].strip('/')}/" if found.get("s3KeyPrefix") else ""
    day = f"{now.year}/{now.month}/{now.day}"
    key = f"{prefix}AWSLogs/{context.account}/Config/{context.region}/{day}/{kind}/{name}"
    try:
        context.client("s3").put_object(
            Bucket=found["s3BucketName"],
            Key=key,
            Body=gzip.compress(json.dumps(body).encode(), mtime=0),
            ContentType="application/json",
            ContentEncoding="gzip",
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchBucket":
            raise ApiError(
                "NoSuchBucketException",
                f"Cannot find a S3 bucket with name: {found['s3BucketName']}",
            ) from error
        raise ApiError(
            "InsufficientDeliveryPolicyException",
            f"Insufficient delivery policy to s3 bucket: {found['s3BucketName']}, unable to write to bucket.",
        ) from error
    return key


def _note(context: Context, channel_name: str, kind: str, now: dt.datetime) -> None:
    delivered = context.store("config.deliveries").setdefault(channel_name, {})
    delivered[kind] = {"lastStatus": "SUCCESS", "lastAttemptTime": now, "lastSuccessfulTime": now}
