"""The configuration recorder: walks the adapters, writes an item where something changed, remembers the past.

Recording happens on demand: whoever asks AWS Config sees the state of now (of `config_lag` seconds ago, if the
world's timing sets that). An item's capture time is the clock's at the look that found the change.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from driftguard.sandbox.config.dialect import iso
from driftguard.sandbox.config.items import DELETED, Item, digest, document, make_item
from driftguard.sandbox.config.scope import EXTRA_TYPES, recordable, records
from driftguard.sandbox.core import ApiError, Context, Principal, World, partition_of
from driftguard.sandbox.extras.events import emit
from driftguard.sandbox.types.base import adapter_for

Key = tuple[str, str]
History = dict[Key, list[Item]]

RETENTION_DAYS = 2557  # seven years: AWS Config's default retention


def recorders(context: Context) -> dict[str, dict[str, Any]]:
    """The recorders of this account and region by name (AWS allows one that customers manage)."""
    return context.store("config.recorders")


def history_of(context: Context) -> History:
    """All items ever written here, oldest first, by (type, id)."""
    return context.store("config.state").setdefault("history", {})  # type: ignore[no-any-return]  # store is untyped


def active_recorder(context: Context) -> dict[str, Any] | None:
    """The recorder that is running, if one is."""
    return next((found for found in recorders(context).values() if found["status"]["recording"]), None)


def need_recorder(context: Context) -> None:
    """Refuse, as AWS does, where no recorder was ever set up."""
    if not recorders(context):
        # Text of NoAvailableConfigurationRecorderException after its description in the API reference.
        raise ApiError(
            "NoAvailableConfigurationRecorderException",
            "Configuration recorder is not available to provide the role needed to describe your resources.",
        )


def record(context: Context, types: Iterable[str] | None = None) -> History:
    """Look at every recorded resource now and write what changed; only `types` (Config's names) if given."""
    history = history_of(context)
    recorder = active_recorder(context)
    if recorder is None:
        return history
    wanted = None if types is None else set(types)
    looked = context.store("config.state").setdefault("looked", {})
    group = recorder["recordingGroup"]
    before = (_changes_so_far(context), group)
    seen = []
    with context.acting():
        for type_name, config_type in recordable().items():
            due = type_name in EXTRA_TYPES or looked.get(config_type) != before
            if due and (wanted is None or config_type in wanted) and records(recorder, config_type):
                _record_type(context, history, type_name, config_type)
                seen.append(config_type)
    # The events that recording itself sends are no reason to look again.
    after = (_changes_so_far(context), group)
    looked.update(dict.fromkeys([kind for kind, at in looked.items() if at == before] + seen, after))
    recorder["status"]["lastStatus"] = "SUCCESS"
    return history


def record_everywhere(world: World) -> None:
    """Look at every account and region that has a recorder, as the recorder itself would by and by."""
    for account, region, kept in list(world.stores("config.recorders")):
        if kept:
            arn = f"arn:{partition_of(region)}:sts::{account}:assumed-role/AWSServiceRoleForConfig/AWSConfig"
            who = Principal(arn=arn, account=account, kind="AssumedRole", invoked_by="config.amazonaws.com")
            with world.lock:
                record(
                    Context(
                        world=world,
                        account=account,
                        region=region,
                        service="config",
                        operation="Record",
                        principal=who,
                    )
                )


def _changes_so_far(context: Context) -> tuple[int, int]:
    """How much the trail of this account has seen: while it stands still, nothing needs a second look."""
    world, account = context.world, context.account
    here, everywhere = (
        len(world.store("cloudtrail.events", account, region).get("events", []))
        for region in (context.region, "us-east-1")
    )
    return here, everywhere


def _record_type(context: Context, history: History, type_name: str, config_type: str) -> None:
    try:
        ids = _ids(context, type_name)
    except (ClientError, BotoCoreError):
        return  # The recorder's role may not list the type: AWS keeps the last items.
    seen: set[Key] = set()
    blind = False
    for id in ids:
        try:
            item = make_item(context, type_name, config_type, id)
        except (LookupError, StopIteration):
            continue
        except (ClientError, BotoCoreError):
            blind = True
            continue
        if item is None:
            continue
        key = (item["resourceType"], item["resourceId"])
        seen.add(key)
        _write(context, history.setdefault(key, []), item)
    if blind:
        return
    for key, past in history.items():
        gone = (
            key[0] == config_type and key not in seen and past[-1]["configurationItemStatus"] not in DELETED
        )
        if gone:
            _append(context, past, deleted(past[-1]), "ResourceDeleted")


def _ids(context: Context, type_name: str) -> list[str]:
    if type_name in EXTRA_TYPES:
        pages = context.client("cloudformation").get_paginator("describe_stacks").paginate()
        return [stack["StackId"] for page in pages for stack in page["Stacks"]]
    adapter = adapter_for(type_name, context)
    return adapter.list_ids() if adapter else []


def deleted(last: Item) -> Item:
    """The item that says that a resource is gone: no configuration any more."""
    return {
        **last,
        "configuration": None,
        "supplementaryConfiguration": {},
        "relationships": [],
        "tags": {},
        "configurationItemMD5Hash": "",
    }


def _write(context: Context, past: list[Item], item: Item) -> None:
    item["configurationItemMD5Hash"] = digest(item)
    alive = bool(past) and past[-1]["configurationItemStatus"] not in DELETED
    if alive and past[-1]["configurationItemMD5Hash"] == item["configurationItemMD5Hash"]:
        return
    item["resourceCreationTime"] = past[-1]["resourceCreationTime"] if alive else context.clock.now()
    _append(context, past, item, "OK" if alive else "ResourceDiscovered")


def _append(context: Context, past: list[Item], item: Item, status: str) -> None:
    now = context.clock.now()
    previous = past[-1] if past else None
    if previous and previous["configurationItemCaptureTime"] >= now:
        now = previous["configurationItemCaptureTime"] + dt.timedelta(milliseconds=1)
    item.update(
        configurationItemStatus=status,
        configurationItemCaptureTime=now,
        configurationStateId=str(int(now.timestamp() * 1000)),
    )
    past.append(item)
    _announce(context, item, previous)


def _announce(context: Context, item: Item, previous: Item | None) -> None:
    """The EventBridge event of a change (developer guide, "Monitoring AWS Config with EventBridge")."""
    kind = {"ResourceDiscovered": "CREATE", "ResourceDeleted": "DELETE"}
    change = kind.get(item["configurationItemStatus"], "UPDATE")
    body = document(item)
    detail = {
        "recordVersion": "1.3",
        "messageType": "ConfigurationItemChangeNotification",
        "configurationItemDiff": {"changedProperties": _changes(previous, item), "changeType": change},
        "notificationCreationTime": iso(context.clock.now()),
        "configurationItem": body,
    }
    entry = {
        "Source": "aws.config",
        "DetailType": "Config Configuration Item Change",
        "Resources": [item["arn"]],
        "Detail": json.dumps(detail),
    }
    context.store("config.state").setdefault("announced", []).append(entry)
    emit(context, entry)


def _changes(previous: Item | None, item: Item) -> dict[str, Any]:
    before = (previous or {}).get("configuration") or {}
    after = item["configuration"] or {}
    if not isinstance(before, dict) or not isinstance(after, dict):
        return {}
    out: dict[str, Any] = {}
    for key in sorted(set(before) | set(after)):
        if before.get(key) != after.get(key):
            kind = "CREATE" if key not in before else "DELETE" if key not in after else "UPDATE"
            out[f"Configuration.{key}"] = {
                "previousValue": before.get(key),
                "updatedValue": after.get(key),
                "changeType": kind,
            }
    return out


def visible(context: Context, types: Iterable[str] | None = None) -> History:
    """The history that has been delivered by now, after a fresh look."""
    history = record(context, types)
    edge = context.clock.now() - dt.timedelta(seconds=context.world.timing["config_lag"])
    slack = dt.timedelta(seconds=1)
    return {
        key: shown
        for key, past in history.items()
        if (shown := [item for item in past if item["configurationItemCaptureTime"] <= edge + slack])
    }


def present(context: Context, types: Iterable[str] | None = None) -> list[Item]:
    """The last item of every resource that exists."""
    wanted = None if types is None else set(types)
    return [
        past[-1]
        for key, past in visible(context, types).items()
        if (wanted is None or key[0] in wanted) and past[-1]["configurationItemStatus"] not in DELETED
    ]
