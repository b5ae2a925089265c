"""Principals as people call them: who stood behind a role, and which role that was."""

from __future__ import annotations

import re

_SSO = re.compile(r"^AWSReservedSSO_(.+)_[0-9a-f]{16}$")
_AUTOMATION = re.compile(r"^Automation-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""A role session of Systems Manager: nobody's name, and long."""


def person(principal: str) -> str:
    """``minji.kim (PlatformEngineer)`` for a role session, the name of a user, ``root``; else as it is.

    The forms: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    if not principal.startswith("arn:"):
        return principal
    kind, _, rest = principal.split(":", 5)[-1].partition("/")
    if kind == "assumed-role" and "/" in rest:
        role, _, session = rest.rpartition("/")
        role = role.rpartition("/")[2]
        if _AUTOMATION.match(session):
            return role
        permission_set = _SSO.match(role)
        return f"{session} ({permission_set[1] if permission_set else role})"
    if kind in ("user", "role") and rest:
        return rest.rpartition("/")[2]
    return "root" if kind == "root" else principal
