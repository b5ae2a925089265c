"""What AWS Config records: its resource types, and how a recording group chooses among them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from driftguard.sandbox.protocol import model
from driftguard.sandbox.types.base import ADAPTERS, load_adapters

# Where Config's name of a type is not CloudFormation's.
CONFIG_NAMES: Mapping[str, str] = {
    "AWS::IAM::ManagedPolicy": "AWS::IAM::Policy",
    "AWS::CertificateManager::Certificate": "AWS::ACM::Certificate",
    "AWS::OpenSearchService::Domain": "AWS::OpenSearch::Domain",
}
# CloudFormation types that share a name with another thing in Config: the inline policy is not Config's managed one.
NOT_RECORDED = frozenset({"AWS::IAM::Policy"})
# "Global IAM resource types" of RecordingGroup.includeGlobalResourceTypes.
GLOBAL_TYPES = frozenset({"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"})
# Types without an adapter which have a reader of their own.
EXTRA_TYPES = ("AWS::CloudFormation::Stack",)


@cache
def supported_types() -> frozenset[str]:
    """The resource types of AWS Config, as its API model lists them."""
    return frozenset(str(name) for name in getattr(model("config").shape_for("ResourceType"), "enum", ()))


def recordable() -> dict[str, str]:
    """CloudFormation name -> Config name of every type that Config supports and the sandbox can read."""
    load_adapters()
    names = {
        name: CONFIG_NAMES.get(name, name) for name in (*ADAPTERS, *EXTRA_TYPES) if name not in NOT_RECORDED
    }
    return {name: shown for name, shown in sorted(names.items()) if shown in supported_types()}


def records(recorder: Mapping[str, Any], config_type: str) -> bool:
    """Whether a recorder with this recording group records a type (Config's name)."""
    group = recorder.get("recordingGroup") or {"allSupported": True}
    excluded = (group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or []
    strategy = (group.get("recordingStrategy") or {}).get("useOnly")
    if excluded or strategy == "EXCLUSION_BY_RESOURCE_TYPES":
        return config_type not in excluded
    if group.get("resourceTypes") and not group.get("allSupported"):
        return config_type in group["resourceTypes"]
    return config_type not in GLOBAL_TYPES or bool(group.get("includeGlobalResourceTypes"))
