"""The least-privilege policies, computed from what the gateways say they need."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

import driftguard.aws
from driftguard.aws.actions import Need, needs

# The reads that Cloud Control makes in the caller's name belong to each service; AWS keeps that list up
# to date in these managed policies.  https://docs.aws.amazon.com/aws-managed-policy/latest/reference/
MANAGED_FOR_MODELS = ("SecurityAudit", "ViewOnlyAccess")

_OUTWARD = ("write.publish.", "write.queue.")
"""Gateway modules that send results out or read our own queue, and change nothing that is looked after."""


def read_needs() -> tuple[Need, ...]:
    """Every gateway method that only looks."""
    return tuple(need for need in _all() if not need.writes)


def remediation_needs() -> tuple[Need, ...]:
    """Every gateway method that changes something or sends something out."""
    return tuple(need for need in _all() if need.writes)


def read_actions() -> tuple[str, ...]:
    """The IAM actions of a scan, sorted."""
    return _actions(read_needs())


def remediation_actions() -> tuple[str, ...]:
    """The IAM actions that only remediation and publishing need, sorted."""
    return _actions(remediation_needs())


def service_actions() -> tuple[str, ...]:
    """The IAM actions that the service needs in its own account: its queue, and where it publishes."""
    return _actions(tuple(need for need in remediation_needs() if need.method.startswith(_OUTWARD)))


def remediation_role_actions() -> tuple[str, ...]:
    """The IAM actions of the role that remediates in a member account: what changes, nothing that publishes."""
    return _actions(tuple(need for need in remediation_needs() if not need.method.startswith(_OUTWARD)))


def policy(*, remediate: bool = False, model_actions: Iterable[str] = ()) -> dict[str, Any]:
    """The IAM policy document for scanning, and with ``remediate`` for remediation too.

    ``model_actions`` are what Cloud Control needs to read the types in scope (the registry names them).
    """
    statements = [_statement("DriftguardRead", read_actions())]
    models = tuple(sorted(set(model_actions) - set(read_actions())))
    if models:
        statements.append(_statement("DriftguardModels", models))
    if remediate:
        statements.append(_statement("DriftguardRemediate", remediation_actions()))
    return {"Version": "2012-10-17", "Statement": statements}


def reference_page() -> str:
    """The reference page of the IAM permissions, as Markdown."""
    lines = [
        "# IAM permissions",
        "",
        "Computed from the code: every gateway method names the actions it needs.",
        "`driftguard iam-policy` prints the first table as a policy, `--remediate` adds the second.",
        "Cloud Control reads a resource in the caller's name, so the scanning role also needs the read",
        f"actions of the services in scope; AWS keeps them in {' and '.join(MANAGED_FOR_MODELS)}.",
        "A read that is denied becomes a gap that names the missing action.",
    ]
    for title, rows in (("Reading", read_needs()), ("Remediation and publishing", remediation_needs())):
        lines += ["", f"## {title}", "", "| Action | Asked by | For |", "|---|---|---|"]
        lines += [
            f"| `{action}` | `{need.method}` | {need.why} |"
            for action, need in sorted(
                ((action, need) for need in rows for action in need.actions),
                key=lambda row: (row[0], row[1].method),
            )
        ]
    return "\n".join(lines) + "\n"


def _all() -> tuple[Need, ...]:
    for module in pkgutil.walk_packages(driftguard.aws.__path__, "driftguard.aws."):
        importlib.import_module(module.name)
    return needs()


def _actions(rows: tuple[Need, ...]) -> tuple[str, ...]:
    return tuple(sorted({action for need in rows for action in need.actions}))


def _statement(sid: str, actions: tuple[str, ...]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": "*"}
