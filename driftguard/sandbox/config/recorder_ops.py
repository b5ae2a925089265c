"""Operations on recorders, delivery channels and retention.

Errors and their conditions after the API reference of AWS Config; texts in the words of moto where those are
recorded from AWS, else after the description of the exception.
"""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.config.recorder import RETENTION_DAYS, recorders
from driftguard.sandbox.config.scope import supported_types
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation


def _no_recorder(name: str) -> ApiError:
    return ApiError(
        "NoSuchConfigurationRecorderException",
        f"Cannot find configuration recorder with the specified name '{name}'.",
    )


def _recorder(context: Context, name: str) -> dict[str, Any]:
    found = recorders(context).get(name)
    if not found:
        raise _no_recorder(name)
    return found


def _shown(recorder: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recorder.items() if key != "status"}


@operation("config", "PutConfigurationRecorder")
def put_recorder(context: Context, request: Request) -> Response:
    """Create or replace the customer managed recorder; a second name is refused."""
    given = request["ConfigurationRecorder"]
    name = given.get("name") or "default"
    group = dict(given.get("recordingGroup") or {"allSupported": True, "includeGlobalResourceTypes": False})
    _check_group(group)
    known = recorders(context)
    if known and name not in known:
        raise ApiError(
            "MaxNumberOfConfigurationRecordersExceededException",
            f"Failed to put configuration recorder '{name}' because the maximum number of "
            "configuration recorders: 1 is reached.",
        )
    if not given.get("roleARN"):
        raise ApiError("InvalidRoleException", "The role ARN is null or empty.")
    group.setdefault("allSupported", not group.get("resourceTypes"))
    group.setdefault("includeGlobalResourceTypes", False)
    group.setdefault("resourceTypes", [])
    group.setdefault("exclusionByResourceTypes", {"resourceTypes": []})
    group.setdefault("recordingStrategy", {"useOnly": _strategy(group)})
    status = (
        known[name]["status"]
        if name in known
        else {"name": name, "recording": False, "lastStatus": "PENDING"}
    )
    known[name] = {
        "arn": f"arn:{context.partition}:config:{context.region}:{context.account}:configuration-recorder/{name}/sandbox",
        "name": name,
        "roleARN": given["roleARN"],
        "recordingGroup": group,
        "recordingMode": given.get("recordingMode") or {"recordingFrequency": "CONTINUOUS"},
        "recordingScope": "PAID",
        "status": status,
    }
    return {}


def _strategy(group: dict[str, Any]) -> str:
    if (group.get("exclusionByResourceTypes") or {}).get("resourceTypes"):
        return "EXCLUSION_BY_RESOURCE_TYPES"
    return "INCLUSION_BY_RESOURCE_TYPES" if group.get("resourceTypes") else "ALL_SUPPORTED_RESOURCE_TYPES"


def _check_group(group: dict[str, Any]) -> None:
    excluded = (group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or []
    chosen = group.get("resourceTypes") or []
    if group.get("allSupported") and (chosen or excluded):
        raise ApiError(
            "InvalidRecordingGroupException",
            "You cannot set both the allSupported flag and a list of resource types.",
        )
    for name in (*chosen, *excluded):
        if name not in supported_types():
            raise ApiError("InvalidRecordingGroupException", f"Resource type {name} is not supported.")


@operation("config", "DescribeConfigurationRecorders")
def describe_recorders(context: Context, request: Request) -> Response:
    """The recorders, all or by name."""
    names = request.get("ConfigurationRecorderNames") or list(recorders(context))
    return {"ConfigurationRecorders": [_shown(_recorder(context, name)) for name in names]}


@operation("config", "ListConfigurationRecorders")
def list_recorders(context: Context, request: Request) -> Response:
    """Summaries of the recorders."""
    return {
        "ConfigurationRecorderSummaries": [
            {"arn": found["arn"], "name": found["name"], "recordingScope": "PAID"}
            for found in recorders(context).values()
        ]
    }


@operation("config", "DescribeConfigurationRecorderStatus")
def recorder_status(context: Context, request: Request) -> Response:
    """Whether each recorder runs, and since when."""
    names = request.get("ConfigurationRecorderNames") or list(recorders(context))
    return {"ConfigurationRecordersStatus": [dict(_recorder(context, name)["status"]) for name in names]}


@operation("config", "StartConfigurationRecorder")
def start_recorder(context: Context, request: Request) -> Response:
    """Start recording; needs a delivery channel."""
    recorder = _recorder(context, request["ConfigurationRecorderName"])
    if not channels(context):
        raise ApiError(
            "NoAvailableDeliveryChannelException",
            "Delivery channel is not available to start configuration recorder.",
        )
    now = context.clock.now()
    recorder["status"].update(
        recording=True, lastStatus="PENDING", lastStartTime=now, lastStatusChangeTime=now
    )
    return {}


@operation("config", "StopConfigurationRecorder")
def stop_recorder(context: Context, request: Request) -> Response:
    """Stop recording; what is recorded stays."""
    recorder = _recorder(context, request["ConfigurationRecorderName"])
    now = context.clock.now()
    recorder["status"].update(recording=False, lastStopTime=now, lastStatusChangeTime=now)
    return {}


@operation("config", "DeleteConfigurationRecorder")
def delete_recorder(context: Context, request: Request) -> Response:
    """Remove a recorder."""
    _recorder(context, request["ConfigurationRecorderName"])
    del recorders(context)[request["ConfigurationRecorderName"]]
    return {}


def channels(context: Context) -> dict[str, dict[str, Any]]:
    """The delivery channels by name (at most one)."""
    return context.store("config.channels")


def channel(context: Context, name: str) -> dict[str, Any]:
    """A delivery channel; raises NoSuchDeliveryChannelException."""
    found = channels(context).get(name)
    if not found:
        raise ApiError(
            "NoSuchDeliveryChannelException",
            f"Cannot find delivery channel with specified name '{name}'.",
        )
    return found


@operation("config", "PutDeliveryChannel")
def put_channel(context: Context, request: Request) -> Response:
    """Create or replace the delivery channel; needs a recorder and a bucket."""
    given = dict(request["DeliveryChannel"])
    given.setdefault("name", "default")
    if not recorders(context):
        raise ApiError(
            "NoAvailableConfigurationRecorderException",
            "Configuration recorder is not available to put delivery channel.",
        )
    known = channels(context)
    if known and given["name"] not in known:
        raise ApiError(
            "MaxNumberOfDeliveryChannelsExceededException",
            f"Failed to put delivery channel '{given['name']}' because the maximum number of "
            "delivery channels: 1 is reached.",
        )
    if not given.get("s3BucketName"):
        raise ApiError("NoSuchBucketException", "Cannot find a S3 bucket with an empty bucket name.")
    known[given["name"]] = given
    return {}


@operation("config", "DescribeDeliveryChannels")
def describe_channels(context: Context, request: Request) -> Response:
    """The delivery channels, all or by name."""
    names = request.get("DeliveryChannelNames") or list(channels(context))
    return {"DeliveryChannels": [channel(context, name) for name in names]}


@operation("config", "DeleteDeliveryChannel")
def delete_channel(context: Context, request: Request) -> Response:
    """Remove the delivery channel; refused while the recorder runs."""
    name = request["DeliveryChannelName"]
    channel(context, name)
    if any(found["status"]["recording"] for found in recorders(context).values()):
        raise ApiError(
            "LastDeliveryChannelDeleteFailedException",
            f"Failed to delete last specified delivery channel with name '{name}', because there is a "
            "running configuration recorder.",
        )
    del channels(context)[name]
    return {}


@operation("config", "PutRetentionConfiguration")
def put_retention(context: Context, request: Request) -> Response:
    """Set how many days items are kept."""
    kept = {"Name": "default", "RetentionPeriodInDays": request["RetentionPeriodInDays"]}
    context.store("config.retention")["default"] = kept
    return {"RetentionConfiguration": kept}


@operation("config", "DescribeRetentionConfigurations")
def describe_retention(context: Context, request: Request) -> Response:
    """How long items are kept; empty means AWS's default of seven years."""
    return {"RetentionConfigurations": list(context.store("config.retention").values())}


@operation("config", "DeleteRetentionConfiguration")
def delete_retention(context: Context, request: Request) -> Response:
    """Back to the default retention."""
    if not context.store("config.retention").pop(request["RetentionConfigurationName"], None):
        raise ApiError(
            "NoSuchRetentionConfigurationException",
            f"Cannot find retention configuration; the default of {RETENTION_DAYS} days applies.",
        )
    return {}
