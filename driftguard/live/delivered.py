"""Files that AWS Config delivered to S3: a whole place without one call to AWS Config."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from driftguard.aws import Place
from driftguard.errors import InputError
from driftguard.live.config_files import Rejected, read_stream
from driftguard.live.config_items import ConfigurationItem

_LOOK_BACK_DAYS = 7
"""A delivery channel's longest snapshot interval is a day; a week allows for a broken one."""


def latest_snapshot(place: Place, now: datetime | None = None) -> tuple[str, str] | None:
    """Bucket and key of the newest snapshot that AWS Config delivered for a place in the last week.

    ``None`` when there is no delivery channel or no such file.  The layout of the keys is AWS's:
    https://docs.aws.amazon.com/config/latest/developerguide/exporting-snapshots.html
    """
    channel = place.config.recorder_status().channel
    bucket = channel.get("s3BucketName")
    if not bucket:
        return None
    prefix = f"{channel['s3KeyPrefix']}/" if channel.get("s3KeyPrefix") else ""
    root = f"{prefix}AWSLogs/{place.account}/Config/{place.region}"
    today = (now or datetime.now(UTC)).date()
    for day in (today - timedelta(days=back) for back in range(_LOOK_BACK_DAYS + 1)):
        folder = f"{root}/{day.year}/{day.month}/{day.day}/ConfigSnapshot/"
        newest = max(
            place.s3.objects(bucket, folder), key=lambda found: str(found["LastModified"]), default=None
        )
        if newest is not None:
            return bucket, newest["Key"]
    return None


def read_delivered(place: Place, bucket: str, key: str) -> Iterator[ConfigurationItem | Rejected]:
    """The items of a delivered file, streamed.  Raises `InputError` and the `AwsError` kinds."""
    body = place.s3.read(bucket, key)
    try:
        yield from read_stream(body, f"s3://{bucket}/{key}")
    except OSError as error:
        raise InputError(f"s3://{bucket}/{key} could not be read to its end: {error}.") from error
    finally:
        body.close()
