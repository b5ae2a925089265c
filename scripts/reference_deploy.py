"""The computed parts of ``deploy/``: lists of IAM actions and event sources, put between their marks.

In a template a list stands between ``# computed: NAME`` and ``# end``; the rest is written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import yaml

from driftguard.aws import permissions

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^(?P<pad> *)# computed: (?P<name>\w+)\n(?:.*\n)*?(?P=pad)# end$", re.MULTILINE)


def lists() -> dict[str, tuple[str, ...]]:
    """Every computed list, by its name."""
    service = permissions.service_actions()
    return {
        "read": permissions.read_actions(),
        # Passing a role has a statement of its own, narrowed to one role and to SSM.
        "remediate": tuple(a for a in permissions.remediation_role_actions() if a != "iam:PassRole"),
        "queue": tuple(action for action in service if action.startswith("sqs:")),
        "publish": tuple(action for action in service if not action.startswith("sqs:")),
        "sources": _sources(),
    }


def filled(name: str) -> Callable[[], str]:
    """The page function of a template: its own text with the computed lists renewed."""

    def make() -> str:
        return _BLOCK.sub(_block, (ROOT / name).read_text(encoding="utf-8"))

    return make


def terraform() -> str:
    """``locals`` of the Terraform module, as JSON."""
    found = lists()
    names = {
        f"{name}_actions" if name != "sources" else "event_sources": list(found[name])
        for name in ("read", "remediate", "sources")
    }
    return json.dumps({"locals": names}, indent=2) + "\n"


def _block(match: re.Match[str]) -> str:
    pad = match["pad"]
    rows = "".join(f"{pad}- {value}\n" for value in lists()[match["name"]])
    return f"{pad}# computed: {match['name']}\n{rows}{pad}# end"


def _sources() -> tuple[str, ...]:
    file = resources.files("driftguard.service.scheduler") / "data" / "trail_types.yaml"
    return tuple(sorted(f"{name}.amazonaws.com" for name in yaml.safe_load(file.read_text(encoding="utf-8"))))
