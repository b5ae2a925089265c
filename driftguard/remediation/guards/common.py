"""What more than one guard asks."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping

from driftguard.model.remediation import ActionKind
from driftguard.settings.remediation import RemediationSettings

CHANGING = (ActionKind.SSM_AUTOMATION, ActionKind.REVERT_DRIFT)
"""Actions that change something in AWS."""


def protecting_tag(tags: Mapping[str, str], settings: RemediationSettings) -> str:
    """The first tag by which the settings protect a resource, as a sentence."""
    for pair in settings.protected_tags:
        name, _, value = pair.partition("=")
        if name in tags and fnmatch.fnmatchcase(tags[name], value or "*"):
            return f"the resource carries the protecting tag {name}={tags[name]}."
    return ""


def allowed(document: str, patterns: Iterable[str]) -> str:
    """Why a document must not be started: it is not on the allow-list."""
    if any(fnmatch.fnmatchcase(document, pattern) for pattern in patterns):
        return ""
    return f"the document {document} is not on the allow-list `remediation.documents`."


def busy(name: str, status: str) -> str:
    """Why nothing should be built on a stack in this state."""
    if status.endswith("_IN_PROGRESS"):
        return f"stack {name} is being changed right now ({status})."
    if status.endswith("_FAILED") or status in ("ROLLBACK_COMPLETE", "DELETE_COMPLETE"):
        return f"stack {name} is in the state {status}; put that right first."
    return ""


def mentions(value: object, names: Iterable[str | None]) -> bool:
    """Whether a value holds one of the names, however deep."""
    if isinstance(value, Mapping):
        return any(mentions(child, names) for child in value.values())
    if isinstance(value, list | tuple):
        return any(mentions(child, names) for child in value)
    return isinstance(value, str) and value in names
