"""Policy documents as IAM's items hold them: URL-encoded text, or already decoded, sometimes in a list."""

from __future__ import annotations

from urllib.parse import unquote

from driftguard.live.config_items import decoded
from driftguard.live.folding import get, rows
from driftguard.model import Json


def document(value: Json) -> Json:
    """A policy document as a map."""
    if isinstance(value, str):
        value = decoded(unquote(value) if value.startswith("%7B") else value)
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def inline_policies(value: Json) -> list[Json]:
    """The inline policies of a role, user or group."""
    return [
        {"PolicyName": row.get("policyName"), "PolicyDocument": document(row.get("policyDocument"))}
        for row in rows(value)
    ]


def attached(value: Json) -> list[Json]:
    """The ARNs of attached managed policies."""
    return [get(row, "policyArn") for row in rows(value)]
